"""Waiting for an episode: what the server says of it, when it is asked, and what is not guessed."""

from __future__ import annotations

import pickle
from typing import Any

import httpx
import pytest

import memstack
from memstack import (
    MemStackError,
    ProcessingError,
    ProcessingFailedError,
    ProcessingUnknownError,
    StillProcessingError,
    operations,
)

from ..colours import Driven, FakeTime
from ..conftest import Make
from ..scripted import Answer, ScriptedServer
from .generations import CURRENT_HEALTH, NO_ROUTE, V0_1_HEALTH, V0_2_HEALTH, paths

ACCEPTED = Answer(202, {"id": "e1", "status": "processing", "message": "queued"})


def episode(status: Any = "processing", id: str = "e1", name: str = "n", **more: Any) -> Any:
    return {"id": id, "name": name, "content": "x", "status": status, **more}


def got(status: Any = "processing", **more: Any) -> Answer:
    return Answer(body=episode(status, **more))


def listed(*rows: Any) -> Answer:
    return Answer(body={"episodes": list(rows), "total": len(rows), "has_more": False})


def older(*statuses: str, name: str = "n", content: str = "x") -> Answer:
    """The list of a v0.1 server, which has no ids."""
    rows = [
        {"content": content, "score": 1.0, "metadata": {"name": name, "status": status}}
        for status in statuses
    ]
    return Answer(body={"results": rows, "total": len(rows)})


def test_looks_at_once_and_then_ever_less_often(
    client: Driven, server: ScriptedServer, time: FakeTime
) -> None:
    """Pauses double from half a second to ten."""
    server.answer(CURRENT_HEALTH, *[got()] * 7, got("completed"))

    found = client.wait_for_episode("n")

    assert found.status == "completed"
    assert time.pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    assert paths(server) == ["/health", *["/api/v1/episodes/n"] * 8]


def test_spreads_its_looks(client: Driven, server: ScriptedServer, time: FakeTime) -> None:
    """So that clients which began together do not look together."""
    time.jitter = 0.5
    server.answer(CURRENT_HEALTH, got(), got(), got("completed"))

    client.wait_for_episode("n")

    assert time.pauses == [0.25, 0.5]


def test_a_create_waits_if_it_is_asked_to(
    client: Driven, server: ScriptedServer, time: FakeTime
) -> None:
    """It returns what it would have, had the server answered when all was done."""
    server.answer(ACCEPTED, CURRENT_HEALTH, got(), got("completed"))

    created = client.create_episode("n", "x", wait=True)

    assert (created.id, created.status, created.message) == ("e1", "completed", None)
    assert time.pauses == [0.5]


def test_a_create_that_is_done_costs_no_look(local: Driven, client: Driven) -> None:
    """As the embedded server's always are."""
    assert local.create_episode("n", "x", wait=True).status == "completed"
    assert local.wait_for_episode("n").content == "x"


def test_a_create_does_not_wait_unless_it_is_asked_to(
    client: Driven, server: ScriptedServer
) -> None:
    """It is one request, as ever."""
    server.answer(ACCEPTED)

    assert client.create_episode("n", "x").status == "processing"
    assert len(server.requests) == 1


def test_send_raw_keeps_the_answer_to_the_create(client: Driven, server: ScriptedServer) -> None:
    """With the result of the wait."""
    server.answer(ACCEPTED, CURRENT_HEALTH, got("completed"))

    response = client.send_raw(operations.create_episode("n", "x", wait=5))

    assert (response.status_code, response.result.status) == (202, "completed")
    assert b'"processing"' in response.content


