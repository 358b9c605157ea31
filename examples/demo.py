"""A tour of MemStack on an embedded server: no server, no network, no key to bring.

Run it with `make demo`, or with `python examples/demo.py` where the package is installed.
"""

import asyncio
import io
import sys
from datetime import datetime, timezone

from memstack import (
    AuthenticationError,
    Memo,
    MemoryResponse,
    MemoryResult,
    MemStackAsyncClient,
    MemStackClient,
    NotFoundError,
    PermissionDeniedError,
    ValidationError,
)


def main() -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without Chinese shows "?"
    print("MemStack embedded in this process: no server, no network, no API key.")
    with MemStackClient.local() as client:
        store_episodes(client)
        search(client)
        search_in_part(client)
        keep_memos(client)
        use_api_keys(client)
        handle_errors(client)
    asyncio.run(search_at_once())
    say_where_next()


def store_episodes(client: MemStackClient) -> None:
    title("Store episodes")
    store_preferences(client)
    store_meetings(client)
    store_support_chat(client)
    store_documents(client)
    page = client.list_episodes(limit=4)
    print(f"{page.total} episodes are stored. The newest:")
    for episode in page.episodes:
        print(f"  {episode.source_type:<13} {episode.name}")


def store_preferences(client: MemStackClient) -> None:
    """The short form: a name and a text, in any language."""
    client.create_episode("Alice on hiking", "Alice loves hiking in Yosemite with Bob.")
    client.create_episode("Trip plans", "Carol and Dan want to hike along the coast in June.")
    client.create_episode("Bob on food", "Bob is allergic to peanuts and prefers Thai restaurants.")
    client.create_episode("王芳的偏好", "王芳喜欢在周末去西湖边骑自行车。")
    client.create_episode("李明的习惯", "李明周末常去图书馆,早上喝一杯黑咖啡。", user_id="liming")


def store_meetings(client: MemStackClient) -> None:
    """With the time it happened, the tenant it belongs to, and facts of your own."""
    client.create_episode(
        "Launch meeting",
        "The mobile app launches on 12 October. Carol writes the release notes.",
        metadata={"project": "mobile", "attendees": 5},
        tenant_id="acme",
        valid_at=datetime(2026, 9, 3, 14, 0, tzinfo=timezone.utc),
    )
    client.create_episode(
        "产品会议",
        "下次产品会议改到星期五下午三点,在上海办公室二楼举行。",
        metadata={"project": "mobile"},
        tenant_id="acme",
        valid_at=datetime(2026, 9, 7, 2, 0, tzinfo=timezone.utc),
    )
    client.create_episode(
        "Pricing meeting",
        "The enterprise plan will cost 900 euros a month from January.",
        tenant_id="globex",
        valid_at=datetime(2026, 9, 8, 9, 0, tzinfo=timezone.utc),
    )


def store_support_chat(client: MemStackClient) -> None:
    """Several messages of one conversation, held together by their group."""
    messages = [
        "Customer: The mobile app charged my August invoice twice.",
        "Agent: I am sorry. The card was declined once, and both payments went through later.",
        "Customer: Will I get the second payment back?",
        "Agent: Yes, the refund of 49 euros arrives within five working days.",
    ]
    for number, message in enumerate(messages, 1):
        client.create_episode(
            f"Support chat 1042, message {number}",
            message,
            source_type="conversation",
            source_description="Support chat",
            group_id="chat-1042",
        )


def store_documents(client: MemStackClient) -> None:
    client.create_episode(
        "Travel policy",
        "Trips of more than 500 euros are approved by the head of the department. "
        "Trains are preferred to flights where the journey takes less than five hours. "
        "Receipts are handed in within 30 days.",
        source_type="document",
        source_description="Staff handbook, chapter 7",
    )


def search(client: MemStackClient) -> None:
    title("Search with questions: rank, score, memory")
    for question in (
        "Where does Alice like to hike?",
        "When does the mobile app launch?",
        "Who has to approve an expensive trip?",
        "王芳周末喜欢做什么?",
        "产品会议在哪里举行?",
    ):
        show(client.search_memory(question, limit=3))


