"""A copy or an import that is killed, again and again, until it gets through."""

from __future__ import annotations

import itertools
import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from memstack import AttemptEvent, MemStackClient
from memstack.local import EmbeddedServer, rows
from memstack.transfer import copy, export_file, files, import_file

from ..integration.abuse_file import held, processes
from ..integration.abuse_kills import KILL
from ..served import Served, serving
from .conftest import fill
from .older import Generation, Older, client_of

pytestmark = pytest.mark.slow
ROWS = 12


@pytest.fixture
def full(tmp_path: Path) -> Path:
    """A file with rows, some of them alike."""
    path = tmp_path / "source.db"
    with MemStackClient.local(path) as client:
        fill(client, ROWS, ROWS)  # type: ignore[arg-type]
    return path


def _lives(work: Callable[..., None], *arguments: Any, kill_at: Callable[[int], int]) -> int:
    """Runs *work* in processes, each killed at some point, until one ends; how many that took."""
    for life in itertools.count(1):
        process = processes().Process(target=work, args=(*arguments, kill_at(life)))
        process.start()
        process.join(60)
        if process.exitcode == 0:
            return life
        assert process.exitcode == -KILL, "it failed"
        assert life < 200
    raise AssertionError


def _die_within_sqlite(server: EmbeddedServer, instructions: int) -> None:
    """Have SQLite end the process after so many instructions of its machine."""
    left = itertools.count(instructions, -1)

    def count() -> None:
        if next(left) <= 0:
            os.kill(os.getpid(), KILL)

    server._database._connection().set_progress_handler(count, 100)


def into_file(source: str, target: str, way: str, hundreds: int) -> None:
    rows._MOST_ROWS = files._BATCH = 5
    with MemStackClient.local(target) as client:
        _die_within_sqlite(client._transport.server, hundreds)  # type: ignore[union-attr]
        if way == "import":
            import_file(source, client)
            return
        with MemStackClient.local(source) as other:
            copy(other, client)


@pytest.mark.skipif(sys.platform == "win32", reason="has no such kill")
@pytest.mark.parametrize("way", ["import", "copy"])
def test_killed_within_the_database_it_goes_on(tmp_path: Path, full: Path, way: str) -> None:
    """In the end the file has every row as it was, once, in order, and its index is sound."""
    target, export = tmp_path / "target.db", tmp_path / "x"
    with MemStackClient.local(full) as source:
        export_file(source, export)
    told = str(export if way == "import" else full)

    lives = _lives(into_file, told, str(target), way, kill_at=lambda life: 2 * life)

    assert lives > 3
    assert held(target).faults == []
    with MemStackClient.local(target) as client:
        export_file(client, tmp_path / "y")
    lines = [(tmp_path / name).read_bytes().splitlines()[1:-1] for name in ("x", "y")]
    assert lines[0] == lines[1]


def to_server(source: str, served: Served, calls: int) -> None:
    left = itertools.count(calls, -1)

    def count(event: AttemptEvent) -> None:
        # The server has done it, and nobody here has taken note.
        if event.operation.startswith("create") and next(left) <= 0:
            os.kill(os.getpid(), KILL)

    remote = MemStackClient(served.api_key, served.base_url, on_attempt=count)
    with MemStackClient.local(source) as local, remote:
        copy(local, remote)


@pytest.mark.skipif(sys.platform == "win32", reason="has no such kill")
def test_killed_between_the_answers_of_a_server_it_goes_on(tmp_path: Path, full: Path) -> None:
    """In the end the server has every row once."""
    with serving() as served:
        lives = _lives(to_server, str(full), served, kill_at=lambda life: 1 + life % 3)
        with MemStackClient(served.api_key, served.base_url) as remote:
            episodes, memos = remote.list_episodes(200).episodes, remote.list_memos(200)

    assert lives > 5
    with MemStackClient.local(full) as local:
        ids = {episode.id for episode in local.list_episodes(200).episodes}
        contents = Counter((m.content, *m.tags) for m in local.list_memos(200))
    origins = Counter((episode.metadata or {})["memstack_origin"]["id"] for episode in episodes)
    assert origins == dict.fromkeys(ids, 1)
    assert Counter((m.content, *m.tags) for m in memos) == contents


def to_older(source: str, target: str, generation: Generation, calls: int) -> None:
    left = itertools.count(calls, -1)
    with EmbeddedServer(target) as server, MemStackClient.local(source) as local:
        older = Older(server, generation)

        def count(request: Any) -> None:
            if request.method == "POST" and next(left) <= 0:
                os.kill(os.getpid(), KILL)

        older.after = count
        with client_of(older, "sync") as remote:  # type: ignore[union-attr]
            copy(local, remote)


@pytest.mark.skipif(sys.platform == "win32", reason="has no such kill")
@pytest.mark.parametrize("generation", ["v0.1", "unknown"])
def test_killed_amid_a_server_without_keys_it_goes_on(
    tmp_path: Path, full: Path, generation: Generation
) -> None:
    """Though rows are alike, and v0.1 lists no id of an episode."""
    target = tmp_path / "target.db"

    lives = _lives(to_older, str(full), str(target), generation, kill_at=lambda life: life % 5)

    assert lives > 5
    found, wanted = held(target), held(full)
    assert (found.episodes, found.memos) == (wanted.episodes, wanted.memos)


def out_of_file(source: str, target: str, hundreds: int) -> None:
    rows._MOST_ROWS = 5
    with MemStackClient.local(source) as client:
        _die_within_sqlite(client._transport.server, hundreds)  # type: ignore[union-attr]
        export_file(client, target)


@pytest.mark.skipif(sys.platform == "win32", reason="has no such kill")
def test_killed_export_leaves_no_part_under_its_name(tmp_path: Path, full: Path) -> None:
    """What it leaves begins with a dot; the next one gets through."""
    target = tmp_path / "x"
    seen: list[bool] = []

    def kill_at(life: int) -> int:
        seen.append(target.exists())
        return life - 1

    lives = _lives(out_of_file, str(full), str(target), kill_at=kill_at)

    assert lives > 1
    assert not any(seen)
    with MemStackClient.local() as client:
        assert import_file(target, client).episodes.stored == ROWS
