"""Clients of an embedded server that can be made to know less, or to fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from memstack.local import EmbeddedServer

from ..colours import AnyClient, Colour, Driven, FakeTime
from ..transfer.older import Generation, Older, client_of


@pytest.fixture(autouse=True)
def _few_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer items are read ahead, so that a run of a hundred has a middle."""
    monkeypatch.setattr("memstack.ingest.flow.STOCK", 32)


class Stage:
    """A server, and clients of it whose time passes only where they pause."""

    def __init__(
        self, colour: Colour, drive: Callable[[AnyClient], Driven], time: FakeTime
    ) -> None:
        self.server = EmbeddedServer()
        self.older = Older(self.server, "current")
        self.time = time
        self._colour, self._drive = colour, drive

    def knows(self, generation: Generation) -> None:
        self.older.generation = generation

    def client(self, **options: Any) -> Driven:
        client = client_of(self.older, self._colour, **options)
        # The server has the real time, and tells it.
        chance = client._chance
        self.time.install(client)
        client._chance = type(chance)(monotonic=client._chance.monotonic, now=chance.now)
        return self._drive(client)

    def refuse(
        self,
        is_refused: Callable[[httpx.Request], bool],
        status: int,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Answer *status* to creates for which *is_refused*."""
        older = self.older

        def answer(request: httpx.Request) -> httpx.Response:
            if request.method == "POST" and is_refused(request):
                return httpx.Response(status, json={"detail": "not this one"}, headers=headers)
            return type(older)._answer(older, request)

        older._answer = answer  # type: ignore[method-assign]

    def refuse_nothing(self) -> None:
        self.refuse(lambda request: False, 400)

    def stored(self) -> list[Any]:
        """The episodes that are there, oldest first."""
        with self.server.direct() as connection:
            rows = connection.execute("SELECT name, content FROM episodes ORDER BY rowid")
            return [tuple(row) for row in rows]

    def posts(self) -> int:
        """How many creates were sent."""
        return sum(method == "POST" for method, _ in self.older.requests)


@pytest.fixture
def stage(colour: Colour, drive: Callable[[AnyClient], Driven], time: FakeTime) -> Iterator[Stage]:
    stage = Stage(colour, drive, time)
    yield stage
    stage.server.close()


def episodes(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"name": f"e{n}", "content": f"content {n}", **more} for n in range(count)]
