"""CPU time of a call: of this process alone, the best of several rounds, all variants in turn.

These machines are shared, so a time says little and a ratio of two that ran in turns says enough.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Mapping

Call = Callable[[], object]
AsyncCall = Callable[[], Awaitable[object]]
Seconds = dict[str, float]


def of_calls(variants: Mapping[str, Call], *, calls: int = 50, rounds: int = 30) -> Seconds:
    """CPU seconds of one call of each variant."""
    best = dict.fromkeys(variants, float("inf"))
    for _ in range(rounds):
        for name, call in variants.items():
            call()
            gc.collect()
            started = time.process_time()
            for _ in range(calls):
                call()
            best[name] = min(best[name], (time.process_time() - started) / calls)
    return best


async def of_async_calls(
    variants: Mapping[str, AsyncCall], *, at_once: int, calls: int = 300, rounds: int = 3
) -> Seconds:
    """CPU seconds of one call of each variant, with so many under way at any time."""
    best = dict.fromkeys(variants, float("inf"))
    for _ in range(rounds):
        for name, call in variants.items():
            await _run(call, at_once, at_once)
            gc.collect()
            started = time.process_time()
            await _run(call, at_once, max(calls, 4 * at_once))
            spent = time.process_time() - started
            best[name] = min(best[name], spent / max(calls, 4 * at_once))
    return best


async def _run(call: AsyncCall, at_once: int, calls: int) -> None:
    left = iter(range(calls))

    async def work() -> None:
        for _ in left:
            await call()

    await asyncio.gather(*(work() for _ in range(at_once)))
