"""The file of what failed: what is in it, and what it replaces."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from memstack import EpisodeCreate, MemStackClient, ValidationError

from .conftest import Stage, episodes


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


def test_what_failed_fails_again_or_is_the_same_episode(stage: Stage, tmp_path: Path) -> None:
    """Nothing becomes an episode, or another one, by being written as JSON."""
    failed = tmp_path / "failed.jsonl"
    moment = datetime(2026, 5, 1, tzinfo=timezone.utc)
    reused: dict[str, Any] = {"content": "c"}

    class Odd:
        def __repr__(self) -> str:
            raise LookupError

    def items() -> Iterator[Any]:
        yield {"name": "n", "content": b"bytes"}
        yield {"name": "n", "content": Path("path")}
        yield {"name": "n", "content": "c", "metadata": {"n": float("nan")}}
        yield {"name": "n", "content": "c", "metadata": {"n": Odd()}}
        yield {"name": "n", "content": "c", "metadata": {"n": 10**5000}}
        for n in range(2):
            reused.update(name=f"e{n}", valid_at=moment)
            yield reused
        reused.clear()

    stage.refuse(lambda request: True, 422)
    client = stage.client()
    assert client.ingest(items(), failed=failed).failed == 7
    stage.refuse_nothing()
    lines = [json.loads(line) for line in failed.read_text("utf-8").splitlines()]

    assert client.ingest(lines, failed=failed).failed == 5
    assert sorted(stage.stored()) == [("e0", "c"), ("e1", "c")]


def test_a_run_that_ends_early_keeps_the_lines_of_the_one_before(
    stage: Stage, tmp_path: Path
) -> None:
    """They may be what it was to ingest, and has not reached."""
    failed = tmp_path / "failed.jsonl"
    client = stage.client()
    stage.refuse(lambda request: True, 422)
    client.ingest(episodes(3), failed=failed)
    lines = [json.loads(line) for line in failed.read_text("utf-8").splitlines()]

    def some() -> Iterator[Any]:
        yield {"name": "another"}
        yield lines[0]
        raise LookupError

    with pytest.raises(LookupError):
        client.ingest(some(), failed=failed)
    left = [json.loads(line) for line in failed.read_text("utf-8").splitlines()]
    stage.refuse_nothing()
    client.ingest(left, failed=failed)

    assert [line for line in left if line["item"] != {"name": "another"}] == lines
    assert len(stage.stored()) == 3
    assert len(failed.read_text("utf-8").splitlines()) <= 1


def test_what_failed_replaces_no_ledger_and_no_database(stage: Stage, tmp_path: Path) -> None:
    """By whatever name they are called."""
    ledger, database = tmp_path / "run.sqlite", tmp_path / "m.db"
    for _ in range(2):  # before it is there, and after
        with pytest.raises(ValidationError, match="failed: is the ledger"):
            stage.client().ingest(episodes(1), ledger=ledger, failed=f"{tmp_path}/./run.sqlite")
        ledger.touch()
    (tmp_path / "link").symlink_to(database)
    with (
        MemStackClient.local(database) as client,
        pytest.raises(ValidationError, match="failed: is the MemStack's database"),
    ):
        client.ingest(episodes(1), failed=tmp_path / "link")


@pytest.mark.skipif(sys.platform == "win32", reason="has no such files")
def test_what_failed_replaces_no_device(stage: Stage, tmp_path: Path) -> None:
    """Such as /dev/null, for root could; here a pipe stands for it."""
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(ValidationError, match="is there already; give another name"):
        stage.client().ingest(episodes(1), failed=tmp_path / "pipe")

    assert (tmp_path / "pipe").is_fifo()
