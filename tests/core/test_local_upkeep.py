"""Backup, compaction and statistics of files that may be in use, and rows with their ids."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from memstack.exceptions import MemStackError, ValidationError
from memstack.local import EmbeddedServer, backup, compact, rows, stats
from memstack.local.moments import now

from .local import EPISODE, EPISODES, KEYS, MEMOS, ask, key_with, made, told


@pytest.mark.parametrize("kind", ["episode", "memo"])
def test_rows_have_every_column(kind: rows.Kind) -> None:
    """Who adds one decides here whether it goes along."""
    with EmbeddedServer() as server, server.direct() as connection:
        found = connection.execute(f"PRAGMA table_info({kind}s)").fetchall()

    assert ["seq", *rows.COLUMNS[kind]] == [row["name"] for row in found]


def test_rows_come_in_with_their_ids_once(server: EmbeddedServer) -> None:
    """One that is there stays as it is, and it is told whether it is the same."""
    memo: dict[str, Any] = {"id": "m1", "content": "a", "visibility": "PRIVATE", "tags": ["x"]}
    memo |= {"created_at": "2026-05-01T09:30:02.120000Z", "updated_at": None}

    with server.direct(writes=True) as connection:
        first = rows.put(connection, "memo", [memo, memo, {**memo, "content": "b"}])
        again = rows.put(connection, "memo", [memo, {**memo, "tags": []}])

    assert first == ["stored", "there", "different"]
    assert again == ["there", "different"]
    assert told(ask(server, "GET", f"{MEMOS}/m1"))["created_at"] == memo["created_at"]


def test_failing_rows_leave_nothing(server: EmbeddedServer) -> None:
    """A batch is stored as a whole."""
    good = {"id": "1", "name": "n", "content": "c"}

    with pytest.raises(sqlite3.IntegrityError), server.direct(writes=True) as connection:
        rows.put(connection, "episode", [good, {"id": "2", "name": "n"}])

    assert told(ask(server, "GET", EPISODES))["total"] == 0


def test_closed_server_is_a_clear_error() -> None:
    """As for requests."""
    server = EmbeddedServer()
    server.close()

    with pytest.raises(MemStackError, match="is closed"), server.direct():
        pass


def test_backup_of_a_file_that_is_written_is_of_one_moment(tmp_path: Path) -> None:
    """Of writes that come in pairs it has both or none; and it has what was there before."""
    path, stop = tmp_path / "m.db", threading.Event()
    with EmbeddedServer(path) as server:
        for n in range(200):
            made(server, EPISODES, {"name": f"old {n}", "content": "x" * 2000})

        def write() -> None:
            n = 0
            while not stop.is_set():
                n += 1
                row = {"content": "c", "visibility": "PRIVATE", "tags": []}
                with server.direct(writes=True) as connection:
                    rows.put(connection, "memo", [{**row, "id": f"{n}{end}"} for end in "ab"])

        writer = threading.Thread(target=write)
        writer.start()
        try:
            sizes = [backup(path, tmp_path / f"b{n}.db") for n in range(5)]
        finally:
            stop.set()
            writer.join()

    for n, size in enumerate(sizes):
        copy = tmp_path / f"b{n}.db"
        assert copy.stat().st_size == size
        with closing(sqlite3.connect(copy)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            ids = {row[0] for row in connection.execute("SELECT id FROM memos")}
        assert {f"{id[:-1]}{end}" for id in ids for end in "ab"} == ids
        assert stats(copy).episodes.rows == 200
    assert sorted(item.name for item in tmp_path.iterdir()) == [f"b{n}.db" for n in range(5)] + [
        "m.db"
    ]


def test_backup_can_be_used_in_place_of_the_file(tmp_path: Path) -> None:
    """With its API keys, and for its owner alone."""
    with EmbeddedServer(tmp_path / "m.db") as server:
        made(server, EPISODES, EPISODE)
        key = key_with(server, "read")
        backup(tmp_path / "m.db", tmp_path / "b.db")

    if sys.platform != "win32":
        assert (tmp_path / "b.db").stat().st_mode & 0o777 == 0o600
    with EmbeddedServer(tmp_path / "b.db") as copy:
        assert told(ask(copy, "GET", EPISODES, key=key))["total"] == 1


@pytest.mark.parametrize("there", ["b.db", "b.db-wal", "b.db-shm", "b.db-journal"])
def test_backup_replaces_nothing(tmp_path: Path, there: str) -> None:
    """A log beside it would be applied to it."""
    EmbeddedServer(tmp_path / "m.db").close()
    (tmp_path / there).write_text("mine")

    with pytest.raises(ValidationError, match="target: "):
        backup(tmp_path / "m.db", tmp_path / "b.db")

    assert (tmp_path / there).read_text() == "mine"
    assert sorted(os.listdir(tmp_path)) == sorted(["m.db", there])


def test_compact_gives_back_what_was_deleted(tmp_path: Path) -> None:
    """While the file is open; nothing else changes."""
    path = tmp_path / "m.db"
    with EmbeddedServer(path) as server:
        for n in range(300):
            made(server, EPISODES, {"name": f"e{n % 10}", "content": f"hiking {n} " * 100})
        for n in range(9):
            ask(server, "DELETE", f"{EPISODES}e{n}")
        before = stats(path)

        done = compact(path)

        after = stats(path)
        assert told(ask(server, "GET", EPISODES))["total"] == 30
        found = told(ask(server, "POST", "/api/v1/memory/search", {"query": "hiking 299"}))
        assert found["results"][0]["content"].startswith("hiking 299")
    assert before.free_bytes > 0
    assert after.free_bytes == 0
    assert (done.bytes_before, done.bytes_after) == (before.file_bytes, after.file_bytes)
    assert done.bytes_after < done.bytes_before / 3


def test_compact_of_a_busy_file_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is as it was."""
    path = tmp_path / "m.db"
    EmbeddedServer(path).close()
    monkeypatch.setattr("memstack.local.opening.PATIENCE", 0.01)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        real = sqlite3.connect
        opened: list[object] = []

        def connect(*arguments: object, **options: object) -> sqlite3.Connection:
            # The first one looks whether it is ours.
            opened.append(arguments)
            if len(opened) == 2:
                other.execute("BEGIN IMMEDIATE")
            return real(*arguments, **options)  # type: ignore[call-overload, no-any-return]

        monkeypatch.setattr(sqlite3, "connect", connect)
        with pytest.raises(MemStackError, match="The database is busy"):
            compact(path)