@pytest.mark.parametrize("wait", [-1, float("nan"), "yes", None, 2e9])
def test_refuses_a_time_that_is_none(client: Driven, wait: Any) -> None:
    """Before the episode is sent."""
    with pytest.raises(memstack.ValidationError, match=r"^create_episode: wait: must be"):
        client.create_episode("n", "x", wait=wait)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("",), "name"),
        ((5,), "name"),
        (("n", ""), "id"),
        (("n", 5), "id"),
    ],
)
def test_refuses_what_names_no_episode(client: Driven, arguments: Any, named: str) -> None:
    """Nothing is sent."""
    with pytest.raises(memstack.ValidationError, match=rf"^wait_for_episode: {named}: must be"):
        client.wait_for_episode(*arguments)
    with pytest.raises(memstack.ValidationError, match=r"^wait_for_episode: timeout: must be"):
        client.wait_for_episode("n", timeout=-1)


def still(client: Driven, server: ScriptedServer) -> StillProcessingError:
    server.answer(ACCEPTED, CURRENT_HEALTH, *[got()] * 4)
    with pytest.raises(StillProcessingError, match=r"still processing after 3 s") as caught:
        client.create_episode("n", "x", wait=3)
    return caught.value


def test_says_that_it_is_still_processing_when_the_time_is_over(
    client: Driven, server: ScriptedServer, time: FakeTime
) -> None:
    """After a last look at the end; the episode is there, so nobody need create it again."""
    error = still(client, server)

    assert time.pauses == [0.5, 1.0, 1.5]
    assert (error.outcome, error.status) == ("applied", "processing")
    assert error.created.id == "e1"


def test_an_error_has_all_that_it_takes_to_go_on(
    make: Make, server: ScriptedServer, time: FakeTime
) -> None:
    """In another process, too."""
    error = pickle.loads(pickle.dumps(still(make(), server)))
    assert isinstance(error, ProcessingError)
    server.answer(got("processing"), got("completed"))
    server.script.insert(0, CURRENT_HEALTH)

    found = make().wait_for_episode(error.episode_name, error.episode_id)

    assert (found.id, found.status) == ("e1", "completed")


def test_looks_once_if_there_is_no_time(
    client: Driven, server: ScriptedServer, time: FakeTime
) -> None:
    """`timeout=0` asks how far it is."""
    server.answer(CURRENT_HEALTH, got())

    with pytest.raises(StillProcessingError):
        client.wait_for_episode("n", timeout=0)

    assert time.pauses == []


def test_waits_for_ever_if_it_is_told_to(
    client: Driven, server: ScriptedServer, time: FakeTime
) -> None:
    """`timeout=None`."""
    server.answer(CURRENT_HEALTH, *[got()] * 60, got("completed"))

    assert client.wait_for_episode("n", timeout=None).status == "completed"
    assert sum(time.pauses) > 500


def test_tells_a_failure_from_a_long_wait(client: Driven, server: ScriptedServer) -> None:
    """Waiting longer would not help; the episode was accepted all the same."""
    server.answer(ACCEPTED, CURRENT_HEALTH, got(), got("failed"))

    with pytest.raises(ProcessingFailedError, match=r"could not process it$") as caught:
        client.create_episode("n", "x", wait=True)

    assert (caught.value.outcome, caught.value.status) == ("applied", "failed")
    assert caught.value.created.id == "e1"


def test_a_create_may_fail_at_once(client: Driven, server: ScriptedServer) -> None:
    """The answer says so."""
    server.answer(Answer(202, {"id": "e1", "status": "failed"}))

    with pytest.raises(ProcessingFailedError):
        client.create_episode("n", "x", wait=True)


@pytest.mark.parametrize("body", [episode("unknown"), episode("digesting"), episode("")])
def test_does_not_guess_what_a_word_means(
    client: Driven, server: ScriptedServer, body: Any
) -> None:
    """It is told at once, with the word."""
    server.answer(CURRENT_HEALTH, Answer(body=body))

    with pytest.raises(ProcessingUnknownError, match="does not tell how far it is") as caught:
        client.wait_for_episode("n")

    assert caught.value.status == body["status"]


