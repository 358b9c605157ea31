"""What becomes of items, on both clients."""

from __future__ import annotations

import json
import subprocess
import sys
from asyncio import sleep
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timezone
from itertools import chain
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest

from memstack import EpisodeCreate, ValidationError
from memstack.ingest import IngestError, IngestOutcome, IngestReport
from memstack.ingest.pacing import Pace

from ..colours import Colour, Driven, FakeTime
from .conftest import Stage, episodes


def words(outcomes: list[IngestOutcome]) -> list[str]:
    return [outcome.outcome for outcome in sorted(outcomes, key=lambda one: one.index)]


@pytest.mark.parametrize("generation", ["current", "unknown", "v0.2"])
def test_every_item_is_stored_once(stage: Stage, tmp_path: Path, generation: Any) -> None:
    """Also by a second run with the ledger; an item that comes twice is stored once."""
    stage.knows(generation)
    client = stage.client(on_unsupported="ignore")
    items = [*episodes(400), *episodes(5)]

    first = client.ingest(items, ledger=tmp_path / "run.sqlite")
    second = client.ingest(items, ledger=tmp_path / "run.sqlite")

    assert (first.read, first.created, first.duplicate, first.is_whole) == (405, 400, 5, True)
    assert (second.created, second.duplicate) == (0, 405)
    assert stage.posts() == 400
    assert Counter(stage.stored()) == Counter((e["name"], e["content"]) for e in episodes(400))


def test_outcomes_tell_index_id_error_and_item(stage: Stage, tmp_path: Path) -> None:
    """And the ids are those of the rows."""
    told: list[IngestOutcome] = []
    items = [*episodes(2), {"name": "x"}, 5, EpisodeCreate(name="m", content="c"), *episodes(1)]
    client = stage.client()

    report = client.ingest(items, ledger=tmp_path / "run.sqlite", on_outcome=told.append)

    assert sorted(one.index for one in told) == list(range(6))
    assert words(told) == ["created", "created", "failed", "failed", "created", "duplicate"]
    by_index = {one.index: one for one in told}
    assert all(by_index[n].item is items[n] for n in range(6))
    assert by_index[0].id == by_index[5].id == client.get_episode("e0").id
    assert by_index[4].error is None
    assert str(by_index[2].error) == "item: content: is missing"
    assert by_index[3].id is None
    assert (report.created, report.duplicate, report.failed) == (3, 1, 2)
    assert str(report).startswith("6 read: 3 created, 1 duplicate, 2 failed in ")


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({"name": "", "content": "c"}, "create_episode: name: "),
        ({"name": "n", "content": "c", "metdata": {}}, "'metdata' is no field of an episode"),
        ({"name": "n", "content": "c", "valid_at": "2026-05-01"}, "valid_at: must be a time with"),
        ({"name": "n", "content": "c", "valid_at": 5}, "valid_at"),
        (None, "not None"),
        ({"name": "n", "content": "c", "metadata": {"n": float("nan")}}, "metadata"),
    ],
)
def test_an_item_that_is_no_episode_fails_alone(stage: Stage, item: Any, said: str) -> None:
    told: list[IngestOutcome] = []

    report = stage.client().ingest([item, *episodes(1)], on_outcome=told.append)

    assert (report.created, report.failed) == (1, 1)
    (failed,) = [one for one in told if one.outcome == "failed"]
    assert isinstance(failed.error, ValidationError)
    assert said in failed.error.message


def test_what_failed_can_be_ingested_again(stage: Stage, tmp_path: Path) -> None:
    """From the lines of its file, as they are; then nothing is left to fail."""
    failed, ledger = tmp_path / "failed.jsonl", tmp_path / "run.sqlite"
    failed.write_text("of another run", "utf-8")
    moment = datetime(2026, 5, 1, tzinfo=timezone.utc)
    items = [*episodes(3), EpisodeCreate(name="bad", content="x", valid_at=moment), object()]

    stage.refuse(lambda request: b'"bad"' in request.content, 422)
    client = stage.client()
    report = client.ingest(items, ledger=ledger, failed=failed)
    lines = [json.loads(line) for line in failed.read_text("utf-8").splitlines()]

    assert (report.created, report.failed) == (3, 2)
    assert sorted((line["index"], line["outcome"]) for line in lines) == [
        (3, "failed"),
        (4, "failed"),
    ]
    by_index = {line["index"]: line for line in lines}
    assert by_index[3]["item"]["valid_at"] == "2026-05-01T00:00:00Z"
    assert by_index[3]["error"].startswith("UnprocessableEntityError: ")

    stage.refuse_nothing()
    again = client.ingest(lines, ledger=ledger, failed=failed)

    assert (again.created, again.failed) == (1, 1)
    assert stage.stored()[-1] == ("bad", "x")
    assert len(failed.read_text("utf-8").splitlines()) == 1


