"""Plays a ScriptedServer over a socket, for a transport that takes no httpx.MockTransport.

Where the script has an exception of httpx, the connection fails in that way.
"""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from memstack._wire import AsyncTransport, Transport, WireRequest, WireResponse

from .scripted import ScriptedServer

SHORT = 0.15
"""Seconds that a request is given to which no answer comes."""


class Loopback:
    """A server that seems to be at *origin*."""

    def __init__(self, server: ScriptedServer, origin: str) -> None:
        self.server = server
        self.origin = origin
        with socket.create_server(("127.0.0.1", 0)) as first:
            address = first.getsockname()
        # Of a port that was not named, Linux would make another when it listens again.
        self._listener = socket.create_server(address)
        self.url = f"http://127.0.0.1:{address[1]}"
        self._timeout: float | None = None
        self._opened = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @contextmanager
    def staged(self, request: WireRequest) -> Iterator[WireRequest]:
        """Makes what the script has next come true for *request*, which is to be sent inside."""
        step = self.server.script[0] if self.server.script else None
        self._timeout = request.timeout
        if isinstance(step, httpx.ConnectError):
            self.server.script.pop(0)
            self.server.requests.append(
                httpx.Request(request.method, self.origin + request.target, headers=request.headers)
            )
            self._listener.shutdown(socket.SHUT_RDWR)
            try:
                yield request
            finally:
                self._listener.listen()
                self._opened.set()
        elif isinstance(step, BaseException) and not isinstance(step, tuple(_FAILS)):
            pytest.skip(f"no server on loopback can bring about a {type(step).__name__}")
        else:
            is_late = isinstance(step, httpx.ReadTimeout)
            yield replace(request, timeout=SHORT) if is_late else request

    def close(self) -> None:
        self._ended = True
        self._listener.shutdown(socket.SHUT_RDWR)
        self._opened.set()
        self._thread.join(5)
        self._listener.close()
        assert not self._thread.is_alive()

    def _accept(self) -> None:
        while not self._ended:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed, for a request or for good
                self._opened.wait()
                self._opened.clear()
                continue
            with connection, suppress(OSError):  # the client may go first
                connection.settimeout(5)
                self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        received = b""
        while not (whole := _request_of(received)):
            data = connection.recv(65536)
            if not data:
                return
            received += data
        method, target, headers, body = whole
        request = httpx.Request(
            method,
            self.origin + target,
            headers=headers,
            content=body,
            extensions={"timeout": {"read": self._timeout}},
        )
        try:
            answer = self.server(request)
        except tuple(_FAILS) as error:
            _FAILS[type(error)](connection)
        else:
            connection.sendall(self._wire(answer))

    def _wire(self, answer: httpx.Response) -> bytes:
        seems, _, _ = self.origin.partition("//")
        place = rf"{seems}//{re.escape(urlsplit(self.origin).netloc)}(:443)?(?=/|$)"
        lines = [f"HTTP/1.1 {answer.status_code} Whatever", "Connection: close"]
        for name, value in answer.headers.multi_items():
            lines.append(f"{name}: {re.sub(place, self.url, value)}")
        head = "\r\n".join([*lines, "", ""]).encode()
        stream: Any = answer.stream
        return head + b"".join(stream)


def _request_of(received: bytes) -> tuple[str, str, list[tuple[str, str]], bytes] | None:
    """Method, target, headers and body; None before the end has come."""
    head, end, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("ascii").split("\r\n")
    headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
    length = next((int(v) for n, v in headers if n.lower() == "content-length"), 0)
    if not end or len(body) < length:
        return None
    method, target, _ = first.split(" ")
    return method, target, headers, body


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _cut(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")


def _wait(connection: socket.socket) -> None:
    connection.recv(1)


_FAILS = {httpx.ReadError: _reset, httpx.RemoteProtocolError: _cut, httpx.ReadTimeout: _wait}


@dataclass
class Staged:
    """A transport of which each request meets what the script has for it."""

    inner: Transport
    loopback: Loopback

    def send(self, request: WireRequest) -> WireResponse:
        with self.loopback.staged(request) as staged:
            return self.inner.send(staged)

    def close(self) -> None:
        self.inner.close()


@dataclass
class AsyncStaged:
    """The same, awaited."""

    inner: AsyncTransport
    loopback: Loopback

    async def send(self, request: WireRequest) -> WireResponse:
        with self.loopback.staged(request) as staged:
            return await self.inner.send(staged)

    async def close(self) -> None:
        await self.inner.close()
