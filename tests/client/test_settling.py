"""A create whose outcome is unknown is looked for before it is sent again, and never guessed at."""

from __future__ import annotations

from dataclasses import replace
from email.utils import formatdate
from typing import Any

import httpx
import pytest

import memstack

from ..colours import Driven, FakeTime, outcomes
from ..conftest import Make
from ..scripted import MEMO, Answer, ScriptedServer
from .doubts import RESET, SLOW, STARTED, UNKNOWN_SERVER, at, listed, memo, methods, patient

client = patient


def test_returns_the_one_row_that_is_new_and_alike(
    client: Driven, server: ScriptedServer, time: FakeTime
) -> None:
    """It was stored, so it is not sent again; the history tells that it was settled."""
    server.answer(RESET, UNKNOWN_SERVER, listed(memo("m9", 1000.2), memo("m1", 900.0)))

    response = client.send_raw(memstack.operations.create_memo("note"))

    assert response.result.id == "m9"
    assert outcomes(response.attempts) == [(None, "unknown"), (200, "applied")]
    assert methods(server) == ["POST", "GET", "GET"]
    assert time.pauses == []


def test_finds_an_episode(client: Driven, server: ScriptedServer) -> None:
    """By name and content; what a list does not tell is None."""
    rows = [
        {"id": "e3", "name": "other", "content": "x", "created_at": at(1000.3), "status": "new"},
        {"id": "e2", "name": "n", "content": "x", "created_at": at(1000.2), "status": "new"},
        {"id": "e1", "name": "n", "content": "y", "created_at": at(1000.1), "status": "new"},
    ]
    page = {"episodes": rows, "total": 3, "limit": 200, "offset": 0, "has_more": False}
    server.answer(
        Answer(502),
        UNKNOWN_SERVER,
        Answer(body=page, headers={"Date": formatdate(STARTED, usegmt=True)}),
    )

    stored = client.create_episode("n", "x")

    assert (stored.id, stored.status, stored.message) == ("e2", "new", None)


def test_sends_it_again_when_it_is_surely_not_there(
    client: Driven, server: ScriptedServer, time: FakeTime
) -> None:
    """Not found at once, nor after the grace, nor a while later."""
    server.answer(RESET, UNKNOWN_SERVER, listed(), listed(date=1002), listed(date=1003))
    server.answer(Answer(body=memo("m9", 1004.0)))

    response = client.send_raw(memstack.operations.create_memo("note"))

    assert response.result.id == "m9"
    assert methods(server) == ["POST", "GET", "GET", "GET", "GET", "POST"]
    assert time.pauses == [2.0, 1.0, 1.0]
    assert outcomes(response.attempts) == [(None, "rejected"), (200, "applied")]


def test_finds_what_the_server_stores_a_little_later(
    client: Driven, server: ScriptedServer
) -> None:
    """Within the grace."""
    server.answer(RESET, UNKNOWN_SERVER, listed(), listed(memo("m9", 1001.5), date=1002))

    assert client.create_memo("note").id == "m9"


@pytest.mark.parametrize("slow", [SLOW, *map(Answer, (408, 504, 522, 524, 598))])
def test_does_not_send_again_what_a_server_may_be_at_work_on(
    client: Driven, server: ScriptedServer, slow: Any
) -> None:
    """After a timeout absence says nothing."""
    server.answer(slow, UNKNOWN_SERVER, listed(), listed(date=1002), listed(date=1003))

    with pytest.raises(memstack.MemStackError) as caught:
        client.create_memo("note")

    assert caught.value.outcome == "unknown"
    assert methods(server).count("POST") == 1


def test_finds_what_a_slow_server_stored(client: Driven, server: ScriptedServer) -> None:
    """A server that answers only when its graph is done has often stored it long before."""
    server.answer(SLOW, UNKNOWN_SERVER, listed(memo("m9", 1000.2)))

    assert client.create_memo("note").id == "m9"


def test_never_returns_a_key_without_its_secret(client: Driven, server: ScriptedServer) -> None:
    """Nor revokes it: its id is told."""
    key = {
        "key_id": "k1",
        "key": "*****",
        "name": "dashboard",
        "created_at": at(1000.2),
        "permissions": ["read"],
    }
    server.answer(RESET, UNKNOWN_SERVER, listed(key))

    with pytest.raises(memstack.OutcomeUnknownError) as caught:
        client.create_api_key("dashboard", ["read"])

    assert caught.value.candidates == ("k1",)
    assert methods(server) == ["POST", "GET", "GET"]


def test_asks_a_server_with_idempotency_keys_again(client: Driven, server: ScriptedServer) -> None:
    """It finds out that it is one by the health check."""
    health = Answer(body={"status": "ok", "capabilities": ["idempotency-key"]})
    server.answer(RESET, health, Answer(body=MEMO))

    assert client.create_memo("note").id == "m1"
    first, _, second = server.requests
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


def test_does_not_repeat_what_a_generation_breaks(client: Driven, server: ScriptedServer) -> None:
    """v0.2 answers 500 to every new memo; that is reported as it is."""
    server.answer(Answer(500), Answer(body={"status": "ok", "version": "0.2.0"}))

    with pytest.raises(memstack.ServerError):
        client.create_memo("note")

    assert methods(server) == ["POST", "GET"]


def test_sends_again_at_once_what_was_not_written_out(
    client: Driven, server: ScriptedServer
) -> None:
    """No server applies half a request."""
    server.answer(httpx.WriteTimeout("full"), Answer(body=MEMO))

    response = client.send_raw(memstack.operations.create_memo("note"))

    assert outcomes(response.attempts) == [(None, "not_sent"), (200, "applied")]


def test_settles_within_the_deadline(make: Make, server: ScriptedServer, time: FakeTime) -> None:
    """A pause that cannot fit is not begun."""
    server.answer(RESET, UNKNOWN_SERVER, listed())

    with pytest.raises(memstack.OutcomeUnknownError):
        make(deadline=1.5).create_memo("note")

    assert time.pauses == []
    assert server.last.extensions["timeout"]["read"] == 1.5


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", None])
def test_leaves_an_operation_that_was_built_by_hand_alone(
    make: Make, server: ScriptedServer, body: bytes | None
) -> None:
    """Whatever its body is, no error but ours comes out."""
    built = replace(memstack.operations.create_memo("note"), body=body)
    server.answer(Answer(500), UNKNOWN_SERVER, listed(), listed(), listed(), Answer(422))

    with pytest.raises(memstack.APIError):
        make(on_unsupported="raise").send(built)


def test_can_be_told_to_resend_blindly(make: Make, server: ScriptedServer) -> None:
    """For those who would rather store twice than not at all."""
    server.answer(RESET, Answer(body=MEMO))

    assert make(retry_unsafe=True).create_memo("note").id == "m1"
    assert methods(server) == ["POST", "POST"]


def test_a_doubtful_answer_that_says_retry_is_looked_for_too(
    client: Driven, server: ScriptedServer
) -> None:
    """`x-should-retry: true` does not know whether it was stored."""
    doubtful = Answer(500, headers={"x-should-retry": "true"})
    server.answer(doubtful, UNKNOWN_SERVER, listed(memo("m9", 1000.2)))

    assert client.create_memo("note").id == "m9"


def test_asks_for_nothing_without_retries(make: Make, server: ScriptedServer) -> None:
    """max_retries=0 is one request."""
    server.answer(RESET)

    with pytest.raises(memstack.OutcomeUnknownError):
        make(max_retries=0).create_memo("note")

    assert len(server.requests) == 1
