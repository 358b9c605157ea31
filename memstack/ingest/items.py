"""Reads an item: what is to be sent, and the hashes by which it is known again.

The content hash is that of all fields, in an order and a form of its own, so that another version
of this package finds in a ledger what this one wrote there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import pydantic

from memstack import operations
from memstack._claims import SHOWN
from memstack.exceptions import ValidationError
from memstack.models import Episode, EpisodeCreate, EpisodeResponse
from memstack.operations import Operation
from memstack.operations._arguments import checked

__all__ = ["FAILURE", "Item", "digest_of", "digests_of_row", "read_item", "shown_by", "unwrapped"]

_FIELDS = tuple(EpisodeCreate.model_fields)
_NAMES = frozenset(_FIELDS)
_EVERYWHERE = frozenset(SHOWN["create_episode"])
_PARTS = vars(operations.create_episode("any", "any"))
_SORTED = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True
).encode
_MOMENT = pydantic.TypeAdapter(pydantic.AwareDatetime)
FAILURE = frozenset({"item", "index", "outcome", "error"})
"""The names in a line of the file of what failed."""


@dataclass(eq=False)
class Item:
    """An episode on its way."""

    index: int
    given: Any
    operation: Operation[EpisodeResponse]
    digest: bytes
    """Of all of its content; 32 bytes."""
    shown: bytes
    """A digest of what every list shows of it."""
    others: frozenset[str]
    """The names of the fields that only some lists show, of those it has."""
    group: str | None
    is_doubtful: bool = False
    """Whether an earlier run may have sent it."""
    followers: list[tuple[int, Any]] = field(default_factory=list)
    """Items of the same content that came meanwhile."""

    @property
    def size(self) -> int:
        """Bytes that it takes, about."""
        return 500 + 3 * len(self.operation.body or b"")


def read_item(index: int, given: Any, *, keyed: bool) -> Item:
    """The item at *index*.

    Args:
        given: An EpisodeCreate, a mapping of its fields, or a line of a file of what failed.
        keyed: Whether to send the content hash as the `Idempotency-Key`.

    Raises:
        ValidationError: It is no valid episode.
    """
    fields = _fields_of(unwrapped(given))
    # As operations.create_episode does, in half the time; a test holds the two together.
    sent = checked("create_episode", EpisodeCreate, fields)
    valid_at = fields.get("valid_at")
    try:
        if valid_at is not None:
            sent["valid_at"] = _in_utc(valid_at).isoformat() + "Z"
        # One text for one episode: a server refuses a key that comes with another body.
        body = _text(sent)
    except OverflowError:
        raise ValidationError("create_episode: valid_at: is out of range in UTC") from None
    except (ValueError, RecursionError):
        raise ValidationError("create_episode: metadata: is too large or too deep") from None
    digest = _hash(body) if valid_at is None else digest_of(sent, valid_at)
    # The same key in any run, also where the ledger was lost.
    key = f"memstack-ingest-{digest.hex()}" if keyed else None
    # A frozen dataclass sets its fields one by one, at many times the cost.
    operation: Operation[EpisodeResponse] = Operation.__new__(Operation)
    operation.__dict__.update(_PARTS, body=body, idempotency_key=key)
    shown = shown_by(sent["name"], sent["content"])
    return Item(index, given, operation, digest, shown, _others(sent), sent.get("group_id"))


def unwrapped(given: Any) -> Any:
    """The item in *given*, which may be a line of a file of what failed."""
    if isinstance(given, Mapping) and "item" in given and FAILURE.issuperset(given):
        return given["item"]
    return given


def _fields_of(given: Any) -> dict[str, Any]:
    if isinstance(given, EpisodeCreate):
        given = dict(given)
    if not isinstance(given, Mapping):
        raise ValidationError(
            f"item: must be an EpisodeCreate or a mapping of its fields, not {_kind(given)}"
        )
    # An extra field would be lost, and with it what a slip of the pen was meant to say.
    if not _NAMES.issuperset(given):
        extra = [name for name in given if name not in _NAMES]
        raise ValidationError(
            f"item: {str(extra[0])[:50]!r} is no field of an episode; "
            f"put facts of your own into metadata. Fields are {', '.join(_FIELDS)}"
        )
    fields = {name: value for name, value in given.items() if value is not None}
    for name in ("name", "content"):
        if name not in fields:
            raise ValidationError(f"item: {name}: is missing")
    if isinstance(fields.get("valid_at"), str):  # as JSON has it
        try:
            fields["valid_at"] = _MOMENT.validate_json(json.dumps(fields["valid_at"]), strict=True)
        except ValueError:
            raise ValidationError(
                "item: valid_at: must be a time with a time zone, such as '2026-05-01T09:30:00Z'"
            ) from None
    return fields


def _kind(value: Any) -> str:
    return "None" if value is None else type(value).__name__


def digest_of(sent: Mapping[str, Any], valid_at: datetime | None) -> bytes:
    """The content hash of an episode, whose fields are *sent* as JSON."""
    if valid_at is not None:
        sent = {**sent, "valid_at": _in_utc(valid_at).isoformat()}
    return _hash(_text(sent))


def _in_utc(moment: datetime) -> datetime:
    """*moment* in UTC, without saying so.

    Raises:
        OverflowError: No datetime can hold it.
    """
    return moment.astimezone(timezone.utc).replace(tzinfo=None)


def _hash(canonical: bytes) -> bytes:
    return hashlib.sha256(b"memstack episode 1\n" + canonical).digest()


def digests_of_row(row: Episode) -> Iterator[tuple[bytes, frozenset[str]]]:
    """The content hashes that what made *row* may have had, if the row shows all of it.

    Each with the names of the fields that only some lists show, of those it then has.
    """
    values = {name: getattr(row, name, None) for name in _FIELDS if name != "valid_at"}
    sent = {name: value for name, value in values.items() if value is not None}
    others = _others(sent)
    yield digest_of(sent, None), others  # the server itself may have set the time
    if row.valid_at is not None:
        with suppress(OverflowError):
            yield digest_of(sent, row.valid_at), others | {"valid_at"}


def _others(sent: Mapping[str, Any]) -> frozenset[str]:
    return _NAMES.intersection(sent) - _EVERYWHERE


def shown_by(name: str, content: str | None) -> bytes:
    """A digest of what every list shows of an episode."""
    return hashlib.sha256(_text([name, content])).digest()[:16]


def _text(value: Any) -> bytes:
    return _SORTED(value).encode()
