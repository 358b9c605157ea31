"""Memos of the embedded server: made, read, changed, listed and deleted."""

from __future__ import annotations

from pathlib import Path

import pytest

from memstack.local import EmbeddedServer

from .local import MEMOS, MOMENT, ask, made, told


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
