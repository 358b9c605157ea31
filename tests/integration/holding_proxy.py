"""A proxy on loopback that holds creates back until a test lets them go; all else passes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .fault_proxy import Handler, Proxy


class HoldingProxy(Proxy):
    """Knows no idempotency keys, and never answers a create."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream, HoldingHandler, idempotency=False)
        self.arrived = threading.Semaphore(0)
        """Released for each create that came in."""
        self.go = threading.Event()
        """Whether creates are passed on."""
        self.stored = threading.Semaphore(0)
        """Released for each create that the server has applied."""


class HoldingHandler(Handler):
    server: HoldingProxy

    def serve(self, body: bytes) -> None:
        if self.command != "POST":
            self.pass_on(body)
            return
        self.server.arrived.release()
        assert self.server.go.wait(30)
        self.forward(body)
        self.server.stored.release()
        self.drop()


@contextmanager
def holding_proxy(upstream: str) -> Iterator[HoldingProxy]:
    """A proxy before *upstream*."""
    proxy = HoldingProxy(upstream)
    with proxy.running():
        yield proxy