def test_items_are_read_as_they_are_needed(stage: Stage) -> None:
    """Never more than are needed to keep all creates busy."""
    client, ahead, read = stage.client(), 0, 0

    def items() -> Iterator[dict[str, Any]]:
        nonlocal ahead, read
        for item in episodes(1500):
            read += 1
            ahead = max(ahead, read - stage.posts())
            yield item

    assert client.ingest(items(), concurrency=4).created == 1500
    assert 0 < ahead <= 1100


def test_a_group_keeps_its_order(stage: Stage) -> None:
    """While other groups go on."""
    items = [
        {"name": f"g{n % 7}", "content": f"{n:04}", "group_id": f"g{n % 7}"} for n in range(400)
    ]

    report = stage.client().ingest(items, concurrency=32, order_by="group_id")

    assert report.created == 400
    for group in range(7):
        told = [content for name, content in stage.stored() if name == f"g{group}"]
        assert told == sorted(told)


def test_dry_run_sends_and_stores_nothing(stage: Stage, tmp_path: Path) -> None:
    """And tells what a run would do, with the ledger and without."""
    client, ledger = stage.client(), tmp_path / "run.sqlite"

    new = client.ingest([*episodes(5), *episodes(2), 7], ledger=ledger, dry_run=True)
    assert (new.created, new.duplicate, new.failed, new.dry_run) == (5, 2, 1, True)
    assert not ledger.exists()
    assert stage.older.requests == []

    client.ingest(episodes(3), ledger=ledger)
    later = client.ingest(episodes(5), ledger=ledger, dry_run=True)
    assert (later.created, later.duplicate) == (2, 3)
    assert stage.posts() == 3

    many = client.ingest(chain(episodes(1500), episodes(1500)), dry_run=True)
    assert (many.created, many.duplicate) == (1500, 1500)


@pytest.mark.usefixtures("few_ahead")
@pytest.mark.parametrize("where", ["items", "on_outcome", "on_progress"])
def test_what_the_caller_raises_ends_the_run_and_is_raised(
    stage: Stage, tmp_path: Path, where: str
) -> None:
    """What was acknowledged is in the ledger; the same call goes on, and stores the rest."""
    client, ledger = stage.client(), tmp_path / "run.sqlite"
    stage.knows("unknown")  # where nothing but the ledger keeps an item from being stored twice

    def items() -> Iterator[Any]:
        yield from episodes(500)
        if where == "items":
            raise LookupError("mine")

    def fail(_: object) -> None:
        raise LookupError("mine")

    hook = {} if where == "items" else {where: fail}
    with pytest.raises(LookupError, match=r"^mine$"):
        client.ingest(items(), ledger=ledger, **hook)
    before = stage.posts()
    again = client.ingest(episodes(500), ledger=ledger)

    assert before > 0
    assert again.is_whole
    assert stage.posts() == 500
    assert len(set(stage.stored())) == len(stage.stored()) == 500


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_server_that_lets_nobody_in_ends_the_run(
    stage: Stage, tmp_path: Path, status: int
) -> None:
    """With the report, and the cause; nothing is lost."""
    stage.refuse(lambda request: stage.posts() > 300, status)
    client = stage.client()
    with pytest.raises(IngestError) as caught:
        client.ingest(episodes(500), ledger=tmp_path / "run.sqlite", concurrency=4)

    assert caught.value.report is not None
    assert caught.value.report.created == 300
    assert caught.value.report.failed == 0
    assert getattr(caught.value.__cause__, "status_code", None) == status

    stage.refuse_nothing()
    report = client.ingest(episodes(500), ledger=tmp_path / "run.sqlite")
    assert (report.created, report.duplicate) == (200, 300)
    assert len(stage.stored()) == 500


