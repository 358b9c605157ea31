"""The checks of `memstack doctor` for a server, from the key to what its API lacks."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from memstack import operations
from memstack._masking import MASK
from memstack._settings import check_key
from memstack.exceptions import APIError, MemStackError, NetworkError, ResponseValidationError

from .checks import Check, failed, ok, skipped, warned

if TYPE_CHECKING:
    from memstack.client import MemStackClient
    from memstack.response import Response

    from .places import Chosen

__all__ = ["checks_of_server"]

_CONNECT = 5.0
"""Seconds that a connection may take."""
_SKEW = 30.0
"""Seconds that the clocks may differ: certificates and expiry dates are not so exact."""
_EXPIRES_SOON = 14 * 86400
"""Seconds that a certificate should be good for."""


def checks_of_server(chosen: Chosen) -> Iterator[Check]:
    """The checks of the server that was *chosen*."""
    try:
        key = chosen.key()
        check_key(key)
    except MemStackError as error:
        yield failed("key", error.message, f"put the key into {chosen.key_source}")
        return
    yield ok("key", f"{MASK} from {chosen.key_source}")
    url = chosen.url
    assert url is not None
    yield _url(url)
    for check in _connection(url):
        yield check
        if check.verdict == "fail":
            return
    try:
        client = chosen.client(max_retries=0)
    except MemStackError as error:
        yield failed("client", error.message, "change the environment so that it is")
        return
    with client:
        yield from _calls(client)


def _url(url: str) -> Check:
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        return warned(
            "URL", f"{url} is plain http: who is on the way can read the key", "use https://"
        )
    return ok("URL", url)


def _connection(url: str) -> Iterator[Check]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if parts.scheme in getproxies() and not proxy_bypass(host):
        yield skipped("connection", "goes by the proxy of the environment")
        return
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        yield failed("name", f"{host} has no address: {error.strerror}", "check the URL and DNS")
        return
    yield ok("name", f"{host} is {addresses[0][4][0]}")
    begun = time.monotonic()
    try:
        connection = socket.create_connection((host, port), _CONNECT)
    except OSError as error:
        yield failed(
            "connection",
            f"port {port}: {error.strerror or error}",
            "check that the server runs, the port, and firewalls; `memstack serve` starts one here",
        )
        return
    with closing(connection):
        yield ok("connection", f"port {port}, {(time.monotonic() - begun) * 1000:.0f} ms")
        if parts.scheme == "https":
            yield _certificate(connection, host)


def _certificate(connection: socket.socket, host: str) -> Check:
    from memstack._connecting import Connecting

    try:
        context = Connecting(True, None, None, "httpx").ssl_context()
        with context.wrap_socket(connection, server_hostname=host) as secured:
            found = secured.getpeercert() or {}
            version = secured.version()
    except (ssl.SSLError, OSError) as error:
        return failed(
            "certificate",
            str(getattr(error, "verify_message", "") or getattr(error, "reason", "") or error),
            "name the right host, renew the certificate, or trust its authority: SSL_CERT_FILE",
        )
    ends = str(found.get("notAfter", ""))
    left = ssl.cert_time_to_seconds(ends) - time.time()
    if left < _EXPIRES_SOON:
        return warned("certificate", f"good for {left / 86400:.0f} days", "renew it")
    return ok("certificate", f"{version}, good for {left / 86400:.0f} days")


def _calls(client: MemStackClient) -> Iterator[Check]:
    try:
        health = client.send_raw(operations.health_check())
    except MemStackError as error:
        yield failed("health", error.message, _advice(error))
        return
    taken = health.attempts[-1].elapsed * 1000
    yield ok("health", f"{health.result.get('status', 'answered')}, {taken:.0f} ms")
    yield _clock(health)
    yield _tried("authorization", lambda: _listed(client))
    yield _tried("server", lambda: _server(client))
    yield _tried("API", lambda: _api(client))


def _tried(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except MemStackError as error:
        return failed(name, error.message, _advice(error))


def _listed(client: MemStackClient) -> Check:
    client.list_episodes(limit=1)
    return ok("authorization", "the key is accepted")


def _advice(error: MemStackError) -> str:
    if isinstance(error, NetworkError):
        return "check the URL, the network and the proxy"
    if isinstance(error, APIError) and error.status_code in (401, 403):
        return "use a key of this server that is not expired: `memstack key create` makes one"
    if isinstance(error, APIError) and error.status_code == 404:
        return "check the path of the URL: it must be the root of a MemStack server"
    return f"tell who runs the server; the request was {error.request_id}"


def _clock(health: Response[dict[str, object]]) -> Check:
    try:
        theirs = parsedate_to_datetime(health.headers["date"])
        skew = (theirs - datetime.now(timezone.utc)).total_seconds()
    except (KeyError, ValueError, TypeError):
        return skipped("clock", "the server does not tell its time")
    if abs(skew) > _SKEW:
        way = "ahead of" if skew > 0 else "behind"
        return warned(
            "clock",
            f"the server is {abs(skew):.0f} s {way} this machine",
            "set the one that is wrong: expiry dates and the times of episodes depend on it",
        )
    return ok("clock", "the server and this machine agree")


def _server(client: MemStackClient) -> Check:
    info = client.server_info()
    what = f"generation {info.generation or 'not known'}, version {info.version or 'not told'}"
    if info.capabilities:
        what += f", with {', '.join(info.capabilities)}"
    troubles = [f"has no {name}" for name in info.missing]
    troubles += [f"{name} {how}" for name, how in info.broken.items()]
    troubles += [
        f"{name}, {argument}: {meaning}"
        for name, arguments in info.ignored.items()
        for argument, meaning in arguments.items()
    ]
    if troubles:
        todo = "do without, or upgrade the server; the client warns where it matters"
        return warned("server", f"{what}: {'; '.join(troubles)}", todo)
    return ok("server", what)


def _api(client: MemStackClient) -> Check:
    from .spec import lacking

    try:
        lacks = lacking(client)
    except (APIError, ResponseValidationError, ValueError) as error:
        said = error.message if isinstance(error, MemStackError) else str(error)
        return skipped("API", f"the server does not show it at /openapi.json: {said}")
    if lacks:
        todo = "upgrade the server, or do without"
        return warned("API", f"lacks {', '.join(lacks)}", todo)
    return ok("API", "has all operations, by its /openapi.json")
