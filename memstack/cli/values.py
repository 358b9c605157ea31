"""Reads what options hold: JSON objects, times, filters."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from memstack.exceptions import ValidationError

__all__ = ["filters_of", "moment_of", "object_of"]


def object_of(option: str, text: str | None) -> dict[str, Any] | None:
    """The JSON object in *text*; None for None.

    Raises:
        ValidationError: It is none.
    """
    if text is None:
        return None
    value = _json(option, text)
    if not isinstance(value, dict):
        raise ValidationError(f'{option}: must be a JSON object, such as {{"place": "Yosemite"}}')
    return value


def moment_of(option: str, text: str | None) -> datetime | None:
    """The time in *text*; None for None.

    Raises:
        ValidationError: It is none, or has no time zone.
    """
    if text is None:
        return None
    from pydantic import AwareDatetime, TypeAdapter, ValidationError as Invalid

    try:
        return TypeAdapter(AwareDatetime).validate_strings(text)
    except Invalid:
        raise ValidationError(
            f"{option}: must be a time with its zone, such as 2026-05-01T09:30:00Z"
        ) from None


def filters_of(texts: Sequence[str]) -> dict[str, Any] | None:
    """Filters from `NAME=TEXT`, and from `NAME:=JSON` for what is no text; None for none.

    Raises:
        ValidationError: One has neither form.
    """
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name in ("", ":"):
            raise ValidationError(
                "--filter: must be NAME=TEXT or NAME:=JSON, such as group_id=holidays"
            )
        if name.endswith(":"):
            found[name[:-1]] = _json("--filter", value)
        else:
            found[name] = value
    return found or None


def _json(option: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValidationError(f"{option}: is not JSON: {error}") from None
