"""Checks arguments before anything is sent; an error names the operation, argument and rule."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import pydantic
from pydantic import BaseModel, ConfigDict, Field

from ..exceptions import ValidationError
from ..models import Text

ModelT = TypeVar("ModelT", bound=BaseModel)

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_MOST = 2**31 - 1  # what every server's integer holds


class EpisodeListing(BaseModel):
    """The query parameters of list_episodes."""

    model_config = ConfigDict(strict=True)

    limit: int = Field(ge=1, le=200)
    offset: int = Field(ge=0, le=_MOST)
    project_id: Text | None
    tenant_id: Text | None
    user_id: Text | None


class MemoListing(BaseModel):
    """The query parameters of list_memos."""

    model_config = ConfigDict(strict=True)

    limit: int = Field(ge=1, le=1000)
    offset: int = Field(ge=0, le=_MOST)


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
            character or half of a surrogate pair. Servers and proxies resolve some of these even
            when they are encoded.
    """
    if not isinstance(value, str):
        raise ValidationError(f"{operation}: {name}: must be a text")
    if value in ("", ".", ".."):
        raise ValidationError(f"{operation}: {name}: must not be empty, '.' or '..'")
    if "/" in value or "\\" in value or _CONTROL.search(value):
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
    if value is None or (isinstance(value, str) and re.fullmatch(r"[\x21-\x7e]{1,255}", value)):
        return value
    raise ValidationError(
        f"{operation}: idempotency_key: must be 1 to 255 visible ASCII characters, without spaces"
    )
