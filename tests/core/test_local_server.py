"""Every operation and every error of the embedded server, straight through `handle`."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from memstack._version import __version__
from memstack._wire import AsyncTransport, Transport, WireRequest, WireResponse
from memstack.exceptions import MemStackError, ValidationError
from memstack.local import AsyncLocalTransport, EmbeddedServer, LocalTransport, schema

EPISODES = "/api/v1/episodes/"
SEARCH = "/api/v1/memory/search"
KEYS = "/api/v1/auth/keys"
MEMOS = "/api/v1/memos"

EPISODE = {"name": "Alice", "content": "Alice loves hiking."}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")

Ask = Callable[..., WireResponse]


@pytest.fixture(params=["memory", "file"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(tmp_path / "memory.db" if request.param == "file" else None) as server:
        yield server


def ask(
    server: EmbeddedServer,
    method: str,
    target: str,
    body: object = None,
    key: str | None = None,
    **headers: str,
) -> WireResponse:
    """The answer to one request; *body* is sent as it is if it is bytes, else as JSON."""
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
    sent = {
        "Authorization": f"Bearer {key or server.owner_key}",
        "Content-Type": "application/json",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return server.handle(WireRequest(method, target, sent, body, None))


def told(response: WireResponse) -> Any:
    """What an answer says."""
    return json.loads(response.body)


def made(server: EmbeddedServer, target: str, body: object, **headers: str) -> Any:
    """What became of something made."""
    response = ask(server, "POST", target, body, **headers)
    assert response.status in (200, 202), response.body
    return told(response)


def key_with(server: EmbeddedServer, *permissions: str) -> str:
    key: str = made(server, KEYS, {"name": "k", "permissions": permissions})["key"]
    return key


# Health


def test_health_needs_no_key(server: EmbeddedServer) -> None:
    """The version and capabilities are told to anyone."""
    response = server.handle(WireRequest("GET", "/health", {}, None, None))

    assert response.status == 200
    assert told(response) == {
        "status": "ok",
        "version": __version__,
        "capabilities": ["idempotency-key", "filters"],
    }


# Episodes


def test_episode_is_stored_with_all_its_fields(server: EmbeddedServer) -> None:
    """What was sent comes back, with times in UTC."""
    sent = {
        "name": "Alice / 王芳?",
        "content": "likes hiking",
        "source_type": "conversation",
        "source_description": "chat",
        "group_id": "g",
        "metadata": {"a": [1, {"b": None}], "ü": 2**70},
        "project_id": "p",
        "tenant_id": "t",
        "user_id": "u",
        "valid_at": "2026-05-01T09:30:00+02:00",
        "unknown": "left out",
    }

    answer = made(server, EPISODES, sent)
    (stored,) = told(ask(server, "GET", EPISODES))["episodes"]

    del sent["unknown"]
    assert answer["status"] == "completed"
    assert MOMENT.fullmatch(answer["created_at"])
    assert stored == {
        **sent,
        "id": answer["id"],
        "valid_at": "2026-05-01T07:30:00.000000Z",
        "created_at": answer["created_at"],
        "status": "completed",
    }


def test_episode_without_valid_at_happened_when_it_came(server: EmbeddedServer) -> None:
    """valid_at is created_at then, and what was not given is null."""
    made(server, EPISODES, EPISODE)

    stored = told(ask(server, "GET", EPISODES + "Alice"))

    assert stored["valid_at"] == stored["created_at"]
    assert stored["source_type"] == "text"
    assert stored["metadata"] is stored["group_id"] is None


def test_newest_episode_of_a_name_is_shown(server: EmbeddedServer) -> None:
    """Of several episodes of one name get_episode shows the last."""
    for content in ("first", "second"):
        made(server, EPISODES, {"name": "a b/é".replace("/", "-"), "content": content})

    assert told(ask(server, "GET", EPISODES + "a%20b-%C3%A9"))["content"] == "second"


def test_deleting_a_name_removes_every_episode_of_it(server: EmbeddedServer) -> None:
    """All of the name go, others stay, and a second time is 404."""
    for name in ("Alice", "Bob", "Alice"):
        made(server, EPISODES, {**EPISODE, "name": name})

    response = ask(server, "DELETE", EPISODES + "Alice")

    assert response.status == 200
    assert told(response) == {
        "status": "success",
        "message": "Episode 'Alice' deleted successfully",
    }
    assert [e["name"] for e in told(ask(server, "GET", EPISODES))["episodes"]] == ["Bob"]
    for method in ("GET", "DELETE"):
        again = ask(server, method, EPISODES + "Alice")
        assert (again.status, told(again)) == (404, {"detail": "Episode not found"})


def test_episodes_are_listed_newest_first_in_pages(server: EmbeddedServer) -> None:
    """limit and offset walk through all; has_more says whether more follow."""
    for i in range(5):
        made(server, EPISODES, {**EPISODE, "name": str(i)})

    pages = [told(ask(server, "GET", f"{EPISODES}?limit=2&offset={i}")) for i in (0, 2, 4, 9)]

    assert ["".join(e["name"] for e in page["episodes"]) for page in pages] == ["43", "21", "0", ""]
    assert [page["has_more"] for page in pages] == [True, True, False, False]
    assert {page["total"] for page in pages} == {5}
    assert (pages[1]["limit"], pages[1]["offset"]) == (2, 2)


@pytest.mark.parametrize("field", ["project_id", "tenant_id", "user_id"])
def test_list_of_episodes_keeps_to_its_scope(server: EmbeddedServer, field: str) -> None:
    """A scope shows and counts what equals it."""
    for value in ("one &=é", "two", None):
        made(server, EPISODES, {**EPISODE, field: value})

    page = told(ask(server, "GET", f"{EPISODES}?{field}=one+%26%3D%C3%A9&unknown=1"))

    assert page["total"] == 1
    assert [e[field] for e in page["episodes"]] == ["one &=é"]


def test_times_never_hide_the_order_of_writing(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written within one tick of the clock is still listed newest first."""
    moment = datetime.fromisoformat("2026-05-01T00:00:00+00:00")
    monkeypatch.setattr("memstack.local.episodes.now", lambda: moment)
    monkeypatch.setattr("memstack.local.memos.now", lambda: moment)
    for i in range(20):
        made(server, EPISODES, {**EPISODE, "name": str(i)})
        made(server, MEMOS, {"content": str(i)})

    newest_first = [str(i) for i in reversed(range(20))]
    assert [e["name"] for e in told(ask(server, "GET", EPISODES))["episodes"]] == newest_first
    assert [memo["content"] for memo in told(ask(server, "GET", MEMOS))] == newest_first


