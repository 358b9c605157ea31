"""A create whose outcome is unknown is looked for before it is sent again, and never guessed at."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import datetime, timezone
from email.utils import formatdate
from typing import Any

import httpx
import pytest

import memstack

from ..colours import Driven, FakeTime, outcomes
from ..conftest import Make
from ..scripted import MEMO, Answer, ScriptedServer

RESET = httpx.ReadError("reset by peer")
SLOW = httpx.ReadTimeout("slow")
UNKNOWN_SERVER = Answer(body={"status": "fine"})
STARTED = 1000.0  # of FakeTime


def at(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat()


def memo(id: str, created: float, content: str = "note", **more: Any) -> dict[str, Any]:
    return {**MEMO, "id": id, "content": content, "tags": [], "created_at": at(created), **more}


def listed(*rows: Any, date: float = STARTED) -> Answer:
    """A list as the server has it at *date*, by its own clock."""
    return Answer(body=list(rows), headers={"Date": formatdate(date, usegmt=True)})


def methods(server: ScriptedServer) -> list[str]:
    return [request.method for request in server.requests]


@pytest.fixture
def client(make: Make) -> Driven:
    return make(settle_grace=2.0)


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


def test_does_not_choose_between_two(client: Driven, server: ScriptedServer) -> None:
    """Another process stored the same: the ids of both are told."""
    server.answer(RESET, UNKNOWN_SERVER, listed(memo("m9", 1000.3), memo("m8", 1000.2)))

    with pytest.raises(memstack.OutcomeUnknownError) as caught:
        client.create_memo("note")

    assert caught.value.outcome == "unknown"
    assert caught.value.candidates == ("m9", "m8")


def test_does_not_take_an_older_row_for_its_own(client: Driven, server: ScriptedServer) -> None:
    """By the server's clock, wherever ours stands."""
    far = 5_000_000.0
    old = memo("m1", far - 10)
    server.answer(RESET, UNKNOWN_SERVER)
    server.answer(*[listed(old, date=far + late) for late in (0, 2, 3)])
    server.answer(Answer(body=memo("m9", far + 4)))

    assert client.create_memo("note").id == "m9"


def test_does_not_take_another_calls_row_for_its_own(
    client: Driven, server: ScriptedServer
) -> None:
    """What this client stored before is known by its id."""
    first = memo("m1", 1000.0)
    server.answer(Answer(body=first), RESET, UNKNOWN_SERVER)
    server.answer(listed(memo("m2", 1000.1), first))

    assert client.create_memo("note").id == "m1"
    assert client.create_memo("note").id == "m2"


def test_does_not_guess_after_an_earlier_doubt_of_the_same_content(
    client: Driven, server: ScriptedServer
) -> None:
    """The row may be that of the call before, whose outcome is unknown."""
    server.answer(SLOW, UNKNOWN_SERVER, listed(), listed(), listed())
    server.answer(RESET, listed(memo("m9", 1003.1), date=1003))

    for _ in range(2):
        with pytest.raises(memstack.OutcomeUnknownError):
            client.create_memo("note")


@pytest.mark.parametrize(
    "answer",
    [
        Answer(403),
        Answer(body=[memo("m9", 1000.2)]),  # without the server's clock
        listed(memo("m9", 1000.2), memo("m8", 1600.0, "other")),  # rows by another clock
        listed(memo("m9", 998.0)),  # like it, and a little too old
        listed(memo("m9", 1000.2), {**memo("m8", 0), "created_at": "2026"}),
    ],
)
def test_does_not_trust_a_list_that_shows_too_little(
    client: Driven, server: ScriptedServer, answer: Answer
) -> None:
    """No list, no clock, or no order."""
    server.answer(RESET, UNKNOWN_SERVER, answer)

    with pytest.raises(memstack.MemStackError) as caught:
        client.create_memo("note")

    assert caught.value.outcome == "unknown"
    assert isinstance(caught.value, memstack.OutcomeUnknownError)


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


def test_does_not_take_a_row_of_another_scope(client: Driven, server: ScriptedServer) -> None:
    """Lists of some servers show whose an episode is."""
    row = {"id": "e1", "name": "n", "content": "x", "created_at": at(1000.2), "tenant_id": "b"}
    page = {"episodes": [row], "total": 1, "has_more": False}
    server.answer(RESET, UNKNOWN_SERVER)
    for late in (0, 2, 3):
        date = {"Date": formatdate(STARTED + late, usegmt=True)}
        server.answer(Answer(body=page, headers=date))
    server.answer(Answer(202, {"id": "e2", "status": "new"}))

    assert client.create_episode("n", "x", tenant_id="a").id == "e2"


