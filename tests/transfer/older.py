"""An embedded MemStack made to behave like servers that know less, for clients over httpx."""

from __future__ import annotations

import json
from collections.abc import Callable
from email.utils import formatdate
from typing import Any, Literal
from urllib.parse import parse_qs

import httpx

from memstack import MemStackAsyncClient, MemStackClient
from memstack._wire import WireRequest
from memstack.local import EmbeddedServer

from ..colours import CLASSES, AnyClient, Colour

Generation = Literal["current", "v0.1", "v0.2", "unknown"]

_HEALTH: dict[str, Any] = {
    "v0.1": {"status": "healthy"},
    "v0.2": {"status": "ok", "version": "0.2.0"},
    "unknown": {"status": "fine"},
}
_HIDDEN = {
    "v0.1": {"id", "group_id", "source_description", "metadata", "valid_at"},
    "v0.2": {"group_id", "source_type", "metadata"},
}


class Older:
    """Answers for *server* as *generation* would; a hook may look at each request, and raise."""

    def __init__(self, server: EmbeddedServer, generation: Generation = "unknown") -> None:
        self.server = server
        self.generation = generation
        self.before: Callable[[httpx.Request], None] = lambda request: None
        self.after: Callable[[httpx.Request], None] = lambda request: None
        """Once it is done, and before it is answered."""
        self.requests: list[tuple[str, str]] = []
        self.hidden: set[str] = set()
        """What else its lists do not show of an episode."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append((request.method, request.url.path))
        self.before(request)
        answer = self._answer(request)
        self.after(request)
        answer.headers["date"] = formatdate(usegmt=True)
        return answer

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path, query = request.url.path, parse_qs(request.url.query.decode())
        old = self.generation != "current"
        if old and path.endswith("/health"):
            there = "/api/v1/health" if self.generation == "v0.1" else "/health"
            if path != there:
                return httpx.Response(404, json={"detail": "Not Found"})
            return httpx.Response(200, json=_HEALTH[self.generation])
        if self.generation == "v0.2" and path.endswith("/memos"):
            if path != "/memos":
                return httpx.Response(404, json={"detail": "Not Found"})
            if request.method == "POST":
                return httpx.Response(500, text="Internal Server Error")
            path = "/api/v1/memos"
        headers = {k: v for k, v in request.headers.items() if k != "idempotency-key" or not old}
        target = path + (f"?{request.url.query.decode()}" if request.url.query else "")
        if self.generation == "v0.1" and path.endswith("/episodes/") and request.method == "GET":
            target = f"{path}?limit={query['limit'][0]}"
        told = self.server.handle(
            WireRequest(request.method, target, headers, request.content, None)
        )
        body = json.loads(told.body) if told.body else None
        if isinstance(body, dict) and "episodes" in body:
            body = self._listed(body)
        return httpx.Response(told.status, json=body, headers=_own(told.headers))

    def _listed(self, page: dict[str, Any]) -> dict[str, Any]:
        hidden = self.hidden | _HIDDEN.get(self.generation, set())
        rows = [{k: v for k, v in row.items() if k not in hidden} for row in page["episodes"]]
        if self.generation != "v0.1":
            return {**page, "episodes": rows}
        results = [{"content": row.pop("content"), "metadata": row} for row in rows]
        return {"results": results, "total": len(results)}


def _own(headers: Any) -> dict[str, str]:
    return {k: v for k, v in headers.items() if k in ("x-request-id", "idempotency-replayed")}


def client_of(older: Older, colour: Colour, over: Any = None, **options: Any) -> AnyClient:
    """A client of *older*, which closes nothing; it looks twice without a pause.

    Args:
        over: A transport of httpx on the way there, of either kind.
    """
    over = over or httpx.MockTransport(older)
    url, key = f"https://{id(older)}.memstack.test", older.server.owner_key
    options = {"settle_grace": 0.0, "retry_delay": 0.001, **options}
    if colour == "sync":
        http = httpx.Client(transport=over)
        return MemStackClient(key, url, http_client=http, **options)
    awaited = httpx.AsyncClient(transport=over)
    assert CLASSES[colour] is MemStackAsyncClient
    return MemStackAsyncClient(key, url, http_client=awaited, **options)
