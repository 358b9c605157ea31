"""Says in the project's own words, and as NetworkError, what went wrong in httpx."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from ._bodies import Garbled
from ._wire import WireRequest
from .exceptions import NetworkError, Outcome, RequestTimeoutError

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
    (Garbled, "truncated", "unknown"),
    (httpx.RemoteProtocolError, "truncated", "unknown"),
    (httpx.HTTPError, "read", "unknown"),
)


@contextmanager
def own_errors(origin: str, request: WireRequest, proxy: str | None = None) -> Iterator[None]:
    """Turns what httpx raises into NetworkError; *proxy* is the one between, without password."""
    try:
        yield
    except ssl.SSLError as error:  # httpcore 0.18 lets it through
        text = _TEXTS["tls"].format(error=error)
        raise NetworkError(f"{text} at {origin}", reason="tls") from error
    except RuntimeError as error:
        if "event loop" not in str(error).lower():
            raise
        raise NetworkError(
            "http_client belongs to another event loop; leave it out, or use one client for each",
            reason="closed",
        ) from error
    except UnicodeError as error:  # a host name with an empty or too long label
        text = _TEXTS["url"].format(error=error)
        raise NetworkError(f"{text} at {origin}", reason="url") from error
    except (httpx.HTTPError, httpx.InvalidURL, Garbled) as error:
        reason, outcome = _reason_of(error, proxy)
        place = origin + request.target.partition("?")[0]
        # h11 quotes bytes that it cannot read, among which there may be a key.
        told, quoted, _ = (str(error) or type(error).__name__).partition(": bytearray(")
        raised = failure(reason, outcome, place, request.timeout, told, proxy)
        raise raised from None if quoted else error


def failure(
    reason: str,
    outcome: Outcome,
    place: str,
    timeout: float | None,
    error: object,
    proxy: str | None,
) -> NetworkError:
    """The error that says so, with what a user can do about it.

    Args:
        place: The URL of the request, without its query.
        timeout: Seconds that were allowed; None for the system's own limit.
    """
    text = _TEXTS[reason]
    if reason.endswith("timeout"):
        limit = "the system's limit" if timeout is None else f"{timeout:g} s"
        return RequestTimeoutError(
            f"{text} within {limit} at {place}", reason=reason, outcome=outcome
        )
    text = text.format(error=error, proxy=proxy)
    return NetworkError(f"{text} at {place}", reason=reason, outcome=outcome)


_TEXTS = {
    "connect_timeout": "no connection",
    "pool_timeout": "no free connection; as many calls run as the pool has connections",
    "read_timeout": "no whole answer",
    "write_timeout": "the request could not be sent",
    "refused": "no server listens; start it, set base_url, or use MemStackClient.local(): refused",
    "dns": "the name of the host is not known; check base_url: no address",
    "tls": "no trust in the server's TLS certificate or protocol ({error})",
    "connect": "no connection ({error})",
    "proxy": "the proxy {proxy} let nothing through ({error})",
    "proxy_auth": "the proxy {proxy} wants a user and password; see proxy= ({error})",
    "url": "the request cannot be sent as it is ({error})",
    "write": "the connection broke while the request was sent ({error})",
    "read": "the connection broke before the answer was whole ({error})",
    "truncated": "the answer was cut or garbled ({error})",
}


def _reason_of(error: Exception, proxy: str | None) -> tuple[str, Outcome]:
    reason: str
    outcome: Outcome
    reason, outcome = next((r, o) for kind, r, o in _KINDS if isinstance(error, kind))
    if reason == "connect":
        reason = _connect_reason(error)
        if proxy is not None and reason != "tls":
            reason = "proxy"
    elif reason == "proxy" and str(error).startswith("407"):
        reason = "proxy_auth"
    elif reason in ("read", "write") and any(map(_refuses_certificate, _causes(error))):
        return "tls", "not_sent"
    return reason, outcome


def _refuses_certificate(cause: BaseException) -> bool:
    """Whether the server ended the connection for want of a client certificate that it trusts.

    Since TLS 1.3 that shows when the first answer is read. RFC 8446 4.4.2.4 and 6.2.
    """
    told = str(getattr(cause, "reason", ""))
    is_one = "CERTIFICATE" in told or told.endswith("UNKNOWN_CA")
    return isinstance(cause, ssl.SSLError) and "ALERT" in told and is_one


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