def test_stats_count_what_is_there(tmp_path: Path) -> None:
    """Groups the largest first, times with their zone."""
    path = tmp_path / "m.db"
    with EmbeddedServer(path) as server:
        empty = stats(path)
        for n in range(13):
            for _ in range(1 + n % 3):
                scopes = {"group_id": f"g{n:02}", "tenant_id": f"t{n % 2}", "user_id": "u"}
                made(server, EPISODES, {"name": "n", "content": "西湖", **scopes})
        made(server, MEMOS, {"content": "x"})
        made(server, KEYS, {"name": "k", "permissions": ["read"]})
        found = stats(path)

    assert (empty.episodes.rows, empty.episodes.oldest, empty.memos.content_bytes) == (0, None, 0)
    assert (found.episodes.rows, found.episodes.content_bytes) == (25, 150)
    assert (found.memos.rows, found.api_keys, found.schema_version) == (1, 1, empty.schema_version)
    assert (found.groups, found.tenants, found.projects, found.users) == (13, 2, 0, 1)
    assert [group.episodes for group in found.largest_groups] == [3] * 4 + [2] * 4 + [1] * 2
    assert found.largest_groups[0].group_id == "g02"
    assert found.episodes.oldest is not None
    assert found.episodes.newest is not None
    assert found.episodes.oldest < found.episodes.newest
    assert now() - found.episodes.newest < timedelta(minutes=5)
    assert found.path == str(path)
    assert found.file_bytes > 0


@pytest.mark.parametrize("look", [stats, compact, lambda path: backup(path, f"{path}.b")])
def test_path_that_is_no_memory_is_a_clear_error(tmp_path: Path, look: object) -> None:
    """And a missing one is not made."""
    assert callable(look)
    (tmp_path / "text").write_text("hello" * 1000)

    for name, message in (("none", "there is no file"), ("text", "not a MemStack database")):
        with pytest.raises(ValidationError, match=message):
            look(tmp_path / name)
    assert os.listdir(tmp_path) == ["text"]


_OTHER = """
import sys
from memstack import MemStackClient
with MemStackClient.local(sys.argv[1]) as client:
    client.create_memo("other")
"""


@pytest.mark.parametrize("way", ["client", "stats"])
def test_opening_a_file_twice_takes_no_lock_from_the_first(tmp_path: Path, way: str) -> None:
    """Else another process would take itself for the last, and remove the log that is in use."""
    path = tmp_path / "m.db"
    with EmbeddedServer(path) as server:
        made(server, MEMOS, {"content": "first"})
        if way == "client":
            EmbeddedServer(path).close()
        else:
            stats(path)
        subprocess.run([sys.executable, "-c", _OTHER, str(path)], check=True, timeout=60)

        assert (tmp_path / "m.db-wal").exists()
        made(server, MEMOS, {"content": "second"})
        assert len(told(ask(server, "GET", MEMOS))) == 3
