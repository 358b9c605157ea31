"""Decides which operation a request asks for, what it may do, and what it takes.

Source: openapi.yaml; each operation has the name that it has there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import unquote_to_bytes

from pydantic import BaseModel

from memstack._rules import EpisodeListing, MemoListing
from memstack._version import __version__
from memstack.local import episodes, keys, memos, search
from memstack.local.answers import Answer, Refusal
from memstack.local.vectors import Asked
from memstack.models import APIKeyCreate, EpisodeCreate, MemoCreate, MemoryQuery, MemoUpdate

__all__ = ["CAPABILITIES", "Call", "Route", "route_of"]

CAPABILITIES = ["idempotency-key", "filters"]
"""What this server can do beyond the plain operations."""


@dataclass(frozen=True)
class Call:
    """What a request gives to its operation, read and checked."""

    segment: str = ""
    """The part of the path that names one thing."""
    query: Any = None
    body: Any = None
    once: str | None = None
    """The Idempotency-Key, of a creation."""
    bearer: keys.Bearer = keys.NOBODY
    asked: Asked | None = None
    """The question of a search, where there is a model to make a vector of it."""


@dataclass(frozen=True)
class Route:
    """An operation, and how it is asked for."""

    operation: str
    method: str
    path: tuple[str, ...]
    """Segments; one in braces stands for any that is not empty."""
    run: Callable[[sqlite3.Connection, Call], Answer]
    needs: Literal["read", "write"] | None
    """The permission; None if not even a key is needed."""
    writes: bool = False
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    once: bool = False
    """Whether it knows `Idempotency-Key`."""
    unstored: Callable[[sqlite3.Connection, Call], dict[str, Any]] | None = None
    """Of a creation with an Idempotency-Key, what of the answer must not be stored with it."""

    @property
    def parameter(self) -> str | None:
        """Name of the path's parameter."""
        last = self.path[-1]
        return last[1:-1] if last.startswith("{") else None

    def takes(self, segments: list[str | None]) -> bool:
        """Whether *segments* are of this route's path."""
        return len(segments) == len(self.path) and all(
            own == segment or (own.startswith("{") and segment != "")
            for own, segment in zip(self.path, segments, strict=True)
        )


def route_of(method: str, target: str) -> tuple[Route, str | None, str]:
    """The route of a request, the decoded last segment of its path, and its query string.

    The segment is None where it is not UTF-8. An encoded slash does not part segments.

    Raises:
        Refusal: 404 or 405; there is none.
    """
    path, _, query = target.partition("?")
    segments = [_decoded(segment) for segment in path.split("/")[1:]]
    routes = [route for route in _ROUTES if route.takes(segments)]
    if not routes or not path.startswith("/") or not target.isascii():
        raise Refusal(404, "Not Found")
    for route in routes:
        if route.method == method:
            return route, segments[-1], query
    raise Refusal(405, "Method Not Allowed", {"allow": ", ".join(r.method for r in routes)})


def _decoded(segment: str) -> str | None:
    try:
        return unquote_to_bytes(segment.encode("utf-8", "replace")).decode()
    except UnicodeDecodeError:
        return None


def _reading(
    operation: str,
    path: str,
    run: Callable[[sqlite3.Connection, Call], Answer],
    *,
    method: str = "GET",
    query: type[BaseModel] | None = None,
    body: type[BaseModel] | None = None,
) -> Route:
    segments = tuple(path.split("/")[1:])
    return Route(operation, method, segments, run, "read", query=query, body=body)


def _writing(
    operation: str,
    method: str,
    path: str,
    run: Callable[[sqlite3.Connection, Call], Answer],
    *,
    body: type[BaseModel] | None = None,
    unstored: Callable[[sqlite3.Connection, Call], dict[str, Any]] | None = None,
) -> Route:
    return Route(
        operation,
        method,
        tuple(path.split("/")[1:]),
        run,
        "write",
        writes=True,
        body=body,
        once=method == "POST",  # Every creation, and nothing else, is a POST that writes.
        unstored=unstored,
    )


def _health(_: sqlite3.Connection, __: Call) -> Answer:
    content = {"status": "ok", "version": __version__, "capabilities": CAPABILITIES}
    return Answer(200, content)


_ROUTES = (
    Route("health_check", "GET", ("health",), _health, needs=None),
    _writing(
        "create_episode",
        "POST",
        "/api/v1/episodes/",
        lambda connection, call: episodes.create(connection, call.body),
        body=EpisodeCreate,
    ),
    _reading(
        "list_episodes",
        "/api/v1/episodes/",
        lambda connection, call: episodes.page(connection, call.query),
        query=EpisodeListing,
    ),
    _reading(
        "get_episode",
        "/api/v1/episodes/{episode_name}",
        lambda connection, call: episodes.get(connection, call.segment),
    ),
    _writing(
        "delete_episode",
        "DELETE",
        "/api/v1/episodes/{episode_name}",
        lambda connection, call: episodes.delete(connection, call.segment),
    ),
    _reading(
        "search_memory",
        "/api/v1/memory/search",
        lambda connection, call: search.search(connection, call.body, call.asked),
        method="POST",
        body=MemoryQuery,
    ),
    _writing(
        "create_api_key",
        "POST",
        "/api/v1/auth/keys",
        lambda connection, call: keys.create(connection, call.body, call.once, call.bearer),
        body=APIKeyCreate,
        unstored=lambda connection, call: {
            "key": keys.derived_key(connection, call.bearer, call.once or "")
        },
    ),
    _reading(
        "list_api_keys",
        "/api/v1/auth/keys",
        lambda connection, _: keys.listed(connection),
    ),
    _writing(
        "revoke_api_key",
        "DELETE",
        "/api/v1/auth/keys/{key_id}",
        lambda connection, call: keys.revoke(connection, call.segment),
    ),
    _writing(
        "create_memo",
        "POST",
        "/api/v1/memos",
        lambda connection, call: memos.create(connection, call.body),
        body=MemoCreate,
        # The request that is repeated has it: so a memo that is deleted leaves no text behind.
        unstored=lambda _, call: {"content": call.body.content, "tags": call.body.tags},
    ),
    _reading(
        "list_memos",
        "/api/v1/memos",
        lambda connection, call: memos.page(connection, call.query),
        query=MemoListing,
    ),
    _reading(
        "get_memo",
        "/api/v1/memos/{memo_id}",
        lambda connection, call: memos.get(connection, call.segment),
    ),
    _writing(
        "update_memo",
        "PATCH",
        "/api/v1/memos/{memo_id}",
        lambda connection, call: memos.update(connection, call.segment, call.body),
        body=MemoUpdate,
    ),
    _writing(
        "delete_memo",
        "DELETE",
        "/api/v1/memos/{memo_id}",
        lambda connection, call: memos.delete(connection, call.segment),
    ),
)
