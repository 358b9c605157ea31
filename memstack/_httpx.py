"""Sends requests with httpx; none of its types goes further up, but for a user's `http_client`.

Our own connections are made through its transports alone: what its clients add, such as cookies
and redirects, would let a key or an answer go where it should not. A forked process makes new
ones, and so does each event loop.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import aclosing
from functools import lru_cache
from typing import TypeVar

import httpx

from ._bodies import Body
from ._connecting import Connecting, origin_of, place_of
from ._httpx_errors import own_errors
from ._lock import LOCK
from ._pools import AsyncPool, Pool
from ._streams import Limit, hold_to_limits
from ._wire import WireRequest, WireResponse
from .exceptions import NetworkError, ValidationError

__all__ = ["AsyncHttpxTransport", "HttpxTransport"]

Client = TypeVar("Client", httpx.Client, httpx.AsyncClient)
Http = TypeVar("Http", httpx.HTTPTransport, httpx.AsyncHTTPTransport)

_inherited: list[object] = []
"""What a fork copied from its parent, kept so that nothing closes it."""


class HttpxTransport:
    """Blocking, over connections of its own or the user's httpx.Client."""

    def __init__(
        self, base_url: str, connecting: Connecting, client: httpx.Client | None = None
    ) -> None:
        self._origin = origin_of(base_url)
        self._brought = _checked(client, httpx.Client, connecting)
        proxy = connecting.proxy_for(base_url) if client is None else None
        self._proxy_place = place_of(proxy)
        self._make = _maker(httpx.HTTPTransport, connecting, proxy)
        self._pid = os.getpid()
        self._pool = Pool(self._make)
        if client is None:
            self._pool.give(self._pool.take())  # so that a fault shows now, not at the first call

    def send(self, request: WireRequest) -> WireResponse:
        with own_errors(self._origin, request, self._proxy_place):
            if self._brought is not None:
                _check_usable(self._brought, self._pid)
                wire = _built(self._brought, self._origin, request)
                answer = self._brought.send(wire, auth=None, follow_redirects=False, stream=True)
                return _read(answer, request)
            wire = _prepared(self._origin, request)
            with self._of_this_process().one(request.timeout) as http:
                return _read(http.handle_request(wire), request)

    def close(self) -> None:
        if self._pid == os.getpid():
            self._pool.close()

    def _of_this_process(self) -> Pool:
        if self._pid != os.getpid():
            with LOCK:
                if self._pid != os.getpid():
                    _inherited.append(self._pool)
                    self._pool = Pool(self._make)
                    self._pid = os.getpid()
        return self._pool


class AsyncHttpxTransport:
    """The same, awaited, over an httpx.AsyncClient; several event loops may use one."""

    def __init__(
        self, base_url: str, connecting: Connecting, client: httpx.AsyncClient | None = None
    ) -> None:
        self._origin = origin_of(base_url)
        self._brought = _checked(client, httpx.AsyncClient, connecting)
        proxy = connecting.proxy_for(base_url) if client is None else None
        self._proxy_place = place_of(proxy)
        self._make = _maker(httpx.AsyncHTTPTransport, connecting, proxy)
        self._pid = os.getpid()
        self._pools: dict[asyncio.AbstractEventLoop, AsyncPool] = {}
        self._closed = False
        if client is None:
            self._make()  # so that a fault shows now, not at the first call

    async def send(self, request: WireRequest) -> WireResponse:
        with own_errors(self._origin, request, self._proxy_place):
            if self._brought is not None:
                _check_usable(self._brought, self._pid)
                wire = _built(self._brought, self._origin, request)
                answer = await self._brought.send(
                    wire, auth=None, follow_redirects=False, stream=True
                )
                return await _read_async(answer, request)
            wire = _prepared(self._origin, request)
            async with (await self._of_this_loop()).one(request.timeout) as http:
                return await _read_async(await http.handle_async_request(wire), request)

    async def close(self) -> None:
        """Close the connections of every loop that runs; any other closes its own as it ends."""
        self._closed = True
        if self._pid != os.getpid():
            return
        for loop, pool in list(self._pools.items()):
            if loop is asyncio.get_running_loop() or loop.is_running():
                await pool.close_in(loop)
            if loop.is_running() or loop.is_closed():
                self._pools.pop(loop, None)

    async def _of_this_loop(self) -> AsyncPool:
        if self._closed:  # during an earlier attempt of the same call
            raise NetworkError("this client is closed; make a new one", reason="closed")
        if self._pid != os.getpid():
            _inherited.append(self._pools)
            self._pools, self._pid = {}, os.getpid()
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        if pool is None:
            for other in list(self._pools):
                if other.is_closed():
                    self._pools.pop(other, None)
            pool = self._pools[loop] = await AsyncPool.begun(self._make)
        return pool


