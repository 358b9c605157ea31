"""Every operation of openapi.yaml is on both clients, with its parameters, rules and answers."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from types import NoneType
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator

from memstack import APIError, MemStackAsyncClient, MemStackClient, ValidationError, operations
from memstack._reading import error_of, read_answer
from memstack._wire import WireResponse

from .spec import Described, described, flat, load_spec

METHODS = [name for name in operations.__all__ if name != "Operation"]
# What a client's argument is called where the spec's name would read oddly in Python.
RENAMED = {"episode_name": "name", "Idempotency-Key": "idempotency_key"}
# Arguments that are for the client, which sends nothing of them.
OF_THE_CLIENT = {"create_episode": {"wait": False}}
SENT_BY_EVERY_CALL = {"X-Request-ID"}
FACTS: dict[str, Any] = {
    "method": "GET",
    "path": "/",
    "request_id": "r1",
    "attempts": (),
    "outcome": "rejected",
}


def arguments(operation: Described) -> dict[str, tuple[bool, dict[str, Any]]]:
    """Each argument that the spec asks for: whether it is required, and its schema."""
    found = {
        RENAMED.get(parameter["name"], parameter["name"]): (
            parameter.get("required", False),
            flat(parameter["schema"]),
        )
        for parameter in operation.parameters
        if parameter["name"] not in SENT_BY_EVERY_CALL
    }
    body = operation.body or {"properties": {}}
    for name, schema in body["properties"].items():
        found[name] = (name in body.get("required", []), flat(schema))
    return found


def valid(schema: dict[str, Any]) -> Any:
    """Some value that *schema* allows."""
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema["type"]
    if kind == "array":
        return [valid(flat(schema["items"]))]
    return {"string": "x", "integer": schema.get("minimum", 1), "object": {}}[kind]


def example(operation: Described) -> dict[str, Any]:
    """The arguments that it cannot be called without."""
    return {name: valid(s) for name, (required, s) in arguments(operation).items() if required}


def rules() -> Iterator[tuple[str, str, Any, bool]]:
    """Operation, argument, value and whether the spec allows it: both sides of every bound."""
    for operation in described().values():
        for name, (_, schema) in arguments(operation).items():
            for value, allowed in edges(schema):
                yield operation.id, name, value, allowed


def edges(schema: dict[str, Any]) -> Iterator[tuple[Any, bool]]:
    if schema.get("format") == "date-time":
        return  # its argument is a datetime, which has no edge
    if "minimum" in schema:
        yield from [(schema["minimum"], True), (schema["minimum"] - 1, False)]
    if "maximum" in schema:
        yield from [(schema["maximum"], True), (schema["maximum"] + 1, False)]
    if "minLength" in schema:
        yield from [("x" * schema["minLength"], True), ("x" * (schema["minLength"] - 1), False)]
    if "maxLength" in schema:
        yield from [("x" * schema["maxLength"], True), ("x" * (schema["maxLength"] + 1), False)]
    if "pattern" in schema:
        yield "a\0b", False
    if "not" in schema:
        yield from ((value, False) for value in schema["not"]["enum"])
    if "enum" in schema:
        yield from [*((value, True) for value in schema["enum"]), ("other", False)]
    if schema["type"] == "array":
        yield from [(["x"], True)] if "enum" not in flat(schema["items"]) else []
        yield from (([], False), ("x", False)) if schema.get("minItems") else [([], True)]
        yield from (([value], allowed) for value, allowed in edges(flat(schema["items"])))
    if schema["type"] == "object":
        yield from [({"group_id": None}, True), ({"group_id": float("nan")}, False), ([], False)]
    yield {"string": 5, "integer": "5", "array": 5, "object": "x"}[schema["type"]], False


def test_every_operation_is_on_both_clients() -> None:
    """And the clients have none that the spec has not."""
    assert sorted(METHODS) == sorted(described())
    for name in METHODS:
        assert callable(getattr(MemStackClient, name))
        assert callable(getattr(MemStackAsyncClient, name))


@pytest.mark.parametrize("name", described())
def test_has_the_arguments_that_the_spec_names(name: str) -> None:
    """The same names, required and default."""
    expected = {
        argument: inspect.Parameter.empty if required else schema.get("default")
        for argument, (required, schema) in arguments(described()[name]).items()
    }

    parameters = inspect.signature(getattr(operations, name)).parameters.values()

    assert {p.name: p.default for p in parameters} == {**expected, **OF_THE_CLIENT.get(name, {})}


@pytest.mark.parametrize("name", described())
def test_sends_the_request_that_the_spec_describes(name: str) -> None:
    """Method and path as they stand there, and a body that its schema allows."""
    operation = described()[name]
    arguments_ = example(operation)

    built = getattr(operations, name)(**arguments_)

    assert built.method == operation.method
    named = {"episode_name": "x", "memo_id": "x", "key_id": "x"}
    assert built.path == operation.path.format(**named)
    assert (built.body is None) == (operation.body is None)
    if built.body is not None:
        schema = operation.raw["requestBody"]["content"]["application/json"]["schema"]
        OAS31Validator({**schema, "components": load_spec()["components"]}).validate(
            json.loads(built.body)
        )


@pytest.mark.parametrize(("name", "argument", "value", "allowed"), list(rules()))
def test_holds_arguments_to_the_rules_of_the_spec(
    name: str, argument: str, value: Any, allowed: bool
) -> None:
    """Bounds, lengths, patterns, enums and types, just inside and just outside."""
    given = {**example(described()[name]), argument: value}
    build = getattr(operations, name)

    if allowed:
        assert build(**given).id == name
    else:
        with pytest.raises(ValidationError, match=rf"^{name}: {argument}"):
            build(**given)


@pytest.mark.parametrize("name", described())
def test_reads_every_example_answer(name: str) -> None:
    """A success as the promised type, an error as the class of its status."""
    operation = described()[name]
    answer = getattr(operations, name)(**example(operation)).answer
    statuses = []
    for status, response in operation.answers():
        statuses.append(status)
        content = response.get("content", {}).get("application/json", {"examples": {}})
        for shown in content["examples"].values():
            value = shown["value"] if "value" in shown else flat(shown)["value"]
            wire = WireResponse(status, {}, json.dumps(value).encode())
            if status < 300:
                read = read_answer(wire, answer, FACTS)
                assert (read is None) == (answer is NoneType)
            else:
                error = error_of(wire, FACTS, now=0.0)
                assert type(error) is APIError.class_for(status)
                assert error.response_body == value

    assert sum(status < 300 for status in statuses) == 1
    assert {429, 500, 503} <= set(statuses)


@pytest.mark.parametrize("name", described())
def test_knows_the_alternative_path_of_the_spec(name: str) -> None:
    """Where some servers have it instead."""
    operation = described()[name]
    item = load_spec()["paths"][operation.path]
    named = {"episode_name": "x", "memo_id": "x", "key_id": "x"}
    expected = item.get("x-memstack-alternative-path", operation.path)

    built = getattr(operations, name)(**example(operation))

    assert built.path_at(True) == expected.format(**named)
    assert built.path_at(False) == built.path


@pytest.mark.parametrize("name", described())
def test_says_what_needs_a_key(name: str) -> None:
    """Every operation names its security; only health does without."""
    security = described()[name].raw["security"]

    assert {"bearerAuth": []} in security
    assert ({} in security) == (name == "health_check")
    statuses = {status for status, _ in described()[name].answers()}
    assert ({401, 403} <= statuses) == (name != "health_check")
