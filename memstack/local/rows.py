"""Decides how whole rows leave the tables and come in, with the ids and times that they have.

The API gives ids and times itself, so only this can make one file hold what another held.
A row is a dict of JSON values, without `seq`: that orders the rows of one file and no other.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from memstack.local import episodes
from memstack.local.moments import now, written

__all__ = ["COLUMNS", "KINDS", "Kind", "Put", "after", "has", "last", "put", "user_id"]

Kind = Literal["episode", "memo"]
Put = Literal["stored", "there", "different"]

KINDS: tuple[Kind, ...] = ("episode", "memo")

COLUMNS: Mapping[Kind, tuple[str, ...]] = {
    "episode": tuple(
        "id name content source_type source_description group_id metadata project_id tenant_id "
        "user_id created_at valid_at".split()
    ),
    "memo": tuple("id content visibility tags created_at updated_at".split()),
}
"""What a row has. API keys are in no list here: they belong to one file."""

_TABLES: Mapping[Kind, str] = {"episode": "episodes", "memo": "memos"}
_AS_JSON = ("metadata", "tags")

_MOST_ROWS = 500
_MOST_TEXT = 4 * 2**20
"""Characters of content after which no further row is taken at once."""


def last(connection: sqlite3.Connection, kind: Kind) -> int:
    """The `seq` of the newest row; 0 without any."""
    (seq,) = connection.execute(f"SELECT max(seq) FROM {_TABLES[kind]}").fetchone()
    return seq or 0


def after(
    connection: sqlite3.Connection, kind: Kind, seq: int, until: int
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Some rows after *seq* and up to *until*, oldest first, each with its `seq`.

    None only where there are none; at most as many as memory holds with ease.
    """
    names = COLUMNS[kind]
    text = 0
    for row in connection.execute(
        f"SELECT seq, {', '.join(names)} FROM {_TABLES[kind]} "
        "WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
        (seq, until, _MOST_ROWS),
    ):
        yield row["seq"], {name: _out(name, row[name]) for name in names}
        text += len(row["content"])
        if text > _MOST_TEXT:
            return


def has(connection: sqlite3.Connection, kind: Kind, id: str) -> bool:
    """Whether there is a row of that id."""
    found = connection.execute(f"SELECT 1 FROM {_TABLES[kind]} WHERE id = ?", (id,)).fetchone()
    return found is not None


def put(connection: sqlite3.Connection, kind: Kind, rows: Iterable[Mapping[str, Any]]) -> list[Put]:
    """Store *rows*, but those whose id is there, which stay as they are; what became of each.

    A row needs what its table needs, but for `created_at`, `valid_at` and `source_type`.
    """
    names = COLUMNS[kind]
    find = f"SELECT {', '.join(names)} FROM {_TABLES[kind]} WHERE id = ?"
    fresh: dict[str, dict[str, Any]] = {}
    done: list[Put] = []
    for row in rows:
        told = {name: _in(name, row[name]) for name in names if name in row}
        found = connection.execute(find, (told["id"],)).fetchone()
        known = fresh.get(told["id"]) if found is None else found
        if known is not None:
            same = all(known[name] == value for name, value in told.items())
            done.append("there" if same else "different")
        else:
            fresh[told["id"]] = _whole(kind, told)
            done.append("stored")
    if kind == "episode":
        episodes.store(connection, fresh.values())
    else:
        connection.executemany(
            f"INSERT INTO memos ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
            [tuple(row[name] for name in names) for row in fresh.values()],
        )
    return done


def _whole(kind: Kind, told: Mapping[str, Any]) -> dict[str, Any]:
    """A value for each column."""
    created_at = told.get("created_at") or told.get("valid_at") or written(now())
    whole = {**dict.fromkeys(COLUMNS[kind]), "created_at": created_at}
    if kind == "episode":
        whole |= {"valid_at": created_at, "source_type": "text"}
    return {**whole, **told}


def user_id(connection: sqlite3.Connection) -> str:
    """Whose file it is; no two files have the same, unless one is a copy of the other."""
    query = "SELECT value FROM settings WHERE name = 'user_id'"
    found: str = connection.execute(query).fetchone()[0]
    return found


def _out(name: str, value: Any) -> Any:
    return json.loads(value) if name in _AS_JSON and value is not None else value


def _in(name: str, value: Any) -> Any:
    if name in _AS_JSON and value is not None:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    return value
