"""Reads from the errors of httpx what went wrong, and what the server can have seen."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from ._bodies import Garbled
from ._failures import TEXTS, failure
from ._wire import WireRequest
from .exceptions import NetworkError, Outcome

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
        text = TEXTS["tls"].format(error=error)
        raise NetworkError(f"{text} at {origin}", reason="tls") from error
    except RuntimeError as error:
        if "event loop" not in str(error).lower():
            raise
        raise NetworkError(
            "http_client belongs to another event loop; leave it out, or use one client for each",
            reason="closed",
        ) from error
    except UnicodeError as error:  # a host name with an empty or too long label
        text = TEXTS["url"].format(error=error)
        raise NetworkError(f"{text} at {origin}", reason="url") from error
    except (httpx.HTTPError, httpx.InvalidURL, Garbled) as error:
        reason, outcome = _reason_of(error, proxy)
        place = origin + request.target.partition("?")[0]
        _cut_quotes(error)
        told = str(error) or type(error).__name__
        raise failure(reason, outcome, place, request.timeout, told, proxy) from error


def _cut_quotes(error: BaseException) -> None:
    """Take out the bytes that h11 quotes since it cannot read them: there may be a key among them.

    `from None` would not do: whoever pickles errors with tblib, as Dask does, takes along what they
    came from all the same.
    """
    for cause in _causes(error):
        told, quoted, _ = str(cause).partition(": bytearray(")
        if quoted:
            cause.args = (told,)


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
