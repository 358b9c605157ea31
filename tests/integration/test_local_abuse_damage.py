"""Files that are damaged or too new: each is told, and none is overwritten."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from memstack import MemStackClient, MemStackError, ServerError
from memstack.local import schema
from memstack.local.troubles import BUSY, DAMAGED, FAILING, FULL, GONE, READ_ONLY, trouble_of

from .abuse_file import held

PAGE = 4096
LONG = b"long" * 1000


@pytest.fixture(scope="module")
def memories(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("memories") / "memory.db"
    with MemStackClient.local(path) as client:
        for n in range(10):
            client.create_episode(f"e{n}", f"hiking {n} " * 300, group_id="g", metadata={"n": n})
        client.create_memo("note")
        client.create_memo("second note", tags=["long" * 4000])
    return path.read_bytes()


@pytest.fixture
def path(tmp_path: Path, memories: bytes) -> Path:
    """A file with some memories."""
    path = tmp_path / "memory.db"
    path.write_bytes(memories)
    return path


def garbage(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def damage_header(path: Path) -> None:
    path.write_bytes(garbage(100) + path.read_bytes()[100:])


def damage_first_page(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:100] + garbage(PAGE - 100) + data[PAGE:])


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: 3 * PAGE + 100])


def damage_middle(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: 3 * PAGE] + garbage(len(data) - 3 * PAGE))


def drop_table(path: Path) -> None:
    sql(path, "DROP TABLE memos")


def empty_settings(path: Path) -> None:
    sql(path, "DELETE FROM settings")


def sql(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (damage_header, "not a MemStack database, or its first page is damaged"),
        (damage_first_page, "is damaged"),
        (cut, "is damaged"),
        (damage_middle, "is damaged"),
        (drop_table, "is damaged .it has no table memos"),
        (empty_settings, "is damaged .its settings are not all there"),
    ],
)
def test_damaged_file_is_refused_and_not_touched(
    path: Path, damage: Callable[[Path], None], message: str
) -> None:
    """The error says what to do; no byte is changed, and no file added."""
    damage(path)
    before = path.read_bytes()

    with pytest.raises(MemStackError, match=message):
        MemStackClient.local(path)

    assert path.read_bytes() == before
    assert [item.name for item in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("filling", [b"\xff", b"\0"])
def test_damage_found_at_use_is_told_and_not_made_worse(path: Path, filling: bytes) -> None:
    """500 with what to do, sent once; what is not damaged can still be read."""
    data = bytearray(path.read_bytes())
    place = next(n for n in range(0, len(data), PAGE) if LONG in data[n + 4 : n + PAGE])
    data[place + 4 : place + PAGE] = filling * (PAGE - 4)
    path.write_bytes(data)

    with MemStackClient.local(path) as client:
        with pytest.raises(ServerError, match=r"file is damaged.*put back a backup") as caught:
            client.list_memos()
        assert (caught.value.status_code, len(caught.value.attempts)) == (500, 1)
        assert client.list_episodes().total == 10

    assert path.read_bytes() == data


def test_row_that_cannot_be_is_known_for_damage(path: Path) -> None:
    """An error anywhere makes the server look whether the file is sound."""
    schemas = "UPDATE sqlite_master SET sql = replace(sql, '{}', '{}') WHERE name = 'memos'"
    rule, none = "tags TEXT NOT NULL", "tags TEXT"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in (
            "PRAGMA writable_schema = ON",
            schemas.format(rule, none),
            "PRAGMA writable_schema = RESET",
            "UPDATE memos SET tags = NULL WHERE content = 'second note'",
            "PRAGMA writable_schema = ON",
            schemas.format(none, rule),
            "PRAGMA writable_schema = RESET",
        ):
            connection.execute(statement)

    with MemStackClient.local(path) as client:
        with pytest.raises(ServerError, match=r"file is damaged.*put back a backup") as caught:
            client.list_memos()
        assert len(caught.value.attempts) == 1
        assert client.list_episodes().total == 10


def test_garbage_for_a_log_is_not_taken_for_writes(path: Path) -> None:
    """SQLite knows its frames by their sums; the file itself stays whole."""
    before = path.read_bytes()
    Path(f"{path}-wal").write_bytes(garbage(5 * PAGE))

    with MemStackClient.local(path) as client:
        assert client.list_episodes().total == 10

    assert path.read_bytes() == before
    assert held(path).faults == []


def test_opening_and_reading_changes_no_byte(path: Path) -> None:
    """So that a copy, or a backup by time, need not be made again."""
    before = path.read_bytes()

    with MemStackClient.local(path) as client:
        client.search_memory("hiking")

    assert path.read_bytes() == before


def test_file_of_a_newer_version_is_refused_and_not_touched(path: Path) -> None:
    """The error says to upgrade."""
    sql(path, f"PRAGMA user_version = {schema.SCHEMA_VERSION + 1}")
    before = path.read_bytes()

    with pytest.raises(MemStackError, match="upgrade memstack-sdk, the file was not touched"):
        MemStackClient.local(path)

    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("database is locked", BUSY),
        ("database table is locked: memos", BUSY),
        ("locking protocol", BUSY),
        ("attempt to write a readonly database", READ_ONLY),
        ("database or disk is full", FULL),
        ("disk I/O error", FAILING),
        ("unable to open database file", GONE),
        ("database disk image is malformed", DAMAGED),
        ("file is not a database", DAMAGED),
        ("fts5: corrupt structure record for table", DAMAGED),
        ('near "FORM": syntax error', None),
    ],
)
def test_error_without_a_code_is_known_by_its_text(text: str, trouble: object) -> None:
    """Python 3.10 has no codes; a bug of ours is no trouble of the file."""
    assert trouble_of(sqlite3.OperationalError(text)) is trouble