# Memos


def test_memo_is_made_read_changed_and_deleted(server: EmbeddedServer) -> None:
    """The life of a memo."""
    memo = made(server, MEMOS, {"content": "Ask Alice", "visibility": "PUBLIC", "tags": ["a", "ü"]})
    target = f"{MEMOS}/{memo['id']}"

    assert MOMENT.fullmatch(memo["created_at"])
    assert memo["updated_at"] is None
    assert (memo["visibility"], memo["tags"]) == ("PUBLIC", ["a", "ü"])
    assert told(ask(server, "GET", target)) == memo
    assert told(ask(server, "GET", MEMOS)) == [memo]

    changed = told(ask(server, "PATCH", target, {"tags": []}))
    assert MOMENT.fullmatch(changed["updated_at"])
    assert changed == {**memo, "tags": [], "updated_at": changed["updated_at"]}

    deleted = ask(server, "DELETE", target)
    assert (deleted.status, deleted.body) == (204, b"")
    assert told(ask(server, "GET", MEMOS)) == []


def test_memo_has_defaults(server: EmbeddedServer) -> None:
    """A memo is private and has no tags unless it says so."""
    memo = made(server, MEMOS, {"content": "x"})

    assert (memo["visibility"], memo["tags"]) == ("PRIVATE", [])


@pytest.mark.parametrize("change", [{}, {"content": None, "visibility": None, "tags": None}])
def test_null_leaves_a_memo_as_it_is(server: EmbeddedServer, change: object) -> None:
    """A field that is null or absent stays, and nothing counts as changed."""
    memo = made(server, MEMOS, {"content": "x", "tags": ["t"]})

    assert told(ask(server, "PATCH", f"{MEMOS}/{memo['id']}", change)) == memo


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_unknown_memo_is_not_found(server: EmbeddedServer, method: str) -> None:
    """An id that no memo has is 404."""
    response = ask(server, method, MEMOS + "/nothing", {} if method == "PATCH" else None)

    assert (response.status, told(response)) == (404, {"detail": "Memo not found"})


def test_memos_are_listed_in_pages(server: EmbeddedServer) -> None:
    """limit and offset choose a part, newest first."""
    for i in range(5):
        made(server, MEMOS, {"content": str(i)})

    assert [m["content"] for m in told(ask(server, "GET", MEMOS + "?limit=2&offset=1"))] == [
        "3",
        "2",
    ]


def test_one_file_is_one_user(tmp_path: Path) -> None:
    """The user of a file's memos is the same after it was closed; another file has another."""
    users = []
    for name in ("one.db", "one.db", "two.db"):
        with EmbeddedServer(tmp_path / name) as server:
            users.append(made(server, MEMOS, {"content": "x"})["user_id"])

    assert users[0] == users[1] != users[2]


# Keys


def test_key_is_shown_once(server: EmbeddedServer) -> None:
    """The answer that makes a key holds it; a list shows asterisks, newest first."""
    first = made(server, KEYS, {"name": "a", "permissions": ["read"]})
    second = made(server, KEYS, {"name": "b", "permissions": ["write"], "expires_in_days": 30})

    assert first["key"].startswith("ms_sk_")
    assert first["expires_at"] is None
    assert (_moment(second["expires_at"]) - _moment(second["created_at"])).days == 30
    listed = told(ask(server, "GET", KEYS))
    assert [item.pop("key").strip("*") for item in listed] == ["", ""]
    assert listed == [{k: v for k, v in key.items() if k != "key"} for key in (second, first)]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def test_revoked_key_works_no_longer(server: EmbeddedServer) -> None:
    """A key works until it is revoked; revoking it again is 404."""
    key = made(server, KEYS, {"name": "a", "permissions": ["read"]})
    target = f"{KEYS}/{key['key_id']}"

    assert ask(server, "GET", MEMOS, key=key["key"]).status == 200
    assert ask(server, "DELETE", target).status == 204
    refused = ask(server, "GET", MEMOS, key=key["key"])
    assert (refused.status, told(refused)) == (401, {"detail": "Invalid API key"})
    again = ask(server, "DELETE", target)
    assert (again.status, told(again)) == (404, {"detail": "API key not found"})


