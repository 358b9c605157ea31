"""API keys of the embedded server: what they may do, how long, and that no secret is stored."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from memstack._wire import WireRequest
from memstack.local import EmbeddedServer

from .local import EPISODE, EPISODES, KEYS, MEMOS, SEARCH, _sql, ask, key_with, made, told


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
