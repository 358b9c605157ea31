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
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import httpx

from ._bodies import Body
from ._connecting import Connecting
from ._failures import own_errors
from ._streams import Limit, hold_to_limits
from ._wire import WireRequest, WireResponse
from .exceptions import NetworkError, ValidationError

__all__ = ["AsyncHttpxTransport", "HttpxTransport"]

Client = TypeVar("Client", httpx.Client, httpx.AsyncClient)
Http = TypeVar("Http", httpx.HTTPTransport, httpx.AsyncHTTPTransport)

# As many calls at once as a busy agent makes; httpx would let the 101st wait.
_LIMITS = httpx.Limits(max_connections=1000, max_keepalive_connections=100)

_inherited: list[object] = []
"""What a fork copied from its parent, kept so that nothing closes it."""


class HttpxTransport:
    """Blocking, over connections of its own or the user's httpx.Client."""

    def __init__(
        self, base_url: str, connecting: Connecting, client: httpx.Client | None = None
    ) -> None:
        self._origin = _origin_of(base_url)
        self._brought = _checked(client, httpx.Client, connecting)
        self._proxy = connecting.proxy_for(base_url) if client is None else None
        self._make = (
            _maker(httpx.HTTPTransport, connecting, self._proxy) if client is None else None
        )
        self._pid = os.getpid()
        self._http = self._make() if self._make else None

    def send(self, request: WireRequest) -> WireResponse:
        with own_errors(self._origin, request, _place_of(self._proxy)):
            answer = self._opened(request)
            try:
                body, is_raw = _body_of(answer, request)
                for part in answer.iter_raw() if is_raw else answer.iter_bytes():
                    if not body.takes(part):
                        break
                return body.whole(answer.status_code, dict(answer.headers))
            finally:
                answer.close()

    def close(self) -> None:
        if self._http is not None and self._pid == os.getpid():
            self._http.close()

    def _opened(self, request: WireRequest) -> httpx.Response:
        if self._brought is not None:
            _check_usable(self._brought, self._pid)
            wire = _built(self._brought, self._origin, request)
            return self._brought.send(wire, auth=None, follow_redirects=False, stream=True)
        assert self._make is not None
        if self._http is None or self._pid != os.getpid():
            _inherited.append(self._http)
            self._http, self._pid = self._make(), os.getpid()
        return self._http.handle_request(_prepared(self._origin, request))


class AsyncHttpxTransport:
    """The same, awaited, over an httpx.AsyncClient; several event loops may use one."""

    def __init__(
        self, base_url: str, connecting: Connecting, client: httpx.AsyncClient | None = None
    ) -> None:
        self._origin = _origin_of(base_url)
        self._brought = _checked(client, httpx.AsyncClient, connecting)
        self._proxy = connecting.proxy_for(base_url) if client is None else None
        self._make = (
            _maker(httpx.AsyncHTTPTransport, connecting, self._proxy) if client is None else None
        )
        self._pid = os.getpid()
        if self._make is not None:
            self._make()  # so that a fault shows now, and not at the first call
        self._http: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncHTTPTransport]
        self._http = WeakKeyDictionary()

    async def send(self, request: WireRequest) -> WireResponse:
        with own_errors(self._origin, request, _place_of(self._proxy)):
            answer = await self._opened(request)
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

    async def close(self) -> None:
        """Close the connections of every loop that runs; those of others are gone with it."""
        if self._pid != os.getpid():
            return
        here = asyncio.get_running_loop()
        while self._http:
            loop, http = self._http.popitem()
            if loop is here:
                await http.aclose()
            elif loop.is_running():
                there = asyncio.run_coroutine_threadsafe(http.aclose(), loop)
                await asyncio.wrap_future(there)

    async def _opened(self, request: WireRequest) -> httpx.Response:
        if self._brought is not None:
            _check_usable(self._brought, self._pid)
            wire = _built(self._brought, self._origin, request)
            return await self._brought.send(wire, auth=None, follow_redirects=False, stream=True)
        assert self._make is not None
        if self._pid != os.getpid():
            _inherited.append(self._http)
            self._http, self._pid = WeakKeyDictionary(), os.getpid()
        loop = asyncio.get_running_loop()
        http = self._http.get(loop) or self._http.setdefault(loop, self._make())
        return await http.handle_async_request(_prepared(self._origin, request))


def _body_of(answer: httpx.Response, request: WireRequest) -> tuple[Body, bool]:
    """What collects the body, and whether it takes it as it was sent."""
    encoding = answer.headers.get("content-encoding", "identity")
    # A mock's answer may be there already, as it is unpacked by httpx.
    is_raw = not answer.is_stream_consumed and encoding in ("identity", "gzip")
    return Body(unpacks=is_raw and encoding == "gzip", most=request.max_bytes), is_raw


def _origin_of(base_url: str) -> str:
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}"


def _checked(client: Client | None, kind: type[Client], connecting: Connecting) -> Client | None:
    if client is None:
        return None
    if not isinstance(client, kind):
        raise ValidationError(f"http_client: must be an httpx.{kind.__name__}")
    if not connecting.is_plain():
        raise ValidationError("verify, cert, proxy: set them on the http_client that is brought")
    return client


def _maker(
    kind: type[Http], connecting: Connecting, proxy: httpx.Proxy | None
) -> Callable[[], Http]:
    """What makes transports of *kind*, which share one TLS context."""
    context = connecting.ssl_context()

    def make() -> Http:
        try:
            transport = kind(verify=context, proxy=proxy, limits=_LIMITS)
        except (ImportError, ValueError) as error:
            raise ValidationError(f"the proxy cannot be used ({error})") from error
        hold_to_limits(transport)
        return transport

    return make


def _place_of(proxy: httpx.Proxy | None) -> str | None:
    return None if proxy is None else f"{proxy.url.scheme}://{proxy.url.netloc.decode()}"


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
