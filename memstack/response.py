"""A successful call with all that is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from .exceptions import Attempt

__all__ = ["Response"]

T = TypeVar("T")


@dataclass(frozen=True)
class Response(Generic[T]):
    """What `client.send_raw(operation)` gives: the result, and the answer it was read from."""

    result: T
    """What the method itself would have returned."""
    status_code: int
    headers: Mapping[str, str] = field(repr=False)
    """Headers of the answer, names in lower case."""
    content: bytes = field(repr=False)
    """The raw body."""
    request_id: str
    """The server's id of the request, or the one this client sent with it."""
    attempts: tuple[Attempt, ...]
    """What was tried, oldest first; the last one succeeded."""
