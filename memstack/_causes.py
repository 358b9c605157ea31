"""Reads from the errors of pyreqwest what went wrong, and what the server can have seen.

Their classes do not tell: a connection that breaks after the request was sent is a ConnectError
like a refused one, and a server that never answers a ConnectTimeoutError. What reqwest, hyper and
rustls said is in `details["causes"]`, and only `client error (Connect)` there means that no request
went out. What is not known here is therefore `unknown`.
"""

from __future__ import annotations

import re

from pyreqwest.exceptions import (
    BuilderError,
    ClientClosedError,
    DecodeError,
    PoolTimeoutError,
    PyreqwestError,
    RequestTimeoutError,
)

from ._failures import failure
from .exceptions import NetworkError, Outcome

_NO_CONNECTION = "client error (Connect)"
_REFUSED = re.compile(r"\(os error (111|61|10061)\)")  # Linux, macOS, Windows
_SYSTEM = re.compile(r"\(os error \d+\)")
_TLS = re.compile(
    r"invalid peer certificate|invalid certificate|received (corrupt|unexpected|fatal)|peer (is "
    r"incompatible|misbehaved|sent|doesn't support)|cannot decrypt peer's message"
)
# The server wants another client certificate. Since TLS 1.3 that shows when the first answer is
# read. RFC 8446 4.4.2.4 and 6.2.
_UNWANTED = re.compile(r"received fatal alert: (\w*Certificate\w*|UnknownCA)")
_ENDS = ("connection closed before", "end of file before", "peer closed connection")


def network_error(
    error: PyreqwestError, place: str, timeout: float | None, longest: float, proxy: str | None
) -> NetworkError:
    """What is raised in place of *error*.

    Args:
        place: The URL of the request, without its query.
        timeout: Seconds that the attempt was allowed; None for no limit.
        longest: Seconds that a connection was allowed.
        proxy: The proxy between, without password; None for none.
    """
    if isinstance(error, ClientClosedError):
        return NetworkError(
            "this client was closed while the call ran", reason="closed", outcome="unknown"
        )
    causes = _causes_of(error)
    reason, outcome = _reason_of(error, causes, proxy)
    if reason == "connect_timeout":
        timeout = longest if timeout is None else min(timeout, longest)
    told = causes[-1] if causes else error.message
    if reason == "proxy_auth":
        told = f"407, {told}"
    return failure(reason, outcome, place, timeout, told, proxy)


def _causes_of(error: PyreqwestError) -> list[str]:
    """From the outermost to the innermost; the first would be the URL with its query."""
    details = getattr(error, "details", None) or {}
    return [cause["message"] for cause in details.get("causes") or () if "url (" not in str(cause)]


def _reason_of(error: PyreqwestError, causes: list[str], proxy: str | None) -> tuple[str, Outcome]:
    if isinstance(error, PoolTimeoutError):
        return "pool_timeout", "not_sent"
    if isinstance(error, BuilderError):
        return "url", "not_sent"
    if _NO_CONNECTION in causes:
        return _connect_reason(error, causes, proxy), "not_sent"
    if any(map(_UNWANTED.search, causes)):
        return "tls", "not_sent"
    if isinstance(error, RequestTimeoutError):
        return "read_timeout", "unknown"
    if "error writing a body to connection" in causes:
        return "write", "unknown"
    if any(map(_SYSTEM.search, causes)):
        return "read", "unknown"
    if isinstance(error, DecodeError) or any(cause.startswith(_ENDS) for cause in causes):
        return "truncated", "unknown"
    return "read", "unknown"


def _connect_reason(error: PyreqwestError, causes: list[str], proxy: str | None) -> str:
    if isinstance(error, RequestTimeoutError):
        return "connect_timeout"
    if "invalid dns name" in causes:
        return "url"
    if any(map(_TLS.match, causes)):
        return "tls"
    if proxy is not None:
        refused = any("proxy authorization required" in cause for cause in causes)
        return "proxy_auth" if refused else "proxy"
    if "dns error" in causes:
        return "dns"
    return "refused" if any(map(_REFUSED.search, causes)) else "connect"
