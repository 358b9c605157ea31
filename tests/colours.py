"""Lets one test body run on both clients: `Driven` makes the awaited client look like the other."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from memstack import AsyncPager, MemStackAsyncClient, MemStackClient
from memstack._history import Chance

Colour = Literal["sync", "async"]
AnyClient = MemStackClient | MemStackAsyncClient
CLASSES: dict[Colour, type[AnyClient]] = {"sync": MemStackClient, "async": MemStackAsyncClient}


def what_sends(client: AnyClient) -> Any:
    """The transport of *client*, which its first request has made."""
    transport: Any = client._transport
    return getattr(transport, "_made", None) or transport


class Driven:
    """A client of either colour, called without await."""

    def __init__(self, client: AnyClient, loop: asyncio.AbstractEventLoop) -> None:
        self.client = client
        self.loop = loop

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.client, name)
        return self._driven(attribute) if callable(attribute) else attribute

    def _driven(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            result = method(*args, **kwargs)
            if inspect.isawaitable(result):
                result = self.loop.run_until_complete(_settled(result))
            if isinstance(result, AsyncPager):
                return DrivenPager(result, self.loop)
            return Driven(result, self.loop) if isinstance(result, AnyClient) else result

        return call


class DrivenPager:
    """An awaited pager, iterated without await."""

    def __init__(self, pager: AsyncPager[Any], loop: asyncio.AbstractEventLoop) -> None:
        self._pager = pager
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pager, name)

    def __repr__(self) -> str:
        return repr(self._pager)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            return self._loop.run_until_complete(_settled(self._pager.__anext__()))
        except StopAsyncIteration:
            raise StopIteration from None


async def _settled(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


@dataclass
class FakeTime:
    """Time that passes only where a client pauses or a scripted answer is slow; luck is fixed."""

    clock: float = 1000.0
    jitter: float = 1.0
    pauses: list[float] = field(default_factory=list)

    def install(self, client: AnyClient) -> None:
        client._chance = Chance(
            monotonic=lambda: self.clock,
            now=lambda: self.clock,
            uniform=lambda low, high: min(max(self.jitter, low), high),
        )
        if isinstance(client, MemStackClient):
            client._sleep = self._pause
        else:
            client._sleep = self._pause_async

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.clock += seconds

    async def _pause_async(self, seconds: float) -> None:
        self._pause(seconds)


def outcomes(attempts: Iterable[Any]) -> list[tuple[int | None, str]]:
    """Status and outcome of each attempt."""
    return [(attempt.status, attempt.outcome) for attempt in attempts]
