"""What goes in and what comes out, as pydantic models.

Those that are sent are strict: a wrong type is an error, never a guess. Those that are read are
lenient: fields the server added later are kept (`model_extra`), words such as a `status` may be
ones this version does not know, every time has a time zone, and a time or score that cannot be
read is None, with what came in `unparsed`.
Source of every field: openapi.yaml, the schema of the same name; of the other names a field is
read under, answers recorded from the two deployed server generations.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    AliasChoices,
    AllowInfNan,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PrivateAttr,
    StringConstraints,
)

from ._rows import MAY_FOLLOW, Brief, Listing, Read, Row

__all__ = [
    "APIKey",
    "APIKeyCreate",
    "Episode",
    "EpisodeCreate",
    "EpisodePage",
    "EpisodeResponse",
    "Memo",
    "MemoCreate",
    "MemoUpdate",
    "MemoryQuery",
    "MemoryResponse",
    "MemoryResult",
    "Permission",
    "SourceType",
    "Visibility",
]

SourceType = Literal["text", "json", "document", "api", "conversation"]
Visibility = Literal["PRIVATE", "PUBLIC"]
Permission = Literal["read", "write", "admin"]


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not hold a NUL character, which the server cannot store")
    return text


def _storable(value: JsonValue) -> JsonValue:
    """*value*, unless JSON or the server's database cannot hold it."""
    pending: list[JsonValue] = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            if any("\ud800" <= letter <= "\udfff" for letter in _no_nul(item)):
                raise ValueError("must not hold half a surrogate pair, which UTF-8 has not")
        elif isinstance(item, float) and item - item != 0:  # NaN or infinite
            raise ValueError("must not hold NaN or an infinite number, which JSON has not")
        elif isinstance(item, list):
            pending.extend(item)
        elif isinstance(item, dict):
            pending.extend(item.keys())
            pending.extend(item.values())
    return value


def _in_utc(moment: datetime) -> datetime:
    # Deployed servers answer with naive times here and there, and those are UTC.
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)


def _status(word: object) -> object:
    return "processing" if word is None else word  # v0.2 servers may tell it by null


def _kind(word: str) -> str:
    return "relation" if word == "relationship" else word  # as deployed servers say


def _listed(value: object) -> object:
    # A tuple is as good as a list to a caller; a text is a sequence of texts only to Python.
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return list(value)
    return value


Text = Annotated[str, StringConstraints(min_length=1), AfterValidator(_no_nul)]
JsonObject = Annotated[dict[str, JsonValue], AfterValidator(_storable)]
Moment = Annotated[datetime, AfterValidator(_in_utc)]
Texts = Annotated[list[Text], BeforeValidator(_listed)]
Permissions = Annotated[list[Permission], Field(min_length=1), BeforeValidator(_listed)]


class _Sent(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", defer_build=True)


class EpisodeCreate(_Sent):
    """An episode to store."""

    name: Text
    content: Text
    source_type: SourceType = "text"
    source_description: Text | None = None
    group_id: Text | None = None
    metadata: JsonObject | None = None
    project_id: Text | None = None
    tenant_id: Text | None = None
    user_id: Text | None = None
    valid_at: AwareDatetime | None = None


class EpisodeResponse(Read):
    """What became of an episode that was sent."""

    id: str
    status: str
    message: str | None = None
    created_at: Moment | None = None


class Episode(Row):
    """A stored episode. Lists of v0.1 servers give no `id`."""

    _columns = ("name", "content", "source_type", "group_id", "valid_at", "created_at", "status")

    id: str | None = Field(default=None, validation_alias=AliasChoices("id", "uuid"))
    name: str
    content: str
    source_type: str | None = None
    source_description: str | None = None
    group_id: str | None = None
    metadata: dict[str, Any] | None = None
    project_id: str | None = None
    tenant_id: str | None = None
    user_id: str | None = None
    created_at: Moment | None = None
    valid_at: Moment | None = None
    status: Annotated[str, BeforeValidator(_status)] = "processing"


class EpisodePage(Listing):
    """A page of episodes, newest first.

    v0.1 servers give no `limit`, `offset` and `has_more`; their `total` is that of the page.
    """

    episodes: list[Episode]
    total: int
    limit: int | None = None
    offset: int | None = None
    has_more: bool | None = None
    _most: int | None = PrivateAttr(default=None)

    @property
    def is_cut(self) -> bool:
        """Whether more episodes follow, or may follow where the server does not tell."""
        if self.has_more is not None:
            return self.has_more
        return self._most is None or len(self.episodes) >= self._most

    def asked_for(self, most: int) -> None:
        """It was asked for with a limit of *most*, which servers of v0.1 do not repeat."""
        if self.has_more is None:
            self._most = most

    def _rows(self) -> Sequence[Row]:
        return self.episodes

    def _caption(self) -> str:
        # Where the server does not tell whether more follow, `total` is that of the page.
        rest = MAY_FOLLOW if self.is_cut and self.total <= len(self.episodes) else ""
        return f"{len(self.episodes):,} of {self.total:,} episodes{rest}"


class MemoryQuery(_Sent):
    """A question to the memory."""

    query: Text
    limit: int = Field(default=10, ge=1, le=100)
    tenant_id: Text | None = None
    project_id: Text | None = None
    user_id: Text | None = None
    filters: JsonObject | None = None


class MemoryResult(Row):
    """One thing that is remembered.

    `type` is `episode`, `entity` or `relation`, or a word that a newer server uses. `score` is
    larger for a better match and comparable within one answer; None if the server gave none.
    """

    _columns = ("score", "type", "content", "metadata")

    id: str
    content: str
    score: Annotated[float, AllowInfNan(False)] | None
    type: Annotated[str, AfterValidator(_kind)]
    metadata: dict[str, Any]


class MemoryResponse(Listing):
    """What a search found, best match first."""

    results: list[MemoryResult]
    total: int
    query: str

    def _rows(self) -> Sequence[Row]:
        return self.results

    def _caption(self) -> str:
        return f"{len(self.results):,} of {self.total:,} found for {Brief(self.query)!r}"


class APIKeyCreate(_Sent):
    """An API key to make."""

    name: Text
    permissions: Permissions
    expires_in_days: Annotated[int, Field(ge=1, le=36500)] | None = None


class APIKey(Row):
    """An API key. `key` is the key itself only in the answer that made it; no repr shows it."""

    _columns = ("name", "permissions", "created_at", "expires_at", "key_id")
    _in_dict: ClassVar[set[str] | None] = set(_columns)

    key_id: str
    key: str = Field(repr=False)
    name: str
    created_at: Moment
    expires_at: Moment | None = None
    permissions: list[str]

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        # A field that a newer server added may hold the key under another name.
        known = type(self).model_fields
        return [(name, value) for name, value in super().__repr_args__() if name in known]


class MemoCreate(_Sent):
    """A memo to store."""

    content: Text
    visibility: Visibility = "PRIVATE"
    tags: Texts = []


class MemoUpdate(_Sent):
    """What to change in a memo; None leaves a field as it is."""

    content: Text | None = None
    visibility: Visibility | None = None
    tags: Texts | None = None


class Memo(Row):
    """A short note."""

    _columns = ("content", "visibility", "tags", "created_at", "updated_at", "id")

    id: str
    content: str
    visibility: str
    created_at: Moment
    updated_at: Moment | None = None
    tags: list[str]
    user_id: str | None = None
