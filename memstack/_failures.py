"""Says in the project's own words, and as NetworkError, what went wrong on the way."""

from __future__ import annotations

from .exceptions import NetworkError, Outcome, RequestTimeoutError


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
    text = TEXTS[reason]
    if reason.endswith("timeout"):
        limit = "the system's limit" if timeout is None else f"{timeout:g} s"
        return RequestTimeoutError(
            f"{text} within {limit} at {place}", reason=reason, outcome=outcome
        )
    text = text.format(error=error, proxy=proxy)
    return NetworkError(f"{text} at {place}", reason=reason, outcome=outcome)


TEXTS = {
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
