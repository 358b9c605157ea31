"""The requests that are compared, as HTTP and as calls of a client."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

KEY = "ms_sk_benchmark"
HEADERS = {"Authorization": f"Bearer {KEY}"}
TEXT = "Alice loves hiking in Yosemite with Bob. " * 4
RESULTS = (1, 3, 10, 30, 100, 300, 1000)
MOST = 100
"""Results that a client may ask for; the server of the benchmark gives as many as the query says,
as one whose pages are longer would."""

_numbers = count()


def search_for(results: int) -> str:
    """The case that searches for so many."""
    return f"search_memory, {results} result{'s' if results > 1 else ''}"


CASES = ("get_memo", "create_episode", *map(search_for, RESULTS))


def request(case: str) -> tuple[str, str, dict[str, Any] | None]:
    """Method, path and body; no two gets are for the same memo."""
    if case == "get_memo":
        return "GET", f"/api/v1/memos/{memo_id()}", None
    if case == "create_episode":
        return "POST", "/api/v1/episodes/", episode()
    return "POST", "/api/v1/memory/search", query(case)


def call_of(client: Any, case: str) -> Callable[[], Any]:
    """The same by a client of MemStack, of either colour."""
    if case == "get_memo":
        return lambda: client.get_memo(memo_id())
    if case == "create_episode":
        return lambda: client.create_episode("Alice on hiking", TEXT)
    asked = query(case)
    return lambda: client.search_memory(asked["query"], asked["limit"])


def memo_id() -> str:
    """Another each time."""
    return f"m{next(_numbers)}"


def episode() -> dict[str, Any]:
    """The body of a create."""
    return {"name": "Alice on hiking", "content": TEXT}


def query(case: str) -> dict[str, Any]:
    """The body of a search."""
    results = int(case.split()[1])
    return {"query": f"{results} about hiking", "limit": min(results, MOST)}
