"""One API call, described: what to send, what to read, and whether it may be sent twice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode

from ..exceptions import ValidationError
from ..retry import Effect

T = TypeVar("T")

# `x-memstack-alternative-path` of openapi.yaml.
MOVES = (("/health", "/api/v1/health"), ("/api/v1/memos", "/memos"))


@dataclass(frozen=True)
class Operation(Generic[T]):
    """An API call that has not been made; `client.send(operation)` makes it, each time anew."""

    id: str
    """The operationId of openapi.yaml, and the name of the client's method."""
    answer: type[T]
    """What the body of the answer is read as; NoneType for nothing."""
    method: str
    path: str
    """Percent-encoded, from the root of the API."""
    query: str
    """Percent-encoded, without `?`; empty for none."""
    body: bytes | None
    """JSON in UTF-8."""
    headers: Mapping[str, str]
    effect: Effect
    moves: tuple[str, str] | None = None
    """Beginning of the path, and what some servers have in its place; None where all agree."""
    idempotency_key: str | None = None
    """The caller's own; None where each call makes one."""
    sends_idempotency_key: bool = False
    most: int | None = None
    """Most rows of the answer, where that is a page of a list."""
    wait: float | None = None
    """Seconds to wait, once it is answered, until what it created is processed; None for not."""
    gone_is_done: bool = False
    """Whether a 404 to a second sending means that the first one did it."""

    def path_at(self, moved: bool) -> str:
        """The path, or the one at which some servers have it."""
        if not moved or self.moves is None:
            return self.path
        return self.moves[1] + self.path.removeprefix(self.moves[0])

    def fields(self) -> dict[str, Any]:
        """The fields of the body; none where it is no JSON object, as one built by hand may be."""
        try:
            fields = json.loads(self.body or b"{}")
        except (ValueError, RecursionError):
            return {}
        return fields if isinstance(fields, dict) else {}

    def __repr__(self) -> str:
        return f"<Operation {self.id}: {self.method} {self.path}>"  # the body is the caller's


def describe(
    id: str, answer: type[T], request: Mapping[str, Any], effect: Effect, **more: Any
) -> Operation[T]:
    """The operation whose *request* a generated builder made.

    Raises:
        ValidationError: The body cannot be written as JSON.
    """
    body = request.get("json")
    params = request.get("params")
    path = request["url"]
    return Operation(
        id=id,
        answer=answer,
        method=request["method"].upper(),
        path=path,
        query=urlencode(params, quote_via=quote) if params else "",
        body=None if body is None else _json(id, body),
        headers={name.lower(): value for name, value in request["headers"].items()},
        effect=effect,
        moves=next((m for m in MOVES if path == m[0] or path.startswith(f"{m[0]}/")), None),
        **more,
    )


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def _json(id: str, body: Any) -> bytes:
    try:
        return _encode(body).encode()
    except (ValueError, RecursionError):
        # An integer of more digits than Python writes, or a value nested too deep.
        raise ValidationError(f"{id}: an argument holds a value too large for JSON") from None
