"""The requests that are compared, as HTTP and as calls of a client."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

KEY = "ms_sk_benchmark"
HEADERS = {"Authorization": f"Bearer {KEY}"}
TEXT = "Alice loves hiking in Yosemite with Bob. " * 4
CASES = ("get_memo", "create_episode", "search_memory, 10 results", "search_memory, 100 results")

_numbers = count()


def request(case: str) -> tuple[str, str, dict[str, Any] | None]:
    """Method, path and body; no two gets are for the same memo."""
    if case == "get_memo":
        return "GET", f"/api/v1/memos/m{next(_numbers)}", None
    if case == "create_episode":
        return "POST", "/api/v1/episodes/", {"name": "Alice on hiking", "content": TEXT}
    return "POST", "/api/v1/memory/search", {"query": "hiking", "limit": results_of(case)}


def call_of(client: Any, case: str) -> Callable[[], Any]:
    """The same by a client of MemStack, of either colour."""
    if case == "get_memo":
        return lambda: client.get_memo(f"m{next(_numbers)}")
    if case == "create_episode":
        return lambda: client.create_episode("Alice on hiking", TEXT)
    return lambda: client.search_memory("hiking", results_of(case))


def results_of(case: str) -> int:
    """How many results a search is for."""
    return int(case.split()[1])
