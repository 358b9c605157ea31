"""Time that passes only where a client waits, so that no test does."""

from __future__ import annotations

import asyncio
import threading
import time

from memstack import MemStackAsyncClient, MemStackClient
from memstack._history import Chance

__all__ = ["Clock"]


class Clock:
    """The time of all clients of one server; the random factor of their pauses is 1."""

    def __init__(self) -> None:
        self.pauses: list[float] = []
        self._now = time.time()
        self._lock = threading.Lock()
        self._chance = Chance(
            monotonic=lambda: self._now, now=lambda: self._now, uniform=lambda _, high: high
        )

    def install(self, client: MemStackClient | MemStackAsyncClient) -> None:
        """Make *client*, and siblings that it will have, go by this clock."""
        client._chance = self._chance
        if isinstance(client, MemStackClient):
            client._sleep = self._pause
        else:
            client._sleep = self._pause_async

    def advance(self, seconds: float) -> None:
        """Let *seconds* pass."""
        with self._lock:
            self._now += seconds

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.advance(seconds)

    async def _pause_async(self, seconds: float) -> None:
        self._pause(seconds)
        await asyncio.sleep(0)  # as a real pause, it lets others go on