@pytest.mark.parametrize(
    ("permission", "may"),
    [("read", {"read"}), ("write", {"write"}), ("admin", {"read", "write"})],
)
def test_key_may_do_what_it_is_permitted(
    server: EmbeddedServer, permission: str, may: set[str]
) -> None:
    """`read` is to get and search, `write` the rest, `admin` both; otherwise 403."""
    key = key_with(server, permission)
    memo = f"{MEMOS}/nothing"
    needs: dict[str, list[tuple[str, str, object]]] = {
        "read": [
            ("GET", EPISODES, None),
            ("GET", EPISODES + "x", None),
            ("POST", SEARCH, {"query": "x"}),
            ("GET", KEYS, None),
            ("GET", MEMOS, None),
            ("GET", memo, None),
        ],
        "write": [
            ("POST", EPISODES, EPISODE),
            ("DELETE", EPISODES + "x", None),
            ("POST", KEYS, {"name": "x", "permissions": ["write"]}),
            ("DELETE", KEYS + "/x", None),
            ("POST", MEMOS, {"content": "x"}),
            ("PATCH", memo, {}),
            ("DELETE", memo, None),
        ],
    }

    for need, requests in needs.items():
        for method, target, body in requests:
            response = ask(server, method, target, body, key=key)
            if need in may:
                assert response.status in (200, 202, 204, 404), (method, target)
            else:
                detail = f"This API key has no '{need}' permission"
                assert (response.status, told(response)) == (403, {"detail": detail})


@pytest.mark.parametrize("wanted", ["read", "admin"])
def test_key_hands_out_no_permission_that_it_lacks(server: EmbeddedServer, wanted: str) -> None:
    """Else `write` would be as good as `admin`."""
    key = key_with(server, "write")

    refused = ask(server, "POST", KEYS, {"name": "x", "permissions": ["write", wanted]}, key=key)

    assert refused.status == 403
    assert wanted in told(refused)["detail"]


def test_an_answer_is_repeated_only_to_whoever_got_it(server: EmbeddedServer) -> None:
    """The answer to another's create_api_key holds a secret."""
    body = {"name": "x", "permissions": ["write"]}
    once = {"idempotency_key": "setup-1"}
    own = ask(server, "POST", KEYS, body, **once)

    other = ask(server, "POST", KEYS, body, key=key_with(server, "write"), **once)

    assert other.status == 200
    assert told(other)["key_id"] != told(own)["key_id"]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such file modes")
def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    """It holds what people said, and a secret."""
    path = tmp_path / "memory.db"
    EmbeddedServer(path).close()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_expired_key_is_refused(tmp_path: Path) -> None:
    """A key works up to its last moment, and then says that it has expired."""
    path = tmp_path / "memory.db"
    with EmbeddedServer(path) as server:
        body = {"name": "k", "permissions": ["read"], "expires_in_days": 1}
        key = made(server, KEYS, body)["key"]
        assert ask(server, "GET", MEMOS, key=key).status == 200
        _sql(path, "UPDATE api_keys SET expires_at = '2026-01-01T00:00:00.000000Z'")

        response = ask(server, "GET", MEMOS, key=key)

    assert (response.status, told(response)) == (401, {"detail": "API key has expired"})


