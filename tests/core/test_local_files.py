"""Files of the embedded server: which ones it opens, and what it leaves in them."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from memstack.exceptions import MemStackError, ValidationError
from memstack.local import EmbeddedServer, schema

from .local import MEMOS, _sql, ask, made, told


def test_file_keeps_what_memory_loses(tmp_path: Path) -> None:
    """A file has it after it was closed, without side files; memory is new each time."""
    for path, kept in ((tmp_path / "m.db", 1), (None, 0)):
        with EmbeddedServer(path) as server:
            made(server, MEMOS, {"content": "x"})
        with EmbeddedServer(path) as server:
            assert len(told(ask(server, "GET", MEMOS))) == kept
    assert [item.name for item in tmp_path.iterdir()] == ["m.db"]


def test_relative_path_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that comes after a change of folder opens the same file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    with EmbeddedServer("m.db") as server, ThreadPoolExecutor(1) as pool:
        monkeypatch.chdir(tmp_path / "sub")
        assert pool.submit(ask, server, "POST", MEMOS, {"content": "x"}).result().status == 200
        assert len(told(ask(server, "GET", MEMOS))) == 1


def test_thread_that_ends_leaves_no_connection(tmp_path: Path) -> None:
    """A thousand threads one after the other do not hold a thousand files open."""
    with EmbeddedServer(tmp_path / "m.db") as server:
        open_before = _open_files()
        for _ in range(50):
            thread = threading.Thread(target=ask, args=(server, "GET", MEMOS))
            thread.start()
            thread.join()

        assert _open_files() - open_before <= 3


def _open_files() -> int:
    folder = "/proc/self/fd"
    if not os.path.isdir(folder):
        pytest.skip("only Linux tells which files are open")
    return len(os.listdir(folder))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (".", "folder"),
        ("missing/m.db", "not a folder"),
        ("text.db/m.db", "not a folder"),
        ("text.db", "not a MemStack database"),
        ("other.db", "another program's"),
        ("", "no file"),
        (":memory:", "no file"),
        ("a\0b", "no file"),
        (b"m.db", "bytes"),
        (5, "int"),
    ],
)
def test_path_that_cannot_be_a_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: Any, message: str
) -> None:
    """The error names the argument and says what to do; what is there stays as it is."""
    monkeypatch.chdir(tmp_path)
    Path("text.db").write_text("Dear diary, " * 1000)
    _sql(Path("other.db"), "CREATE TABLE diary (day)")
    before = {item.name: item.read_bytes() for item in tmp_path.iterdir()}

    with pytest.raises(ValidationError, match=rf"path: .*{message}"):
        EmbeddedServer(path)

    assert {item.name: item.read_bytes() for item in tmp_path.iterdir()} == before


def test_file_that_cannot_be_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite opens such a file for reading; that is found at once, not at the first write."""
    path = tmp_path / "m.db"
    EmbeddedServer(path).close()
    real = sqlite3.connect

    def readonly(name: str, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = real(f"file:{name}?mode=ro", uri=True, **options)
        return connection

    # As root, which tests often run as, no permission stops a write.
    monkeypatch.setattr("sqlite3.connect", readonly)
    with pytest.raises(ValidationError, match=r"path: .* cannot be written"):
        EmbeddedServer(path)


def test_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    """The error says to upgrade, and not a byte is changed."""
    path = tmp_path / "m.db"
    EmbeddedServer(path).close()
    _sql(path, f"PRAGMA user_version = {schema.SCHEMA_VERSION + 1}")
    before = path.read_bytes()

    with pytest.raises(MemStackError, match="newer memstack-sdk"):
        EmbeddedServer(path)

    assert path.read_bytes() == before


def test_file_tells_what_it_is(tmp_path: Path) -> None:
    """WAL, an application id and a schema version."""
    path = tmp_path / "m.db"
    EmbeddedServer(path).close()

    assert _sql(path, "PRAGMA journal_mode") == [("wal",)]
    assert _sql(path, "PRAGMA application_id") == [(0x4D656D53,)]
    assert _sql(path, "PRAGMA user_version") == [(schema.SCHEMA_VERSION,)]
    assert _sql(path, "PRAGMA integrity_check") == [("ok",)]


def test_empty_file_becomes_a_memory(tmp_path: Path) -> None:
    """As `tempfile` makes them."""
    path = tmp_path / "m.db"
    path.touch()

    with EmbeddedServer(path) as server:
        assert ask(server, "POST", MEMOS, {"content": "x"}).status == 200


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such file modes")
def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    """It holds what people said, and a secret."""
    path = tmp_path / "memory.db"
    EmbeddedServer(path).close()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_sqlite_without_fts5_is_named() -> None:
    """The error says what is missing, and where to get it."""

    def no_virtual_tables(action: int, *_: object) -> int:
        return sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_CREATE_VTABLE else sqlite3.SQLITE_OK

    with closing(sqlite3.connect(":memory:")) as connection:
        connection.set_authorizer(no_virtual_tables)
        with pytest.raises(MemStackError, match="FTS5"):
            schema.require_fts5(connection)


def test_busy_file_is_answered_with_503(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program that holds the file for too long makes the server unavailable, not broken."""
    path = tmp_path / "m.db"
    monkeypatch.setattr("memstack.local.opening.PATIENCE", 0.01)
    with EmbeddedServer(path) as server, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")

        response = ask(server, "POST", MEMOS, {"content": "x"})
        other.rollback()

        assert (response.status, told(response)) == (503, {"detail": "The database is busy"})
        assert response.headers["retry-after"] == "1"
        assert ask(server, "POST", MEMOS, {"content": "x"}).status == 200
