"""A quick MemStack stand-in on loopback: each answer holds what its request asked for.

A memo `hold-...` is answered when the test says so, `half-...` only half at once, `gone-...` is a
404, and of a create of `lost-...` the answer is lost, but the memo listed. The header
`x-client-port` of an answer names the connection that it came over.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from email.utils import formatdate
from typing import Any
from urllib.parse import unquote

MEMO = {"visibility": "PRIVATE", "created_at": "2026-05-01T09:30:02Z", "updated_at": None}
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class Echo:
    """What the connections of one server share; changed in its loop only."""

    def __init__(self) -> None:
        self.open: dict[int, asyncio.Transport] = {}
        """By the client's port, the connections that are open now."""
        self.requests: list[tuple[int, str]] = []
        """Port and path of each request."""
        self.held = threading.Semaphore(0)
        """Released for each request that was put off."""
        self._waiting: list[tuple[asyncio.Transport, bytes]] = []
        self.keep_requests = True
        self._lost: list[Any] = []

    def take(self, transport: asyncio.Transport, port: int, head: bytes, body: bytes) -> None:
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        path = unquote(target.partition("?")[0])
        if self.keep_requests:
            self.requests.append((port, path))
        name = path.rpartition("/")[2]
        status, content = _answer(method, path, name, body)
        if method == "GET" and name == "memos":
            content = self._lost
        if b'"lost-' in body:
            self._lost = [{**content, "created_at": datetime.now(timezone.utc).isoformat()}]
            transport.close()
            return
        data = json.dumps(content).encode()
        answer = (
            f"HTTP/1.1 {status} X\r\nx-client-port: {port}\r\nContent-Type: application/json\r\n"
            f"Date: {formatdate(usegmt=True)}\r\n"
            f"Content-Length: {len(data)}\r\n\r\n"
        ).encode() + data
        asked = f"{name} {body.decode()}"
        if "half-" in asked:
            cut = len(answer) - len(data) // 2
            transport.write(answer[:cut])
            answer = answer[cut:]
        if "half-" in asked or "hold-" in asked:
            self._waiting.append((transport, answer))
            self.held.release()
        else:
            transport.write(answer)

    def release(self) -> None:
        """Answer all that was put off."""
        waiting, self._waiting = self._waiting, []
        for transport, answer in waiting:
            transport.write(answer)


def _answer(method: str, path: str, name: str, body: bytes) -> tuple[int, Any]:
    if name.startswith("gone-"):
        return 404, {"detail": f"{name} not found"}
    if path.endswith("/search"):
        return 200, {"results": [], "total": 0, "query": json.loads(body)["query"]}
    if "/memos" not in path:
        return 200, {"status": "ok"}
    content = json.loads(body)["content"] if body else name
    return 200, {**MEMO, "id": f"id of {content}" if body else name, "content": content, "tags": []}


class Connection(asyncio.Protocol):
    """One client's; requests may come in pieces."""

    def __init__(self, echo: Echo) -> None:
        self._echo = echo
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._port = transport.get_extra_info("peername")[1]
        self._echo.open[self._port] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._echo.open.pop(self._port, None)

    def data_received(self, data: bytes) -> None:
        self._read += data
        while b"\r\n\r\n" in self._read:
            head, _, rest = self._read.partition(b"\r\n\r\n")
            found = _LENGTH.search(head)
            length = int(found[1]) if found else 0
            if len(rest) < length:
                return
            self._read = rest[length:]
            self._echo.take(self._transport, self._port, head, rest[:length])


async def start(echo: Echo, context: ssl.SSLContext | None = None) -> tuple[asyncio.Server, str]:
    """A server in the running loop, and its URL."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Connection(echo), "127.0.0.1", 0, ssl=context, backlog=1024
    )
    port = server.sockets[0].getsockname()[1]
    return server, f"http{'s' if context else ''}://127.0.0.1:{port}"


class Echoing:
    """An `Echo` in a thread of its own, seen from other threads."""

    def __init__(self, echo: Echo, url: str, loop: asyncio.AbstractEventLoop) -> None:
        self.echo = echo
        self.url = url
        self._loop = loop

    def ports(self) -> set[int]:
        """Of the clients that are connected now; what a client has closed is not among them."""
        return asyncio.run_coroutine_threadsafe(self._connected(), self._loop).result(5)

    async def _connected(self) -> set[int]:
        for _ in range(3):  # so that the end of a connection that is on its way has come
            await asyncio.sleep(0.005)
        return set(self.echo.open)

    def wait_until_held(self) -> None:
        """Return once one more request was put off."""
        assert self.echo.held.acquire(timeout=10)

    def release(self) -> None:
        """Answer all that was put off."""
        self._loop.call_soon_threadsafe(self.echo.release)


@contextmanager
def echoing(context: ssl.SSLContext | None = None) -> Iterator[Echoing]:
    """A server in a thread; *context* makes it speak TLS."""
    echo, loop = Echo(), asyncio.new_event_loop()
    server, url = loop.run_until_complete(start(echo, context))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield Echoing(echo, url, loop)
    finally:

        async def stop() -> None:
            server.close()
            for transport in list(echo.open.values()):
                transport.abort()
            for _ in range(3):
                await asyncio.sleep(0)

        asyncio.run_coroutine_threadsafe(stop(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


async def _serve_for_ever() -> None:
    echo = Echo()
    echo.keep_requests = False
    server, url = await start(echo)
    print(url, flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve_for_ever())
