"""Which row of a list a doubtful create may be, and which lists tell nothing."""

from __future__ import annotations

from dataclasses import replace
from email.utils import formatdate

import pytest

import memstack

from ..colours import Driven, FakeTime
from ..conftest import Make
from ..scripted import Answer, ScriptedServer
from .doubts import RESET, SLOW, STARTED, UNKNOWN_SERVER, at, listed, memo, patient

client = patient


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


def test_does_not_trust_a_page_that_is_shortened(client: Driven, server: ScriptedServer) -> None:
    """It says itself that there is more."""
    rows = [{"id": "e1", "name": "o", "content": "x", "created_at": at(1000.5)}]
    page = {"episodes": rows, "total": 151, "has_more": True}
    date = {"Date": formatdate(STARTED, usegmt=True)}
    server.answer(RESET, UNKNOWN_SERVER, *[Answer(body=page, headers=date)] * 2)

    with pytest.raises(memstack.OutcomeUnknownError):
        client.create_episode("n", "x")


def episodes(*numbers: int, total: int = 5000, more: bool = True) -> Answer:
    """A page of episodes, of which one is stored every 10 ms; number 300 is sought."""
    rows = [
        {"id": f"e{n}", "name": "n" if n == 300 else "other", "content": "x", "created_at": at(t)}
        for n, t in ((n, 997 + n / 100) for n in numbers)
    ]
    page = {"episodes": rows, "total": total, "has_more": more}
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


def test_follows_pages_to_the_end_of_a_list_that_grows(
    client: Driven, server: ScriptedServer
) -> None:
    """What came on top meanwhile is counted in the total, and is not missing below."""
    server.answer(BUSY, UNKNOWN_SERVER, episodes(*range(520, 320, -1), total=221))
    server.answer(episodes(*range(375, 299, -1), total=226, more=False))

    assert client.create_episode("n", "x").id == "e300"


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
