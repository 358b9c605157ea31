"""Every schema of openapi.yaml agrees with the pydantic model and the generated attrs model."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs
import pydantic
import pytest

import memstack.models
import memstack_api.models
from memstack_api.types import Unset

from .spec import flat, load_spec

# An error is read whatever its shape, a health answer is a dict and a deletion is None, so these
# have no pydantic model. The rest are no objects.
WITHOUT_MODEL = {"Error", "ErrorDetail", "Health", "EpisodeDeleted"}
# Fields of several types, which one word does not tell; error answers are read whatever they are.
LOOSE = {"Error", "ErrorDetail"}
OBJECTS = {
    name: schema
    for name, schema in load_spec()["components"]["schemas"].items()
    if schema["type"] == "object"
}
KINDS: dict[type, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    datetime: "date-time",
    pydantic.AwareDatetime: "date-time",
}
MISSING = "no default"


def of_schema(schema: dict[str, Any]) -> str:
    """The type of a schema in one word, such as `array of string or null`."""
    schema = flat(schema)
    if "enum" in schema:
        kind = "enum " + " ".join(sorted(schema["enum"]))
    elif schema["type"] == "array":
        kind = f"array of {of_schema(schema['items'])}"
    elif schema.get("format") == "date-time":
        kind = "date-time"
    elif "properties" in schema:
        kind = next(name for name, other in OBJECTS.items() if flat(other) == schema)
    else:
        kind = schema["type"]
    return kind + (" or null" if schema.get("nullable") else "")


def of_type(hint: Any) -> str:
    """The type of a Python annotation in the same words."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return of_type(args[0])
    if origin in (Union, UnionType):
        kinds = [of_type(arg) for arg in args if arg is not Unset]
        return " or ".join(sorted(k for k in kinds if k != "null")) + (
            " or null" if "null" in kinds else ""
        )
    if hint is type(None):
        return "null"
    if origin is Literal:
        return "enum " + " ".join(sorted(args))
    if origin is list:
        return f"array of {of_type(args[0])}"
    if origin is dict:
        return "object"
    if isinstance(hint, type) and issubclass(hint, Enum):
        return "enum " + " ".join(sorted(member.value for member in hint))
    if isinstance(hint, type) and hint.__name__ not in OBJECTS and attrs.has(hint):
        return "object"  # a map that the generator gave a class of its own
    return KINDS.get(hint) or hint.__name__


def of_spec(name: str) -> dict[str, tuple[str, bool, Any]]:
    """Type, required and default of each field, as the spec has them."""
    schema = OBJECTS[name]
    return {
        field: (
            of_schema(spec),
            field in schema.get("required", []),
            flat(spec).get("default", MISSING),
        )
        for field, spec in schema["properties"].items()
    }


def of_pydantic(name: str) -> dict[str, tuple[str, bool, Any]]:
    model: type[pydantic.BaseModel] = getattr(memstack.models, name)
    hints = get_type_hints(model, include_extras=True)
    return {
        field: (
            of_type(hints[field]),
            info.is_required(),
            MISSING if info.is_required() or info.default in (None, []) else info.default,
        )
        for field, info in model.model_fields.items()
    }


def of_attrs(name: str) -> dict[str, tuple[str, bool, Any]]:
    model = getattr(memstack_api.models, name)
    # The generator imports one model from another for type checkers only.
    hints = get_type_hints(model, localns=vars(memstack_api.models) | _maps())
    return {
        field.name.rstrip("_"): (
            of_type(hints[field.name]),
            field.default is attrs.NOTHING,
            MISSING
            if field.default is attrs.NOTHING or isinstance(field.default, Unset)
            else getattr(field.default, "value", field.default),
        )
        for field in attrs.fields(model)
        if field.init
    }


def _maps() -> dict[str, Any]:
    return {name: getattr(memstack_api.models, name) for name in memstack_api.models.__all__}


@pytest.mark.parametrize("name", sorted(set(OBJECTS) - WITHOUT_MODEL))
def test_the_pydantic_model_agrees_with_the_spec(name: str) -> None:
    """Field by field: type, enum, null, required, default."""
    assert of_pydantic(name) == of_spec(name)


@pytest.mark.parametrize("name", sorted(set(OBJECTS) - LOOSE))
def test_the_generated_model_agrees_with_the_spec(name: str) -> None:
    """Field by field, so that a field which the generator misread is seen."""
    assert of_attrs(name) == of_spec(name)


def test_every_model_is_a_schema() -> None:
    """The names are the spec's."""
    models = {
        name
        for name, value in vars(memstack.models).items()
        if isinstance(value, type)
        and issubclass(value, pydantic.BaseModel)
        and value.__module__ == memstack.models.__name__
        and not name.startswith("_")
    }

    assert models == set(OBJECTS) - WITHOUT_MODEL


@pytest.mark.parametrize("name", ["EpisodeCreate", "MemoCreate", "MemoUpdate", "MemoryQuery"])
def test_what_is_sent_goes_through_both_models_unchanged(name: str) -> None:
    """The example of the spec: JSON, pydantic, attrs, and JSON again."""
    bodies = [
        shown["value"]
        for path in load_spec()["paths"].values()
        for operation in path.values()
        if isinstance(operation, dict) and "requestBody" in operation
        for media in operation["requestBody"]["content"].values()
        if media["schema"]["$ref"].endswith(f"/{name}")
        for shown in media["examples"].values()
    ]

    for body in bodies:
        model = getattr(memstack.models, name)
        dumped = model.model_validate_json(_json(body)).model_dump(mode="json", exclude_none=True)
        assert {**dumped, **body} == {**body, **dumped}
        assert getattr(memstack_api.models, name).from_dict(body).to_dict().keys() == body.keys()
    assert bodies


def _json(value: Any) -> bytes:
    return pydantic.TypeAdapter(Any).dump_json(value)
