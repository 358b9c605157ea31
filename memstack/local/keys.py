"""Decides who a key is and what it may do, and keeps the keys that were made, hashed.

Rules:
- Of a key only its SHA-256 is stored. Keys are random, so nothing slower is needed.
- The owner's key is known to the process alone: no table holds it, no list shows it.
- A key made under an Idempotency-Key is derived from that and a secret of the file, so that the
  same request can be answered with it again although it is not stored.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import sqlite3
import uuid
from collections.abc import Callable, Mapping, Set
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from memstack._rules import KEY, KEY_PREFIX
from memstack.local.answers import Answer, Refusal
from memstack.local.moments import now, written
from memstack.models import APIKeyCreate

__all__ = [
    "NOBODY",
    "Bearer",
    "bearer_of",
    "create",
    "derived_key",
    "is_key",
    "listed",
    "new_key",
    "revoke",
]

_MASK = "*" * 17
_EVERYTHING = frozenset({"admin"})


def is_key(text: str) -> bool:
    """Whether *text* has the form of a key."""
    return KEY.fullmatch(text) is not None


def new_key() -> str:
    """A new random key."""
    return KEY_PREFIX + secrets.token_hex(32)


def derived_key(connection: sqlite3.Connection, bearer: Bearer, idempotency_key: str) -> str:
    """The key that *bearer* makes under *idempotency_key* in this file, always the same."""
    (secret,) = connection.execute("SELECT value FROM settings WHERE name = 'secret'").fetchone()
    message = f"create_api_key\n{bearer.id}\n{idempotency_key}".encode()
    return KEY_PREFIX + hmac.new(secret, message, hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Bearer:
    """Whose key a request came with."""

    id: str
    """The same each time, also for the owner, whose key is new in each process."""
    permissions: Set[str]

    def may(self, permission: str) -> bool:
        return bool(self.permissions & {permission, "admin"})


NOBODY = Bearer("", frozenset())


def bearer_of(
    headers: Mapping[str, str],
    owner_key: str,
    reading: Callable[[], AbstractContextManager[sqlite3.Connection]],
) -> Bearer:
    """The bearer of the key in *headers* (lower-case names); the owner's needs no *reading*.

    Raises:
        Refusal: 401; the key is missing, malformed, unknown or expired.
    """
    authorization = headers.get("authorization", "").strip()
    if not authorization:
        raise _unauthorized(
            "Missing API key. Please provide an API key in the Authorization header."
        )
    scheme, _, key = authorization.partition(" ")
    if scheme != "Bearer" or not key.startswith(KEY_PREFIX):
        raise _unauthorized(f"Invalid API key format. API keys should start with '{KEY_PREFIX}'")
    digest = _digest(key)
    if hmac.compare_digest(digest, _digest(owner_key)):
        return Bearer("owner", _EVERYTHING)
    with reading() as connection:
        row = connection.execute(
            "SELECT id, permissions, expires_at FROM api_keys WHERE sha256 = ?", (digest,)
        ).fetchone()
    if row is None:
        raise _unauthorized("Invalid API key")
    if row["expires_at"] is not None and row["expires_at"] <= written(now()):
        raise _unauthorized("API key has expired")
    return Bearer(row["id"], frozenset(json.loads(row["permissions"])))


def create(
    connection: sqlite3.Connection,
    wanted: APIKeyCreate,
    idempotency_key: str | None,
    bearer: Bearer,
) -> Answer:
    """Make a key as *wanted* says; the answer is the only one that holds it.

    Raises:
        Refusal: 403; *bearer* would hand out a permission that it lacks.
    """
    for permission in wanted.permissions:
        if not bearer.may(permission):
            raise Refusal(403, f"This API key has no '{permission}' permission to give")
    key = derived_key(connection, bearer, idempotency_key) if idempotency_key else new_key()
    created_at = now()
    days = wanted.expires_in_days
    row = {
        "id": str(uuid.uuid4()),
        "sha256": _digest(key),
        "name": wanted.name,
        "permissions": json.dumps(wanted.permissions),
        "created_at": written(created_at),
        "expires_at": written(created_at + timedelta(days=days)) if days else None,
    }
    connection.execute(
        f"INSERT INTO api_keys ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
        tuple(row.values()),
    )
    return Answer(200, {**_shown(row), "key": key})


def listed(connection: sqlite3.Connection) -> Answer:
    """All keys, newest first, masked."""
    rows = connection.execute("SELECT * FROM api_keys ORDER BY seq DESC")
    return Answer(200, [_shown(row) for row in rows])


def revoke(connection: sqlite3.Connection, key_id: str) -> Answer:
    """Make the key *key_id* work no longer."""
    if connection.execute("DELETE FROM api_keys WHERE id = ?", (key_id,)).rowcount == 0:
        raise Refusal(404, "API key not found")
    return Answer(204)


def _digest(key: str) -> bytes:
    # "surrogatepass": a header may hold any character, and no key is no error.
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def _unauthorized(detail: str) -> Refusal:
    return Refusal(401, detail, {"www-authenticate": "Bearer"})


def _shown(row: Mapping[str, Any] | sqlite3.Row) -> dict[str, Any]:
    return {
        "key_id": row["id"],
        "key": _MASK,
        "name": row["name"],
        "created_at": row["created_at"],
        "expires_at": row["expires_at"],
        "permissions": json.loads(row["permissions"]),
    }