@pytest.mark.usefixtures("few_ahead")
def test_a_server_that_is_gone_ends_the_run(stage: Stage, tmp_path: Path) -> None:
    """After the retries, and not after those of a thousand items."""
    client, ledger = stage.client(), tmp_path / "run.sqlite"

    def gone(request: httpx.Request) -> None:
        if len(stage.older.requests) > 200:
            raise httpx.ConnectError("refused")

    stage.older.before = gone
    with pytest.raises(IngestError, match="the same call again") as caught:
        client.ingest(episodes(500), ledger=ledger, concurrency=4)
    asked = len(stage.older.requests) - 200
    stage.older.before = lambda request: None

    assert asked < 300  # of 1,200, with the retries of all
    assert caught.value.report is not None
    assert 190 < caught.value.report.created < 201
    assert client.ingest(episodes(500), ledger=ledger).is_whole
    assert len(stage.stored()) == 500


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
    report = stage.client(max_retries=1).ingest(episodes(300), concurrency=8)

    assert refused
    assert stage.posts() == 300 + len(refused)
    assert (report.created, len(stage.stored())) == (300, 300)
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


def test_a_lost_answer_is_no_duplicate(stage: Stage) -> None:
    """The server replays it, and it is this run's own."""
    lost: set[bytes] = set()

    def lose(request: httpx.Request) -> None:
        if request.method == "POST" and request.content not in lost:
            lost.add(request.content)
            raise httpx.ReadError("lost")

    stage.older.after = lose
    report = stage.client().ingest(episodes(40), concurrency=4)

    assert (report.created, report.duplicate) == (40, 0)
    assert len(stage.stored()) == 40


def test_without_the_ledger_a_server_with_keys_stores_nothing_twice(stage: Stage) -> None:
    """It tells so, and the items are duplicates."""
    client = stage.client()
    client.ingest(episodes(20))

    report = client.ingest(episodes(25))

    assert (report.created, report.duplicate) == (5, 20)
    assert len(stage.stored()) == 25


def test_progress_ends_with_the_whole_report(stage: Stage) -> None:
    seen: list[int] = []

    def look(report: IngestReport) -> None:
        seen.append(report.created)

    report = stage.client().ingest(episodes(300), on_progress=look)

    assert seen[-1] == report.created == 300
    assert seen == sorted(seen)


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


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"concurrency": 0}, "concurrency: must be 1 to 512"),
        ({"concurrency": 2.0}, "concurrency: must be a whole number"),
        ({"order_by": "name"}, "order_by: must be 'group_id'"),
        ({"on_outcome": 5}, "on_outcome: must be a function"),
        ({"failed": 5}, "failed: must be the path"),
        ({"failed": "nowhere/at/all"}, "failed: "),
        ({"ledger": 5}, "ledger: must be the path"),
        ({"items": {"name": "n", "content": "c"}}, "one episode goes into a list"),
        ({"items": 5}, "items: must be an iterable"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_sent(
    stage: Stage, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        stage.client().ingest(**{"items": episodes(1), **options})
    assert stage.older.requests == []


def test_embedded_memstack_takes_them_too(local: Driven, tmp_path: Path) -> None:
    """In memory without a ledger, which would outlive it."""
    assert local.ingest(episodes(30)).created == 30
    assert local.list_episodes().total == 30
    with pytest.raises(ValidationError, match="this MemStack is in memory"):
        local.ingest(episodes(1), ledger=tmp_path / "x")


def test_a_hook_of_ones_own_is_told_of_attempts(stage: Stage) -> None:
    """As without the run, which looks at them too."""
    seen: list[Any] = []

    stage.client(on_attempt=seen.append).ingest(episodes(3))

    assert Counter(event.operation for event in seen) == {"health_check": 1, "create_episode": 3}


def test_importing_a_client_does_not_import_the_ingest() -> None:
    """It costs those who use it."""
    program = "import sys, memstack.client; print('memstack.ingest' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert ran.stdout.strip() == "False"
