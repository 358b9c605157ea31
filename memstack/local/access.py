"""Decides what the access log tells of a request: one line, and nothing that the request says.

The line is the NCSA Common Log Format, so that the usual tools read it, and then the seconds that
the answer took and its X-Request-ID. The user is the id of the key, and the path is that of the
operation, with `{episode_name}` and its like as openapi.yaml has them: names, queries and keys
stay out of it.
https://httpd.apache.org/docs/current/logs.html#common
"""

from __future__ import annotations

import ipaddress
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from memstack._rules import KEY_PREFIX
from memstack.local.answers import Refusal
from memstack.local.keys import Bearer
from memstack.local.pages import is_page
from memstack.local.routes import route_of

__all__ = ["Visit", "log", "to_stderr"]

log = logging.getLogger("memstack.access")
"""Has a record for each request, at INFO."""


@contextmanager
def to_stderr() -> Iterator[None]:
    """Write the log to stderr, and nowhere else; stdout may hold a key, and logs are kept."""
    handler = logging.StreamHandler()
    level, propagate = log.level, log.propagate
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
        log.propagate = propagate


_METHODS = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}


@dataclass
class Visit:
    """What the log may tell of one request, gathered on its way."""

    client: str
    method: str
    http_version: str
    path: str = "-"
    key_id: str = "-"
    began: float = field(default_factory=time.monotonic)

    def asks(self, target: str) -> None:
        """Take the path from the operation or page that the request asks for, if there is one."""
        if is_page(target):
            self.path = target.partition("?")[0]
            return
        try:
            route, _, _ = route_of(self.method, target)
        except Refusal:
            return
        self.path = "/" + "/".join(route.path)

    def admit(self, bearer: Bearer) -> None:
        """Take the id of the key that the request came with."""
        self.key_id = bearer.id

    def ended(self, status: int | None, size: int, request_id: str) -> None:
        """Write the line; *status* is None if the client left before it was answered."""
        if not log.isEnabledFor(logging.INFO):
            return
        method = self.method if self.method in _METHODS else "-"
        log.info(
            '%s - %s [%s] "%s %s HTTP/%s" %s %s %.3f %s',
            _address(self.client),
            self.key_id,
            time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()),
            method,
            self.path,
            self.http_version,
            status or "-",
            size or "-",
            time.monotonic() - self.began,
            # Whoever sends one may write anything into it.
            "-" if KEY_PREFIX in request_id else request_id,
        )


def _address(client: str) -> str:
    """*client* if it is an address; uvicorn takes it from a header where a proxy stands before."""
    try:
        return str(ipaddress.ip_address(client))
    except ValueError:
        return "-"
