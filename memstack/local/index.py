"""Decides what the search index holds of each episode, and mends it when a neighbour goes.

An episode is found by its name and content; less by its context, which is the text of the episodes
just before and after it in the same group of the same tenant and project; and by its date. Those
without a group have no context: two of them need have nothing in common.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from datetime import date
from functools import lru_cache

from memstack.local.dates import date_words
from memstack.local.text import index_text

__all__ = ["add", "rebuild", "remove"]

_NEAR = 256
"""Texts whose words are kept while all are indexed: each is the context of two more."""

_NEIGHBOUR = """
    SELECT seq, content FROM episodes
    WHERE group_id = :group_id AND tenant_id IS :tenant_id AND project_id IS :project_id
"""
_BEFORE = _NEIGHBOUR + "AND seq < :seq ORDER BY seq DESC LIMIT 1"
_AFTER = _NEIGHBOUR + "AND seq > :seq ORDER BY seq LIMIT 1"


def add(connection: sqlite3.Connection, seq: int) -> None:
    """Index the episode *seq*, which was just stored."""
    _write(connection, seq)
    row = connection.execute("SELECT * FROM episodes WHERE seq = ?", (seq,)).fetchone()
    _mend(connection, _neighbours(connection, row))


def remove(connection: sqlite3.Connection, rows: Iterable[sqlite3.Row]) -> None:
    """Forget the episodes *rows*, which were just deleted."""
    around: set[int] = set()
    for row in rows:
        connection.execute("DELETE FROM episode_words WHERE rowid = ?", (row["seq"],))
        around.update(_neighbours(connection, row))
    _mend(connection, around)


def rebuild(connection: sqlite3.Connection) -> None:
    """Index every episode; the index is empty."""
    words = lru_cache(maxsize=_NEAR)(index_text)
    for (seq,) in connection.execute("SELECT seq FROM episodes").fetchall():
        _write(connection, seq, words)


def _mend(connection: sqlite3.Connection, seqs: Iterable[int]) -> None:
    for seq in seqs:
        connection.execute("DELETE FROM episode_words WHERE rowid = ?", (seq,))
        _write(connection, seq)


def _write(
    connection: sqlite3.Connection, seq: int, words: Callable[[str], str] = index_text
) -> None:
    row = connection.execute("SELECT * FROM episodes WHERE seq = ?", (seq,)).fetchone()
    context = " ".join(map(words, _neighbours(connection, row).values()))
    connection.execute(
        "INSERT INTO episode_words (rowid, name, content, context, dates) VALUES (?, ?, ?, ?, ?)",
        (
            seq,
            index_text(row["name"]),
            words(row["content"]),
            context,
            index_text(date_words(date.fromisoformat(row["valid_at"][:10]))),
        ),
    )


def _neighbours(connection: sqlite3.Connection, row: sqlite3.Row) -> dict[int, str]:
    """Content of the episodes before and after *row* in its group, by their `seq`."""
    if row["group_id"] is None:
        return {}
    place = {name: row[name] for name in ("group_id", "tenant_id", "project_id", "seq")}
    return {
        seq: content
        for query in (_BEFORE, _AFTER)
        for seq, content in connection.execute(query, place)
    }
