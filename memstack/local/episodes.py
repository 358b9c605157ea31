"""Decides how episodes are stored, listed and removed; what can be found is for `index`."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from memstack._rules import EpisodeListing
from memstack.local import index
from memstack.local.answers import Answer, Refusal, invalid
from memstack.local.moments import now, written
from memstack.models import EpisodeCreate

__all__ = ["create", "create_all", "delete", "get", "page", "store"]

_SCOPES = ("project_id", "tenant_id", "user_id")
_COLUMNS = (*EpisodeCreate.model_fields, "id", "created_at")
_INSERT = f"""
    INSERT INTO episodes ({", ".join(_COLUMNS)})
    VALUES ({", ".join(f":{name}" for name in _COLUMNS)})
"""


def create(connection: sqlite3.Connection, episode: EpisodeCreate) -> Answer:
    """Store *episode*; it can be found as soon as the transaction ends."""
    return create_all(connection, [episode])[0]


def create_all(connection: sqlite3.Connection, episodes: Sequence[EpisodeCreate]) -> list[Answer]:
    """Store *episodes* in their order; the answer to each.

    Far cheaper than one by one: each is indexed once, with what follows it.

    Raises:
        Refusal: 422; one has a time that cannot be written. None may be stored then.
    """
    created_at = written(now())
    rows = [_row(episode, created_at) for episode in episodes]
    store(connection, rows)
    return [
        Answer(
            202,
            {
                "id": row["id"],
                "status": "completed",
                "message": "Episode stored, and can be found",
                "created_at": created_at,
            },
        )
        for row in rows
    ]


def _row(episode: EpisodeCreate, created_at: str) -> dict[str, Any]:
    try:
        valid_at = written(episode.valid_at) if episode.valid_at else created_at
    except OverflowError:
        raise invalid(["body", "valid_at"], "Input should be within the years 1 to 9999") from None
    return {
        **episode.model_dump(exclude={"metadata", "valid_at"}),
        "id": str(uuid.uuid4()),
        "metadata": _json(episode.metadata),
        "created_at": created_at,
        "valid_at": valid_at,
    }


def store(connection: sqlite3.Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert *rows*, with a value for each column but `seq`, in their order, and index them."""
    stored = []
    for row in rows:
        cursor = connection.execute(_INSERT, row)
        assert cursor.lastrowid is not None
        stored.append(index.Stored.of(cursor.lastrowid, row))
    index.add(connection, stored)


def get(connection: sqlite3.Connection, name: str) -> Answer:
    """The newest episode called *name*."""
    row = connection.execute(
        "SELECT * FROM episodes WHERE name = ? ORDER BY seq DESC LIMIT 1", (name,)
    ).fetchone()
    if row is None:
        raise Refusal(404, "Episode not found")
    return Answer(200, _shown(row))


def page(connection: sqlite3.Connection, listing: EpisodeListing) -> Answer:
    """A page of the episodes within the scopes of *listing*, newest first."""
    scopes = {name: getattr(listing, name) for name in _SCOPES if getattr(listing, name)}
    where = " AND ".join(["TRUE", *(f"{name} = ?" for name in scopes)])
    values = tuple(scopes.values())
    total = connection.execute(f"SELECT count(*) FROM episodes WHERE {where}", values).fetchone()[0]
    rows = connection.execute(
        f"SELECT * FROM episodes WHERE {where} ORDER BY seq DESC LIMIT ? OFFSET ?",
        (*values, listing.limit, listing.offset),
    ).fetchall()
    return Answer(
        200,
        {
            "episodes": [_shown(row) for row in rows],
            "total": total,
            "limit": listing.limit,
            "offset": listing.offset,
            "has_more": listing.offset + len(rows) < total,
        },
    )


def delete(connection: sqlite3.Connection, name: str) -> Answer:
    """Remove every episode called *name*."""
    rows = connection.execute("SELECT * FROM episodes WHERE name = ?", (name,)).fetchall()
    if not rows:
        raise Refusal(404, "Episode not found")
    connection.execute("DELETE FROM episodes WHERE name = ?", (name,))
    index.remove(connection, [index.Stored.of(row["seq"], row) for row in rows])
    message = f"Episode '{name}' deleted successfully"
    return Answer(200, {"status": "success", "message": message})


def _json(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, allow_nan=False)


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    shown = {name: row[name] for name in row.keys() if name != "seq"}  # noqa: SIM118
    if shown["metadata"] is not None:
        shown["metadata"] = json.loads(shown["metadata"])
    return {**shown, "status": "completed"}
