"""Every answer of openapi.yaml is read as it promises; any other is an error that holds it whole.

Hypothesis makes answers that the spec allows, then spoils them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any, get_args, get_origin

import pydantic
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from memstack import (
    APIError,
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    Response,
    ResponseValidationError,
    ServerError,
    UnprocessableEntityError,
    operations,
)
from memstack.response import Rows
from tests.colours import Driven
from tests.conftest import Make
from tests.scripted import Answer, ScriptedServer

from .spec import described
from .strategies import JSON, Values, allowed

CALLS: dict[str, operations.Operation[Any]] = {
    "create_api_key": operations.create_api_key("dashboard", ["read"]),
    "create_episode": operations.create_episode("Alice on hiking", "She loves it."),
    "create_memo": operations.create_memo("Ask Alice."),
    "delete_episode": operations.delete_episode("Alice on hiking"),
    "delete_memo": operations.delete_memo("m1"),
    "get_episode": operations.get_episode("Alice on hiking"),
    "get_memo": operations.get_memo("m1"),
    "health_check": operations.health_check(),
    "list_api_keys": operations.list_api_keys(),
    "list_episodes": operations.list_episodes(),
    "list_memos": operations.list_memos(),
    "revoke_api_key": operations.revoke_api_key("k1"),
    "search_memory": operations.search_memory("hiking"),
    "update_memo": operations.update_memo("m1", "Ask Bob."),
}
CLASSES: dict[int, type[APIError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    422: UnprocessableEntityError,
    429: RateLimitError,
    500: ServerError,
    503: ServerError,
    # Of no list; proxies send most of them.
    418: APIError,
    499: APIError,
    520: ServerError,
    529: ServerError,
    599: ServerError,
}
SUCCESSES = {
    name: next((status, answer) for status, answer in operation.answers() if status < 300)
    for name, operation in described().items()
}
ERRORS = [
    (name, status)
    for name, operation in described().items()
    for status, _ in operation.answers()
    if status >= 300
]
HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
HOSTILE = {
    "deep list": b"[" * 100_000,
    "deep object": b'{"a":' * 100_000,
    "long number": b'[{"id":' + b"9" * 5_000 + b"}]",
    "infinite number": b'{"results":[{"score":1e999}]}',
    "half a pair": b'[{"content":"\\ud800"}]',
    "unparsed of its own": b'{"name":"a","content":"b","created_at":"x","unparsed":3}',
    "UTF-16": b"\xff\xfe{\x00}\x00",
}
CONTENT_TYPES = ["application/json", "application/json; charset=utf-16", "text/html", "image/png"]

Answered = APIError | ResponseValidationError
repeatable = settings(
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def once(make: Make) -> Driven:
    """A client that sends each request once; one of them takes all examples of a test."""
    return make(max_retries=0)


@cache
def bodies(name: str, status: int) -> Values:
    """JSON that the spec allows as the body of this answer; None where it has no body."""
    answer = dict(described()[name].answers())[status]
    content = answer.get("content")
    return allowed(content["application/json"]["schema"]) if content else st.none()


@st.composite
def spoiled(draw: st.DrawFn, name: str) -> bytes:
    """The body of a success, with something about it that is not as it should be."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from([b"", b"null", HTML]) | st.binary())
    body = draw(bodies(name, SUCCESSES[name][0]))
    places = list(_places(body))
    if places:
        held, key = draw(st.sampled_from(places))
        if draw(st.booleans()):
            held[key] = draw(JSON)  # null, another type, a word that nobody knows
        else:
            del held[key]
    text = json.dumps(body).encode()
    return text[: draw(st.integers(0, len(text)))] if draw(st.integers(0, 3)) == 0 else text


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each container within *value* with each of its keys."""
    keys = value if isinstance(value, dict) else range(len(value)) if _is_list(value) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def sent(client: Driven, operation: operations.Operation[Any]) -> Response[Any] | Answered:
    """What came of it: a response, or an error that has an answer; any other goes on."""
    try:
        response: Response[Any] = client.send_raw(operation)
    except (APIError, ResponseValidationError) as error:
        return error
    return response


def assert_read(read: Any, answer: Any) -> None:
    """That *read* is of the type *answer*."""
    assert isinstance(read, get_origin(answer) or answer)
    if get_origin(answer) is Rows:
        assert all(isinstance(item, get_args(answer)) for item in read)


def assert_kept(read: Any, sent: Any) -> None:
    """That every field of the JSON *sent* is where *read* has it, also those nobody knows."""
    if isinstance(read, pydantic.BaseModel):
        for name, value in sent.items():
            assert_kept(getattr(read, name), value)
    elif isinstance(read, list):
        for item, value in zip(read, sent, strict=True):
            assert_kept(item, value)
    elif isinstance(read, datetime):
        assert read == pydantic.TypeAdapter(pydantic.AwareDatetime).validate_python(sent)
    elif isinstance(read, float):
        assert read == float(sent)
    else:
        assert read == sent


@pytest.mark.parametrize("name", described())
@given(data=st.data())
@repeatable
def test_reads_every_success_of_the_spec(
    name: str, once: Driven, server: ScriptedServer, data: st.DataObject
) -> None:
    """As the promised type, with every field, and those that a newer server adds."""
    status, _ = SUCCESSES[name]
    body = data.draw(bodies(name, status))
    server.script[:] = [Answer(status, body)]

    response = once.send_raw(CALLS[name])

    assert_read(response.result, CALLS[name].answer)
    if response.result is not None:
        assert_kept(response.result, body)
    assert response.status_code == status


@pytest.mark.parametrize(("name", "status"), ERRORS)
@given(data=st.data())
@settings(repeatable, max_examples=5)
def test_raises_every_error_of_the_spec(
    name: str, status: int, once: Driven, server: ScriptedServer, data: st.DataObject
) -> None:
    """As the class of its status, with its body."""
    body = data.draw(bodies(name, status))
    server.script[:] = [Answer(status, body)] * 9  # a client may look elsewhere

    with pytest.raises(APIError) as raised:
        once.send(CALLS[name])

    assert type(raised.value) is CLASSES[status]
    assert raised.value.status_code == status
    assert raised.value.response_body == body
    assert raised.value.content == json.dumps(body).encode()


@pytest.mark.parametrize("name", described())
@given(data=st.data())
@repeatable
def test_no_answer_is_lost(
    name: str, once: Driven, server: ScriptedServer, data: st.DataObject
) -> None:
    """Whatever its status, body and type: it is what was promised, or an error with every byte."""
    body = data.draw(spoiled(name))
    status = data.draw(st.sampled_from([200, 202, 204, *CLASSES]))
    content_type = data.draw(st.sampled_from(CONTENT_TYPES))
    server.script[:] = [Answer(status, body, {"content-type": content_type})] * 9

    outcome = sent(once, CALLS[name])

    if isinstance(outcome, Response):
        assert status < 300
        assert_read(outcome.result, CALLS[name].answer)
    else:
        assert type(outcome) is CLASSES.get(status, ResponseValidationError)
    assert (outcome.status_code, outcome.content) == (status, body)


@pytest.mark.parametrize("name", ["get_episode", "list_memos", "search_memory", "health_check"])
@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_hostile_answer_is_lost(
    name: str, status: int, hostile: str, once: Driven, server: ScriptedServer
) -> None:
    """Nor does one that is hard to read raise anything but a MemStackError."""
    server.script[:] = [Answer(status, HOSTILE[hostile])]

    outcome = sent(once, CALLS[name])

    if isinstance(outcome, Response):
        assert_read(outcome.result, CALLS[name].answer)
    assert (outcome.status_code, outcome.content) == (status, HOSTILE[hostile])