def search_in_part(client: MemStackClient) -> None:
    title("Search one part of the memory")
    group = {"group_id": "chat-1042"}
    show(client.search_memory("When is the refund?", limit=2, filters=group), "one conversation")
    for tenant in ("globex", "acme"):
        found = client.search_memory("What does the enterprise plan cost?", tenant_id=tenant)
        show(found, f"tenant {tenant}")


def keep_memos(client: MemStackClient) -> None:
    title("Keep memos")
    trail_map = client.create_memo("Ask Alice about the trail map.", tags=["hiking"])
    client.create_memo("给王芳回电话", visibility="PUBLIC")
    print("Created two:")
    show_memos(client.list_memos())

    client.update_memo(trail_map.id, content="Alice sent the trail map.", tags=["hiking", "done"])
    print("Updated one:")
    show_memos(client.list_memos())

    client.delete_memo(trail_map.id)
    print("Deleted it:")
    show_memos(client.list_memos())


def use_api_keys(client: MemStackClient) -> None:
    title("Make and revoke an API key")
    made = client.create_api_key("dashboard", ["read"], expires_in_days=30)
    print(f"Created  {made.name}, which may {', '.join(made.permissions)}: {masked(made.key)}")

    dashboard = client.with_options(api_key=made.key)
    found = dashboard.search_memory("What is Bob allergic to?", limit=1)
    print(f"It reads: {found.results[0].content}")
    try:
        dashboard.create_memo("A key that may only read cannot store this.")
    except PermissionDeniedError as error:
        print(f"It cannot write: {error.status_code} {type(error).__name__}")

    client.revoke_api_key(made.key_id)
    try:
        dashboard.list_memos()
    except AuthenticationError as error:
        print(f"Revoked, it does nothing: {error.status_code} {type(error).__name__}")


def handle_errors(client: MemStackClient) -> None:
    title("Handle errors by their type")
    try:
        client.get_memo("no-such-memo")
    except NotFoundError as error:
        print(f"NotFoundError    status {error.status_code}, outcome {error.outcome}")
        print(f"                 {error.response_body['detail']}")
    try:
        client.search_memory("hiking", limit=1000)
    except ValidationError as error:
        print(f"ValidationError  outcome {error.outcome}, found before anything was sent")
        print(f"                 {error.message}")


async def search_at_once() -> None:
    title("Several searches at once, with asyncio")
    questions = ("Who likes tea?", "What does Dan play?", "谁会弹钢琴?")
    async with MemStackAsyncClient.local() as client:
        await client.create_episode("Carol on tea", "Carol likes green tea with honey.")
        await client.create_episode("Dan on music", "Dan plays the cello in an orchestra.")
        await client.create_episode("张伟的爱好", "张伟会弹钢琴,也喜欢唱歌。")
        for found in await asyncio.gather(*(client.search_memory(q, 1) for q in questions)):
            show(found)


def say_where_next() -> None:
    title("Where to go next")
    print("README.md                  install, quick start, all methods, errors")
    print("examples/sdk_usage.py      the asyncio client against a server")
    print("examples/basic_usage.py    the REST API without this package")
    print("python -m memstack serve   this MemStack as a server: pip install '.[server]'")


def title(text: str) -> None:
    print(f"\n{text}\n{'=' * len(text)}")


def show(found: MemoryResponse, where: str = "") -> None:
    print(f"{found.query}  [{where}]" if where else found.query)
    if not found.results:
        print("  nothing found")
    for rank, memory in enumerate(found.results, 1):
        print(f"  {rank}. {scored(memory)}  {shortened(memory.content)}")


def scored(memory: MemoryResult) -> str:
    return "     " if memory.score is None else f"{memory.score:5.2f}"


def show_memos(memos: list[Memo]) -> None:
    for memo in memos:
        tags = [f"#{tag}" for tag in memo.tags]
        print("  ".join([f"  {memo.visibility:<7}", memo.content, *tags]))


def shortened(text: str, length: int = 66) -> str:
    return text if len(text) <= length else text[: length - 3].rstrip() + "..."


def masked(key: str) -> str:
    return f"{key[:8]}...{key[-2:]}"


if __name__ == "__main__":
    main()
