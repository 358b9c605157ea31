"""What each method sends, and what it gives back."""

from __future__ import annotations

import uuid
from datetime import datetime, timezone
from typing import Any

import pytest

import memstack
from memstack import operations

from ..colours import Driven
from ..conftest import Make
from ..scripted import MEMO, SEARCH, Answer, ScriptedServer

EPISODE = {"id": "e1", "name": "Alice", "content": "Alice loves hiking."}
ACCEPTED = {"id": "e1", "status": "processing", "message": None, "created_at": None}
API_KEY = {
    "key_id": "k1",
    "key": "ms_sk_canary",
    "name": "dashboard",
    "created_at": "2026-05-01T09:30:02Z",
    "expires_at": None,
    "permissions": ["read"],
}
PAGE = {"episodes": [EPISODE], "total": 1, "limit": 50, "offset": 0, "has_more": False}

CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any], str, str, Any, Any, Any]] = [
    # method, arguments, keyword arguments, what is sent: method, target, body; answer, result
    (
        "create_episode",
        ("Alice", "Alice loves hiking.", "conversation", "chat", "g1", {"n": 1}),
        {"project_id": "p1", "tenant_id": "t1", "user_id": "u1"},
        "POST",
        "/api/v1/episodes/",
        {
            "name": "Alice",
            "content": "Alice loves hiking.",
            "source_type": "conversation",
            "source_description": "chat",
            "group_id": "g1",
            "metadata": {"n": 1},
            "project_id": "p1",
            "tenant_id": "t1",
            "user_id": "u1",
        },
        (202, ACCEPTED),
        memstack.EpisodeResponse(id="e1", status="processing"),
    ),
    (
        "list_episodes",
        (5, 10),
        {"project_id": "p 1", "tenant_id": "t&1", "user_id": "ü"},
        "GET",
        "/api/v1/episodes/?limit=5&offset=10&project_id=p%201&tenant_id=t%261&user_id=%C3%BC",
        None,
        (200, PAGE),
        memstack.EpisodePage.model_validate(PAGE),
    ),
    (
        "get_episode",
        ("Alice on hiking",),
        {},
        "GET",
        "/api/v1/episodes/Alice%20on%20hiking",
        None,
        (200, EPISODE),
        memstack.Episode.model_validate(EPISODE),
    ),
    (
        "delete_episode",
        ("名前",),
        {},
        "DELETE",
        "/api/v1/episodes/%E5%90%8D%E5%89%8D",
        None,
        (200, {"status": "success"}),
        None,
    ),
    (
        "search_memory",
        ("hiking", 5, "t1", {"group_id": "g1"}),
        {"project_id": "p1", "user_id": "u1"},
        "POST",
        "/api/v1/memory/search",
        {
            "query": "hiking",
            "limit": 5,
            "tenant_id": "t1",
            "project_id": "p1",
            "user_id": "u1",
            "filters": {"group_id": "g1"},
        },
        (200, SEARCH),
        memstack.MemoryResponse(results=[], total=0, query="hiking"),
    ),
    (
        "create_api_key",
        ("dashboard", ["read"], 30),
        {},
        "POST",
        "/api/v1/auth/keys",
        {"name": "dashboard", "permissions": ["read"], "expires_in_days": 30},
        (200, API_KEY),
        memstack.APIKey.model_validate(API_KEY),
    ),
    (
        "list_api_keys",
        (),
        {},
        "GET",
        "/api/v1/auth/keys",
        None,
        (200, [API_KEY]),
        [memstack.APIKey.model_validate(API_KEY)],
    ),
    ("revoke_api_key", ("k1",), {}, "DELETE", "/api/v1/auth/keys/k1", None, (204, None), None),
    (
        "create_memo",
        ("note", "PUBLIC", ("a", "b")),
        {},
        "POST",
        "/api/v1/memos",
        {"content": "note", "visibility": "PUBLIC", "tags": ["a", "b"]},
        (200, MEMO),
        memstack.Memo.model_validate(MEMO),
    ),
    (
        "list_memos",
        (),
        {},
        "GET",
        "/api/v1/memos?limit=20&offset=0",
        None,
        (200, [MEMO]),
        [memstack.Memo.model_validate(MEMO)],
    ),
    (
        "get_memo",
        ("m1",),
        {},
        "GET",
        "/api/v1/memos/m1",
        None,
        (200, MEMO),
        memstack.Memo.model_validate(MEMO),
    ),
    (
        "update_memo",
        ("m1", "new", "PUBLIC", []),
        {},
        "PATCH",
        "/api/v1/memos/m1",
        {"content": "new", "visibility": "PUBLIC", "tags": []},
        (200, MEMO),
        memstack.Memo.model_validate(MEMO),
    ),
    ("delete_memo", ("m1",), {}, "DELETE", "/api/v1/memos/m1", None, (204, None), None),
    ("health_check", (), {}, "GET", "/health", None, (200, {"status": "ok"}), {"status": "ok"}),
]


