"""What a server was sent, as a test wants to look at it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from memstack._masking import MASK, masked
from memstack._wire import WireRequest
from memstack.local.answers import Refusal
from memstack.local.routes import route_of

__all__ = ["SentRequest", "operation_of", "sent"]


@dataclass(frozen=True)
class SentRequest:
    """One request, as it came to the server."""

    operation: str | None
    """Name of the method that it is of, such as `create_memo`; None if it is of none."""
    method: str
    path: str
    """Decoded, without the query."""
    query: Mapping[str, str]
    json: Any
    """The body, read as JSON; None if there is none."""
    status: int | None
    """Status of the answer; None where none came back."""
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case; the API key is masked."""


def operation_of(request: WireRequest) -> str | None:
    """The operation that *request* is of."""
    try:
        return route_of(request.method, request.target)[0].operation
    except Refusal:
        return None


def sent(request: WireRequest, operation: str | None, status: int | None) -> SentRequest:
    """*request* as a test wants to look at it."""
    path, _, query = request.target.partition("?")
    headers = {name.lower(): value for name, value in request.headers.items()}
    scheme, _, key = headers.get("authorization", "").partition(" ")
    if key:
        headers = {name: masked(value, [key]) for name, value in headers.items()}
        headers["authorization"] = f"{scheme} {MASK}"
    return SentRequest(
        operation,
        request.method,
        unquote(path),
        dict(parse_qsl(query, keep_blank_values=True)),
        _json(request.body),
        status,
        headers,
    )


def _json(body: bytes | None) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None
