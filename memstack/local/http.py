"""Decides how the embedded server is reached over HTTP, and how such a process starts and stops.

Needs the extra `[server]`; no other module imports Starlette or uvicorn. What a request means is
for `server`.
"""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import quote

from memstack._wire import WireRequest
from memstack.exceptions import MemStackError
from memstack.local.answers import Answer, encoded, request_id_of
from memstack.local.server import EmbeddedServer

try:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import ClientDisconnect, Request
    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send
except ImportError as error:
    raise MemStackError(
        "Serving over HTTP needs Starlette and uvicorn: pip install 'memstack-sdk[server]'"
    ) from error

__all__ = ["MAX_BODY", "create_app", "serve"]

MAX_BODY = 10 * 1024 * 1024
"""Most bytes of one request's body."""

_GRACE = 5  # Seconds that requests at work get when the process is told to stop.


def create_app(server: EmbeddedServer) -> Starlette:
    """An ASGI application that answers every request with *server*, and closes it at the end."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(server.close)

    async def respond(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        request = Request(scope, receive)
        try:
            body = await _body(request)
        except ClientDisconnect:
            return
        headers = _headers(request)
        if body is None:
            detail = f"Request body is larger than {MAX_BODY} bytes"
            answer = encoded(Answer(413, {"detail": detail}), request_id_of(headers))
        else:
            wire = WireRequest(request.method, _target(scope), headers, body, None)
            answer = await run_in_threadpool(server.handle, wire)
        response = Response(answer.body, answer.status, dict(answer.headers))
        await response(scope, receive, send)

    app = Starlette(lifespan=lifespan)
    # No routes: the server has its own, which need the path as it was sent.
    app.router.default = respond
    return app


def serve(host: str, port: int, db: str | None, api_key: str | None) -> int:
    """Serve until Ctrl-C or SIGTERM; the exit code. To be called in the main thread.

    Args:
        host: Address to listen on.
        port: 0 to 65535; 0 for any that is free.
        db: The file; None keeps all in memory.
        api_key: The owner's key; None makes one and prints it.

    Raises:
        MemStackError: *db* cannot be used, or *api_key* does not look like a key.
    """
    try:
        listener = _listen(host, port)
    except (OSError, UnicodeError) as error:  # The latter for a host that is no name at all.
        print(
            f"memstack: cannot listen on {host} port {port}: "
            f"{getattr(error, 'strerror', None) or error}; choose another with --host and --port",
            file=sys.stderr,
        )
        return 1
    with listener, EmbeddedServer(db, owner_key=api_key) as server:
        config = uvicorn.Config(
            create_app(server),
            lifespan="on",
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE,
        )
        lines = _introduction(_url(host, listener), server, show_key=api_key is None)
        http = _Server(config, lambda: print(*lines, sep="\n", flush=True))
        with _stopped_by_signals(http):
            http.run(sockets=[listener])
    return 0


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_started()


@contextmanager
def _stopped_by_signals(http: uvicorn.Server) -> Iterator[None]:
    # uvicorn raises the signal that stopped it again at the end: these handlers, which are in
    # place then, make that a normal exit.
    def stop(*_: object) -> None:
        http.should_exit = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _listen(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        if sys.platform != "win32":  # There it would share the port with another program.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except BaseException:
        listener.close()
        raise
    return listener


def _url(host: str, listener: socket.socket) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{listener.getsockname()[1]}"


def _introduction(url: str, server: EmbeddedServer, *, show_key: bool) -> list[str]:
    if server.path is None:
        place = "in memory: all is lost when this stops (--db FILE keeps it)"
    else:
        place = f"in {server.path}"
    key = f" MEMSTACK_API_KEY={server.owner_key}" if show_key else ""
    return [
        f"MemStack listens on {url}, {place}",
        f"API key: {server.owner_key if show_key else 'the one in MEMSTACK_API_KEY'}",
        f"To use it: export MEMSTACK_BASE_URL={url}{key}",
    ]


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
