"""Decides whether a request came before under its Idempotency-Key, and repeats the answer then.

It is asked inside the write transaction that applies the request, so two of the same key cannot
both be applied, and none is remembered that was not. What is remembered stays as long as the file.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from memstack.local.answers import Answer, Refusal

__all__ = ["applied_once"]


def applied_once(
    connection: sqlite3.Connection,
    request: tuple[str, ...],
    body: BaseModel,
    apply: Callable[[], Answer],
    *,
    unstored: dict[str, Any],
) -> Answer:
    """The answer of *apply*, or of the earlier time that *request* was applied.

    Args:
        request: Who asks, the operation and its Idempotency-Key.
        unstored: Fields of the answer that must not be stored; they are the same each time.

    Raises:
        Refusal: 422; the request came before with another body.
    """
    key = _digest(*request)
    body_digest = _digest(json.dumps(body.model_dump(mode="json"), sort_keys=True))
    row = connection.execute(
        "SELECT body, status, content FROM answers WHERE request = ?", (key,)
    ).fetchone()
    if row is None:
        answer = apply()
        # None keeps the place of a field, so that a repeated answer is the same byte for byte.
        stored = {
            name: None if name in unstored else answer.content[name] for name in answer.content
        }
        connection.execute(
            "INSERT INTO answers (request, body, status, content) VALUES (?, ?, ?, ?)",
            (key, body_digest, answer.status, json.dumps(stored, ensure_ascii=False)),
        )
        return answer
    if row["body"] != body_digest:
        raise Refusal(422, "This Idempotency-Key came before with another body")
    content = {**json.loads(row["content"]), **unstored}
    return Answer(row["status"], content, {"idempotency-replayed": "true"})


def _digest(*parts: str) -> bytes:
    return hashlib.sha256(json.dumps(parts).encode()).digest()
