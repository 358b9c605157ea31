"""One client works with every generation of server, and says what that server cannot do."""

from __future__ import annotations

from typing import Any

import pytest

import memstack

from ..colours import Driven
from ..scripted import MEMO, Answer, ScriptedServer
from .generations import CURRENT_HEALTH, NO_ROUTE, V0_1_HEALTH, V0_2_HEALTH, paths


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
