"""What an operation makes of its arguments is a request as openapi.yaml has it; nothing is lost.

Hypothesis looks between the edges that test_operations.py goes along.
"""

from __future__ import annotations

import json
import math
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote

import httpx
import pydantic
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from memstack import BadRequestError, MemStackClient, ValidationError, operations

from .spec import Described, described, resolved
from .strategies import JSON, MOMENTS, Schema, Values, allowed, forbidden, validator

KEY = "ms_sk_test"
# What a client's argument is called where the spec's name would read oddly in Python.
RENAMED = {"episode_name": "name", "Idempotency-Key": "idempotency_key"}
SENT_BY_EVERY_CALL = {"X-Request-ID"}
TIMES = {"valid_at"}
EXAMPLES = {
    **dict.fromkeys(("content", "key_id", "memo_id", "name", "query"), "Alice"),
    "permissions": ["read"],
}
# What no server can store, however deep it lies. A filter may else be anything: it is for the
# server to say which it knows.
UNSTORABLE = st.recursive(
    st.sampled_from(["a\0b", "a\ud800", math.nan, math.inf, {"a\0b": 1}, {"\udfff": 1}]),
    lambda inner: (
        st.tuples(inner).map(list) | st.dictionaries(st.text(), inner, min_size=1, max_size=1)
    ),
    max_leaves=4,
)

repeatable = settings(derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@cache
def fields(name: str) -> dict[str, tuple[bool, Schema]]:
    """Of each argument of operation *name* whether it is required, and its schema."""
    operation = described()[name]
    found = {
        RENAMED.get(parameter["name"], parameter["name"]): (
            parameter.get("required", False),
            parameter["schema"],
        )
        for parameter in operation.parameters
        if parameter["name"] not in SENT_BY_EVERY_CALL
    }
    body = operation.body or {"properties": {}}
    for name, schema in body["properties"].items():
        found[name] = (name in body.get("required", []), schema)
    return found


@cache
def arguments(name: str) -> Values:
    """Arguments that the spec allows; those that are not required may be left out."""
    made = {
        name: (required, MOMENTS if name in TIMES else allowed(schema))
        for name, (required, schema) in fields(name).items()
    }
    needed = {name: values for name, (required, values) in made.items() if required}
    optional = {name: values for name, (required, values) in made.items() if not required}
    return st.fixed_dictionaries(needed, optional=optional)


def sent(operation: operations.Operation[Any]) -> httpx.Request:
    """The request that a client sends for *operation*."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(400)

    http = httpx.Client(transport=httpx.MockTransport(answer))
    client = MemStackClient(KEY, "https://memstack.test", http_client=http)
    with http, client, pytest.raises(BadRequestError):
        client.send(operation)
    (request,) = requests
    return request


def spread(operation: Described, request: httpx.Request) -> dict[str, dict[str, Any]]:
    """The parameters in *request* by place and name, as texts and, of the query, numbers."""
    path, _, query = request.url.raw_path.decode().partition("?")
    values: dict[str, Any] = {"path": {}, "query": {}, "header": {}}
    for wanted, got in zip(operation.path.split("/"), path.split("/"), strict=True):
        if wanted.startswith("{"):
            values["path"][wanted[1:-1]] = unquote(got, errors="strict")
        else:
            assert got == wanted
    numbers = {p["name"] for p in operation.parameters if p["schema"].get("type") == "integer"}
    for name, text in parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)):
        assert name not in values["query"]
        values["query"][name] = int(text) if name in numbers else text
    named = {p["name"] for p in operation.parameters if p["in"] == "header"}
    values["header"] = {name: request.headers[name] for name in named if name in request.headers}
    return values


@pytest.mark.parametrize("name", described())
@given(data=st.data())
@repeatable
def test_request_is_one_that_the_spec_allows(name: str, data: st.DataObject) -> None:
    """Method, path, each parameter and the body, whatever the arguments."""
    operation = described()[name]
    given = data.draw(arguments(name))

    request = sent(getattr(operations, name)(**given))

    assert request.method == operation.method
    places = spread(operation, request)
    for parameter in operation.parameters:
        values = places[parameter["in"]]
        if parameter["name"] in values:
            validator(parameter["schema"]).validate(values.pop(parameter["name"]))
        else:
            assert not parameter.get("required", False)
    assert not any(places.values())  # nothing that the spec does not have
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert bool(request.content) == (operation.body is not None)
    if operation.body is not None:
        assert request.headers["content-type"] == "application/json"
        validator(operation.body).validate(json.loads(request.content))


@pytest.mark.parametrize("name", described())
@given(data=st.data())
@repeatable
def test_request_holds_every_argument_unchanged(name: str, data: st.DataObject) -> None:
    """And beside them only the defaults of the spec, and empty lists."""
    operation = described()[name]
    given = data.draw(arguments(name))

    request = sent(getattr(operations, name)(**given))

    got: dict[str, Any] = json.loads(request.content) if request.content else {}
    for values in spread(operation, request).values():
        got |= {RENAMED.get(key, key): value for key, value in values.items()}
    for key in TIMES & got.keys():
        got[key] = pydantic.TypeAdapter(datetime).validate_python(got[key])
    expected = {key: value for key, value in given.items() if value is not None}
    added = got.keys() - expected.keys() - SENT_BY_EVERY_CALL - {"idempotency_key"}
    schemas = fields(name)
    assert all(got[key] == schemas[key][1].get("default", []) for key in added)
    assert exactly({key: got.get(key) for key in expected}) == exactly(expected)


def exactly(value: Any) -> str:
    """*value* as text, so that 1, 1.0 and True are three."""
    return json.dumps(value, sort_keys=True, default=datetime.isoformat)


@cache
def broken(name: str, argument: str) -> Values:
    """Values that *argument* must not have; None only where it does not mean "left out"."""
    required, schema = fields(name)[argument]
    ways: Values
    if argument in TIMES:
        ways = st.datetimes() | st.integers() | st.text()  # without a time zone, or no time
    elif resolved(schema).get("additionalProperties"):
        wrong = validator({"not": {"type": ["object", "null"]}}).is_valid
        ways = JSON.filter(wrong) | UNSTORABLE.map(lambda value: {"metadata.key": value})
    else:
        ways = forbidden(schema) | st.text().map("{}\ud800".format)  # half a pair: no UTF-8
    return ways if required else ways.filter(lambda value: value is not None)


EACH_ARGUMENT = [(name, argument) for name in described() for argument in fields(name)]


@pytest.mark.parametrize(("name", "argument"), EACH_ARGUMENT)
@given(data=st.data())
@repeatable
def test_makes_no_request_of_an_argument_that_breaks_a_rule(
    name: str, argument: str, data: st.DataObject
) -> None:
    """Though all others are as they should be; the error names the argument."""
    bad = data.draw(broken(name, argument))
    given = {**data.draw(arguments(name)), argument: bad}

    with pytest.raises(ValidationError, match=rf"^{name}: {argument}\b"):
        getattr(operations, name)(**given)


@pytest.mark.parametrize(("name", "argument"), EACH_ARGUMENT)
def test_sends_exactly_the_characters_that_the_spec_allows(name: str, argument: str) -> None:
    """In texts of every kind, one by one: control characters, spaces, slashes, accents."""
    schema = fields(name)[argument][1]
    given = {key: EXAMPLES[key] for key, (required, _) in fields(name).items() if required}

    for character in map(chr, range(0x180)):
        value = f"a{character}b"
        try:
            getattr(operations, name)(**{**given, argument: value})
            sent = True
        except ValidationError:
            sent = False

        assert sent == validator(schema).is_valid(value), f"U+{ord(character):04X}"
