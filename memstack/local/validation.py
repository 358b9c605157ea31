"""Decides whether the parts of a request fit the contract, and says where they do not.

Answers in the shape that FastAPI gives to pydantic's errors, as deployed servers do.
Source of every rule: openapi.yaml.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import pydantic
from pydantic import BaseModel
from pydantic_core import from_json, to_json

from memstack._rules import NO_SEGMENTS, NOT_IN_SEGMENT, TOKEN
from memstack.local.answers import Refusal, invalid

__all__ = [
    "body_of",
    "query_of",
    "segment_of",
    "token_of",
]

_JSON = re.compile(r"application/([\w.-]+\+)?json\s*(;[^,]*)?", re.IGNORECASE)
_NOT_UTF8 = "Input should be UTF-8, percent-encoded"

Model = TypeVar("Model", bound=BaseModel)


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
        data = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise invalid(["body"], f"JSON decode error: {error}", "json_invalid") from None
    try:
        return model.model_validate_json(_with_whole_numbers(body, data))
    except pydantic.ValidationError as error:
        raise Refusal(422, _details("body", error)) from None


def _with_whole_numbers(body: bytes, data: Any) -> bytes:
    """*body*, which is *data*, with a field `10.0` as `10`: both are integers to JSON Schema."""
    fields = data if isinstance(data, dict) else {}
    whole = {k: int(v) for k, v in fields.items() if isinstance(v, float) and v.is_integer()}
    return to_json({**fields, **whole}, inf_nan_mode="constants") if whole else body


def query_of(model: type[Model], query: str) -> Model:
    """The query string *query* as *model*; of a name that comes twice the last counts."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, encoding="utf-8", errors="strict")
    except ValueError:
        raise invalid(["query"], _NOT_UTF8, "string_unicode") from None
    given = dict(pairs)
    values = {
        name: _integer(name, text)
        if name in model.model_fields and model.model_fields[name].annotation is int
        else text
        for name, text in given.items()
    }
    try:
        return model.model_validate(values)
    except pydantic.ValidationError as error:
        details = _details("query", error)
        for detail in details:
            detail["input"] = given[detail["loc"][1]]  # as it was sent, a text
        raise Refusal(422, details) from None


def _integer(name: str, text: str) -> int:
    # int() would take "1_000" and " 1 " too, which are no JSON numbers.
    if re.fullmatch(r"[+-]?[0-9]{1,20}", text):
        return int(text)
    message = "Input should be a valid integer, unable to parse string as an integer"
    fault = {"type": "int_parsing", "loc": ["query", name], "msg": message, "input": text}
    raise Refusal(422, [fault])


def segment_of(name: str, segment: str | None) -> str:
    """The decoded path segment, None where it was not UTF-8, if a thing can be called so."""
    if segment is None:
        raise invalid(["path", name], _NOT_UTF8, "string_unicode")
    if segment in NO_SEGMENTS or NOT_IN_SEGMENT.search(segment):
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
    if value is None or TOKEN.fullmatch(value):
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
