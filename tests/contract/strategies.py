"""Hypothesis makes values that a schema of openapi.yaml allows, and values that it forbids."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

from hypothesis import strategies as st
from openapi_schema_validator import OAS31Validator, oas31_format_checker

from .spec import load_spec, resolved

Schema = dict[str, Any]
Values = st.SearchStrategy[Any]

ADDED = "added_later"
"""A field that no schema names, and that some of the values have."""

_SAFE = 2**63 - 1  # what every integer of a database holds
_ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
# Not the first and the last day: in UTC too a moment must be within the years 1 to 9999.
MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=_ZONES)
NUMBERS = st.integers(-_SAFE, _SAFE) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
# JSON with a NUL in it, however deep, which no text that is stored may hold.
_WITH_NUL = st.recursive(
    st.sampled_from(["\0", "a\0b", {"a\0b": 1}]),
    lambda inner: st.tuples(JSON, inner).map(list) | st.fixed_dictionaries({"a": inner}),
    max_leaves=3,
)
_OF_TYPE: dict[str, Values] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "number": NUMBERS,
    "object": st.dictionaries(st.text(), JSON, max_size=3),
}
_MARKS = st.sampled_from([*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), "/", "\\"])
_FORMATS: dict[str, Values] = {
    "date": st.dates().map(str),
    "date-time": MOMENTS.map(datetime.isoformat)
    | MOMENTS.map(lambda moment: moment.astimezone(timezone.utc).isoformat()[:-6] + "Z"),
}


def validator(schema: Schema) -> OAS31Validator:
    """Holds values to *schema*, whose `$ref`s are those of the spec."""
    whole = {**schema, "components": load_spec()["components"]}
    return OAS31Validator(whole, format_checker=oas31_format_checker)


def allowed(schema: Schema) -> Values:
    """Values that *schema* allows."""
    is_valid = validator(schema).is_valid
    return _like(schema).filter(is_valid)


def forbidden(schema: Schema) -> Values:
    """JSON that *schema* forbids: of another type, or beyond one of its bounds."""
    is_valid = validator(schema).is_valid
    return doubtful(schema).filter(lambda value: not is_valid(value))


def doubtful(given: Schema) -> Values:
    """JSON about which *given* and someone else might disagree; it forbids most of it."""
    schema = resolved(given)
    if schema.keys().isdisjoint(("type", "allOf", "anyOf")):
        return JSON | _WITH_NUL
    ways: list[Values] = [JSON]
    ways += [doubtful(part) for part in (*schema.get("allOf", []), *schema.get("anyOf", []))]
    if "minimum" in schema:
        ways.append(st.integers(max_value=schema["minimum"] - 1))
        ways.append(st.integers(min_value=schema["maximum"] + 1))
        ways.append(st.integers(schema["minimum"], schema["maximum"]).map(float))
    if "pattern" in schema:
        ways.append(st.builds("{}{}{}".format, st.text(), _MARKS, st.text()))
    if "maxLength" in schema:
        ways.append(st.integers(schema["maxLength"] + 1, 999).map("x".__mul__))
    if "items" in schema:
        ways.append(st.lists(_like(schema["items"]) | doubtful(schema["items"]), max_size=4))
    for name, part in schema.get("properties", {}).items():
        ways.append(st.builds(_replaced, _like(schema), st.just(name), doubtful(part)))
    for name in schema.get("required", []):
        ways.append(_like(schema).map(partial(_without, name)))
    for part in schema.get("patternProperties", {}).values():
        names = _texts(schema.get("propertyNames", {}))
        ways.append(st.builds(_replaced, _like(schema), names, doubtful(part)))
        ways.append(st.dictionaries(st.text() | st.just("a\0b"), JSON, max_size=3))
    return st.one_of(ways)


def _replaced(value: Any, name: str, part: Any) -> Any:
    return {**value, name: part} if isinstance(value, dict) else value


def _without(name: str, value: dict[str, Any]) -> dict[str, Any]:
    return {key: part for key, part in value.items() if key != name}


def _like(given: Schema) -> Values:
    """Values, most of which *given* allows."""
    schema = resolved(given)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    for several in ("allOf", "anyOf"):
        if several in schema:
            return st.one_of([_like(part) for part in schema[several]])
    kinds = schema.get("type", [])
    if not kinds:
        return JSON
    return st.one_of([_of_type(k, schema) for k in ([kinds] if isinstance(kinds, str) else kinds)])


def _of_type(kind: str, schema: Schema) -> Values:
    if kind == "string":
        return _texts(schema)
    if kind == "integer":
        return st.integers(schema.get("minimum", -_SAFE), schema.get("maximum", _SAFE))
    if kind == "array":
        return st.lists(_like(schema["items"]), min_size=schema.get("minItems", 0), max_size=3)
    if "properties" in schema:
        fields = {name: _like(part) for name, part in schema["properties"].items()}
        needed = {name: fields.pop(name) for name in schema.get("required", [])}
        return st.fixed_dictionaries(needed, optional={**fields, ADDED: JSON})
    if "patternProperties" in schema:
        names = st.lists(_texts(schema.get("propertyNames", {})), unique=True, max_size=3)
        return names.flatmap(lambda names: st.fixed_dictionaries(_named(schema, names)))
    return _OF_TYPE[kind]


def _texts(schema: Schema) -> Values:
    if "format" in schema:
        return _FORMATS[schema["format"]]
    if "pattern" in schema:
        return st.from_regex(schema["pattern"], fullmatch=True)
    return st.text()


def _named(schema: Schema, names: list[str]) -> dict[str, Values]:
    """A strategy for the property of each of *names*."""
    rules = schema["patternProperties"].items()
    return {
        name: next(_like(part) for pattern, part in rules if re.search(pattern, name))
        for name in names
    }