def _sql(path: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(statement).fetchall()


def test_no_secret_is_stored(tmp_path: Path) -> None:
    """Neither the owner's key nor one that was made can be read from the file."""
    path = tmp_path / "memory.db"
    with EmbeddedServer(path) as server:
        owner = server.owner_key
        keys = [
            key_with(server, "read"),
            made(server, KEYS, {"name": "k", "permissions": ["read"]}, Idempotency_Key="i")["key"],
        ]

    content = path.read_bytes()
    assert not [key for key in (owner, *keys) if key.removeprefix("ms_sk_").encode() in content]
    assert b"ms_sk_" not in content


@pytest.mark.parametrize(
    ("authorization", "detail"),
    [
        (None, "Missing API key. Please provide an API key in the Authorization header."),
        ("", "Missing API key. Please provide an API key in the Authorization header."),
        ("Bearer sk-1", "Invalid API key format. API keys should start with 'ms_sk_'"),
        ("bearer ms_sk_x", "Invalid API key format. API keys should start with 'ms_sk_'"),
        ("Basic ms_sk_x", "Invalid API key format. API keys should start with 'ms_sk_'"),
        ("ms_sk_x", "Invalid API key format. API keys should start with 'ms_sk_'"),
        ("Bearer ms_sk_unknown", "Invalid API key"),
        ("Bearer ms_sk_\ud800é\0", "Invalid API key"),
    ],
)
def test_key_that_cannot_be_used_is_refused_before_the_body(
    server: EmbeddedServer, authorization: str | None, detail: str
) -> None:
    """401, with the text of deployed servers, whatever the body holds."""
    headers = {} if authorization is None else {"authorization": authorization}

    response = server.handle(WireRequest("POST", MEMOS, headers, b"{", None))

    assert (response.status, told(response)) == (401, {"detail": detail})
    assert response.headers["www-authenticate"] == "Bearer"


def test_owner_key_with_a_space_after_it_is_another(server: EmbeddedServer) -> None:
    """A key is compared as a whole."""
    assert ask(server, "GET", MEMOS, key=server.owner_key + " x").status == 401
    assert ask(server, "GET", MEMOS, key=server.owner_key[:-1]).status == 401


# Idempotency


@pytest.mark.parametrize(
    ("target", "body"),
    [
        (EPISODES, {**EPISODE, "metadata": {"a": 1, "b": 2}}),
        (MEMOS, {"content": "x"}),
        (KEYS, {"name": "k", "permissions": ["read"]}),
    ],
)
def test_creation_is_applied_once_and_answered_alike(
    server: EmbeddedServer, target: str, body: object
) -> None:
    """The same Idempotency-Key gets the same answer, marked, and makes nothing."""
    first = ask(server, "POST", target, body, Idempotency_Key="one")
    again = ask(server, "POST", target, body, Idempotency_Key="one")
    other = ask(server, "POST", target, body, Idempotency_Key="two")

    assert (again.status, told(again)) == (first.status, told(first))
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert told(other) != told(first)
    listed = told(ask(server, "GET", target))
    assert len(listed["episodes"] if target == EPISODES else listed) == 2


def test_created_key_that_was_answered_again_works(server: EmbeddedServer) -> None:
    """The key is not stored, and yet the repeated answer holds it."""
    body = {"name": "k", "permissions": ["read"]}
    for _ in range(2):
        key = made(server, KEYS, body, Idempotency_Key="one")["key"]

    assert ask(server, "GET", MEMOS, key=key).status == 200


def test_derived_keys_differ_between_files() -> None:
    """The same Idempotency-Key makes another API key in another file."""
    body = {"name": "k", "permissions": ["read"]}
    with EmbeddedServer() as one, EmbeddedServer() as two:
        keys = [made(server, KEYS, body, Idempotency_Key="same")["key"] for server in (one, two)]

    assert keys[0] != keys[1]


def test_answer_is_repeated_after_the_thing_was_deleted(server: EmbeddedServer) -> None:
    """What was made and deleted is not made a second time."""
    memo = made(server, MEMOS, {"content": "x"}, Idempotency_Key="one")
    ask(server, "DELETE", f"{MEMOS}/{memo['id']}")

    assert made(server, MEMOS, {"content": "x"}, Idempotency_Key="one") == memo
    assert told(ask(server, "GET", MEMOS)) == []


def test_answer_is_repeated_after_the_file_was_closed(tmp_path: Path) -> None:
    """A process that starts again can ask what became of its request."""
    bodies = []
    for _ in range(2):
        with EmbeddedServer(tmp_path / "memory.db") as server:
            body = {"name": "k", "permissions": ["read"]}
            bodies.append(made(server, KEYS, body, Idempotency_Key="one"))

    assert bodies[0] == bodies[1]


def test_idempotency_key_with_another_body_is_refused(server: EmbeddedServer) -> None:
    """422 in words; the order of fields and what is ignored make no other body."""
    made(server, MEMOS, {"content": "x", "tags": []}, Idempotency_Key="one")

    response = ask(server, "POST", MEMOS, {"content": "y"}, Idempotency_Key="one")

    assert response.status == 422
    assert isinstance(told(response)["detail"], str)
    made(server, MEMOS, {"unknown": 1, "tags": [], "content": "x"}, Idempotency_Key="one")
    for metadata in ({"a": 1, "b": 2}, {"b": 2, "a": 1}):
        made(server, EPISODES, {**EPISODE, "metadata": metadata}, Idempotency_Key="two")


def test_idempotency_key_belongs_to_one_operation(server: EmbeddedServer) -> None:
    """Two operations may use the same."""
    made(server, MEMOS, {"content": "x"}, Idempotency_Key="one")

    assert ask(server, "POST", EPISODES, EPISODE, Idempotency_Key="one").status == 202


def test_refused_creation_does_not_use_up_its_key(server: EmbeddedServer) -> None:
    """An Idempotency-Key is remembered only with what was applied."""
    assert ask(server, "POST", MEMOS, {}, Idempotency_Key="one").status == 422

    made(server, MEMOS, {"content": "x"}, Idempotency_Key="one")


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256, "a\nb"])
def test_malformed_idempotency_key_is_refused(server: EmbeddedServer, key: str) -> None:
    """1 to 255 visible ASCII characters, or 422."""
    response = ask(server, "POST", MEMOS, {"content": "x"}, Idempotency_Key=key)

    assert response.status == 422
    assert told(response)["detail"][0]["loc"] == ["header", "Idempotency-Key"]


def test_threads_that_send_the_same_creation_make_one(server: EmbeddedServer) -> None:
    """One of them applies it, the others repeat its answer."""

    def send(_: int) -> WireResponse:
        return ask(server, "POST", MEMOS, {"content": "x"}, Idempotency_Key="one")

    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(send, range(32)))

    assert len({response.body for response in responses}) == 1
    assert sum("idempotency-replayed" in response.headers for response in responses) == 31
    assert len(told(ask(server, "GET", MEMOS))) == 1


# Requests that make no sense


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "",
        "*",
        "//health",
        "/health/",
        "/Health",
        "/api/v1/episodes",
        "/api/v1/memos/",
        "/api/v1/memos/a/b",
        "/api/v1/auth%2Fkeys",
        "/api/v1/auth/keys/",
        "http://host/health",
        "/api/v1/memos/é",
        "/api/v1/\ud800",
    ],
)
def test_unknown_route_is_not_found(server: EmbeddedServer, target: str) -> None:
    """404 with the words of deployed servers, key or not."""
    response = server.handle(WireRequest("GET", target, {}, None, None))

    assert (response.status, response.body) == (404, b'{"detail":"Not Found"}')


@pytest.mark.parametrize(
    ("method", "target", "allow"),
    [
        ("HEAD", "/health", "GET"),
        ("POST", "/health", "GET"),
        ("PUT", MEMOS, "POST, GET"),
        ("get", MEMOS, "POST, GET"),
        ("PUT", MEMOS + "/x", "GET, PATCH, DELETE"),
        ("GET", KEYS + "/x", "DELETE"),
        ("GET", SEARCH, "POST"),
        ("OPTIONS", EPISODES + "x", "GET, DELETE"),
    ],
)
def test_other_method_is_not_allowed(
    server: EmbeddedServer, method: str, target: str, allow: str
) -> None:
    """405 with the methods that are, key or not."""
    response = server.handle(WireRequest(method, target, {}, None, None))

    assert (response.status, told(response)) == (405, {"detail": "Method Not Allowed"})
    assert response.headers["allow"] == allow


