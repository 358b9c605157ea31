"""The REST API of MemStack with httpx alone, without this package.

Set MEMSTACK_API_KEY, and MEMSTACK_BASE_URL unless the server is http://localhost:8000.
To get a server: `python -m memstack serve`.
"""

import asyncio
import os
import time
from typing import Any

import httpx

EPISODES: list[dict[str, Any]] = [
    {
        "name": "Alice on hiking",
        "content": "Alice loves hiking in Yosemite with Bob.",
        "source_type": "conversation",
        "group_id": "chat-42",
    },
    {
        "name": "Sprint review",
        "content": "The search page is done. Dan takes over the mobile app in May.",
        "metadata": {"team": "web"},
    },
    {"name": "王芳的偏好", "content": "王芳喜欢在周末去西湖边骑自行车。"},
]


async def main() -> None:
    api_key = os.environ["MEMSTACK_API_KEY"]
    base_url = os.environ.get("MEMSTACK_BASE_URL", "http://localhost:8000")
    headers = {"Authorization": f"Bearer {api_key}"}

    async with httpx.AsyncClient(base_url=base_url, headers=headers, timeout=60) as client:
        answer = await client.get("/health")
        answer.raise_for_status()
        print(f"Health: {answer.json()['status']}")

        for episode in EPISODES:
            # The path ends with a slash. The server answers before the episode can be found.
            answer = await client.post("/api/v1/episodes/", json=episode)
            answer.raise_for_status()
            print(f"Stored: {episode['name']} ({answer.json()['status']})")

        await wait_until_found(client, "Who takes over the mobile app?", "Dan takes over")

        for question in ("Where does Alice like to hike?", "王芳周末喜欢做什么?"):
            print(f"\n{question}")
            for result in await search(client, question):
                print(f"  {result['score'] or 0:.2f}  {result['content']}")  # a score may be null


async def search(client: httpx.AsyncClient, question: str) -> list[dict[str, Any]]:
    body = {"query": question, "limit": 3}
    answer = await client.post("/api/v1/memory/search", json=body)
    answer.raise_for_status()
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


async def wait_until_found(
    client: httpx.AsyncClient, question: str, content: str, *, seconds: float = 60
) -> None:
    """Search again and again until *content* is found: a server may need time to process it."""
    deadline = time.monotonic() + seconds
    while not any(content in result["content"] for result in await search(client, question)):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{content!r} was not found within {seconds:g} seconds")
        await asyncio.sleep(1)
    print("Processed: the episodes can be found")


if __name__ == "__main__":
    asyncio.run(main())
