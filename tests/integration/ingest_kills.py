"""Bulk ingests that are killed in the middle, and what the server has in the end."""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memstack import MemStackAsyncClient, MemStackClient

from ..colours import Colour
from ..served import Served, serving
from .abuse_file import processes
from .abuse_kills import KILL
from .fault_proxy import Handler, Proxy

AT_ONCE = 8
_OPTIONS: dict[str, Any] = {"settle_grace": 0.05, "retry_delay": 0.01}


def items(count: int) -> Iterator[dict[str, Any]]:
    """Distinct ones, some of which differ in their metadata alone."""
    for n in range(count):
        name = f"e{n // 3}" if n % 10 < 3 else f"e{n}"
        yield {"name": name, "content": f"{name} on hiking", "metadata": {"n": n}}


class KillingProxy(Proxy):
    """Has someone killed at one of the creates, before or after the server has applied it."""

    def __init__(self, upstream: str, *, idempotency: bool) -> None:
        super().__init__(upstream, _KillingHandler, idempotency=idempotency)
        self._state = threading.Condition()
        self._left = 0
        self._amid = 0
        self.applied = False
        self.due = threading.Event()
        self.is_dead = threading.Event()

    def next_life(self, creates: int | None, *, applied: bool) -> None:
        """The next one is due at that create, None for never.

        Args:
            applied: Whether the server has done what that create asks for.
        """
        with self._state:
            self._state.wait_for(lambda: not self._amid)  # later ones no client can foresee
            self._left = creates or 0
            self.applied = applied
            self.due.clear()
            self.is_dead.clear()

    @contextmanager
    def create(self) -> Iterator[bool]:
        """One create; whether it is the one to be killed at."""
        with self._state:
            self._left -= 1
            self._amid += 1
            is_last = self._left == 0
        try:
            yield is_last
        finally:
            with self._state:
                self._amid -= 1
                self._state.notify_all()

    def kill(self) -> None:
        self.due.set()
        assert self.is_dead.wait(30)


class _KillingHandler(Handler):
    server: KillingProxy

    def serve(self, body: bytes) -> None:
        if self.command != "POST":
            self.pass_on(body)
            return
        with self.server.create() as is_last:
            if not is_last:
                self.pass_on(body)
                return
            if self.server.applied:
                self.forward(body)
            self.server.kill()
            self.drop()

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:  # the client was killed
            self.close_connection = True


def load(url: str, key: str, colour: Colour, count: int, ledger: str) -> None:
    """Ingest in this process."""
    options: dict[str, Any] = {"ledger": ledger, "concurrency": AT_ONCE}
    if colour == "sync":
        with MemStackClient(key, url, **_OPTIONS) as client:
            report = client.ingest(items(count), **options)
    else:

        async def run() -> Any:
            async with MemStackAsyncClient(key, url, **_OPTIONS) as awaited:
                return await awaited.ingest(items(count), **options)

        report = asyncio.run(run())
    assert report.is_whole, report


@dataclass
class Fate:
    """What became of the items."""

    items: int
    kills: int = 0
    stored: int = 0
    """Items that the server has, once or more often."""
    doubled: int = 0
    """Items that it has more than once."""
    again: int = 0
    """Items that a run of the same ledger afterwards stored."""


def run_kills(folder: Path, kills: int, count: int, *, colour: Colour, idempotency: bool) -> Fate:
    """The fate of *count* items, ingested by processes of which *kills* are killed."""
    lots = random.Random(kills)
    ledger = str(folder / "run.sqlite")
    with serving("--db", str(folder / "db")) as served:
        proxy = KillingProxy(served.base_url, idempotency=idempotency)
        with proxy.running():
            fate = Fate(count)
            arguments = (proxy.url, served.api_key, colour, count, ledger)
            for life in itertools.count():
                share = count // kills
                creates = lots.randrange(1, share) if life < kills else None
                proxy.next_life(creates, applied=life % 2 == 0)
                worker = processes().Process(target=load, args=arguments)
                worker.start()
                if creates is not None:
                    assert proxy.due.wait(60)
                    worker.kill()
                worker.join(120)
                proxy.is_dead.set()
                assert worker.exitcode == (0 if creates is None else -KILL)
                if creates is None:
                    break
                fate.kills += 1
            held = _held(served)
            load(*arguments)
            fate.again = sum(_held(served).values()) - sum(held.values())
    fate.stored, fate.doubled = len(held), sum(held.values()) - len(held)
    return fate


def _held(served: Served) -> Counter[int]:
    """How often the server has each item."""
    held: Counter[int] = Counter()
    with MemStackClient(served.api_key, served.base_url) as client:
        for offset in itertools.count(0, 200):
            page = client.list_episodes(200, offset).episodes
            held.update((episode.metadata or {})["n"] for episode in page)
            if not page:
                return held
    raise AssertionError