@pytest.mark.parametrize(
    "segment",
    ["a%2Fb", "a%5Cb", "%00", "a%0Ab", "%7F", "%C2%80", ".", "..", "%2E%2E", "%FF", "%ED%A0%80"],
)
@pytest.mark.parametrize("path", [EPISODES, MEMOS + "/"])
def test_path_segment_that_names_nothing_is_refused(
    server: EmbeddedServer, path: str, segment: str
) -> None:
    """A slash, a control character, a dot or broken UTF-8 in a name is 422, and no other route."""
    response = ask(server, "GET", path + segment)

    assert response.status == 422
    assert told(response)["detail"][0]["loc"][0] == "path"


@pytest.mark.parametrize(
    ("target", "name", "kind"),
    [
        (MEMOS + "?limit=0", "limit", "greater_than_equal"),
        (MEMOS + "?limit=1001", "limit", "less_than_equal"),
        (MEMOS + "?limit=abc", "limit", "int_parsing"),
        (MEMOS + "?limit=", "limit", "int_parsing"),
        (MEMOS + "?limit=1.0", "limit", "int_parsing"),
        (MEMOS + "?limit=1_0", "limit", "int_parsing"),
        (MEMOS + "?limit=%EF%BC%91", "limit", "int_parsing"),
        (MEMOS + "?limit=" + "9" * 5000, "limit", "int_parsing"),
        (MEMOS + "?offset=-1", "offset", "greater_than_equal"),
        (MEMOS + "?offset=2147483648", "offset", "less_than_equal"),
        (MEMOS + "?limit=5&limit=0", "limit", "greater_than_equal"),
        (EPISODES + "?limit=201", "limit", "less_than_equal"),
        (EPISODES + "?tenant_id=", "tenant_id", "string_too_short"),
        (EPISODES + "?project_id=%00", "project_id", "value_error"),
    ],
)
def test_bad_query_parameter_is_refused(
    server: EmbeddedServer, target: str, name: str, kind: str
) -> None:
    """422, which says where, what was sent and which rule it breaks."""
    response = ask(server, "GET", target)

    assert response.status == 422
    (detail,) = told(response)["detail"]
    assert (detail["loc"], detail["type"]) == (["query", name], kind)
    assert isinstance(detail["input"], str)


def test_query_that_is_not_utf8_is_refused(server: EmbeddedServer) -> None:
    """422, not a guess."""
    assert ask(server, "GET", EPISODES + "?tenant_id=%FF").status == 422


@pytest.mark.parametrize(
    ("target", "body", "loc", "kind"),
    [
        (EPISODES, {"name": "x"}, ["content"], "missing"),
        (EPISODES, {**EPISODE, "content": None}, ["content"], "string_type"),
        (EPISODES, {**EPISODE, "content": 5}, ["content"], "string_type"),
        (EPISODES, {**EPISODE, "content": ""}, ["content"], "string_too_short"),
        (EPISODES, {**EPISODE, "content": "a\0"}, ["content"], "value_error"),
        (EPISODES, {**EPISODE, "source_type": "pigeon"}, ["source_type"], "literal_error"),
        (EPISODES, {**EPISODE, "metadata": "no"}, ["metadata"], "dict_type"),
        (EPISODES, {**EPISODE, "metadata": {"a": ["\0"]}}, ["metadata"], "value_error"),
        (EPISODES, {**EPISODE, "valid_at": "2026-05-01T09:30:00"}, ["valid_at"], "timezone_aware"),
        (EPISODES, {**EPISODE, "valid_at": "0001-01-01T00:00:00+14:00"}, ["valid_at"], None),
        (EPISODES, {**EPISODE, "valid_at": "9999-12-31T23:59:59-14:00"}, ["valid_at"], None),
        (SEARCH, {"query": ""}, ["query"], "string_too_short"),
        (SEARCH, {"query": "x", "limit": 0}, ["limit"], "greater_than_equal"),
        (SEARCH, {"query": "x", "limit": 101}, ["limit"], "less_than_equal"),
        (SEARCH, {"query": "x", "limit": "5"}, ["limit"], "int_type"),
        (SEARCH, {"query": "x", "limit": 1.5}, ["limit"], None),
        (SEARCH, {"query": "x", "limit": True}, ["limit"], "int_type"),
        (SEARCH, {"query": "x", "filters": []}, ["filters"], "dict_type"),
        (KEYS, {"name": "k", "permissions": []}, ["permissions"], "too_short"),
        (KEYS, {"name": "k", "permissions": ["fly"]}, ["permissions", 0], "literal_error"),
        (
            KEYS,
            {"name": "k", "permissions": ["read"], "expires_in_days": 36501},
            ["expires_in_days"],
            "less_than_equal",
        ),
        (MEMOS, {"content": "x", "visibility": "SECRET"}, ["visibility"], "literal_error"),
        (MEMOS, {"content": "x", "tags": None}, ["tags"], "list_type"),
        (MEMOS, {"content": "x", "tags": ["", "a"]}, ["tags", 0], "string_too_short"),
        (MEMOS, [], [], "model_type"),
        (MEMOS, "x", [], "model_type"),
    ],
)
def test_bad_body_is_refused(
    server: EmbeddedServer, target: str, body: object, loc: list[object], kind: str | None
) -> None:
    """422, which says where and which rule is broken; nothing is stored."""
    response = ask(server, "POST", target, body)

    assert response.status == 422
    (detail,) = told(response)["detail"]
    assert detail["loc"] == ["body", *loc]
    assert kind is None or detail["type"] == kind
    assert detail["msg"]
    if target != SEARCH:
        listed = told(ask(server, "GET", target))
        assert not (listed["episodes"] if target == EPISODES else listed)


