"""Decides how episodes are stored, listed and removed; what can be found is for `index`."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Mapping
from typing import Any

from memstack._rules import EpisodeListing
from memstack.local import index
from memstack.local.answers import Answer, Refusal, invalid
from memstack.local.moments import now, written
from memstack.models import EpisodeCreate

__all__ = ["create", "delete", "get", "page"]

_SCOPES = ("project_id", "tenant_id", "user_id")


def create(connection: sqlite3.Connection, episode: EpisodeCreate) -> Answer:
    """Store *episode*; it can be found as soon as the transaction ends."""
    created_at = written(now())
    try:
        valid_at = written(episode.valid_at) if episode.valid_at else created_at
    except OverflowError:
        raise invalid(["body", "valid_at"], "Input should be within the years 1 to 9999") from None
    row = {
        **episode.model_dump(exclude={"metadata", "valid_at"}),
        "id": str(uuid.uuid4()),
        "metadata": _json(episode.metadata),
        "created_at": created_at,
        "valid_at": valid_at,
    }
    cursor = connection.execute(
        f"INSERT INTO episodes ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
        tuple(row.values()),
    )
    assert cursor.lastrowid is not None
    index.add(connection, cursor.lastrowid)
    return Answer(
        202,
        {
            "id": row["id"],
            "status": "completed",
            "message": "Episode stored, and can be found",
            "created_at": created_at,
        },
    )


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
    index.remove(connection, rows)
    message = f"Episode '{name}' deleted successfully"
    return Answer(200, {"status": "success", "message": message})


def _json(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, allow_nan=False)


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    shown = {name: row[name] for name in row.keys() if name != "seq"}  # noqa: SIM118
    if shown["metadata"] is not None:
        shown["metadata"] = json.loads(shown["metadata"])
    return {**shown, "status": "completed"}