def _read(answer: httpx.Response, request: WireRequest) -> WireResponse:
    """The whole answer to *request*, which is closed then."""
    try:
        body, is_raw = _body_of(answer, request)
        for part in answer.iter_raw() if is_raw else answer.iter_bytes():
            if not body.takes(part):
                break
        return body.whole(answer.status_code, dict(answer.headers))
    finally:
        answer.close()


async def _read_async(answer: httpx.Response, request: WireRequest) -> WireResponse:
    """The same, awaited."""
    try:
        body, is_raw = _body_of(answer, request)
        parts = answer.aiter_raw() if is_raw else answer.aiter_bytes()
        async with aclosing(parts):  # type: ignore[type-var]
            async for part in parts:
                if not body.takes(part):
                    break
        return body.whole(answer.status_code, dict(answer.headers))
    finally:
        await answer.aclose()


def _body_of(answer: httpx.Response, request: WireRequest) -> tuple[Body, bool]:
    """What collects the body, and whether it takes it as it was sent."""
    encoding = answer.headers.get("content-encoding", "identity")
    # A mock's answer may be there already, as it is unpacked by httpx.
    is_raw = not answer.is_stream_consumed and encoding in ("identity", "gzip")
    return Body(unpacks=is_raw and encoding == "gzip", most=request.max_bytes), is_raw


def _checked(client: Client | None, kind: type[Client], connecting: Connecting) -> Client | None:
    if client is None:
        return None
    if not isinstance(client, kind):
        raise ValidationError(f"http_client: must be an httpx.{kind.__name__}")
    if not connecting.is_plain():
        raise ValidationError("verify, cert, proxy: set them on the http_client that is brought")
    return client


_ONE = httpx.Limits(max_connections=1, max_keepalive_connections=1)
"""A pool of httpcore looks through all its connections for every request; see `_pools`."""


def _maker(
    kind: type[Http], connecting: Connecting, proxy: httpx.Proxy | None
) -> Callable[[], Http]:
    """What makes transports of *kind*, which share one TLS context."""
    context = connecting.ssl_context()

    def make() -> Http:
        try:
            transport = kind(verify=context, proxy=proxy, limits=_ONE)
        except (ImportError, ValueError) as error:
            raise ValidationError(f"the proxy cannot be used ({error})") from error
        hold_to_limits(transport)
        return transport

    return make


def _check_usable(client: httpx.Client | httpx.AsyncClient, pid: int) -> None:
    if client.is_closed:  # httpx would raise a bare RuntimeError
        raise NetworkError("http_client is closed; bring an open one", reason="closed")
    if pid != os.getpid():  # its connections and locks are the parent's
        raise NetworkError(
            "http_client came through a fork; make it, and the client, in this process",
            reason="closed",
        )


def _built(client: Client, origin: str, request: WireRequest) -> httpx.Request:
    """The request with what the user set for all requests of *client*."""
    return client.build_request(
        request.method,
        origin + request.target,
        headers=dict(request.headers),
        content=request.body,
        extensions={"timeout": _timeouts(request)},
    )


def _prepared(origin: str, request: WireRequest) -> httpx.Request:
    """The same for our own connections; with a stream, httpx adds nothing and looks at nothing."""
    url = _url(origin + request.target)
    headers = {"host": url.netloc.decode("ascii"), **request.headers}
    if request.body is not None:
        headers["content-length"] = str(len(request.body))
    return httpx.Request(
        request.method,
        url,
        headers=headers,
        stream=httpx.ByteStream(request.body or b""),
        extensions={"timeout": _timeouts(request)},
    )


@lru_cache(maxsize=256)
def _url(text: str) -> httpx.URL:
    # Most calls go to one of a few targets, and httpx takes longer for a URL than for all else.
    return httpx.URL(text)


def _timeouts(request: WireRequest) -> dict[str, float | None]:
    limit = Limit.of(request.timeout)
    return dict.fromkeys(("connect", "read", "write", "pool"), limit)