@pytest.mark.parametrize(
    "body",
    [
        None,
        b"",
        b"{",
        b'{"content": "x",}',
        b'{"content": "x"} x',
        b'{"content": "x", "n": NaN}',
        b'{"content": "x", "n": Infinity}',
        b'{"content": "x", "n": "\\ud800"}',
        b'{"content": "\xff"}',
        b'\xef\xbb\xbf{"content": "x"}',
        b'{"content": "x", "n": ' + b"1" * 10_000 + b"}",
        b'{"content": "x", "n": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        '{"content": "x"}'.encode("utf-16"),
    ],
)
def test_body_that_is_no_json_is_refused(server: EmbeddedServer, body: bytes | None) -> None:
    """422 at the body; the whole of it is not sent back."""
    response = ask(server, "POST", MEMOS, body)

    assert response.status == 422
    (detail,) = told(response)["detail"]
    assert detail["loc"] == ["body"]
    assert "input" not in detail


@pytest.mark.parametrize(
    ("value", "status"), [("1e999", 422), ("1e-999", 202), ("1e308", 202), ("-0.0", 202)]
)
def test_number_out_of_range_in_metadata(server: EmbeddedServer, value: str, status: int) -> None:
    """A number that would be infinite is refused like NaN; the others are stored."""
    body = f'{{"name": "n", "content": "c", "metadata": {{"a": {value}}}}}'

    assert ask(server, "POST", EPISODES, body.encode()).status == status


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("Application/JSON", 200),
        ("application/problem+json", 200),
        ("text/plain", 422),
        ("application/json, application/json", 422),
        ("application/jsonx", 422),
        ("\0", 422),
        ("", 422),
    ],
)
def test_body_must_be_declared_as_json(
    server: EmbeddedServer, content_type: str, status: int
) -> None:
    """A body of another type is not read."""
    response = ask(server, "POST", MEMOS, {"content": "x"}, Content_Type=content_type)

    assert response.status == status


def test_body_without_a_type_is_json(server: EmbeddedServer) -> None:
    """As deployed servers have it."""
    headers = {"authorization": f"Bearer {server.owner_key}"}

    response = server.handle(WireRequest("POST", MEMOS, headers, b'{"content": "x"}', None))

    assert response.status == 200


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = st.dictionaries(
    st.sampled_from(
        """
        name content source_type group_id metadata valid_at tenant_id query limit filters
        permissions expires_in_days visibility tags
        """.split()
    ),
    _JSON,
)
_PATHS = st.sampled_from([EPISODES, SEARCH, KEYS, MEMOS, EPISODES + "a", MEMOS + "/a", "/"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(["GET", "POST", "PATCH", "DELETE"]) | st.text(),
    path=_PATHS,
    rest=st.text(),
    body=_FIELDS.map(lambda fields: json.dumps(fields).encode()) | st.binary() | st.none(),
    headers=st.dictionaries(
        st.sampled_from(["Content-Type", "Idempotency-Key", "X-Request-ID", "accept"]), st.text()
    ),
)
@pytest.mark.parametrize("server", ["memory"], indirect=True)
def test_no_request_is_a_fault_of_the_server(
    server: EmbeddedServer,
    method: str,
    path: str,
    rest: str,
    body: bytes | None,
    headers: dict[str, str],
) -> None:
    """Whatever comes is answered, in JSON and not with a 500."""
    sent = {"authorization": f"Bearer {server.owner_key}", **headers}

    for target in (path, path + rest, f"{path}?limit={rest}"):
        response = server.handle(WireRequest(method, target, sent, body, None))
        assert response.status < 500
        assert response.status == 204 or json.loads(response.body) is not None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
)
@pytest.mark.parametrize("server", ["memory"], indirect=True)
def test_any_text_is_kept_as_it_is(server: EmbeddedServer, content: str) -> None:
    """What an episode says comes back to the letter."""
    made(server, EPISODES, {"name": "a", "content": content, "metadata": {content: content}})

    stored = told(ask(server, "GET", EPISODES + "a"))

    assert (stored["content"], stored["metadata"]) == (content, {content: content})


# Answers


def test_answer_is_json_in_utf8(server: EmbeddedServer) -> None:
    """Text is not escaped, and header names are in lower case."""
    response = ask(server, "POST", MEMOS, {"content": "王芳 é 😀"})

    assert "王芳 é 😀" in response.body.decode()
    assert response.headers["content-type"] == "application/json"
    assert list(response.headers) == [name.lower() for name in response.headers]


def test_request_id_is_repeated(server: EmbeddedServer) -> None:
    """An answer carries the id of its request, also an error and an empty one."""
    for method, target in (("GET", "/health"), ("GET", "/nothing"), ("DELETE", MEMOS + "/x")):
        assert ask(server, method, target, X_Request_ID="id-1").headers["x-request-id"] == "id-1"


@pytest.mark.parametrize("given", [None, "", "a b", "x" * 256, "a\r\nset-cookie: b"])
def test_request_without_a_good_id_gets_one(server: EmbeddedServer, given: str | None) -> None:
    """The server makes an id where there is none, or one that cannot be repeated."""
    headers = {} if given is None else {"X_Request_ID": given}

    ids = {ask(server, "GET", "/health", **headers).headers["x-request-id"] for _ in range(2)}

    assert len(ids) == 2
    assert all(re.fullmatch(r"[0-9a-f-]{36}", made_id) for made_id in ids)


