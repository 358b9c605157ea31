"""How far ahead a run reads, in which order it sends, and how fast."""

from __future__ import annotations

from asyncio import Event as AsyncEvent, sleep, wait_for
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from threading import Condition, Event
from typing import Any

import httpx
import pytest

from memstack import ValidationError
from memstack.ingest.pacing import Pace
from memstack.ingest.steps import Collect

from ..colours import Colour, FakeTime
from .conftest import Stage, episodes


def test_an_item_may_be_changed_once_the_next_one_is_asked_for(stage: Stage) -> None:
    """As by a loop that fills one dict again and again, and stores each time."""

    def items() -> Iterator[dict[str, Any]]:
        item: dict[str, Any] = {}
        for fresh in episodes(50):
            item.update(fresh)
            yield item

    assert stage.client().ingest(items()).created == 50
    assert len(set(stage.stored())) == 50


def test_of_long_items_fewer_are_read_ahead(stage: Stage) -> None:
    """Or 500 of them would take gigabytes."""
    ahead = read = 0
    stage.refuse(lambda request: True, 422)

    def items() -> Iterator[dict[str, Any]]:
        nonlocal ahead, read
        for n in range(80):
            read += 1
            ahead = max(ahead, read - stage.posts())
            yield {"name": f"e{n}", "content": "long" * 100_000}

    assert stage.client().ingest(items()).failed == 80
    assert 0 < ahead < 40


def test_items_are_read_as_they_are_needed(stage: Stage) -> None:
    """Never more than are needed to keep all creates busy."""
    client, ahead, read = stage.client(), 0, 0

    def items() -> Iterator[dict[str, Any]]:
        nonlocal ahead, read
        for item in episodes(150):
            read += 1
            ahead = max(ahead, read - stage.posts())
            yield item

    assert client.ingest(items(), concurrency=4).created == 150
    assert 0 < ahead <= 80


def test_a_group_keeps_its_order(stage: Stage) -> None:
    """While other groups go on."""
    items = [
        {"name": f"g{n % 7}", "content": f"{n:04}", "group_id": f"g{n % 7}"} for n in range(140)
    ]

    report = stage.client().ingest(items, concurrency=32, order_by="group_id")

    assert report.created == 140
    for group in range(7):
        told = [content for name, content in stage.stored() if name == f"g{group}"]
        assert told == sorted(told)


@pytest.mark.parametrize("kind", ["long", "of one group"])
def test_others_have_their_turn_while_there_is_no_room_to_read(stage: Stage, kind: str) -> None:
    """A run that only asks again and again whether something has ended blocks the event loop."""
    more = {"group_id": "g"} if kind == "of one group" else {"source_description": "x" * 50_000}
    stage.refuse(lambda request: True, 422)

    class Waits(httpx.MockTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            for _ in range(100):
                await sleep(0)
            return stage.older(request)

    looks: list[bool] = []
    is_news = Collect.is_news

    def count(self: Collect, *args: Any, **kwargs: Any) -> bool:
        looks.append(is_news(self, *args, **kwargs))
        assert len(looks) < 3_000
        return looks[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("memstack.ingest.flow._MOST_BYTES", 2**20)
        patch.setattr(Collect, "is_news", count)
        client = stage.client(over=Waits(stage.older))
        report = client.ingest(episodes(150, **more), order_by="group_id")

    assert report.failed == 150


@pytest.mark.parametrize("asked", [None, "7"])
def test_a_429_holds_all_back_and_loses_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, asked: str | None
) -> None:
    """For as long as the server asks; items that it refused are sent again."""
    overloads: list[float | None] = []
    overloaded = Pace.overloaded

    def note(self: Pace, elapsed: float, seconds: float | None) -> None:
        overloads.append(seconds)
        overloaded(self, elapsed, seconds)

    monkeypatch.setattr(Pace, "overloaded", note)
    told = {"retry-after": asked} if asked else None
    refused: list[httpx.Request] = []

    def is_refused(request: httpx.Request) -> bool:
        if not 50 <= stage.posts() < 90:
            return False
        refused.append(request)
        return True

    stage.refuse(is_refused, 429, told)
    report = stage.client(max_retries=1).ingest(episodes(120), concurrency=8)

    assert refused
    assert stage.posts() == 120 + len(refused)
    assert (report.created, len(stage.stored())) == (120, 120)
    assert overloads == [7.0 if asked else None] * len(refused)


def test_what_one_create_is_asked_to_wait_the_others_wait_too(
    stage: Stage, time: FakeTime, colour: Colour
) -> None:
    """None begins while the one that was refused pauses."""
    driven, refused = stage.client(max_retries=1), [True]
    stage.refuse(lambda request: bool(refused and refused.pop()), 429, {"retry-after": "7"})
    posts_at_pause: list[int] = []
    another = Event()

    def paused() -> bool:
        """Whether it is the first pause, which lasts until there is a second."""
        posts_at_pause.append(stage.posts())
        if len(posts_at_pause) == 2:
            time.clock += 7
            another.set()
        return len(posts_at_pause) == 1

    def wait(seconds: float) -> None:
        if paused():
            another.wait(10)  # so long only where the others do not pause

    async def wait_async(seconds: float) -> None:
        if paused():
            for _ in range(10_000):
                await sleep(0)
                if another.is_set():
                    break

    driven.client._sleep = wait if colour == "sync" else wait_async
    report = driven.ingest(episodes(200), concurrency=8)

    assert report.created == 200
    assert len(posts_at_pause) >= 2
    assert posts_at_pause[1] <= 8


def test_after_a_429_it_speeds_up_again_though_all_is_read(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that had to wait have their turn as soon as there is room for one more."""
    for runner in ("blocking", "awaited"):  # so that each answer is looked at at once
        monkeypatch.setattr(f"memstack.ingest.{runner}.QUIET", 0.001)
    refusals = [True] * 16
    stage.refuse(lambda request: bool(refusals and refusals.pop()), 429)
    flying, together = 0, Condition()
    is_crowd = AsyncEvent()

    class Crowd(httpx.BaseTransport, httpx.AsyncBaseTransport):
        """Answers the last creates once sixteen are there."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal flying
            with together:
                answer = stage.older(request)
                if stage.posts() > 200:
                    flying += 1
                    together.notify_all()
                    assert together.wait_for(lambda: flying >= 16, 10)
            return answer

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal flying
            await sleep(0)
            answer = stage.older(request)
            if stage.posts() > 200:
                flying += 1
                if flying >= 16:
                    is_crowd.set()
                await wait_for(is_crowd.wait(), 10)
            return answer

    report = stage.client(over=Crowd()).ingest(episodes(260), concurrency=16)

    assert (report.created, refusals) == (260, [])
    assert flying >= 16


def test_an_async_iterable_is_sent_while_it_is_read(
    stage: Stage, colour: Colour, tmp_path: Path
) -> None:
    """An item need not wait for the next one; the blocking client refuses such items."""

    async def items() -> AsyncIterator[dict[str, Any]]:
        for n, item in enumerate(episodes(4)):
            while stage.posts() < n:  # the ones before have been sent
                await sleep(0)
            yield item

    client = stage.client()
    if colour == "sync":
        with pytest.raises(ValidationError, match="needs a MemStackAsyncClient"):
            client.ingest(items())
    else:
        assert client.ingest(items()).created == 4
