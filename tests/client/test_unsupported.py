"""Arguments that a server passes over: a client warns of them, keeps quiet or raises."""

from __future__ import annotations

import warnings
from typing import Any

import httpx
import pytest

import memstack

from ..colours import Driven
from ..conftest import Make
from ..scripted import Answer, ScriptedServer
from .generations import CURRENT_HEALTH, NO_ROUTE, V0_1_HEALTH, paths

ACCEPTED = Answer(202, {"id": "e1", "status": "processing"})
V0_2_ACCEPTED = Answer(202, {"id": "e1", "status": "processing", "name": "n", "content": "x"})
NOTHING = Answer(body={"results": [], "total": 0, "query": "x"})
V0_2_NOTHING = Answer(
    body={"results": [], "total": 0, "query": "x", "filters_applied": {}, "search_metadata": {}}
)


@pytest.mark.parametrize(
    ("call", "answer", "argument"),
    [
        (lambda c: c.create_episode("n", "x", group_id="g"), V0_2_ACCEPTED, "group_id"),
        (lambda c: c.create_episode("n", "x", "json"), V0_2_ACCEPTED, "source_type"),
        (lambda c: c.search_memory("x", filters={"name": "n"}), V0_2_NOTHING, "filters"),
        (lambda c: c.search_memory("x", tenant_id="t"), V0_2_NOTHING, "tenant_id"),
        (
            lambda c: c.list_episodes(offset=5),
            Answer(body={"results": [], "total": 0}),
            "offset",
        ),
        (
            lambda c: c.search_memory("x", filters={"name": "n"}),
            Answer(
                body={
                    "results": [
                        {
                            "content": "x",
                            "score": 1.0,
                            "metadata": {"type": "entity", "uuid": "u1"},
                            "source": "entity",
                        }
                    ],
                    "total": 1,
                    "query": "x",
                }
            ),
            "filters",
        ),
    ],
)
def test_warns_once_of_an_argument_that_the_answer_shows_was_passed_over(
    client: Driven, server: ScriptedServer, call: Any, answer: Answer, argument: str
) -> None:
    """A scope that is dropped is a leak, so it is said; but not at every call."""
    server.answer(answer, answer)

    with pytest.warns(memstack.UnsupportedArgumentWarning, match=argument) as caught:
        call(client)
    call(client)

    assert len(caught) == 1


def test_a_warning_points_at_the_callers_line() -> None:
    """Not into this package."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=V0_2_NOTHING.body))
    http = httpx.Client(transport=transport)
    with (
        http,
        memstack.MemStackClient("ms_sk_test", http_client=http) as client,
        pytest.warns(memstack.UnsupportedArgumentWarning) as caught,
    ):
        client.search_memory("x", tenant_id="t")

    assert caught[0].filename == __file__


def test_does_not_warn_of_what_a_server_heeds(client: Driven, server: ScriptedServer) -> None:
    """Nor of defaults, nor where the server is not known."""
    server.answer(CURRENT_HEALTH, NOTHING, ACCEPTED, V0_2_ACCEPTED)

    client.server_info()
    client.search_memory("x", filters={"name": "n"})
    client.create_episode("n", "x", group_id="g")
    client.create_episode("n", "x")


def test_can_be_told_to_keep_quiet(make: Make, server: ScriptedServer) -> None:
    """For those who know their server."""
    server.answer(V0_2_NOTHING)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make(on_unsupported="ignore").search_memory("x", tenant_id="t")


def test_can_be_told_to_raise_before_it_sends(make: Make, server: ScriptedServer) -> None:
    """It asks an unknown server for its health, once, and only where it matters."""
    client = make(on_unsupported="raise")
    server.answer(V0_2_NOTHING, V0_2_NOTHING)
    client.search_memory("x")

    with pytest.raises(memstack.UnsupportedArgumentError, match=r"search_memory: tenant_id"):
        client.search_memory("x", tenant_id="t")

    assert paths(server) == ["/api/v1/memory/search"]


def test_asks_an_unknown_server_before_it_relies_on_a_scope(
    make: Make, server: ScriptedServer
) -> None:
    """One health check in the client's life."""
    client = make(on_unsupported="raise")
    server.answer(NO_ROUTE, V0_1_HEALTH)

    for _ in range(2):
        with pytest.raises(memstack.UnsupportedArgumentError) as caught:
            client.create_episode("n", "x", group_id="g")

    assert caught.value.outcome == "not_sent"
    assert paths(server) == ["/health", "/api/v1/health"]


def test_relies_on_a_server_that_heeds_everything(make: Make, server: ScriptedServer) -> None:
    """One more request, the first time."""
    client = make(on_unsupported="raise")
    server.answer(CURRENT_HEALTH, NOTHING, NOTHING)

    client.search_memory("x", tenant_id="t")
    client.search_memory("x", tenant_id="t")

    assert len(server.requests) == 3
