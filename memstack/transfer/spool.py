"""Keeps rows that are too many for memory: in a database of its own, which SQLite removes."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from memstack.local.rows import KINDS, Kind

from .identity import content_of, ids_of

__all__ = ["Known", "Spool"]

_BATCH = 200


def _scratch() -> sqlite3.Connection:
    # An empty name is a file that nobody else sees. https://www.sqlite.org/inmemorydb.html
    connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    return connection


class Spool:
    """Rows of a list that begins with the newest, each once."""

    def __init__(self) -> None:
        self._db = _scratch()
        self._db.execute(
            "CREATE TABLE rows (n INTEGER PRIMARY KEY, kind TEXT, key TEXT, fields TEXT, "
            "UNIQUE (kind, key))"
        )

    def add(self, kind: Kind, rows: Iterable[Mapping[str, Any]]) -> int:
        """Put *rows* behind those that are there; how many of them were not there yet."""
        before = self._db.total_changes
        self._db.executemany(
            "INSERT OR IGNORE INTO rows (kind, key, fields) VALUES (?, ?, ?)",
            [(kind, key, fields) for key, fields in _keyed(rows)],
        )
        return self._db.total_changes - before

    def has_any(self, kind: Kind, rows: Iterable[Mapping[str, Any]]) -> bool:
        """Whether one of *rows* is there."""
        find = "SELECT 1 FROM rows WHERE kind = ? AND key = ?"
        return any(self._db.execute(find, (kind, key)).fetchone() for key, _ in _keyed(rows))

    def batches(self) -> Iterator[list[tuple[Kind, dict[str, Any]]]]:
        """The rows, oldest first, episodes before memos, some at a time."""
        for kind in KINDS:
            cursor = self._db.execute(
                "SELECT kind, fields FROM rows WHERE kind = ? ORDER BY n DESC", (kind,)
            )
            while found := cursor.fetchmany(_BATCH):
                yield [(kind, json.loads(fields)) for kind, fields in found]

    def close(self) -> None:
        """Forget all."""
        self._db.close()


def _keyed(rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """What tells each of *rows*, those of one page, from all others, and the row as JSON."""
    seen: Counter[str] = Counter()
    for row in rows:
        fields = json.dumps(row, ensure_ascii=False)
        # Lists of v0.1 give no id; two alike in one page are two.
        seen[fields] += 1
        yield row.get("id") or f"{seen[fields]} {fields}", fields


class Known:
    """The rows of a target, by their ids and their contents."""

    def __init__(self) -> None:
        self._db = _scratch()
        for statement in (
            "CREATE TABLE rows (n INTEGER PRIMARY KEY, kind TEXT, content BLOB, taken INTEGER)",
            "CREATE INDEX by_content ON rows (kind, content) WHERE NOT taken",
            "CREATE TABLE ids (kind TEXT, id TEXT, n INTEGER, PRIMARY KEY (kind, id)) "
            "WITHOUT ROWID",
        ):
            self._db.execute(statement)

    def learn(
        self, batches: Iterable[list[tuple[Kind, dict[str, Any]]]], kinds: Container[Kind] = KINDS
    ) -> None:
        """All rows of *batches* that are of *kinds* are there."""
        for kind, row in chain.from_iterable(batches):
            if kind in kinds:
                self._add(kind, row)

    def _add(self, kind: Kind, row: Mapping[str, Any]) -> None:
        n = self._db.execute(
            "INSERT INTO rows (kind, content, taken) VALUES (?, ?, FALSE)",
            (kind, content_of(kind, row)),
        ).lastrowid
        for id in ids_of(kind, row):
            self._db.execute("INSERT OR IGNORE INTO ids VALUES (?, ?, ?)", (kind, id, n))

    def reserve(self, batches: Iterable[list[tuple[Kind, dict[str, Any]]]]) -> None:
        """Keep what has the id of a row of *batches* from being taken for another row."""
        for kind, row in chain.from_iterable(batches):
            for id in ids_of(kind, row):
                self._db.execute(
                    "UPDATE rows SET taken = TRUE "
                    "WHERE n = (SELECT n FROM ids WHERE kind = ? AND id = ?)",
                    (kind, id),
                )

    def by_id(self, kind: Kind, row: Mapping[str, Any]) -> bytes | None:
        """The content of what has an id of *row*; None if nothing has."""
        for id in ids_of(kind, row):
            found = self._db.execute(
                "SELECT content FROM rows JOIN ids USING (n) WHERE ids.kind = ? AND id = ?",
                (kind, id),
            ).fetchone()
            if found is not None:
                content: bytes = found[0]
                return content
        return None

    def has_alike(self, kind: Kind, row: Mapping[str, Any]) -> bool:
        """Whether something of the content of *row* is there under an id that stands for no row.

        From then on it stands for *row*.
        """
        if self.by_id(kind, row) is not None:
            return False
        found = self._db.execute(
            "UPDATE rows SET taken = TRUE WHERE n = (SELECT n FROM rows "
            "WHERE kind = ? AND content = ? AND NOT taken LIMIT 1)",
            (kind, content_of(kind, row)),
        )
        return found.rowcount > 0

    def close(self) -> None:
        """Forget all."""
        self._db.close()