def test_does_not_guess_where_there_is_no_word(client: Driven, server: ScriptedServer) -> None:
    """The `processing` of the model is only its default."""
    server.answer(CURRENT_HEALTH, Answer(body={"name": "n", "content": "x"}))

    with pytest.raises(ProcessingUnknownError) as caught:
        client.wait_for_episode("n")

    assert caught.value.status is None


def test_asks_v0_2_for_the_list_and_says_that_it_does_not_tell(
    client: Driven, server: ScriptedServer
) -> None:
    """Its get_episode answers 500, and its list has no status but `unknown`."""
    accepted = {**episode(), "message": "queued"}
    row = {"uuid": "e1", "name": "n", "content": "x", "status": "unknown"}
    server.answer(Answer(202, accepted), listed(row))

    with pytest.raises(ProcessingUnknownError, match="'unknown'") as caught:
        client.create_episode("n", "x", wait=True)

    assert paths(server) == ["/api/v1/episodes/", "/api/v1/episodes/"]
    assert caught.value.created.id == "e1"


def test_finds_out_what_server_it_is_before_it_waits(
    client: Driven, server: ScriptedServer
) -> None:
    """Or each look would be a 500, asked for four times."""
    row = episode("unknown")
    server.answer(V0_2_HEALTH, listed(row))

    with pytest.raises(ProcessingUnknownError):
        client.wait_for_episode("n", "e1")

    assert paths(server) == ["/health", "/api/v1/episodes/"]


def test_waits_on_v0_1_by_its_list(client: Driven, server: ScriptedServer, time: FakeTime) -> None:
    """It has no get_episode; its list tells `Processing`, then `Synced`, and no ids."""
    server.answer(ACCEPTED, NO_ROUTE, V0_1_HEALTH)
    server.answer(older("Processing"), older("Synced"))

    assert client.create_episode("n", "x", wait=True).status == "completed"
    assert time.pauses == [0.5]


def test_waits_for_all_that_are_alike_where_lists_have_no_ids(
    client: Driven, server: ScriptedServer, time: FakeTime
) -> None:
    """Any of them may be the one."""
    server.answer(ACCEPTED, NO_ROUTE, V0_1_HEALTH)
    server.answer(older("Synced", "Processing"), older("Synced", "Synced"))

    client.create_episode("n", "x", wait=True)

    assert len(time.pauses) == 1


def test_does_not_guess_which_of_those_alike_has_failed(
    client: Driven, server: ScriptedServer
) -> None:
    """One of them is done, the other failed, and no list tells which is which."""
    server.answer(ACCEPTED, NO_ROUTE, V0_1_HEALTH, older("Synced", "Failed"))

    with pytest.raises(ProcessingUnknownError, match="several are like it"):
        client.create_episode("n", "x", wait=True)


def test_says_so_where_a_cut_list_does_not_show_it(
    client: Driven, server: ScriptedServer, time: FakeTime
) -> None:
    """v0.1 lists its newest 200 and no others: it may be done and further down."""
    server.answer(ACCEPTED, NO_ROUTE, V0_1_HEALTH)
    server.answer(*[older(*["Synced"] * 200, name="other")] * 2)

    with pytest.raises(ProcessingUnknownError, match="not among the newest"):
        client.create_episode("n", "x", wait=0.5)


def test_waits_for_the_one_of_its_id(client: Driven, server: ScriptedServer) -> None:
    """A newer one may have the same name: then the list is asked."""
    server.answer(CURRENT_HEALTH, got("completed", id="e2"))
    server.answer(listed(episode("completed", id="e2"), episode("processing")))
    server.answer(got("completed", id="e2"))
    server.answer(listed(episode("completed", id="e2"), episode("completed")))

    assert client.wait_for_episode("n", "e1").id == "e1"
    assert len(server.requests) == 5


@pytest.mark.parametrize("name", ["a/b", "a\nb", ".."])
def test_waits_for_a_name_that_no_path_holds(
    client: Driven, server: ScriptedServer, name: str
) -> None:
    """By the list."""
    server.answer(CURRENT_HEALTH, listed(episode("completed", name=name)))

    assert client.wait_for_episode(name).name == name


