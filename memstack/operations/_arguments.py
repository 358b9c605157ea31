"""Checks arguments before anything is sent; an error names the operation, argument and rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import pydantic

from .._rules import NO_SEGMENTS, NOT_IN_SEGMENT, TOKEN
from ..exceptions import ValidationError

ModelT = TypeVar("ModelT", bound=pydantic.BaseModel)


def checked(operation: str, model: type[ModelT], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """*arguments* as the JSON that *model* allows, without those that are None.

    Raises:
        ValidationError: An argument breaks a rule of *model*.
    """
    try:
        return model(**arguments).model_dump(mode="json", exclude_none=True)
    except pydantic.ValidationError as error:
        # pydantic's own error quotes the input: `from None`, and only places and rules go on.
        broken = "; ".join(
            f"{_place(e['loc'])}: {e['msg'].removeprefix('Value error, ')}"
            for e in error.errors(include_input=False, include_url=False)[:3]
        )
    raise ValidationError(f"{operation}: {broken}")


def _place(loc: tuple[int | str, ...]) -> str:
    name, *rest = loc
    return f"{name}" + "".join(f"[{part!r}]" for part in rest)


def segment(operation: str, name: str, value: Any) -> str:
    """*value*, if it can stand as one segment of a path and reach nothing but its own.

    Raises:
        ValidationError: It is not a text, or empty, `.` or `..`, or holds `/`, `\\`, a control
            character or half of a surrogate pair.
    """
    if not isinstance(value, str):
        raise ValidationError(f"{operation}: {name}: must be a text")
    if value in NO_SEGMENTS:
        raise ValidationError(f"{operation}: {name}: must not be empty, '.' or '..'")
    if NOT_IN_SEGMENT.search(value):
        raise ValidationError(f"{operation}: {name}: must not hold '/', '\\' or control characters")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValidationError(f"{operation}: {name}: must not hold half a surrogate pair") from None
    return value


def checked_key(operation: str, value: Any) -> str | None:
    """*value*, if it can be sent as an `Idempotency-Key`.

    Raises:
        ValidationError: It is not 1 to 255 visible ASCII characters.
    """
    if value is None or (isinstance(value, str) and TOKEN.fullmatch(value)):
        return value
    raise ValidationError(
        f"{operation}: idempotency_key: must be 1 to 255 visible ASCII characters, without spaces"
    )
