"""What becomes of items, on both clients."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import httpx
import pytest

from memstack import EpisodeCreate, ValidationError
from memstack.ingest import IngestError, IngestOutcome, IngestReport

from ..colours import Driven
from .conftest import Stage, episodes


def words(outcomes: list[IngestOutcome]) -> list[str]:
    return [outcome.outcome for outcome in sorted(outcomes, key=lambda one: one.index)]


@pytest.mark.parametrize("generation", ["current", "unknown", "v0.2"])
def test_every_item_is_stored_once(stage: Stage, tmp_path: Path, generation: Any) -> None:
    """Also by a second run with the ledger; an item that comes twice is stored once."""
    stage.knows(generation)
    client = stage.client(on_unsupported="ignore")
    items = [*episodes(100), *episodes(5)]

    first = client.ingest(items, ledger=tmp_path / "run.sqlite")
    second = client.ingest(items, ledger=tmp_path / "run.sqlite")

    assert (first.read, first.created, first.duplicate, first.is_whole) == (105, 100, 5, True)
    assert (second.created, second.duplicate) == (0, 105)
    assert stage.posts() == 100
    assert Counter(stage.stored()) == Counter((e["name"], e["content"]) for e in episodes(100))


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


@pytest.mark.parametrize("where", ["items", "on_outcome", "on_progress"])
def test_what_the_caller_raises_ends_the_run_and_is_raised(
    stage: Stage, tmp_path: Path, where: str
) -> None:
    """What was acknowledged is in the ledger; the same call goes on, and stores the rest."""
    client, ledger = stage.client(), tmp_path / "run.sqlite"
    stage.knows("unknown")  # where nothing but the ledger keeps an item from being stored twice

    def items() -> Iterator[Any]:
        yield from episodes(120)
        if where == "items":
            raise LookupError("mine")

    def fail(_: object) -> None:
        raise LookupError("mine")

    hook = {} if where == "items" else {where: fail}
    with pytest.raises(LookupError, match=r"^mine$"):
        client.ingest(items(), ledger=ledger, **hook)
    before = stage.posts()
    again = client.ingest(episodes(120), ledger=ledger)

    assert before > 0
    assert again.is_whole
    assert stage.posts() == 120
    assert len(set(stage.stored())) == len(stage.stored()) == 120


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_server_that_lets_nobody_in_ends_the_run(
    stage: Stage, tmp_path: Path, status: int
) -> None:
    """With the report, and the cause; nothing is lost."""
    stage.refuse(lambda request: stage.posts() > 60, status)
    client = stage.client()
    with pytest.raises(IngestError) as caught:
        client.ingest(episodes(120), ledger=tmp_path / "run.sqlite", concurrency=4)

    assert caught.value.report is not None
    assert caught.value.report.created == 60
    assert caught.value.report.failed == 0
    assert getattr(caught.value.__cause__, "status_code", None) == status

    stage.refuse_nothing()
    report = client.ingest(episodes(120), ledger=tmp_path / "run.sqlite")
    assert (report.created, report.duplicate) == (60, 60)
    assert len(stage.stored()) == 120


def test_a_server_that_is_gone_ends_the_run(stage: Stage, tmp_path: Path) -> None:
    """After the retries, and not after those of a thousand items."""
    client, ledger = stage.client(), tmp_path / "run.sqlite"

    def gone(request: httpx.Request) -> None:
        if len(stage.older.requests) > 50:
            raise httpx.ConnectError("refused")

    stage.older.before = gone
    with pytest.raises(IngestError, match="the same call again") as caught:
        client.ingest(episodes(120), ledger=ledger, concurrency=4)
    asked = len(stage.older.requests) - 50
    stage.older.before = lambda request: None

    assert asked < 75  # of 280, with the retries of all
    assert caught.value.report is not None
    assert 40 < caught.value.report.created < 51
    assert client.ingest(episodes(120), ledger=ledger).is_whole
    assert len(stage.stored()) == 120


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


def test_a_time_in_another_zone_is_the_same_to_the_server(stage: Stage) -> None:
    """Which refuses a key that comes with another body."""
    told: list[IngestOutcome] = []
    for moment in ("2026-05-01T00:00:00Z", "2026-05-01T02:00:00+02:00"):
        stage.client().ingest(episodes(1, valid_at=moment), on_outcome=told.append)

    assert words(told) == ["created", "duplicate"]


def test_progress_ends_with_the_whole_report(stage: Stage) -> None:
    seen: list[int] = []

    def look(report: IngestReport) -> None:
        seen.append(report.created)

    report = stage.client().ingest(episodes(100), on_progress=look)

    assert seen[-1] == report.created == 100
    assert seen == sorted(seen)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"concurrency": 0}, "concurrency: must be 1 to 512"),
        ({"concurrency": 2.0}, "concurrency: must be a whole number"),
        ({"order_by": "name"}, "order_by: must be 'group_id'"),
        ({"on_outcome": 5}, "on_outcome: must be a function"),
        ({"failed": 5}, "failed: must be the path"),
        ({"failed": "a\0b", "ledger": "run.sqlite"}, "failed: must be the path"),
        ({"failed": "f.jsonl", "ledger": "a\0b"}, "ledger: must be the path"),
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