def test_waits_until_it_is_there(client: Driven, server: ScriptedServer, time: FakeTime) -> None:
    """What was accepted may be listed only later."""
    gone = Answer(404, {"detail": "Episode not found"})
    server.answer(ACCEPTED, CURRENT_HEALTH, gone, gone, got("completed"))

    assert client.create_episode("n", "x", wait=True).status == "completed"


def test_says_that_there_is_no_such_episode(client: Driven, server: ScriptedServer) -> None:
    """A name alone tells of none that was accepted."""
    server.answer(CURRENT_HEALTH, Answer(404, {"detail": "Episode not found"}))

    with pytest.raises(memstack.NotFoundError, match=r"^wait_for_episode: .* is not there"):
        client.wait_for_episode("n")


def test_an_id_that_never_comes_is_unknown(client: Driven, server: ScriptedServer) -> None:
    """It may be listed later, and it may have been deleted."""
    gone = Answer(404, {"detail": "Episode not found"})
    server.answer(CURRENT_HEALTH, gone, gone)

    with pytest.raises(ProcessingUnknownError, match="not there within"):
        client.wait_for_episode("n", "e1", timeout=0.5)


@pytest.mark.parametrize("creates", [True, False])
def test_says_that_it_was_deleted_meanwhile(
    client: Driven, server: ScriptedServer, creates: bool
) -> None:
    """After a create that is no error of the create."""
    gone = Answer(404, {"detail": "Episode not found"})
    if creates:
        server.answer(ACCEPTED)
    server.answer(CURRENT_HEALTH, got(), gone)
    kind = ProcessingUnknownError if creates else memstack.NotFoundError
    operation = client.create_episode if creates else client.wait_for_episode

    with pytest.raises(kind, match="is not there any more") as caught:
        operation("n", **({"content": "x", "wait": True} if creates else {}))

    assert not creates or caught.value.outcome == "applied"


@pytest.mark.parametrize(
    "failure", [httpx.ConnectError("refused"), Answer(401), Answer(503), Answer(200, b"<html>")]
)
def test_a_failed_look_is_no_failed_create(
    make: Make, server: ScriptedServer, failure: Any
) -> None:
    """Whatever it is: the error says that the episode was accepted, and has its id."""
    client = make(max_retries=0)
    server.answer(ACCEPTED, CURRENT_HEALTH, failure)

    with pytest.raises(ProcessingUnknownError, match="could not be asked") as caught:
        client.create_episode("n", "x", wait=True)

    assert (caught.value.outcome, caught.value.created.id) == ("applied", "e1")
    assert isinstance(caught.value.__cause__, MemStackError)


def test_a_failed_create_does_not_wait(client: Driven, server: ScriptedServer) -> None:
    """There is nothing to wait for."""
    server.answer(Answer(422, {"detail": "no"}))

    with pytest.raises(memstack.UnprocessableEntityError):
        client.create_episode("n", "x", wait=True)


def test_a_look_ends_with_the_wait(make: Make, server: ScriptedServer, time: FakeTime) -> None:
    """On a server that hangs: not with the last of its attempts."""
    client = make(timeout=60.0)
    server.answer(ACCEPTED, CURRENT_HEALTH, got(), Answer(503, takes=30.0))

    with pytest.raises(StillProcessingError):
        client.create_episode("n", "x", wait=20)

    assert time.clock - 1000.0 < 60.0
    assert server.script == []


def test_settling_a_create_does_not_wait(make: Make, server: ScriptedServer) -> None:
    """It tells what became of it."""
    client = make(max_retries=0)
    server.answer(CURRENT_HEALTH)
    client.server_info()
    client.client._server.honours_keys = True
    server.answer(httpx.ReadError("reset"), ACCEPTED)

    with pytest.raises(memstack.OutcomeUnknownError) as caught:
        client.create_episode("n", "x", wait=True)

    assert client.settle(caught.value).result.status == "processing"
