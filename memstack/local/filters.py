"""Decides which episodes a search may look at: its scopes and filters, as SQL conditions.

A filter that is not known, or whose value makes no sense, is refused: one that is passed over
shows what it was to hide.
"""

from __future__ import annotations

import json
import re
import sqlite3
from datetime import date, datetime, timezone
from typing import Any, NamedTuple, get_args

import pydantic
from pydantic import JsonValue, TypeAdapter

from memstack.local.answers import Refusal, invalid
from memstack.local.moments import written
from memstack.models import MemoryQuery, SourceType

__all__ = ["Conditions", "conditions", "install"]

_EQUAL = ("group_id", "project_id", "tenant_id", "user_id", "source_type", "name")
_METADATA = "metadata."
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?([Zz]|[+-]\d{2}:?\d{2})?")
_DATETIME = TypeAdapter(datetime)


def install(connection: sqlite3.Connection) -> None:
    """Give *connection* the SQL function that `conditions` uses."""
    connection.create_function("metadata_has", 2, _metadata_has, deterministic=True)


class Conditions(NamedTuple):
    """What a search demands of a row of `episodes`."""

    sql: str
    """Empty if nothing."""
    values: dict[str, str]
    """The parameters in it."""


def conditions(query: MemoryQuery) -> Conditions:
    """The conditions that *query* sets.

    Raises:
        Refusal: 422; a filter is unknown or has a bad value.
    """
    sql: list[str] = []
    values: dict[str, str] = {}
    wanted: dict[str, JsonValue] = {}
    for name in ("tenant_id", "project_id", "user_id"):
        if (value := getattr(query, name)) is not None:
            sql.append(f"episodes.{name} = :scope_{name}")
            values[f"scope_{name}"] = value
    for name, given in (query.filters or {}).items():
        if name in _EQUAL:
            sql.append(f"episodes.{name} = :{name}")
            values[name] = _text(name, given)
        elif name in ("date_from", "date_to"):
            sql.append(f"valid_at {'>=' if name == 'date_from' else '<='} :{name}")
            values[name] = _moment(name, given)
        elif name.startswith(_METADATA) and len(name) > len(_METADATA):
            wanted[name.removeprefix(_METADATA)] = _scalar(name, given)
        else:
            known = ", ".join((*_EQUAL, "date_from", "date_to", "metadata.<key>"))
            raise _bad(name, f"Unknown filter; known are {known}")
    if wanted:
        sql.append("metadata_has(metadata, :wanted)")
        values["wanted"] = json.dumps(wanted)
    return Conditions(" AND ".join(sql), values)


def _metadata_has(metadata: str | None, wanted: str) -> bool:
    """Whether the object *metadata* has every key and value of the object *wanted*."""
    held = json.loads(metadata) if metadata is not None else {}
    return all(key in held and _same(held[key], value) for key, value in json.loads(wanted).items())


def _same(left: Any, right: Any) -> bool:
    # To Python True is 1, to JSON it is not.
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def _bad(name: str, message: str) -> Refusal:
    return invalid(["body", "filters", name], message)


def _text(name: str, value: JsonValue) -> str:
    if not isinstance(value, str) or not value:
        raise _bad(name, "Input should be a string that is not empty")
    if name == "source_type" and value not in get_args(SourceType):
        raise _bad(name, f"Input should be one of {', '.join(get_args(SourceType))}")
    return value


def _scalar(name: str, value: JsonValue) -> JsonValue:
    if isinstance(value, (dict, list)):
        raise _bad(name, "Input should be a string, a number, true, false or null")
    return value


def _moment(name: str, value: JsonValue) -> str:
    """*value* as `episodes.valid_at` is written; a day without a time is its first or last."""
    text = _text(name, value)
    try:
        if _DAY.fullmatch(text):
            time = "00:00:00.000000Z" if name == "date_from" else "23:59:59.999999Z"
            return f"{date.fromisoformat(text)}T{time}"
        if _MOMENT.fullmatch(text):
            moment = _DATETIME.validate_python(text)
            return written(moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc))
    except (pydantic.ValidationError, ValueError, OverflowError):
        pass
    raise _bad(name, "Input should be a date or a time in ISO 8601, as 2026-05-01T09:30:00Z")
