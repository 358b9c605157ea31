"""Holds every socket operation of an attempt to one moment, at which the attempt must be over.

It also writes head and body of a request at once, which httpcore hands over one after the other: a
system call less.

httpx's timeouts are per operation: a server that sends a byte now and then keeps a request open
for ever. Here the time that is left is worked out anew before each operation. Looking up a name is
the exception: the system's resolver cannot be stopped.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from typing import Any, cast

import httpcore
import httpx

from ._single import AsyncSingle, Single

_PIECE = 65536
"""Most bytes written at once; a server that reads slowly is noticed between two pieces."""


class Limit(float):
    """Seconds that an attempt may take, and when they are over; httpcore hands it through."""

    over: float

    @classmethod
    def of(cls, seconds: float | None) -> Limit | None:
        """A limit that begins now; None for none."""
        if seconds is None:
            return None
        limit = cls(seconds)
        limit.over = time.monotonic() + seconds
        return limit


def hold_to_limits(transport: httpx.HTTPTransport | httpx.AsyncHTTPTransport) -> None:
    """Make the connections of *transport*, which is new and has none, heed the limits of requests.

    httpx offers no way to name a network backend, or a connection in place of its pool, so this
    reaches into it; tests/integration proves that it still works.
    """
    pool = cast(Any, transport)._pool
    is_async = isinstance(transport, httpx.AsyncHTTPTransport)
    pool._network_backend = (_AsyncBackend if is_async else _Backend)(pool._network_backend)
    cast(Any, transport)._pool = (AsyncSingle if is_async else Single)(pool)


def cut(transport: httpx.HTTPTransport | httpx.AsyncHTTPTransport) -> None:
    """End the request that *transport* has under way, from any thread of its process or loop."""
    cast(Any, transport)._pool.pool._network_backend.cut()


def _left(timeout: float | None, late: type[Exception]) -> float | None:
    if not isinstance(timeout, Limit):
        return timeout
    left = timeout.over - time.monotonic()
    if left <= 0:
        raise late(f"{timeout:g} s are over")
    return left


def _addresses(host: str, port: int) -> list[str]:
    """The addresses of *host*: given its name, a socket would allow each the whole time."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise httpcore.ConnectError(str(error)) from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _pieces(data: bytes) -> Iterator[bytes]:
    return (data[start : start + _PIECE] for start in range(0, len(data), _PIECE))


def _unless_answered() -> AbstractContextManager[None]:
    """A server may refuse a request, and answer, before it has read it: its answer counts."""
    return suppress(httpcore.WriteError)


class _Cuttable:
    """Knows the newest stream, which is the only one: a transport has one connection."""

    _stream: Any = None
    _is_cut = False

    def cut(self) -> None:
        self._is_cut = True
        if self._stream is not None:
            # Whoever waits for an answer would not notice that its socket is closed. This goes
            # around TLS, after whose end another thread could write in plain text.
            sock = self._stream.get_extra_info("socket")
            kind = socket.socket if isinstance(sock, socket.socket) else type(sock)
            with suppress(OSError, TypeError):  # those of uvloop cannot be shut down
                kind.shutdown(sock, socket.SHUT_RDWR)

    def new(self, stream: Any) -> None:
        self._stream = stream
        if self._is_cut:
            self.cut()


class _Backend(_Cuttable, httpcore.NetworkBackend):
    def __init__(self, backend: httpcore.NetworkBackend) -> None:
        self._backend = backend

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        failure: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in _addresses(host, port):
            left = _left(timeout, httpcore.ConnectTimeout)
            try:
                stream = self._backend.connect_tcp(
                    address, port, left, local_address, socket_options
                )
                return _Stream(stream, self)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError("the host has no address")

    def sleep(self, seconds: float) -> None:
        self._backend.sleep(seconds)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, backend: _Cuttable) -> None:
        self._stream = stream
        self._backend = backend
        backend.new(stream)
        self._held = b""
        self.close = stream.close  # type: ignore[method-assign]
        self.get_extra_info = stream.get_extra_info  # type: ignore[method-assign]

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._held:
            with _unless_answered():
                self._flush(timeout)
        return self._stream.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._held += buffer
        if len(self._held) >= _PIECE:
            self._flush(timeout)

    def _flush(self, timeout: float | None) -> None:
        held, self._held = self._held, b""
        for piece in _pieces(held):
            self._stream.write(piece, _left(timeout, httpcore.WriteTimeout))

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        stream = self._stream.start_tls(ssl_context, server_hostname, left)
        return _Stream(stream, self._backend)


_closing: set[asyncio.Future[None]] = set()


def _close_unwanted(connecting: asyncio.Future[httpcore.AsyncNetworkStream]) -> None:
    """Close a connection that came about although nobody waits for it any more."""
    if not connecting.cancelled() and connecting.exception() is None:
        closing = asyncio.ensure_future(connecting.result().aclose())
        _closing.add(closing)
        closing.add_done_callback(_closing.discard)


class _AsyncBackend(_Cuttable, httpcore.AsyncNetworkBackend):
    def __init__(self, backend: httpcore.AsyncNetworkBackend) -> None:
        self._backend = backend

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.AsyncNetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        # In a task of its own: anyio ends an attempt to connect by a cancellation of its own, and
        # on Python 3.10 takes one from outside for that, and goes on.
        connecting = asyncio.ensure_future(
            self._backend.connect_tcp(host, port, left, local_address, socket_options)
        )
        try:
            await asyncio.wait([connecting])
        except asyncio.CancelledError:
            connecting.cancel()
            connecting.add_done_callback(_close_unwanted)
            raise
        return _AsyncStream(connecting.result(), self)

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)


class _AsyncStream(httpcore.AsyncNetworkStream):
    def __init__(self, stream: httpcore.AsyncNetworkStream, backend: _Cuttable) -> None:
        self._stream = stream
        self._backend = backend
        backend.new(stream)
        self._held = b""
        self.aclose = stream.aclose  # type: ignore[method-assign]
        self.get_extra_info = stream.get_extra_info  # type: ignore[method-assign]

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._held:
            with _unless_answered():
                await self._flush(timeout)
        return await self._stream.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._held += buffer
        if len(self._held) >= _PIECE:
            await self._flush(timeout)

    async def _flush(self, timeout: float | None) -> None:
        held, self._held = self._held, b""
        for piece in _pieces(held):
            await self._stream.write(piece, _left(timeout, httpcore.WriteTimeout))

    async def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        stream = await self._stream.start_tls(ssl_context, server_hostname, left)
        return _AsyncStream(stream, self._backend)
