"""Where a walk through a list stands, as a text that a later process can go on from.

A token holds digests, times and counts: nothing of what the rows or the filters say.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from .exceptions import ValidationError

__all__ = ["Mark", "Token", "digest", "mark_of"]

_Count = Annotated[int, Field(ge=0, le=2**31 - 1)]


class Mark(NamedTuple):
    """What a row is known by."""

    digest: str
    time: int | None
    """When it was created, in microseconds since 1970; None if the server does not tell."""


def digest(*facts: Any) -> str:
    """64 bits of what *facts* are, as 11 characters."""
    short = hashlib.blake2b(repr(facts).encode(errors="surrogatepass"), digest_size=8).digest()
    return base64.urlsafe_b64encode(short).decode().rstrip("=")


def mark_of(row: Any) -> Mark:
    """The mark of an episode or a memo; v0.1 servers list episodes without an id."""
    time = row.created_at
    facts = (row.id,) if row.id else (row.name, row.content, time and time.isoformat())
    return Mark(digest(*facts), None if time is None else round(time.timestamp() * 1_000_000))


class Token(BaseModel):
    """A place in a list."""

    model_config = ConfigDict(strict=True, extra="forbid", defer_build=True)

    v: Literal[1] = 1
    method: str
    of: str
    """Digest of the filters."""
    at: _Count
    """How many rows were before it, when that was last seen."""
    total: _Count | None
    """How many there were in all."""
    given: _Count
    """How many were given out on the way here."""
    before: Annotated[list[Mark], Field(max_length=100)]
    """The last rows that were given out, in the order of the list."""
    next: Annotated[list[Mark], Field(max_length=100)]
    """The rows that follow, as far as they were seen."""

    def text(self) -> str:
        """The token as its user has it."""
        return base64.urlsafe_b64encode(self.model_dump_json().encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: Any, method: str, scope: Mapping[str, Any]) -> Token:
        """The token *text* of the walk *method* within *scope*.

        Raises:
            ValidationError: It is no token, or one of another list or of other filters.
        """
        try:
            padded = text.encode("ascii") + b"=" * (-len(text) % 4)
            token = cls.model_validate_json(base64.b64decode(padded, b"-_", validate=True))
        except (AttributeError, TypeError, ValueError):
            # pydantic's error is a ValueError, too; it quotes the input, so `from None`.
            raise ValidationError(
                f"{method}: after: must be the `token` of a pager, unchanged"
            ) from None
        if token.method != method:
            raise ValidationError(f"{method}: after: is a token of {token.method}")
        if token.of != digest(scope):
            raise ValidationError(
                f"{method}: after: is a token of other filters; pass those it was made with"
            )
        return token
