"""One client works with every generation of server, and says what that server cannot do."""

from __future__ import annotations

import warnings
from typing import Any

import httpx
import pytest

import memstack

from ..colours import Driven
from ..conftest import Make
from ..scripted import MEMO, Answer, ScriptedServer

NO_ROUTE = Answer(404, {"detail": "Not Found"})
V0_1_HEALTH = Answer(body={"status": "healthy"})
V0_2_HEALTH = Answer(body={"status": "ok", "version": "0.2.0"})
CURRENT_HEALTH = Answer(body={"status": "ok", "version": "0.1.0", "capabilities": ["filters"]})
ACCEPTED = Answer(202, {"id": "e1", "status": "processing"})
V0_2_ACCEPTED = Answer(202, {"id": "e1", "status": "processing", "name": "n", "content": "x"})
NOTHING = Answer(body={"results": [], "total": 0, "query": "x"})
V0_2_NOTHING = Answer(
    body={"results": [], "total": 0, "query": "x", "filters_applied": {}, "search_metadata": {}}
)


def paths(server: ScriptedServer) -> list[str]:
    return [request.url.path for request in server.requests]


def test_looks_for_memos_at_their_other_path_once(client: Driven, server: ScriptedServer) -> None:
    """A router's 404 leads there, and the client remembers: one more request in its life."""
    server.answer(NO_ROUTE, Answer(body=MEMO), Answer(body=[MEMO]), Answer(204))

    response = client.send_raw(memstack.operations.get_memo("m1"))
    client.list_memos()
    client.with_options(timeout=5).delete_memo("m1")

    assert paths(server) == ["/api/v1/memos/m1", "/memos/m1", "/memos", "/memos/m1"]
    assert [attempt.status for attempt in response.attempts] == [404, 200]
    assert server.requests[1].headers["x-retry-count"] == "0"


def test_a_create_goes_to_the_other_path_with_its_key(
    client: Driven, server: ScriptedServer
) -> None:
    """The router's 404 did nothing, so a create may follow."""
    server.answer(NO_ROUTE, Answer(body=MEMO))

    client.create_memo("note")

    first, second = server.requests
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.content == second.content


def test_comes_back_when_the_other_path_is_gone(client: Driven, server: ScriptedServer) -> None:
    """A server may be upgraded while a client lives."""
    server.answer(NO_ROUTE, Answer(body=MEMO), NO_ROUTE, Answer(body=MEMO), Answer(body=MEMO))

    for _ in range(3):
        client.get_memo("m1")

    assert paths(server)[1:] == ["/memos/m1", "/memos/m1", "/api/v1/memos/m1", "/api/v1/memos/m1"]


def test_does_not_look_elsewhere_for_a_thing_that_is_not_found(
    client: Driven, server: ScriptedServer
) -> None:
    """Only the exact text of a router means that there is no such path."""
    server.answer(Answer(404, {"detail": "Memo not found"}))

    with pytest.raises(memstack.NotFoundError, match="Memo not found") as caught:
        client.get_memo("m1")

    assert type(caught.value) is memstack.NotFoundError
    assert len(server.requests) == 1


def test_says_that_a_server_does_not_have_an_operation(
    client: Driven, server: ScriptedServer
) -> None:
    """Neither at its path nor at another."""
    server.answer(NO_ROUTE, NO_ROUTE, NO_ROUTE)

    with pytest.raises(memstack.UnsupportedOperationError, match="does not have"):
        client.get_episode("n")
    with pytest.raises(memstack.UnsupportedOperationError) as caught:
        client.list_memos()

    assert paths(server) == ["/api/v1/episodes/n", "/api/v1/memos", "/memos"]
    assert caught.value.path == "/memos"
    assert caught.value.outcome == "rejected"


def test_a_missing_route_is_no_deleted_memo(client: Driven, server: ScriptedServer) -> None:
    """After a lost answer a 404 means gone, but not a router's 404."""
    server.answer(Answer(503), NO_ROUTE, NO_ROUTE)

    with pytest.raises(memstack.UnsupportedOperationError):
        client.delete_memo("m1")


@pytest.mark.parametrize(
    ("answers", "generation", "missing"),
    [
        ([NO_ROUTE, V0_1_HEALTH], "v0.1", ("get_episode", "delete_episode")),
        ([V0_2_HEALTH], "v0.2", ()),
        ([CURRENT_HEALTH], "current", ()),
        ([Answer(body={"status": "fine"})], None, ()),
    ],
)
def test_tells_what_kind_of_server_it_is(
    client: Driven,
    server: ScriptedServer,
    answers: list[Answer],
    generation: str | None,
    missing: tuple[str, ...],
) -> None:
    """Its generation, version and capabilities, and what it lacks."""
    server.answer(*answers)

    info = client.server_info()

    assert (info.generation, info.missing) == (generation, missing)
    assert len(server.requests) == len(answers)


def test_tells_what_v0_2_breaks_and_ignores(client: Driven, server: ScriptedServer) -> None:
    """By operation and argument, with what it means."""
    server.answer(V0_2_HEALTH)

    info = client.server_info()

    assert "500" in info.broken["create_memo"]
    assert "filters" in info.ignored["search_memory"]
    assert info.version == "0.2.0"


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


def test_reads_the_list_of_v0_1(client: Driven, server: ScriptedServer) -> None:
    """The facts lie in metadata there, and nine digits follow the second."""
    item = {
        "content": "Frank works at Initech",
        "score": 1.0,
        "metadata": {
            "type": "episode",
            "source_type": "text",
            "name": "Scoped",
            "project_id": "p1",
            "created_at": "2026-11-22T17:33:01.477440123+00:00",
            "status": "Synced",
        },
        "source": "episode",
    }
    server.answer(Answer(body={"results": [item], "total": 1}))

    page = client.list_episodes()

    (episode,) = page.episodes
    assert (episode.id, episode.name, episode.content) == (
        None,
        "Scoped",
        "Frank works at Initech",
    )
    assert episode.created_at.isoformat() == "2026-11-22T17:33:01.477440+00:00"
    assert (page.total, page.has_more, page.offset) == (1, None, None)


def test_reads_the_list_of_v0_2(client: Driven, server: ScriptedServer) -> None:
    """A time that is a database's internals is None, and kept."""
    internals = {"_DateTime__date": {"_Date__year": 2026}}
    item = {"uuid": "e1", "name": "n", "content": "x", "created_at": internals}
    server.answer(
        Answer(body={"episodes": [item], "total": 1, "limit": 50, "offset": 0, "has_more": False})
    )

    (episode,) = client.list_episodes().episodes

    assert (episode.id, episode.created_at) == ("e1", None)
    assert episode.unparsed == {"created_at": internals}


@pytest.mark.parametrize(
    "result",
    [
        {"id": "r1", "type": "relation", "metadata": {}},
        {"uuid": "r1", "type": "relationship", "metadata": {}},
        {"source": "relationship", "metadata": {"uuid": "r1"}},
        {"metadata": {"uuid": "r1", "type": "relationship"}},
    ],
)
def test_reads_a_search_result_of_every_generation(
    client: Driven, server: ScriptedServer, result: dict[str, Any]
) -> None:
    """Id and type under any of their names."""
    body = {"results": [{"content": "x", "score": 2, **result}], "total": 1, "query": "x"}
    server.answer(Answer(body=body))

    (found,) = client.search_memory("x").results

    assert (found.id, found.type, found.score) == ("r1", "relation", 2.0)
