"""The embedded server refuses exactly the requests that openapi.yaml forbids.

Schemathesis looks everywhere; this looks harder at what a request may hold, down to characters.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings, strategies as st

from memstack._wire import WireRequest
from memstack.local import EmbeddedServer

from .spec import described, flat
from .strategies import Schema, Values, allowed, doubtful, validator


def body_schema(name: str) -> Schema:
    schema: Schema = described()[name].raw["requestBody"]["content"]["application/json"]["schema"]
    return schema


KEY = "ms_sk_of_the_tests"
# Of those that several operations have, the first operation is enough.
PARAMETERS = {
    (parameter["in"], parameter["name"]): name
    for name, operation in reversed(described().items())
    for parameter in operation.parameters
    if parameter["schema"].get("type") != "integer"
}
BODIES: dict[str, dict[str, Any]] = {
    "create_api_key": {"name": "dashboard", "permissions": ["read"]},
    "create_episode": {"name": "Alice", "content": "She loves hiking."},
    "create_memo": {"content": "Ask Alice."},
    "search_memory": {"query": "nothing"},
    "update_memo": {},
}
# Where a text can stand in a body, as "?".
TEXTS: list[tuple[str, dict[str, Any]]] = [
    ("create_api_key", {"name": "?"}),
    ("create_episode", {"name": "?"}),
    ("create_episode", {"group_id": "?"}),
    ("create_episode", {"metadata": {"a": "?"}}),
    ("create_episode", {"metadata": {"?": 1}}),
    ("create_episode", {"metadata": {"a": [{"b": "?"}, {"?": 1}]}}),
    ("create_memo", {"tags": ["?"]}),
    ("search_memory", {"filters": {"group_id": "?"}}),
    ("search_memory", {"filters": {"metadata.a": "?"}}),
    ("search_memory", {"filters": {"?": 1}}),
    ("search_memory", {"filters": {"date_from": "?"}}),
    ("update_memo", {"content": "?"}),
]
CHARACTERS = [f"a{character}b" for character in map(chr, range(0x100))]
FIELDS = [
    (name, field) for name in BODIES for field in ("", *flat(body_schema(name))["properties"])
]


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with EmbeddedServer(owner_key=KEY) as server:
        yield server


def refused(server: EmbeddedServer, name: str, body: Any = None, **given: dict[str, str]) -> bool:
    """Whether the answer is 422; *given* are parameters by place: path, query and header."""
    operation = described()[name]
    path = operation.path
    for parameter in operation.parameters:
        if parameter["in"] == "path":
            value = given.get("path", {}).get(parameter["name"], "x")
            path = path.replace(f"{{{parameter['name']}}}", quote(value, safe=""))
    query = urlencode(given.get("query", {}), quote_via=quote)
    headers = {"authorization": f"Bearer {KEY}", **given.get("header", {})}
    content = json.dumps(body).encode() if operation.body is not None else None
    target = f"{path}?{query}" if query else path

    answer = server.handle(WireRequest(operation.method, target, headers, content, None))

    assert answer.status in dict(operation.answers())
    return answer.status == 422


@cache
def values(name: str, field: str) -> Values:
    """JSON for a field of the body of operation *name*, or for the whole body if it is ""."""
    schema = body_schema(name)
    part = flat(schema)["properties"][field] if field else schema
    return allowed(part) | doubtful(part)


@pytest.mark.parametrize(("name", "field"), FIELDS)
@given(data=st.data())
@settings(derandomize=True)
def test_refuses_exactly_the_bodies_that_the_spec_forbids(
    name: str, field: str, server: EmbeddedServer, data: st.DataObject
) -> None:
    """One field at a time, and the whole."""
    value = data.draw(values(name, field))
    body = {**BODIES[name], field: value} if field else value

    expected = not validator(body_schema(name)).is_valid(body)

    assert refused(server, name, body) == expected


@pytest.mark.parametrize(("place", "parameter"), PARAMETERS)
def test_refuses_exactly_the_characters_that_the_spec_forbids(
    place: str, parameter: str, server: EmbeddedServer
) -> None:
    """In paths, queries and headers, one by one."""
    name = PARAMETERS[place, parameter]
    (schema,) = [p["schema"] for p in described()[name].parameters if p["name"] == parameter]

    is_valid = validator(schema).is_valid

    for value in CHARACTERS:
        given = {place: {parameter: value}}
        assert refused(server, name, BODIES.get(name), **given) == (not is_valid(value)), value


@pytest.mark.parametrize(("name", "text"), TEXTS, ids=map(str, TEXTS))
def test_refuses_exactly_the_texts_that_the_spec_forbids(
    name: str, text: dict[str, Any], server: EmbeddedServer
) -> None:
    """Character by character, in the places where a body has one."""
    is_valid = validator(body_schema(name)).is_valid
    template = json.dumps({**BODIES[name], **text})

    for value in ["", "metadata.", *CHARACTERS, *(f"metadata.{value}" for value in CHARACTERS)]:
        body = json.loads(template.replace('"?"', json.dumps(value)))
        assert refused(server, name, body) == (not is_valid(body)), value
