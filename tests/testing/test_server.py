"""A server that fails as its test says: what clients, and the memory behind it, are left with."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

import memstack
from memstack.testing import MemStackServer

from ..colours import Driven


def statuses(server: MemStackServer) -> list[tuple[str | None, int | None]]:
    return [(request.operation, request.status) for request in server.requests]


def test_is_a_memory_where_nothing_was_scripted(client: Driven) -> None:
    """All of the API is there."""
    client.create_episode("Alice", "Alice loves hiking in Yosemite with Bob.")

    assert client.search_memory("Where does Alice hike?").results[0].metadata["name"] == "Alice"
    assert client.server_info().generation == "current"


def test_answers_as_scripted_and_the_client_pauses_as_asked(
    server: MemStackServer, client: Driven
) -> None:
    """Without waiting: the pause is written down."""
    server.next(429, retry_after=2)

    memo = client.create_memo("note")

    assert server.pauses == [2.0]
    assert statuses(server) == [("create_memo", 429), ("create_memo", 200)]
    assert client.get_memo(memo.id) == memo


def test_pauses_that_nobody_asked_for_are_always_the_same(
    server: MemStackServer, client: Driven
) -> None:
    """The random factor is 1."""
    server.next(503, times=3)

    client.list_memos()

    assert server.pauses == [1.0, 2.0, 4.0]


def test_a_scripted_error_has_its_status_headers_and_body(
    server: MemStackServer, client: Driven
) -> None:
    """Its words too, and some where none were given."""
    server.next(520)
    server.next(404, {"detail": "gone, says the test"}, headers={"X-Request-ID": "r-1"})

    with pytest.raises(memstack.ServerError, match="A fault of the test"):
        client.with_options(max_retries=0).list_memos()
    with pytest.raises(memstack.NotFoundError, match="gone, says the test") as caught:
        client.get_memo("m1")
    assert caught.value.request_id == "r-1"


def test_a_scripted_success_is_read_as_any_other(server: MemStackServer, client: Driven) -> None:
    """So a test may say what is found."""
    found = {"id": "e1", "content": "text", "score": 0.5, "type": "episode", "metadata": {}}
    server.next(200, {"results": [found], "total": 1, "query": "q"}, on="search_memory")
    server.next(204, on="delete_memo")

    assert client.search_memory("q").results[0].id == "e1"
    assert client.delete_memo("no such memo") is None


def test_faults_come_in_order_and_wait_for_their_operation(
    server: MemStackServer, client: Driven
) -> None:
    """Each takes the place of one answer."""
    hasty = client.with_options(max_retries=0)
    server.next(404, on="get_memo")
    server.next(409)
    server.next(403)

    for error in (memstack.ConflictError, memstack.PermissionDeniedError):
        with pytest.raises(error):
            hasty.list_memos()
    assert server.pending == ["next(404) on get_memo"]
    hasty.list_memos()
    with pytest.raises(memstack.NotFoundError):
        hasty.get_memo("m1")
    assert server.pending == []


def test_a_fault_may_be_for_several_requests_or_for_all(
    server: MemStackServer, client: Driven
) -> None:
    """All is until it is cleared, and is never left to happen."""
    server.next(503, times=2)
    assert server.pending == ["next(503), 2 times"]
    client.list_memos()

    server.next(503, times=None)
    for _ in range(5):
        with pytest.raises(memstack.ServerError):
            client.list_memos()
    assert server.pending == []
    server.clear()

    assert client.list_memos() == []


def test_a_lost_request_changed_nothing(server: MemStackServer, client: Driven) -> None:
    """The client cannot know that."""
    server.lose_request(on="create_memo")

    with pytest.raises(memstack.OutcomeUnknownError) as caught:
        client.with_options(max_retries=0).create_memo("note")

    assert caught.value.outcome == "unknown"
    assert client.list_memos() == []


def test_a_lost_answer_leaves_what_was_stored(server: MemStackServer, client: Driven) -> None:
    """The client cannot know that either."""
    server.lose_answer(on="create_memo")

    with pytest.raises(memstack.OutcomeUnknownError) as caught:
        client.with_options(max_retries=0).create_memo("note")

    assert [memo.content for memo in client.list_memos()] == ["note"]
    assert client.settle(caught.value).outcome == "applied"
    assert len(client.list_memos()) == 1


def test_a_create_goes_through_a_lost_answer_once(server: MemStackServer, client: Driven) -> None:
    """The client asks who the server is, and sends the same key again."""
    server.lose_answer()

    memo = client.create_memo("note")

    assert client.list_memos() == [memo]
    sent = [request for request in server.requests if request.operation == "create_memo"]
    assert [request.status for request in sent] == [None, 200]
    assert len({request.headers["idempotency-key"] for request in sent}) == 1


def test_a_refused_connection_is_not_a_request(server: MemStackServer, client: Driven) -> None:
    """Nothing was sent, so it is always tried again."""
    server.refuse(times=4)

    with pytest.raises(memstack.NetworkError) as caught:
        client.create_memo("note")

    assert (caught.value.reason, caught.value.outcome) == ("refused", "not_sent")
    assert len(caught.value.attempts) == 4
    assert server.requests == []


def test_a_garbled_answer_cannot_be_read(server: MemStackServer, client: Driven) -> None:
    """What it answers was done."""
    server.garble()

    with pytest.raises(memstack.ResponseValidationError) as caught:
        client.create_memo("note")

    assert caught.value.outcome == "applied"
    assert caught.value.content.startswith(b"<html>")
    assert len(client.list_memos()) == 1


def test_a_slow_answer_comes_in_time_or_not(server: MemStackServer, client: Driven) -> None:
    """Nobody waits, but the client's own clock goes on."""
    patient = client.with_options(timeout=5, max_retries=0)
    server.slow(3)
    server.slow(6, times=2)

    response = patient.send_raw(memstack.operations.list_memos())
    with pytest.raises(memstack.RequestTimeoutError) as caught:
        patient.list_memos()
    with pytest.raises(memstack.OutcomeUnknownError):
        patient.create_memo("note")

    assert response.attempts[0].elapsed == pytest.approx(3, abs=1e-3)
    assert caught.value.attempts[0].elapsed == pytest.approx(5, abs=1e-3)
    assert statuses(server)[-2:] == [("list_memos", None), ("create_memo", None)]
    assert len(client.list_memos()) == 1


