"""MemStackAsyncClient against a server.

Set MEMSTACK_API_KEY, and MEMSTACK_BASE_URL unless the server is http://localhost:8000.
To get a server: `python -m memstack serve`.
"""

import asyncio
from datetime import datetime, timezone

from memstack import MemStackAsyncClient, NotFoundError


async def main() -> None:
    async with MemStackAsyncClient() as client:
        await store(client)
        await search(client)
        await handle_an_error(client)


async def store(client: MemStackAsyncClient) -> None:
    await client.create_episode("Alice on hiking", "Alice loves hiking in Yosemite with Bob.")
    await client.create_episode(
        "Launch meeting",
        "The mobile app launches on 12 October.",
        source_type="conversation",
        group_id="meeting-7",
        metadata={"team": "mobile"},
        valid_at=datetime(2026, 9, 3, 14, 0, tzinfo=timezone.utc),
    )
    stored = await client.create_episode("王芳的偏好", "王芳喜欢在周末去西湖边骑自行车。")
    print(f"Stored three episodes; the last one is {stored.status}.")


async def search(client: MemStackAsyncClient) -> None:
    questions = [
        "Where does Alice like to hike?",
        "When does the mobile app launch?",
        "王芳周末喜欢做什么?",
    ]
    # The searches run at the same time; their answers come in the order of the questions.
    for found in await asyncio.gather(*(client.search_memory(q, limit=3) for q in questions)):
        print(f"\n{found.query}")
        for memory in found.results:
            score = "   -" if memory.score is None else f"{memory.score:4.2f}"
            print(f"  {score}  {memory.content}")


async def handle_an_error(client: MemStackAsyncClient) -> None:
    try:
        await client.get_memo("00000000-0000-0000-0000-000000000000")
    except NotFoundError as error:
        print(f"\nNo such memo: status {error.status_code}, request {error.request_id}")


if __name__ == "__main__":
    asyncio.run(main())
