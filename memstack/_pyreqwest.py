"""Sends requests with pyreqwest, the extra `[fast]`; none of its types goes further up.

Connections are made by threads of Rust that all clients of a process share. So event loops share
them too, but a forked process does not have them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Any, NoReturn

import pyreqwest.client
from pyreqwest.exceptions import PyreqwestError
from pyreqwest.http import HeaderMap, Url
from pyreqwest.proxy import ProxyBuilder

from ._bodies import Body, Garbled
from ._causes import network_error
from ._connecting import Connecting, origin_of, place_of
from ._failures import failure
from ._wire import WireRequest, WireResponse
from .exceptions import NetworkError, ValidationError

__all__ = ["AsyncPyreqwestTransport", "PyreqwestTransport"]

MOST_AT_ONCE = 1000
"""Calls of a client that are on the wire at once."""

CONNECTING = 10.0
"""Seconds that a connection may take. A limit of the whole attempt would hide that nothing was
sent, and this one is the same for all attempts of a client."""

_IDLE = 5.0
"""Seconds that an idle connection is kept, as httpx does; servers close theirs later."""

_PIECE = 65536

_begun_in: int | None = None
"""The process in which the threads of pyreqwest were begun."""

_FORKED = (
    "pyreqwest does not survive a fork; use transport='httpx', or make the first client in the "
    "forked process, or start processes with the method 'spawn'"
)


class PyreqwestTransport:
    """Blocking."""

    def __init__(self, base_url: str, connecting: Connecting) -> None:
        self._way = _Way(base_url, connecting)
        builder = _configured(pyreqwest.client.SyncClientBuilder(), self._way, connecting)
        self._client = _made(builder)

    def send(self, request: WireRequest) -> WireResponse:
        way = self._way
        try:
            with _built(self._client, way, request).build_streamed() as answer:
                body, length = _body_of(answer, request)
                reader = answer.body_reader
                if length is not None:
                    body.takes(reader.bytes().to_bytes())
                else:
                    while (part := reader.read(_PIECE)) is not None:
                        if not body.takes(part.to_bytes()):
                            break
                return body.whole(answer.status, _headers_of(answer.headers))
        except (PyreqwestError, Garbled) as error:
            way.fails(request, error)

    def close(self) -> None:
        if self._way.pid == os.getpid() and self._client is not None:
            client, self._client = self._client, None  # idle connections live as long as it
            client.close()


class AsyncPyreqwestTransport:
    """The same, awaited; several event loops may use one."""

    def __init__(self, base_url: str, connecting: Connecting) -> None:
        self._way = _Way(base_url, connecting)
        builder = _configured(pyreqwest.client.ClientBuilder(), self._way, connecting)
        self._client = _made(builder)

    async def send(self, request: WireRequest) -> WireResponse:
        way = self._way
        try:
            async with _built(self._client, way, request).build_streamed() as answer:
                body, length = _body_of(answer, request)
                reader = answer.body_reader
                if length is not None:
                    body.takes((await reader.bytes()).to_bytes())
                else:
                    while (part := await reader.read(_PIECE)) is not None:
                        if not body.takes(part.to_bytes()):
                            break
                return body.whole(answer.status, _headers_of(answer.headers))
        except (PyreqwestError, Garbled) as error:
            way.fails(request, error)

    async def close(self) -> None:
        if self._way.pid == os.getpid() and self._client is not None:
            client, self._client = self._client, None  # idle connections live as long as it
            await client.close()


class _Way:
    """The way to one server, in one process."""

    def __init__(self, base_url: str, connecting: Connecting) -> None:
        global _begun_in
        self.pid = os.getpid()
        _begun_in = _begun_in or self.pid
        if _begun_in != self.pid:
            raise ValidationError(f"transport: {_FORKED}")
        self.origin = origin_of(base_url)
        self.proxy = connecting.proxy_for(base_url)
        self.proxy_url = place_of(self.proxy)

    def fails(self, request: WireRequest, error: PyreqwestError | Garbled) -> NoReturn:
        """Raises what *error* means."""
        place = self.origin + request.target.partition("?")[0]
        if isinstance(error, Garbled):
            raised = failure("truncated", "unknown", place, None, error, None)
        else:
            raised = network_error(error, place, request.timeout, CONNECTING, self.proxy_url)
        # Its own text has the URL with the query.
        raise raised from None


def _configured(builder: Any, way: _Way, connecting: Connecting) -> Any:
    """*builder* with what this client is told, and without what pyreqwest would add.

    Raises:
        ValidationError: Something cannot be done with pyreqwest.
    """
    if not isinstance(connecting.verify, bool):
        raise ValidationError(
            "verify: with transport='pyreqwest' must be True or False; name a file or folder in "
            "SSL_CERT_FILE or SSL_CERT_DIR, or use the default transport"
        )
    builder.no_proxy()  # of the environment, which is read in one place for all transports
    if way.proxy is not None:
        proxy = ProxyBuilder.all(str(way.proxy.url))
        builder.proxy(proxy.basic_auth(*way.proxy.auth) if way.proxy.auth else proxy)
    if connecting.cert is not None:
        _identify(builder, connecting)
    for unpack in (builder.gzip, builder.brotli, builder.zstd, builder.deflate):
        unpack(False)  # see _bodies
    builder.follow_redirects(False).referer(False).default_cookie_store(False).http1_only()
    builder.danger_accept_invalid_certs(not connecting.verify)
    builder.connect_timeout(timedelta(seconds=CONNECTING))
    builder.pool_idle_timeout(timedelta(seconds=_IDLE)).pool_max_idle_per_host(100)
    return builder.max_connections(MOST_AT_ONCE)


def _identify(builder: Any, connecting: Connecting) -> None:
    import ssl

    parts: Any = connecting.cert if isinstance(connecting.cert, tuple) else (connecting.cert,)
    # OpenSSL has better words for what is wrong.
    connecting.identify(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    if len(parts) == 3:
        raise ValidationError(
            "cert: with transport='pyreqwest' a key must have no password; use the default "
            "transport"
        )
    pem = b""
    for part in parts:
        with open(part, "rb") as file:
            pem += file.read() + b"\n"
    try:
        builder.identity_pem(pem)
    except ValueError:
        raise ValidationError(
            "cert: pyreqwest cannot read the certificate or its key; use the default transport"
        ) from None


def _made(builder: Any) -> Any:
    try:
        return builder.build()
    except RuntimeError as error:  # somebody else made a client before the fork
        raise ValidationError(f"transport: {_FORKED}") from error
    except PyreqwestError as error:
        causes = getattr(error, "details", {}).get("causes") or [{"message": error.message}]
        raise ValidationError(
            f"transport: pyreqwest cannot be set up ({causes[-1]['message']}); without "
            "certificates of the system, name some in SSL_CERT_FILE or use the default transport"
        ) from error


def _built(client: Any, way: _Way, request: WireRequest) -> Any:
    """The request, ready to be built.

    Raises:
        NetworkError: It cannot be sent as it is.
    """
    if way.pid != os.getpid():
        raise NetworkError(_FORKED, reason="closed")
    if client is None:  # during an earlier attempt of the same call
        raise NetworkError("this client is closed; make a new one", reason="closed")
    try:
        url = _url(way.origin, request.target)
        builder = client.request(request.method, url).headers(request.headers)
        if request.body is not None:
            builder.body_bytes(request.body)
        if request.timeout is not None:
            builder.timeout(timedelta(seconds=request.timeout))
    except ValueError as error:  # BuilderError is one
        place = way.origin + request.target.partition("?")[0]
        raise failure("url", "not_sent", place, None, error, None) from None
    return builder


@lru_cache(maxsize=256)
def _url(origin: str, target: str) -> Url:
    # Most calls go to one of a few targets. A backslash would become a slash.
    target = target.replace("\\", "%5C")
    url = Url(origin + target)
    if url.path != target.partition("?")[0]:
        # %2E%2E is "..", for which Url goes up: another place than was meant.
        raise ValueError("its path is not kept")
    return url


def _body_of(answer: Any, request: WireRequest) -> tuple[Body, int | None]:
    """What collects the body, and its length if it is known and allowed: it may be read at once.

    Raises:
        Garbled: It is packed in a way that nobody asked for.
    """
    encoding = (answer.get_header("content-encoding") or "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise Garbled("its content-encoding is not gzip")
    most = request.max_bytes
    told = answer.get_header("content-length") or ""
    length = int(told) if told.isdecimal() and (most is None or int(told) <= most) else None
    return Body(unpacks=encoding == "gzip", most=most), length


def _headers_of(headers: HeaderMap) -> Mapping[str, str]:
    try:
        found = headers.dict_multi_value()
    except ValueError:  # one of them is not ASCII; the others are kept
        found = {}
        for name in headers.keys():  # noqa: SIM118 - its items would raise
            try:
                found[name] = headers.getall(name)
            except ValueError:
                continue
    return {n: v if isinstance(v, str) else ", ".join(v) for n, v in found.items()}
