"""Sends requests with httpx, and says in the project's own words what went wrong.

With `_streams` the only module that knows httpx. None of its types goes further up, but for the
`http_client=` that a user brings.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TypeVar

import httpx

from ._streams import Limit, hold_to_limits
from ._wire import WireRequest, WireResponse
from .exceptions import NetworkError, Outcome, RequestTimeoutError, ValidationError

Client = TypeVar("Client", httpx.Client, httpx.AsyncClient)


class HttpxTransport:
    """Blocking, over an httpx.Client of its own or the user's."""

    def __init__(self, base_url: str, client: httpx.Client | None) -> None:
        self._base_url = base_url
        self._owned = client is None
        _check(client, httpx.Client)
        self._client = client or _made(httpx.Client)

    def send(self, request: WireRequest) -> WireResponse:
        with _own_errors(self._client, self._base_url, request):
            wire = _built(self._client, self._base_url, request)
            answer = self._client.send(wire, auth=None, follow_redirects=False)
            return _read(answer)

    def close(self) -> None:
        if self._owned:
            self._client.close()


class AsyncHttpxTransport:
    """The same, awaited, over an httpx.AsyncClient."""

    def __init__(self, base_url: str, client: httpx.AsyncClient | None) -> None:
        self._base_url = base_url
        self._owned = client is None
        _check(client, httpx.AsyncClient)
        self._client = client or _made(httpx.AsyncClient)

    async def send(self, request: WireRequest) -> WireResponse:
        with _own_errors(self._client, self._base_url, request):
            wire = _built(self._client, self._base_url, request)
            answer = await self._client.send(wire, auth=None, follow_redirects=False)
            return _read(answer)

    async def close(self) -> None:
        if self._owned:
            await self._client.aclose()


def _check(client: object, kind: type[Client]) -> None:
    if client is not None and not isinstance(client, kind):
        raise ValidationError(f"http_client: must be an httpx.{kind.__name__}")


def _made(kind: type[Client]) -> Client:
    """A client of our own, which keeps no cookies: they would go along with other keys."""
    jar = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    try:
        client = kind(verify=_ssl_context(), cookies=jar)
    except (ImportError, ValueError, OSError, httpx.InvalidURL) as error:
        raise ValidationError(
            f"the environment names a proxy or certificates that cannot be used ({error}); look at "
            "HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY, SSL_CERT_FILE and SSL_CERT_DIR"
        ) from error
    hold_to_limits(client)
    return client


@cache
def _ssl_context() -> ssl.SSLContext:
    # Building one reads all certificate authorities, about 50 ms; it may be shared.
    return httpx.create_ssl_context()


def _built(
    client: httpx.Client | httpx.AsyncClient, base_url: str, request: WireRequest
) -> httpx.Request:
    return client.build_request(
        request.method,
        base_url + request.target,
        headers=dict(request.headers),
        content=request.body,
        timeout=Limit.of(request.timeout),
    )


def _read(answer: httpx.Response) -> WireResponse:
    return WireResponse(answer.status_code, dict(answer.headers), answer.content)


# From the most special to the most general: the first that fits names the failure.
_KINDS: tuple[tuple[type[Exception], str, Outcome], ...] = (
    (httpx.ConnectTimeout, "connect_timeout", "not_sent"),
    (httpx.PoolTimeout, "pool_timeout", "not_sent"),
    (httpx.ReadTimeout, "read_timeout", "unknown"),
    (httpx.WriteTimeout, "write_timeout", "unknown"),
    (httpx.ConnectError, "connect", "not_sent"),
    (httpx.ProxyError, "proxy", "not_sent"),
    (httpx.UnsupportedProtocol, "url", "not_sent"),
    (httpx.LocalProtocolError, "url", "not_sent"),
    (httpx.InvalidURL, "url", "not_sent"),
    (httpx.WriteError, "write", "unknown"),
    (httpx.DecodingError, "truncated", "unknown"),
    (httpx.RemoteProtocolError, "truncated", "unknown"),
    (httpx.HTTPError, "read", "unknown"),
)


@contextmanager
def _own_errors(
    client: httpx.Client | httpx.AsyncClient, base_url: str, request: WireRequest
) -> Iterator[None]:
    """Turns what httpx raises into NetworkError."""
    if client.is_closed:  # httpx would raise a bare RuntimeError
        raise NetworkError("http_client is closed; bring an open one", reason="closed")
    try:
        yield
    except ssl.SSLError as error:  # httpcore 0.18 lets it through
        text = _TEXTS["tls"].format(error=error)
        raise NetworkError(f"{text} at {base_url}", reason="tls") from error
    except RuntimeError as error:
        if "event loop" not in str(error).lower():
            raise
        raise NetworkError(
            "the connections of this client belong to another event loop; use one client for each",
            reason="closed",
        ) from error
    except UnicodeError as error:  # a host name with an empty or too long label
        text = _TEXTS["url"].format(error=error)
        raise NetworkError(f"{text} at {base_url}", reason="url") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason, outcome = next((r, o) for kind, r, o in _KINDS if isinstance(error, kind))
        if reason == "connect":
            reason = _connect_reason(error)
        place = base_url + request.target.partition("?")[0]
        if isinstance(error, httpx.TimeoutException):
            # Without a limit of ours the system's own ends a connection attempt.
            limit = "the system's limit" if request.timeout is None else f"{request.timeout:g} s"
            raise RequestTimeoutError(
                f"{_TEXTS[reason]} within {limit} at {place}",
                reason=reason,
                outcome=outcome,
            ) from error
        text = _TEXTS[reason].format(error=str(error) or type(error).__name__)
        raise NetworkError(f"{text} at {place}", reason=reason, outcome=outcome) from error


_TEXTS = {
    "connect_timeout": "no connection",
    "pool_timeout": "no free connection; as many calls run as the pool has connections",
    "read_timeout": "no whole answer",
    "write_timeout": "the request could not be sent",
    "refused": "no server listens; start it, set base_url, or use MemStackClient.local(): refused",
    "dns": "the name of the host is not known; check base_url: no address",
    "tls": "no trust in the server's TLS certificate or protocol ({error})",
    "connect": "no connection ({error})",
    "proxy": "the proxy let nothing through ({error})",
    "url": "the request cannot be sent as it is ({error})",
    "write": "the connection broke while the request was sent ({error})",
    "read": "the connection broke before the answer was whole ({error})",
    "truncated": "the answer was cut or garbled ({error})",
}


def _connect_reason(error: BaseException) -> str:
    """Why no connection came about, read from the causes that httpx wraps."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError):
            return "tls"
        if isinstance(cause, socket.gaierror):
            return "dns"
        if isinstance(cause, ConnectionRefusedError):
            return "refused"
    return "connect"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        # Several addresses of one host fail together, as a group.
        yield from getattr(error, "exceptions", ())
        error = error.__cause__ or error.__context__
