"""Decides how the embedded server is reached over HTTP.

Needs the extra `[server]`; no other module but `serving` imports Starlette or uvicorn. What a
request means is for `server`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

from memstack._wire import WireRequest, WireResponse
from memstack.exceptions import MemStackError
from memstack.local.answers import Answer, encoded, request_id_of
from memstack.local.keys import Bearer
from memstack.local.limits import MAX_BODY, RateLimit
from memstack.local.server import EmbeddedServer

NEEDS = "Serving over HTTP needs Starlette, uvicorn and PyYAML: pip install 'memstack-sdk[server]'"

try:
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import ClientDisconnect, Request
    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

    from memstack.local.access import Visit
    from memstack.local.pages import is_page, page
except ImportError as error:
    raise MemStackError(NEEDS) from error

__all__ = ["NEEDS", "create_app"]

_TOO_LARGE = f"Request body is larger than {MAX_BODY} bytes, the most that is taken; split it"
_STOPPING = "The server is stopping; whether the request was applied is not known"


def create_app(server: EmbeddedServer, *, rate_limit: int | None = None) -> Starlette:
    """An ASGI application that answers every request with *server*, and closes it at the end.

    Args:
        rate_limit: Most requests of one key a minute, 1 to 100000; None for no limit.

    Raises:
        ValidationError: *rate_limit* is out of range.
    """
    limit = RateLimit(rate_limit) if rate_limit is not None else None

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(server.close)

    async def answer(request: Request, visit: Visit) -> WireResponse:
        headers = _headers(request)
        target = _target(request.scope)
        visit.asks(target)
        try:
            if is_page(target):
                return await run_in_threadpool(page, request.method, target, request_id_of(headers))
            body = await _body(request)
            if body is None:
                return encoded(Answer(413, {"detail": _TOO_LARGE}), request_id_of(headers))

            def admit(bearer: Bearer) -> None:
                visit.admit(bearer)
                if limit:
                    limit.admit(bearer)

            wire = WireRequest(request.method, target, headers, body, None)
            return await run_in_threadpool(server.handle, wire, admit)
        except asyncio.CancelledError:
            # The time for requests at work is over when a server stops. The task ends with this
            # answer; to go on with the exception would close the connection without one.
            stopping = Answer(503, {"detail": _STOPPING}, {"retry-after": "1"})
            return encoded(stopping, request_id_of(headers))

    async def respond(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        request = Request(scope, receive)
        visit = Visit(
            request.client.host if request.client else "-", request.method, scope["http_version"]
        )
        try:
            told = await answer(request, visit)
        except ClientDisconnect:
            visit.ended(None, 0, "-")
            return
        response = Response(told.body, told.status, dict(told.headers))
        await response(scope, receive, send)
        size = 0 if request.method == "HEAD" else len(told.body)
        visit.ended(told.status, size, told.headers["x-request-id"])

    app = Starlette(lifespan=lifespan)
    # No routes: the server has its own, which need the path as it was sent.
    app.router.default = respond
    return app


async def _body(request: Request) -> bytes | None:
    """The body, or None if it is too large."""
    chunks = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY:
            return None  # uvicorn reads the rest, so that the client gets to see the answer.
        chunks.append(chunk)
    return b"".join(chunks)


def _headers(request: Request) -> dict[str, str]:
    """The headers; one that came twice has both values, as RFC 9110 5.3 has it."""
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _target(scope: Scope) -> str:
    # The decoded `path` no longer tells %2F from a slash.
    path = scope.get("raw_path") or quote(scope["path"]).encode()
    query = scope["query_string"]
    return (path + b"?" + query if query else path).decode("latin-1")
