"""CPU time of a call: of this process alone, the best of many rounds, all variants in turn.

These machines are shared, so a time says little and a ratio of two that ran in turns says enough.
A round is short, so that some are left alone by other processes, and they go on for some seconds,
since a neighbour is busy for about one.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

Call = Callable[[], object]
AsyncCall = Callable[[], Awaitable[object]]
AnyCall = TypeVar("AnyCall")
Seconds = dict[str, float]

ROUND = 0.01
"""CPU seconds of one variant, about."""
CALLS = 20
"""Of a round, at most, or as many as it takes to have so many at once."""
ROUNDS = 4
"""At least."""


def of_calls(variants: Mapping[str, Call], *, effort: float) -> Seconds:
    """CPU seconds of one call of each variant; goes on for *effort* CPU seconds."""
    best: Seconds = {}
    for name, call in _in_turn(variants, effort):
        alone: Seconds = {}
        with _timed(alone, name, 1):
            call()
        calls = max(1, min(CALLS, int(ROUND / alone[name])))
        with _timed(best, name, calls):
            for _ in range(calls):
                call()
    return best


async def of_async_calls(
    variants: Mapping[str, AsyncCall], *, at_once: int, effort: float
) -> Seconds:
    """CPU seconds of one call of each variant, with so many under way at any time."""
    best: Seconds = {}
    calls = max(CALLS, at_once, min(2 * at_once, 256))
    for name, call in _in_turn(variants, effort):
        await _run(call, at_once, at_once)
        with _timed(best, name, calls):
            await _run(call, at_once, calls)
    return best


def least(measured: Iterable[Seconds]) -> Seconds:
    """The best of each variant."""
    best: Seconds = {}
    for seconds in measured:
        for name, spent in seconds.items():
            best[name] = min(best.get(name, spent), spent)
    return best


def _in_turn(variants: Mapping[str, AnyCall], effort: float) -> Iterator[tuple[str, AnyCall]]:
    """All, round after round.

    What there is before is frozen: otherwise each variant would pay for what the others keep,
    whenever the garbage is collected.
    """
    gc.collect()
    gc.freeze()
    ends, rounds = time.process_time() + effort, 0
    while rounds < ROUNDS or time.process_time() < ends:
        gc.collect()
        yield from variants.items()
        rounds += 1
    gc.unfreeze()


@contextmanager
def _timed(best: Seconds, name: str, calls: int) -> Iterator[None]:
    started = time.process_time()
    yield
    spent = (time.process_time() - started) / calls
    best[name] = min(best.get(name, spent), spent)


async def _run(call: AsyncCall, at_once: int, calls: int) -> None:
    left = iter(range(calls))

    async def work() -> None:
        for _ in left:
            await call()

    await asyncio.gather(*(work() for _ in range(at_once)))