def test_does_not_take_the_row_of_a_create_whose_answer_could_not_be_read(
    client: Driven, server: ScriptedServer
) -> None:
    """That one was stored, under an id that nobody knows."""
    server.answer(Answer(200, b"<html>"), RESET, UNKNOWN_SERVER, listed(memo("m9", 1000.2)))

    with pytest.raises(memstack.ResponseValidationError):
        client.create_memo("note")
    with pytest.raises(memstack.OutcomeUnknownError):
        client.create_memo("note")


def test_does_not_trust_a_page_that_is_shortened(client: Driven, server: ScriptedServer) -> None:
    """It says itself that there is more."""
    rows = [{"id": "e1", "name": "o", "content": "x", "created_at": at(1000.5)}]
    page = {"episodes": rows, "total": 151, "has_more": True}
    date = {"Date": formatdate(STARTED, usegmt=True)}
    server.answer(RESET, UNKNOWN_SERVER, *[Answer(body=page, headers=date)] * 2)

    with pytest.raises(memstack.OutcomeUnknownError):
        client.create_episode("n", "x")


def episodes(*numbers: int) -> Answer:
    """A whole page of episodes, of which one is stored every 10 ms; number 300 is sought."""
    rows = [
        {"id": f"e{n}", "name": "n" if n == 300 else "other", "content": "x", "created_at": at(t)}
        for n, t in ((n, 997 + n / 100) for n in numbers)
    ]
    page = {"episodes": rows, "total": 5000, "has_more": True}
    return Answer(body=page, headers={"Date": formatdate(1006, usegmt=True)})


BUSY = Answer(502, takes=6.0)
"""The create took so long that hundreds of others were stored meanwhile."""


def test_follows_pages_until_they_reach_back_to_the_create(
    client: Driven, server: ScriptedServer
) -> None:
    """Newest first; a row that came meanwhile moves the others, which the overlap shows."""
    server.answer(BUSY, UNKNOWN_SERVER)
    server.answer(episodes(*range(900, 700, -1)), episodes(*range(752, 552, -1)))
    server.answer(episodes(*range(603, 403, -1)), episodes(*range(453, 253, -1)))

    assert client.create_episode("n", "x").id == "e300"
    offsets = [request.url.params["offset"] for request in server.requests[2:]]
    assert offsets == ["0", "150", "298", "447"]


@pytest.mark.parametrize(
    "second", [range(700, 500, -1), range(900, 700, -1)], ids=["a gap", "no progress"]
)
def test_does_not_trust_pages_that_do_not_follow_each_other(
    client: Driven, server: ScriptedServer, second: range
) -> None:
    """A row was deleted meanwhile, or the server passes over the offset."""
    server.answer(BUSY, UNKNOWN_SERVER, episodes(*range(900, 700, -1)), episodes(*second))

    with pytest.raises(memstack.ServerError) as caught:
        client.create_episode("n", "x")

    assert caught.value.outcome == "unknown"


def test_two_clients_of_one_server_know_of_each_others_creates(
    make: Make, server: ScriptedServer
) -> None:
    """Neither takes the other's row for its own."""
    one, other = make(), make()
    server.answer(Answer(body=memo("m1", 1000.1)), RESET, UNKNOWN_SERVER)
    server.answer(listed(memo("m2", 1000.2), memo("m1", 1000.1)))

    assert one.create_memo("note").id == "m1"
    assert other.create_memo("note").id == "m2"


def test_claims_nothing_after_the_machine_slept(
    make: Make, server: ScriptedServer, time: FakeTime
) -> None:
    """The monotonic clock stood still, so nobody knows how long ago the call began."""
    client = make()
    hours = iter([1000.0, 1000.0, *[8200.0] * 50])
    client.client._chance = replace(client.client._chance, now=lambda: next(hours))
    server.answer(RESET, UNKNOWN_SERVER, listed(memo("m9", 1000.2), date=8200))

    with pytest.raises(memstack.OutcomeUnknownError):
        client.create_memo("note")


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


