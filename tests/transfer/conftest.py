"""Clients of both colours, and the transfers between them, called without await."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from memstack.local import EmbeddedServer
from memstack.transfer import Report, copy, export_file, import_file

from ..colours import CLASSES, AnyClient, Colour, Driven
from .older import Generation, Older, client_of


class Mover:
    """Makes clients of one colour, and moves rows between them."""

    def __init__(
        self,
        colour: Colour,
        loop: asyncio.AbstractEventLoop,
        drive: Callable[[AnyClient], Driven],
        servers: list[EmbeddedServer],
    ) -> None:
        self._colour, self._loop, self._drive = colour, loop, drive
        self._servers = servers

    def local(self, path: Path | None = None) -> Driven:
        return self._drive(CLASSES[self._colour].local(path))

    def older(self, generation: Generation = "unknown", path: Path | None = None) -> Older:
        self._servers.append(EmbeddedServer(path))
        return Older(self._servers[-1], generation)

    def remote(self, older: Older, **options: Any) -> Driven:
        return self._drive(client_of(older, self._colour, **options))

    def export(self, client: Driven, path: Path, **options: Any) -> Report:
        return self._done(export_file(_raw(client), path, **options))

    def load(self, path: Path, client: Driven) -> Report:
        return self._done(import_file(path, _raw(client)))

    def copy(self, source: Driven, target: Driven) -> Report:
        return self._done(copy(_raw(source), _raw(target)))

    def rows(self, client: Driven, path: Path) -> list[bytes]:
        """The lines that an export of *client* has for its rows."""
        self.export(client, path, overwrite=True)
        return path.read_bytes().split(b"\n")[1:-2]

    def _done(self, report: Any) -> Report:
        if inspect.isawaitable(report):
            report = self._loop.run_until_complete(report)
        assert isinstance(report, Report)
        return report


def _raw(client: Driven) -> Any:
    return client.client


@pytest.fixture
def mover(
    colour: Colour,
    loop: asyncio.AbstractEventLoop,
    drive: Callable[[AnyClient], Driven],
) -> Iterator[Mover]:
    servers: list[EmbeddedServer] = []
    yield Mover(colour, loop, drive, servers)
    for server in servers:
        server.close()


def fill(client: Driven, episodes: int = 5, memos: int = 3) -> None:
    """Store rows of many kinds, some of them alike."""
    for n in range(episodes):
        client.create_episode(
            f"e{n % 4}",
            f"content {n % 3} 西湖",
            ("text", "conversation")[n % 2],
            "chat" if n % 2 else None,
            f"g{n % 2}",
            (None, {}, {"n": n, "deep": [1.5, None]})[n % 3],
            tenant_id="t1" if n % 2 else None,
        )
    for n in range(memos):
        memo = client.create_memo(f"memo {n % 2}", "PUBLIC", ["a", "ü"])
        if n % 3 == 1:
            client.update_memo(memo.id, tags=["changed"])