def test_slow_answers_and_pauses_use_up_a_deadline(server: MemStackServer, client: Driven) -> None:
    """As they would if somebody waited."""
    server.slow(4)
    server.next(503, retry_after=3)
    bound = client.with_options(deadline=6)

    bound.list_memos()
    with pytest.raises(memstack.ServerError):
        bound.with_options(deadline=2).list_memos()

    assert server.pauses == []


def test_tells_what_was_sent(server: MemStackServer, client: Driven) -> None:
    """Without the key, wherever it stands."""
    keyed = client.with_options(headers={"X-Copy": f"of {server.api_key}"})

    keyed.create_memo("a?b", tags=["t"])
    keyed.list_memos(5)
    with pytest.raises(memstack.NotFoundError):
        keyed.get_episode("a b%c")

    made, listed, got = server.requests
    assert (made.operation, made.method, made.path) == ("create_memo", "POST", "/api/v1/memos")
    assert made.json == {"content": "a?b", "visibility": "PRIVATE", "tags": ["t"]}
    assert made.headers["authorization"] == "Bearer ms_sk_***"
    assert made.headers["x-copy"] == "of ms_sk_***"
    assert (listed.query, listed.json) == ({"limit": "5", "offset": "0"}, None)
    assert (got.path, got.status) == ("/api/v1/episodes/a b%c", 404)
    assert server.api_key not in repr([vars(request) for request in server.requests])


def test_tells_of_a_request_that_is_no_operation(server: MemStackServer, client: Driven) -> None:
    """With a body that is no JSON."""
    odd = replace(memstack.operations.create_episode("n", "x"), path="/api/v2", body=b"{")
    with pytest.raises(memstack.UnsupportedOperationError):
        client.send(odd)

    assert [(r.operation, r.path, r.json, r.status) for r in server.requests] == [
        (None, "/api/v2", None, 404)
    ]


BAD: dict[str, Any] = {
    "status": lambda server: server.next(99),
    "status ": lambda server: server.next("429"),
    "json": lambda server: server.next(200, {1, 2}),
    "retry_after": lambda server: server.next(429, retry_after=-1),
    "seconds": lambda server: server.slow(0),
    "seconds ": lambda server: server.slow(math.inf),
    "seconds  ": lambda server: server.slow("3"),
    "on": lambda server: server.garble(on="create_memos"),
    "times": lambda server: server.refuse(times=0),
    "times ": lambda server: server.lose_answer(times=1.5),
}


@pytest.mark.parametrize("case", BAD)
def test_a_script_that_makes_no_sense_is_refused(case: str) -> None:
    """With the argument named, when it is written and not when it is played."""
    server = MemStackServer()

    with pytest.raises(memstack.ValidationError, match=f"^{case.strip()}: must|^{case}: cannot"):
        BAD[case](server)

    assert server.pending == []


def test_its_repr_holds_no_key(server: MemStackServer) -> None:
    """A failing test prints it."""
    assert repr(server).startswith("<MemStackServer https://memstack-")
    assert server.api_key not in repr(server)
