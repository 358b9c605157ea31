"""`settle`: what became of a call is asked later, with its error."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import pytest

import memstack

from ..colours import Driven
from ..scripted import MEMO, Answer, ScriptedServer
from .doubts import SLOW, UNKNOWN_SERVER, listed, memo, methods, patient

client = patient


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
