"""Looks after a MemStack file, also while others use it: backs it up, compacts it, counts.

Each function opens the file for itself, by its path: what is in memory only has no file. They do
not return before they are done; in an event loop, `await asyncio.to_thread(stats, path)`.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from memstack.exceptions import MemStackError, ValidationError
from memstack.local import schema, vectors
from memstack.local.moments import read
from memstack.local.newfile import SIDE_FILES, new_file
from memstack.local.opening import connect, open_file, transaction
from memstack.local.troubles import trouble_of

__all__ = [
    "Compacted",
    "GroupStats",
    "Stats",
    "TableStats",
    "backup",
    "compact",
    "forget_vectors",
    "stats",
]

_LARGEST = 10

Path = str | os.PathLike[str]


@dataclass(frozen=True)
class TableStats:
    """Of the episodes, or of the memos."""

    rows: int
    content_bytes: int
    """Of their contents in UTF-8."""
    oldest: datetime | None
    """The earliest `created_at`; None without any."""
    newest: datetime | None


@dataclass(frozen=True)
class GroupStats:
    """Of the episodes of one group."""

    group_id: str
    episodes: int
    newest: datetime
    """The latest `created_at`."""


@dataclass(frozen=True)
class Stats:
    """What a MemStack file holds."""

    path: str
    file_bytes: int
    """Of the file and of what SQLite keeps beside it while it is in use."""
    free_bytes: int
    """Of the file, what `compact` gives back at the least."""
    schema_version: int
    episodes: TableStats
    memos: TableStats
    api_keys: int
    groups: int
    """Different `group_id`; and so on."""
    tenants: int
    projects: int
    users: int
    largest_groups: tuple[GroupStats, ...]
    """At most ten, the largest first."""
    vectors: int
    """Episodes that have one; a search with an embedder makes those that are missing."""
    embedding_model: str | None
    """What made them; None without any."""
    answers: int
    """Answers to creates that are kept for their Idempotency-Key, as long as the file lives."""


@dataclass(frozen=True)
class Compacted:
    """What `compact` did."""

    bytes_before: int
    bytes_after: int


def backup(path: Path, target: Path) -> int:
    """Copy the MemStack file *path* to the new file *target*; the size of that, in bytes.

    Others may read and write meanwhile: the copy is of one moment. It has the API keys too, hashed,
    and can be used in place of the file. It appears under its name only when it is whole.

    Raises:
        ValidationError: *path* is no MemStack file, or *target* is there already.
        MemStackError: The file is locked or damaged, or the disk is full.
    """
    for end in SIDE_FILES:
        # A write-ahead log that lies there would be applied to the copy.
        if os.path.lexists(f"{os.fspath(target)}{end}"):
            raise ValidationError(f"target: {os.fspath(target) + end!r} is in the way; remove it")
    with _opened(path) as source, new_file(target, "target") as name:
        with closing(sqlite3.connect(name)) as copy:
            # In one step, which sees one moment: of several, each write would begin the copy anew.
            source.backup(copy)
            if not schema.is_sound(copy):
                raise schema.damaged(os.fspath(path), "SQLite's integrity check fails")
        return os.path.getsize(name)


def compact(path: Path) -> Compacted:
    """Give back the space of what was deleted, and merge the search index of the file *path*.

    Others may use it meanwhile, but who writes has to wait. The disk needs room for a second copy.

    Raises:
        ValidationError: *path* is no MemStack file.
        MemStackError: Others keep it busy, it is damaged, or the disk is full; it is as it was.
    """
    with _opened(path) as connection:
        before = _size(path)
        connection.execute("INSERT INTO episode_words (episode_words) VALUES ('optimize')")
        connection.execute("VACUUM")
        connection.execute("PRAGMA optimize")
        # Only then is the file as short as it can be; readers of an older state put it off.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return Compacted(before, _size(path))


def stats(path: Path) -> Stats:
    """What the MemStack file *path* holds, at one moment.

    Raises:
        ValidationError: *path* is no MemStack file.
        MemStackError: It is locked or damaged.
    """
    with _opened(path) as connection:
        connection.execute("BEGIN")
        kept = vectors.kept(connection)
        counted = connection.execute(
            "SELECT count(DISTINCT group_id), count(DISTINCT tenant_id), "
            "count(DISTINCT project_id), count(DISTINCT user_id) FROM episodes"
        ).fetchone()
        groups = connection.execute(
            "SELECT group_id, count(*), max(created_at) FROM episodes WHERE group_id IS NOT NULL "
            "GROUP BY group_id ORDER BY count(*) DESC, group_id LIMIT ?",
            (_LARGEST,),
        ).fetchall()
        return Stats(
            path=os.path.abspath(path),
            file_bytes=_size(path),
            free_bytes=_pragma(connection, "freelist_count") * _pragma(connection, "page_size"),
            schema_version=_pragma(connection, "user_version"),
            episodes=_of_table(connection, "episodes"),
            memos=_of_table(connection, "memos"),
            api_keys=connection.execute("SELECT count(*) FROM api_keys").fetchone()[0],
            groups=counted[0],
            tenants=counted[1],
            projects=counted[2],
            users=counted[3],
            largest_groups=tuple(GroupStats(id, n, read(newest)) for id, n, newest in groups),
            vectors=kept.rows if kept else 0,
            embedding_model=kept.model if kept else None,
            answers=connection.execute("SELECT count(*) FROM answers").fetchone()[0],
        )


def forget_vectors(path: Path) -> int:
    """Delete the vectors of the file *path*, all of one model; how many there were.

    Nothing else changes. The next search with an embedder makes them anew, with whichever it has;
    one that has another model open meanwhile is refused from then on.

    Raises:
        ValidationError: *path* is no MemStack file.
        MemStackError: It is locked or damaged, or the disk is full.
    """
    with _opened(path) as connection, transaction(connection, "BEGIN IMMEDIATE"):
        return vectors.forget(connection)


def _of_table(connection: sqlite3.Connection, table: str) -> TableStats:
    rows, size, oldest, newest = connection.execute(
        "SELECT count(*), coalesce(sum(length(CAST(content AS BLOB))), 0), "
        f"min(created_at), max(created_at) FROM {table}"
    ).fetchone()
    return TableStats(rows, size, read(oldest) if rows else None, read(newest) if rows else None)


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value


def _size(path: Path) -> int:
    """Bytes of the file and of those beside it; without its index of the log, which is memory."""
    names = (os.fspath(path), f"{os.fspath(path)}-wal")
    return sum(os.path.getsize(name) for name in names if os.path.exists(name))


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """A connection to *path*, which is there; what SQLite raises inside is told as it should be."""
    text = os.fspath(path)
    if not os.path.isfile(text):
        raise ValidationError(f"path: there is no file {text!r}")
    open_file(os.path.abspath(text)).close()  # whether it is ours, and up to date
    try:
        with closing(connect(os.path.abspath(text))) as connection:
            yield connection
    except sqlite3.Error as error:
        trouble = trouble_of(error)
        if trouble is None:
            raise
        raise MemStackError(f"{text!r}: {trouble.detail}", outcome="rejected") from error
