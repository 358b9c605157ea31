"""What the embedded server does with an Idempotency-Key."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from memstack._wire import WireResponse
from memstack.local import EmbeddedServer, compact

from .local import EPISODE, EPISODES, KEYS, MEMOS, ask, key_with, made, told


@pytest.mark.parametrize(
    ("target", "body"),
    [
        (EPISODES, {**EPISODE, "metadata": {"a": 1, "b": 2}}),
        (MEMOS, {"content": "x", "tags": ["t"]}),
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


def test_nothing_of_a_deleted_memo_stays_in_a_compacted_file(tmp_path: Path) -> None:
    """The answer that is kept for its Idempotency-Key has none of its words."""
    path = tmp_path / "m.db"
    with EmbeddedServer(path) as server:
        body = {"content": "the secret plan", "tags": ["hush-hush"]}
        memo = made(server, MEMOS, body, Idempotency_Key="one")
        written = _bytes(path)
        ask(server, "DELETE", f"{MEMOS}/{memo['id']}")
    compact(path)

    for word in (b"secret plan", b"hush-hush"):
        assert word in written
        assert word not in _bytes(path)


def _bytes(path: Path) -> bytes:
    """Of the file, and of the log beside it."""
    return b"".join(file.read_bytes() for file in sorted(path.parent.glob(f"{path.name}*")))


def test_answer_is_repeated_after_the_file_was_closed(tmp_path: Path) -> None:
    """A process that starts again can ask what became of its request."""
    bodies = []
    for _ in range(2):
        with EmbeddedServer(tmp_path / "memory.db") as server:
            body = {"name": "k", "permissions": ["read"]}
            bodies.append(made(server, KEYS, body, Idempotency_Key="one"))

    assert bodies[0] == bodies[1]


def test_an_answer_is_repeated_only_to_whoever_got_it(server: EmbeddedServer) -> None:
    """The answer to another's create_api_key holds a secret."""
    body = {"name": "x", "permissions": ["write"]}
    once = {"idempotency_key": "setup-1"}
    own = ask(server, "POST", KEYS, body, **once)

    other = ask(server, "POST", KEYS, body, key=key_with(server, "write"), **once)

    assert other.status == 200
    assert told(other)["key_id"] != told(own)["key_id"]


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
