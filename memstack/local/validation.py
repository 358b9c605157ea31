"""Decides whether the parts of a request fit the contract, and says where they do not.

Answers in the shape that FastAPI gives to pydantic's errors, as deployed servers do.
Source of every rule: openapi.yaml.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl

import pydantic
from pydantic import BaseModel, BeforeValidator, Field
from pydantic_core import PydanticCustomError, from_json

from memstack.local.answers import Refusal, invalid
from memstack.models import Text

__all__ = [
    "EpisodeListing",
    "MemoListing",
    "body_of",
    "query_of",
    "segment_of",
    "token_of",
]

_TOKEN = re.compile(r"[\x21-\x7E]{1,255}")
_NOT_IN_SEGMENT = re.compile(r"[/\\\x00-\x1F\x7F-\x9F]")
_JSON = re.compile(r"application/([\w.-]+\+)?json\s*(;[^,]*)?", re.IGNORECASE)
_NOT_UTF8 = "Input should be UTF-8, percent-encoded"

Model = TypeVar("Model", bound=BaseModel)


def _digits(text: str) -> int:
    # pydantic would take "1_000" and " 1.0 " too, which are no JSON numbers.
    if not re.fullmatch(r"[+-]?[0-9]{1,20}", text):
        raise PydanticCustomError(
            "int_parsing",
            "Input should be a valid integer, unable to parse string as an integer",
        )
    return int(text)


_Integer = Annotated[int, BeforeValidator(_digits)]


class MemoListing(BaseModel):
    """The query of list_memos."""

    limit: Annotated[_Integer, Field(ge=1, le=1000)] = 20
    offset: Annotated[_Integer, Field(ge=0, le=2147483647)] = 0


class EpisodeListing(BaseModel):
    """The query of list_episodes."""

    limit: Annotated[_Integer, Field(ge=1, le=200)] = 50
    offset: Annotated[_Integer, Field(ge=0, le=2147483647)] = 0
    project_id: Text | None = None
    tenant_id: Text | None = None
    user_id: Text | None = None


def body_of(model: type[Model], body: bytes | None, headers: Mapping[str, str]) -> Model:
    """*body* as *model*; *headers* have lower-case names."""
    if not body:
        raise invalid(["body"], "Field required", "missing")
    if not _JSON.fullmatch(headers.get("content-type", "application/json").strip()):
        # What FastAPI answers to a body that it was not told is JSON.
        raise invalid(
            ["body"],
            "Input should be a valid dictionary or object to extract fields from",
            "model_attributes_type",
        )
    try:
        # JSON has no NaN, though Python's reader and pydantic's know it.
        from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise invalid(["body"], f"JSON decode error: {error}", "json_invalid") from None
    try:
        return model.model_validate_json(body)
    except pydantic.ValidationError as error:
        raise Refusal(422, _details("body", error)) from None


def query_of(model: type[Model], query: str) -> Model:
    """The query string *query* as *model*; of a name that comes twice the last counts."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, encoding="utf-8", errors="strict")
    except ValueError:
        raise invalid(["query"], _NOT_UTF8, "string_unicode") from None
    try:
        return model.model_validate(dict(pairs))
    except pydantic.ValidationError as error:
        raise Refusal(422, _details("query", error)) from None


def segment_of(name: str, segment: str | None) -> str:
    """The decoded path segment, None where it was not UTF-8, if a thing can be called so."""
    if segment is None:
        raise invalid(["path", name], _NOT_UTF8, "string_unicode")
    if segment in (".", "..") or _NOT_IN_SEGMENT.search(segment):
        raise invalid(
            ["path", name],
            "Input should be one path segment, without '/', '\\' and control characters",
            "string_pattern_mismatch",
        )
    return segment


def token_of(headers: Mapping[str, str], name: str) -> str | None:
    """The header *name*, if it is there.

    Raises:
        Refusal: It is there, but is not 1 to 255 visible ASCII characters.
    """
    value = headers.get(name.lower())
    if value is None or _TOKEN.fullmatch(value):
        return value
    raise invalid(
        ["header", name],
        "Input should be 1 to 255 visible ASCII characters",
        "string_pattern_mismatch",
    )


def _details(place: str, error: pydantic.ValidationError) -> list[dict[str, Any]]:
    """What is wrong, as JSON can hold it: an error's context may be any Python object."""
    details = []
    # pydantic writes an infinite number as `Infinity`, which is no JSON.
    for fault in json.loads(error.json(include_url=False), parse_constant=str):
        detail = {"type": fault["type"], "loc": [place, *fault["loc"]], "msg": fault["msg"]}
        # The whole body is what the caller sent anyway.
        if fault["loc"] and fault["type"] != "missing":
            detail["input"] = fault["input"]
        if "ctx" in fault:
            detail["ctx"] = fault["ctx"]
        details.append(detail)
    return details
