"""Decides how memos are stored, listed, changed and removed."""

from __future__ import annotations

import json
import sqlite3
import uuid
from typing import Any

from memstack._rules import MemoListing
from memstack.local.answers import Answer, Refusal
from memstack.local.moments import now, written
from memstack.models import MemoCreate, MemoUpdate

__all__ = ["create", "delete", "get", "page", "update"]

# One file is one user.
_MEMOS = "SELECT *, (SELECT value FROM settings WHERE name = 'user_id') AS user_id FROM memos"


def create(connection: sqlite3.Connection, memo: MemoCreate) -> Answer:
    """Store *memo*."""
    memo_id = str(uuid.uuid4())
    connection.execute(
        "INSERT INTO memos (id, content, visibility, tags, created_at) VALUES (?, ?, ?, ?, ?)",
        (memo_id, memo.content, memo.visibility, _json(memo.tags), written(now())),
    )
    return get(connection, memo_id)


def page(connection: sqlite3.Connection, listing: MemoListing) -> Answer:
    """A page of the memos, newest first."""
    rows = connection.execute(
        f"{_MEMOS} ORDER BY seq DESC LIMIT ? OFFSET ?", (listing.limit, listing.offset)
    )
    return Answer(200, [_shown(row) for row in rows])


def get(connection: sqlite3.Connection, memo_id: str) -> Answer:
    """The memo *memo_id*."""
    row = connection.execute(f"{_MEMOS} WHERE id = ?", (memo_id,)).fetchone()
    if row is None:
        raise Refusal(404, "Memo not found")
    return Answer(200, _shown(row))


def update(connection: sqlite3.Connection, memo_id: str, change: MemoUpdate) -> Answer:
    """The memo *memo_id* with *change* applied; what is None there stays as it is."""
    values: dict[str, Any] = change.model_dump(exclude_none=True)
    if "tags" in values:
        values["tags"] = _json(values["tags"])
    if values:
        values["updated_at"] = written(now())
        connection.execute(
            f"UPDATE memos SET {', '.join(f'{name} = ?' for name in values)} WHERE id = ?",
            (*values.values(), memo_id),
        )
    return get(connection, memo_id)


def delete(connection: sqlite3.Connection, memo_id: str) -> Answer:
    """Remove the memo *memo_id*."""
    if connection.execute("DELETE FROM memos WHERE id = ?", (memo_id,)).rowcount == 0:
        raise Refusal(404, "Memo not found")
    return Answer(204)


def _json(tags: list[str]) -> str:
    return json.dumps(tags, ensure_ascii=False)


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "content": row["content"],
        "visibility": row["visibility"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "tags": json.loads(row["tags"]),
        "user_id": row["user_id"],
    }
