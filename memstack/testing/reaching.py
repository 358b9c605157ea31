"""Leads clients that are made in this process to the server of a test, without a socket."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from unittest import mock

from memstack import MemStackAsyncClient, MemStackClient
from memstack._connecting import Connecting
from memstack._failures import failure
from memstack._lifecycle import Lifecycle
from memstack._wire import WireRequest, WireResponse
from memstack.exceptions import NetworkError, Outcome

if TYPE_CHECKING:
    from memstack.testing.script import Break
    from memstack.testing.stage import Stage

__all__ = ["reached"]

_BREAKS: dict[Break, tuple[str, Outcome]] = {
    "refused": ("refused", "not_sent"),
    "before": ("read", "unknown"),
    "after": ("read", "unknown"),
}


class _Direct:
    """A transport to *stage* for clients of either kind."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def answer(self, request: WireRequest) -> WireResponse:
        """The answer to *request*.

        Raises:
            NetworkError: None came, or not in time.
        """
        played = self.stage.play(request)
        if request.timeout is not None and played.takes >= request.timeout:
            self.stage.clock.advance(request.timeout)
            raise self._failure(request, "read_timeout", "unknown")
        self.stage.clock.advance(played.takes)
        if played.answer is None:
            raise self._failure(request, *_BREAKS[played.breaks or "after"])
        return played.answer

    def _failure(self, request: WireRequest, reason: str, outcome: Outcome) -> NetworkError:
        place = self.stage.base_url + request.target.partition("?")[0]
        return failure(reason, outcome, place, request.timeout, "as the test says", None)


class _Sync(_Direct):
    def send(self, request: WireRequest) -> WireResponse:
        return self.answer(request)

    def close(self) -> None:
        """Nothing: the server closes what there is."""


class _Async(_Direct):
    async def send(self, request: WireRequest) -> WireResponse:
        await asyncio.sleep(0)  # as a real request, it lets others go on, and needs asyncio
        return self.answer(request)

    async def close(self) -> None:
        """Nothing: the server closes what there is."""


@contextmanager
def reached(stage: Stage) -> Iterator[None]:
    """Inside, clients that are made for *stage* reach it directly, and go by its clock.

    Those that bring an HTTP client, or want another transport, are led to its port. The environment
    names it to those who do not say where to go.
    """
    with ExitStack() as exits:
        exits.enter_context(_connected(MemStackClient, stage, _Sync(stage)))
        exits.enter_context(_connected(MemStackAsyncClient, stage, _Async(stage)))
        exits.enter_context(_timed(stage))
        exits.enter_context(_environment("MEMSTACK_BASE_URL", stage.base_url))
        exits.enter_context(_environment("MEMSTACK_API_KEY", stage.api_key))
        yield


def _connected(kind: Any, stage: Stage, direct: _Direct) -> mock._patch[Any]:
    """Makes clients of *kind* that are for *stage* have *direct* for their transport."""
    original: Callable[..., Any] = kind.__dict__["_connect"].__func__

    def connect(cls: type, url: str, connecting: Connecting, http_client: Any) -> Any:
        if url not in (stage.base_url, stage.listens_at):
            return original(cls, url, connecting, http_client)
        if http_client is None and connecting.transport == "httpx":
            return direct
        return original(cls, stage.url(), connecting, http_client)

    return mock.patch.object(kind, "_connect", classmethod(connect))


def _timed(stage: Stage) -> mock._patch[Any]:
    """Makes clients that reach *stage* directly go by its clock."""
    original = Lifecycle._start

    def start(client: Any, settings: Any, transport: Any, recipe: Any) -> None:
        original(client, settings, transport, recipe)
        if isinstance(transport, _Direct) and transport.stage is stage:
            stage.clock.install(client)

    return mock.patch.object(Lifecycle, "_start", start)


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before