def in_doubt(client: Driven, server: ScriptedServer, call: str, *args: Any) -> Any:
    """The error of a call whose answer was lost, and that nobody could look for."""
    server.answer(SLOW, *([Answer(403)] * 2 if call.startswith("create") else [SLOW] * 3))
    with pytest.raises(memstack.OutcomeUnknownError) as caught:
        getattr(client, call)(*args)
    server.requests.clear()
    server.script.clear()
    return caught.value


def test_settle_finds_a_create_later(client: Driven, server: ScriptedServer) -> None:
    """The server was down when the client looked, and is up again."""
    error = in_doubt(client, server, "create_memo", "note")
    server.answer(UNKNOWN_SERVER, listed(memo("m9", 1000.2)))

    settlement = client.settle(error)

    assert settlement.outcome == "applied"
    assert settlement.result.id == "m9"


def test_settle_does_not_take_absence_for_proof(client: Driven, server: ScriptedServer) -> None:
    """It may come yet; ask again later."""
    error = in_doubt(client, server, "create_memo", "note")
    server.answer(UNKNOWN_SERVER, listed(), listed(memo("m9", 1000.2)))

    assert client.settle(error) == memstack.Settlement("unknown")
    assert client.settle(error).outcome == "applied"


def test_settle_tells_candidates(client: Driven, server: ScriptedServer) -> None:
    """Two rows are alike."""
    error = in_doubt(client, server, "create_memo", "note")
    server.answer(UNKNOWN_SERVER, listed(memo("m9", 1000.3), memo("m8", 1000.2)))

    assert client.settle(error) == memstack.Settlement("unknown", None, ("m9", "m8"))


def test_settle_asks_a_server_with_idempotency_keys_again(
    client: Driven, server: ScriptedServer
) -> None:
    """With the key of the first time."""
    error = in_doubt(client, server, "create_memo", "note")
    health = Answer(body={"status": "ok", "capabilities": ["idempotency-key"]})
    server.answer(health, Answer(body=MEMO))

    assert client.settle(error).result.id == "m1"
    assert server.last.headers["idempotency-key"] == error.doubt.idempotency_key


@pytest.mark.parametrize(
    ("call", "args", "answer"),
    [
        ("delete_memo", ("m1",), Answer(204)),
        ("delete_memo", ("m1",), Answer(404, {"detail": "Memo not found"})),
    ],
)
def test_settle_repeats_what_may_be_sent_twice(
    client: Driven, server: ScriptedServer, call: str, args: tuple[str, ...], answer: Answer
) -> None:
    """Then its outcome is known."""
    error = in_doubt(client, server, call, *args)
    server.answer(answer)

    assert client.settle(error).outcome == "applied"


@pytest.mark.parametrize(("content", "outcome"), [("new", "applied"), ("newer", "unknown")])
def test_settle_compares_an_update_and_does_not_repeat_it(
    client: Driven, server: ScriptedServer, content: str, outcome: str
) -> None:
    """Sent again, it might undo a later change."""
    error = in_doubt(client, server, "update_memo", "m1", "new")
    server.answer(Answer(body={**MEMO, "content": content}))

    assert client.settle(error).outcome == outcome
    assert methods(server) == ["GET"]


def test_settle_claims_nothing_for_another_process(client: Driven, server: ScriptedServer) -> None:
    """The clocks of two processes have nothing in common."""
    error = in_doubt(client, server, "create_memo", "note")
    error.doubt = replace(error.doubt, process="another")
    server.answer(UNKNOWN_SERVER)

    assert client.settle(error).outcome == "unknown"


def test_settle_refuses_what_is_not_in_doubt(client: Driven, server: ScriptedServer) -> None:
    """A refusal is final, and an error made by hand tells nothing."""
    server.answer(Answer(422))
    with pytest.raises(memstack.APIError) as caught:
        client.create_memo("note")

    for error in (caught.value, memstack.NetworkError("lost", outcome="unknown")):
        with pytest.raises(memstack.ValidationError, match=r"^settle: error: "):
            client.settle(error)


def test_a_doubt_survives_pickling(client: Driven, server: ScriptedServer) -> None:
    """An error may be settled by whoever gets it, and shows no content on its way."""
    error = in_doubt(client, server, "create_memo", "the secret plan")

    twin = pickle.loads(pickle.dumps(error))

    assert twin.doubt.operation == error.doubt.operation
    assert "secret plan" not in repr(twin.doubt)