def test_bug_is_answered_with_500_and_logged_without_content(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No exception leaves `handle`; the log tells the place, and nothing of the request."""

    secret = "-".join(["my", "secret"])  # Source lines are in the log, so none may hold it.

    def fail(*_: object) -> None:
        raise RuntimeError(f"with {secret} in it")

    monkeypatch.setattr("memstack.local.memos.create", fail)
    with caplog.at_level(logging.ERROR, logger="memstack.local"):
        response = ask(server, "POST", MEMOS, {"content": secret}, X_Request_ID="id-1")

    assert (response.status, told(response)) == (
        500,
        {"detail": "Internal server error", "status_code": 500},
    )
    assert "RuntimeError" in caplog.text
    assert "id-1" in caplog.text
    assert secret not in caplog.text
    assert server.owner_key not in caplog.text


def test_failed_write_leaves_nothing_behind(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that fails half way is undone, its Idempotency-Key included."""
    with monkeypatch.context() as patched:
        patched.setattr("memstack.local.index.add", lambda *_: 1 / 0)
        assert ask(server, "POST", EPISODES, EPISODE, Idempotency_Key="one").status == 500

    assert told(ask(server, "GET", EPISODES))["total"] == 0
    assert ask(server, "POST", EPISODES, EPISODE, Idempotency_Key="one").status == 202


# The server as an object


def test_owner_key_is_random_or_given() -> None:
    """Without one a key is made; a given one works."""
    with EmbeddedServer() as one, EmbeddedServer() as two, EmbeddedServer(owner_key="ms_sk_x") as x:
        assert one.owner_key.startswith("ms_sk_")
        assert one.owner_key != two.owner_key
        assert ask(x, "GET", MEMOS, key="ms_sk_x").status == 200


@pytest.mark.parametrize("key", ["", "ms_sk_", "sk_1", "ms_sk_a b", "ms_sk_é", " ms_sk_a"])
def test_owner_key_that_is_none_is_refused(key: str) -> None:
    """The error names the argument, and does not quote what may be a secret."""
    with pytest.raises(ValidationError, match="owner_key") as caught:
        EmbeddedServer(owner_key=key)

    assert not key or key not in caught.value.message.replace("'ms_sk_'", "")


def test_repr_shows_the_path_and_no_key(tmp_path: Path) -> None:
    """A repr may go to a log."""
    with EmbeddedServer() as memory, EmbeddedServer(tmp_path / "m.db") as file:
        assert repr(memory) == "<EmbeddedServer in memory>"
        assert repr(file) == f"<EmbeddedServer {tmp_path / 'm.db'}>"
        assert repr(LocalTransport(file)) == f"<LocalTransport to {file!r}>"
        assert repr(AsyncLocalTransport(file)) == f"<AsyncLocalTransport to {file!r}>"


def test_closed_server_answers_503(server: EmbeddedServer) -> None:
    """Closing twice is fine; what comes later is told so."""
    server.close()
    server.close()

    for target in ("/health", MEMOS):
        response = ask(server, "GET", target)
        assert response.status == 503
        assert "closed" in told(response)["detail"]


def test_closing_waits_for_requests_at_work(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that has begun is answered in full."""
    begun, go_on = threading.Event(), threading.Event()

    def slow(*_: object) -> Any:
        begun.set()
        assert go_on.wait(10)
        raise ZeroDivisionError  # Any answer of its own will do.

    monkeypatch.setattr("memstack.local.memos.page", slow)
    with ThreadPoolExecutor(2) as pool:
        answer = pool.submit(ask, server, "GET", MEMOS)
        assert begun.wait(10)
        closed = pool.submit(server.close)
        assert not closed.done()
        go_on.set()

        assert answer.result(10).status == 500
        closed.result(10)


def test_file_keeps_what_memory_loses(tmp_path: Path) -> None:
    """A file has it after it was closed, without side files; memory is new each time."""
    for path, kept in ((tmp_path / "m.db", 1), (None, 0)):
        with EmbeddedServer(path) as server:
            made(server, MEMOS, {"content": "x"})
        with EmbeddedServer(path) as server:
            assert len(told(ask(server, "GET", MEMOS))) == kept
    assert [item.name for item in tmp_path.iterdir()] == ["m.db"]


def test_relative_path_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that comes after a change of folder opens the same file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    with EmbeddedServer("m.db") as server, ThreadPoolExecutor(1) as pool:
        monkeypatch.chdir(tmp_path / "sub")
        assert pool.submit(ask, server, "POST", MEMOS, {"content": "x"}).result().status == 200
        assert len(told(ask(server, "GET", MEMOS))) == 1


def test_thread_that_ends_leaves_no_connection(tmp_path: Path) -> None:
    """A thousand threads one after the other do not hold a thousand files open."""
    with EmbeddedServer(tmp_path / "m.db") as server:
        open_before = _open_files()
        for _ in range(50):
            thread = threading.Thread(target=ask, args=(server, "GET", MEMOS))
            thread.start()
            thread.join()

        assert _open_files() - open_before <= 3


def _open_files() -> int:
    folder = "/proc/self/fd"
    if not os.path.isdir(folder):
        pytest.skip("only Linux tells which files are open")
    return len(os.listdir(folder))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (".", "folder"),
        ("missing/m.db", "not a folder"),
        ("text.db/m.db", "not a folder"),
        ("text.db", "not a MemStack database"),
        ("other.db", "another program's"),
        ("", "no file"),
        (":memory:", "no file"),
        ("a\0b", "no file"),
        (b"m.db", "bytes"),
        (5, "int"),
    ],
)
def test_path_that_cannot_be_a_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: Any, message: str
) -> None:
    """The error names the argument and says what to do; what is there stays as it is."""
    monkeypatch.chdir(tmp_path)
    Path("text.db").write_text("Dear diary, " * 1000)
    _sql(Path("other.db"), "CREATE TABLE diary (day)")
    before = {item.name: item.read_bytes() for item in tmp_path.iterdir()}

    with pytest.raises(ValidationError, match=rf"path: .*{message}"):
        EmbeddedServer(path)

    assert {item.name: item.read_bytes() for item in tmp_path.iterdir()} == before


def test_file_that_cannot_be_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite opens such a file for reading; that is found at once, not at the first write."""
    path = tmp_path / "m.db"
    EmbeddedServer(path).close()
    real = sqlite3.connect

    def readonly(name: str, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = real(f"file:{name}?mode=ro", uri=True, **options)
        return connection

    # As root, which tests often run as, no permission stops a write.
    monkeypatch.setattr("sqlite3.connect", readonly)
    with pytest.raises(ValidationError, match=r"path: .* cannot be written"):
        EmbeddedServer(path)


def test_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    """The error says to upgrade, and not a byte is changed."""
    path = tmp_path / "m.db"
    EmbeddedServer(path).close()
    _sql(path, f"PRAGMA user_version = {schema.SCHEMA_VERSION + 1}")
    before = path.read_bytes()

    with pytest.raises(MemStackError, match="newer memstack-sdk"):
        EmbeddedServer(path)

    assert path.read_bytes() == before


def test_file_tells_what_it_is(tmp_path: Path) -> None:
    """WAL, an application id and a schema version."""
    path = tmp_path / "m.db"
    EmbeddedServer(path).close()

    assert _sql(path, "PRAGMA journal_mode") == [("wal",)]
    assert _sql(path, "PRAGMA application_id") == [(0x4D656D53,)]
    assert _sql(path, "PRAGMA user_version") == [(schema.SCHEMA_VERSION,)]
    assert _sql(path, "PRAGMA integrity_check") == [("ok",)]


def test_empty_file_becomes_a_memory(tmp_path: Path) -> None:
    """As `tempfile` makes them."""
    path = tmp_path / "m.db"
    path.touch()

    with EmbeddedServer(path) as server:
        assert ask(server, "POST", MEMOS, {"content": "x"}).status == 200


def test_sqlite_without_fts5_is_named() -> None:
    """The error says what is missing, and where to get it."""

    def no_virtual_tables(action: int, *_: object) -> int:
        return sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_CREATE_VTABLE else sqlite3.SQLITE_OK

    with closing(sqlite3.connect(":memory:")) as connection:
        connection.set_authorizer(no_virtual_tables)
        with pytest.raises(MemStackError, match="FTS5"):
            schema.require_fts5(connection)


def test_busy_file_is_answered_with_503(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program that holds the file for too long makes the server unavailable, not broken."""
    path = tmp_path / "m.db"
    monkeypatch.setattr("memstack.local.opening.PATIENCE", 0.01)
    with EmbeddedServer(path) as server, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")

        response = ask(server, "POST", MEMOS, {"content": "x"})
        other.rollback()

        assert (response.status, told(response)) == (503, {"detail": "The database is busy"})
        assert response.headers["retry-after"] == "1"
        assert ask(server, "POST", MEMOS, {"content": "x"}).status == 200


# Transports


def test_transport_answers_and_closes_the_server() -> None:
    """A client sends through it as over HTTP."""
    transport: Transport = LocalTransport(server := EmbeddedServer())

    assert transport.send(WireRequest("GET", "/health", {}, None, 1.0)).status == 200
    transport.close()
    assert ask(server, "GET", "/health").status == 503


def test_async_transport_works_in_several_loops_and_closes_the_server(tmp_path: Path) -> None:
    """One loop after the other may use it, with many calls at once."""
    server = EmbeddedServer(tmp_path / "m.db")
    transport: AsyncTransport = AsyncLocalTransport(server)
    headers = {"authorization": f"Bearer {server.owner_key}"}
    request = WireRequest("POST", MEMOS, headers, b'{"content": "x"}', None)

    async def twenty() -> list[WireResponse]:
        return await asyncio.gather(*(transport.send(request) for _ in range(20)))

    responses = asyncio.run(twenty()) + asyncio.run(twenty())
    assert {response.status for response in responses} == {200}
    assert len(told(ask(server, "GET", MEMOS + "?limit=100"))) == 40
    asyncio.run(transport.close())
    assert ask(server, "GET", "/health").status == 503


def test_cancelled_call_corrupts_nothing(tmp_path: Path) -> None:
    """What a cancelled call wrote is all there or not at all, and the next call works."""
    with EmbeddedServer(tmp_path / "m.db") as server:
        transport = AsyncLocalTransport(server)
        headers = {"authorization": f"Bearer {server.owner_key}"}
        request = WireRequest("POST", EPISODES, headers, json.dumps(EPISODE).encode(), None)

        async def cancel_some() -> None:
            calls = [asyncio.create_task(transport.send(request)) for _ in range(20)]
            await asyncio.sleep(0)
            for call in calls[::2]:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)

        asyncio.run(cancel_some())

        stored = told(ask(server, "GET", EPISODES + "?limit=100"))["total"]
        found = told(ask(server, "POST", SEARCH, {"query": "hiking", "limit": 100}))["total"]
        assert 10 <= stored == found <= 20
