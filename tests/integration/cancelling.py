"""Calls that are cancelled anywhere from their first step to their last, and what they leave."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from memstack import MemStackAsyncClient

from ..colours import what_sends
from ..conftest import KEY
from ..echo import Echo, start

STEPS = 60
"""Turns of the loop that a call takes about, with its connection."""


@dataclass
class Left:
    """What is there after the last call."""

    ends: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)
    """What the loop told of errors that nobody asked for."""
    states: Counter[str] = field(default_factory=Counter)
    used: int = 0
    """Connections that the pool still counts as in use."""
    served: int = 0
    """Normal calls that were answered afterwards."""
    open: int = 0
    """Connections that the server still has, once the client is closed."""


async def run(calls: int, *, at_once: int = 10, twice: bool = False, seed: int = 1) -> Left:
    """Cancel *calls* calls, *at_once* at a time, each after a random number of turns of the loop.

    Args:
        twice: Whether each is cancelled once more while it cleans up.
    """
    chance, left, echo = random.Random(seed), Left(), Echo()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: left.told.append(str(context)))
    server, url = await start(echo)

    async def cancelled(client: MemStackAsyncClient, number: int) -> None:
        name = f"{chance.choice(['m', 'm', 'half-', 'hold-'])}{number}"
        work = client.get_memo if chance.random() < 0.7 else client.create_memo
        task: asyncio.Task[Any] = asyncio.ensure_future(work(name))
        for turns in (chance.randrange(STEPS), chance.randrange(4))[: 1 + twice]:
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
        ended = await asyncio.gather(task, return_exceptions=True)
        left.ends[type(ended[0]).__name__] += 1

    async with MemStackAsyncClient(KEY, url, max_retries=0) as client:
        for first in range(0, calls, at_once):
            await asyncio.gather(*(cancelled(client, first + n) for n in range(at_once)))
        await look(client, left)
    for _ in range(3):
        await asyncio.sleep(0.005)
    left.open = len(echo.open)
    server.close()
    return left


async def look(client: MemStackAsyncClient, left: Left) -> None:
    """Note what the pool of *client* has while no call is under way, and make a hundred calls."""
    transport = what_sends(client)
    (pool,) = transport._pools.values()
    for http, _ in pool.idle:
        connection = http._pool._connection
        left.states["idle" if connection.is_idle() else str(connection.info())] += 1
    left.used = len(pool._used)
    for number in range(100):
        left.served += (await client.get_memo(f"m{number}")).id == f"m{number}"