@pytest.mark.parametrize(
    ("name", "args", "kwargs", "method", "target", "body", "answer", "result"),
    CALLS,
    ids=[call[0] for call in CALLS],
)
def test_sends_what_the_api_asks_for_and_reads_the_answer(
    client: Driven,
    server: ScriptedServer,
    name: str,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    method: str,
    target: str,
    body: Any,
    answer: tuple[int, Any],
    result: Any,
) -> None:
    """Method, path, query and body of every operation."""
    server.answer(Answer(*answer))

    actual = getattr(client, name)(*args, **kwargs)

    assert actual == result
    assert (server.last.method, server.last.url.raw_path.decode()) == (method, target)
    assert (server.sent if server.last.content else None) == body


def test_covers_every_method() -> None:
    """A method that is added is added to the table too."""
    described = {name for name in operations.__all__ if name != "Operation"}

    assert {call[0] for call in CALLS} == described


def test_sends_the_headers_of_every_request(client: Driven, server: ScriptedServer) -> None:
    """Who asks, with what, and which call it is."""
    server.answer(Answer(body=MEMO))

    client.create_memo("note")

    headers = server.last.headers
    assert headers["authorization"] == "Bearer ms_sk_test"
    assert headers["user-agent"] == f"memstack-python/{memstack.__version__}"
    assert headers["content-type"] == "application/json"
    assert headers["x-retry-count"] == "0"
    ids = [uuid.UUID(headers[name]) for name in ("x-request-id", "idempotency-key")]
    assert [(str(id), id.version, id.variant) for id in ids] == [
        (headers[name], 4, uuid.RFC_4122) for name in ("x-request-id", "idempotency-key")
    ]


def test_makes_a_new_idempotency_key_for_each_call(client: Driven, server: ScriptedServer) -> None:
    """Sending one operation twice is two calls; reads have no such key."""
    server.answer(Answer(body=MEMO), Answer(body=MEMO), Answer(body=MEMO))
    note = operations.create_memo("note")

    client.send(note)
    client.send(note)
    client.get_memo("m1")

    keys = [request.headers.get("idempotency-key") for request in server.requests]
    assert len({keys[0], keys[1], None}) == 3
    assert keys[2] is None


def test_sends_the_callers_idempotency_key(client: Driven, server: ScriptedServer) -> None:
    """A process that starts anew can ask for the same thing again."""
    server.answer(Answer(body=MEMO))

    client.create_memo("note", idempotency_key="job-7")

    assert server.last.headers["idempotency-key"] == "job-7"


def test_keeps_the_path_of_the_base_url(make: Make, server: ScriptedServer) -> None:
    """Every operation goes below it."""
    server.answer(Answer(body=MEMO))

    make("https://memstack.test/mount/").get_memo("a b")

    assert str(server.last.url) == "https://memstack.test/mount/api/v1/memos/a%20b"


def test_sends_a_moment_in_utc_or_with_its_zone(client: Driven, server: ScriptedServer) -> None:
    """valid_at is when the episode happened."""
    server.answer(Answer(202, ACCEPTED))

    client.create_episode("n", "x", valid_at=datetime(2026, 5, 1, tzinfo=timezone.utc))

    assert datetime.fromisoformat(server.sent["valid_at"]).isoformat() == (
        "2026-05-01T00:00:00+00:00"
    )


def test_gives_the_raw_answer_on_request(client: Driven, server: ScriptedServer) -> None:
    """Status, headers, body, request id and attempts of a successful call."""
    server.answer(Answer(body=MEMO, headers={"X-Request-ID": "srv-1", "X-Other": "1"}, takes=0.5))

    response = client.send_raw(operations.get_memo("m1"))

    assert response.result == memstack.Memo.model_validate(MEMO)
    assert response.status_code == 200
    assert response.headers["x-other"] == "1"
    assert b"trail map" in response.content
    assert response.request_id == "srv-1"
    assert [(a.status, a.elapsed, a.pause) for a in response.attempts] == [(200, 0.5, None)]


def test_an_unknown_field_of_a_key_is_not_shown() -> None:
    """It may be the key under a newer name."""
    key = memstack.APIKey.model_validate({**API_KEY, "api_key": "ms_sk_canary"})

    assert "canary" not in repr(key) + str(key)


def test_masks_a_created_key_in_every_repr(client: Driven, server: ScriptedServer) -> None:
    """The key is there to be read, not to be logged."""
    server.answer(Answer(body=API_KEY))

    response = client.send_raw(operations.create_api_key("dashboard", ["read"]))

    assert response.result.key == "ms_sk_canary"
    assert "canary" not in repr(response) + repr(response.result) + str(response.result)
