"""Decides what a line of an export holds, and what is wrong with one.

A file is JSON Lines in UTF-8, compressed if its name ends in `.gz`. Each line is an object with one
name, which tells what it is: `memstack_export` first, then each `episode`, then each `memo`, oldest
first, and `end` last, with their counts and the SHA-256 of all bytes before it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

import pydantic
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict

from memstack._version import __version__
from memstack.exceptions import ValidationError
from memstack.local.moments import now, written
from memstack.local.rows import Kind
from memstack.models import JsonObject, _no_nul

__all__ = [
    "FORMAT",
    "MAX_LINE",
    "End",
    "Header",
    "InvalidFileError",
    "Line",
    "line_of",
    "read_line",
]

FORMAT = 1
"""Raised when a reader of today could misread what is written."""
MAX_LINE = 256 * 2**20
"""Most bytes of a line; far more than a client reads in one answer, unless it is set otherwise."""


def _writable(moment: datetime) -> datetime:
    try:
        written(moment)
    except OverflowError:
        raise ValueError("must be within the years 1 to 9999 in UTC") from None
    return moment


_Str = Annotated[str, AfterValidator(_no_nul)]
_Time = Annotated[AwareDatetime, AfterValidator(_writable)]


class _Row(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")

    id: _Str | None = None
    content: _Str
    created_at: _Time | None = None
    user_id: _Str | None = None


class _Episode(_Row):
    name: _Str
    source_type: _Str | None = None
    source_description: _Str | None = None
    group_id: _Str | None = None
    metadata: JsonObject | None = None
    project_id: _Str | None = None
    tenant_id: _Str | None = None
    valid_at: _Time | None = None


class _Memo(_Row):
    visibility: _Str
    tags: list[_Str]
    updated_at: _Time | None = None


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True)


class Header(_Strict):
    """The first line."""

    format: int
    sdk: str
    made_at: _Time
    kind: Literal["embedded", "server"]
    """What the rows come from."""
    place: str
    """The `user_id` of an embedded MemStack, the URL of a server."""
    exact: bool
    """Whether every episode has the id that the place has it under, and its metadata."""
    incomplete: list[str]
    """What the place did not show."""

    @classmethod
    def now(
        cls, kind: Literal["embedded", "server"], place: str, exact: bool, incomplete: list[str]
    ) -> Header:
        """The header of what is exported at this moment."""
        return cls(
            format=FORMAT,
            sdk=__version__,
            made_at=now(),
            kind=kind,
            place=place,
            exact=exact,
            incomplete=incomplete,
        )


class End(_Strict):
    """The last line."""

    episodes: int
    memos: int
    sha256: str


class Line(BaseModel):
    """Any line; one of its fields is set."""

    model_config = ConfigDict(strict=True, extra="forbid")

    memstack_export: Header | None = None
    episode: _Episode | None = None
    memo: _Memo | None = None
    end: End | None = None

    def row(self) -> tuple[Kind, dict[str, Any]] | None:
        """The kind of row it is and its fields, as `memstack.local` has them; None for no row."""
        if self.episode is not None:
            return "episode", fields_of(self.episode)
        return ("memo", fields_of(self.memo)) if self.memo is not None else None


class InvalidFileError(ValidationError):
    """A file is no whole export; nothing of it was stored.

    Attributes:
        problems: The first lines that are wrong, by number from 1, and what is wrong with each.
    """

    problems: tuple[tuple[int, str], ...] = ()


def fields_of(row: BaseModel) -> dict[str, Any]:
    """The fields that came, unknown ones too; times as the embedded MemStack writes them."""
    return {
        name: written(value) if isinstance(value, datetime) else value
        for name, value in row.model_dump(exclude_unset=True).items()
    }


def line_of(name: str, fields: Mapping[str, Any] | BaseModel) -> bytes:
    """A line of the file."""
    told = fields_of(fields) if isinstance(fields, BaseModel) else fields
    text = json.dumps({name: told}, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode() + b"\n"


def read_line(data: bytes) -> Line:
    """What the line *data* holds.

    Raises:
        ValueError: It is none of an export; the message says why, and quotes nothing of it.
    """
    if not data.endswith(b"\n"):
        raise ValueError("the line is cut short")
    try:
        line = Line.model_validate_json(data)
    except pydantic.ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"][:2])
        told = first["msg"].removeprefix("Value error, ")
        raise ValueError(f"{place}: {told}" if place else told) from None
    if len(line.model_fields_set) != 1 or not any(
        getattr(line, name) is not None for name in line.model_fields_set
    ):
        raise ValueError("must hold exactly one of memstack_export, episode, memo and end")
    return line
