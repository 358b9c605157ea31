"""Decides what the search index holds of each episode, and mends it when a neighbour goes.

An episode is found by its name and content; less by its context, which is the text of the episodes
just before and after it in the same group of the same tenant and project; and by its date. Those
without a group have no context: two of them need have nothing in common.

Within a transaction rows are written in the order of `seq`: FTS5 collects what is written in
memory, but writes all of it to disk whenever a row comes before the last one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from memstack.local.dates import date_words
from memstack.local.text import index_text

__all__ = ["Stored", "add", "rebuild", "remove", "size"]

_AT_ONCE = 1000
"""Episodes that are read into memory while all are indexed."""

# What the index holds of a neighbour's content need not be worked out again. SQLite knows nothing
# of the values, and might take the index by tenant, which is often the same in all rows.
_NEIGHBOUR = """
    SELECT seq, episode_words.content
    FROM episodes INDEXED BY episodes_by_group JOIN episode_words ON episode_words.rowid = seq
    WHERE group_id = :group_id AND tenant_id IS :tenant_id AND project_id IS :project_id
"""
_BEFORE = _NEIGHBOUR + "AND seq < :seq ORDER BY seq DESC LIMIT 1"
_AFTER = _NEIGHBOUR + "AND seq > :seq ORDER BY seq LIMIT 1"


class Place(NamedTuple):
    """Where episodes are neighbours."""

    group_id: str | None
    tenant_id: str | None
    project_id: str | None


class Stored(NamedTuple):
    """What the index needs of an episode that is stored."""

    seq: int
    place: Place
    name: str
    content: str
    valid_at: str

    @classmethod
    def of(cls, seq: int, row: Mapping[str, Any] | sqlite3.Row) -> Stored:
        """The episode *seq*, whose columns are in *row*."""
        place = Place(row["group_id"], row["tenant_id"], row["project_id"])
        return cls(seq, place, row["name"], row["content"], row["valid_at"])


def add(connection: sqlite3.Connection, episodes: Sequence[Stored]) -> None:
    """Index *episodes*, which were just stored: the newest of all, in the order of `seq`."""
    words = [index_text(episode.content) for episode in episodes]
    contexts: list[list[str]] = [[] for _ in episodes]
    newest: dict[Place, int] = {}
    lengthened: dict[int, str] = {}
    for i, episode in enumerate(episodes):
        if episode.place.group_id is None:
            continue
        if (before := newest.get(episode.place)) is not None:
            contexts[i].append(words[before])
            contexts[before].append(words[i])
        else:
            for seq, content in _neighbours(connection, _BEFORE, episodes[0].seq, episode.place):
                contexts[i].append(content)
                lengthened[seq] = words[i]
        newest[episode.place] = i
    for seq in sorted(lengthened):
        connection.execute(
            "UPDATE episode_words SET context = trim(context || ' ' || ?) WHERE rowid = ?",
            (lengthened[seq], seq),
        )
    connection.executemany(
        "INSERT INTO episode_words (rowid, name, content, context, dates) VALUES (?, ?, ?, ?, ?)",
        (
            (
                episode.seq,
                index_text(episode.name),
                words[i],
                " ".join(contexts[i]),
                _day_words(episode.valid_at[:10]),
            )
            for i, episode in enumerate(episodes)
        ),
    )


def rebuild(connection: sqlite3.Connection) -> None:
    """Index every episode; the index is empty."""
    rows = connection.execute("SELECT * FROM episodes ORDER BY seq")
    while some := rows.fetchmany(_AT_ONCE):
        add(connection, [Stored.of(row["seq"], row) for row in some])


def remove(connection: sqlite3.Connection, episodes: Iterable[Stored]) -> None:
    """Forget *episodes*, which were just deleted."""
    around: dict[int, Place] = {}
    for episode in episodes:
        connection.execute("DELETE FROM episode_words WHERE rowid = ?", (episode.seq,))
        if episode.place.group_id is not None:
            for query in (_BEFORE, _AFTER):
                for seq, _ in _neighbours(connection, query, episode.seq, episode.place):
                    around[seq] = episode.place
    for seq, place in sorted(around.items()):
        context = [
            content
            for query in (_BEFORE, _AFTER)
            for _, content in _neighbours(connection, query, seq, place)
        ]
        connection.execute(
            "UPDATE episode_words SET context = ? WHERE rowid = ?", (" ".join(context), seq)
        )


def size(connection: sqlite3.Connection) -> int:
    """How many episodes are indexed; at once, where to count them would read all.

    FTS5 keeps it as the first number of the row 1 of its data.
    https://www.sqlite.org/src/file?name=ext/fts5/fts5_index.c (FTS5_AVERAGES_ROWID)
    """
    block = connection.execute("SELECT block FROM episode_words_data WHERE id = 1").fetchone()[0]
    found = 0
    for byte in block:
        found = found << 7 | byte & 0x7F
        if byte < 0x80:
            break
    return found


def _neighbours(
    connection: sqlite3.Connection, query: str, seq: int, place: Place
) -> list[tuple[int, str]]:
    """`seq` and indexed content of the next to *seq* in *place*, in a list; or an empty one."""
    values = {**place._asdict(), "seq": seq}
    return connection.execute(query, values).fetchall()


@lru_cache(maxsize=1000)
def _day_words(written: str) -> str:
    return index_text(date_words(date.fromisoformat(written)))
