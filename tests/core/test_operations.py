"""What an operation describes, and what it refuses before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, strategies as st

from memstack import ValidationError, operations
from memstack.operations import Operation

TAKES_SEGMENT: list[tuple[Callable[[Any], Operation[Any]], str, str]] = [
    (operations.get_episode, "name", "/api/v1/episodes/"),
    (operations.delete_episode, "name", "/api/v1/episodes/"),
    (operations.get_memo, "memo_id", "/api/v1/memos/"),
    (operations.update_memo, "memo_id", "/api/v1/memos/"),
    (operations.delete_memo, "memo_id", "/api/v1/memos/"),
    (operations.revoke_api_key, "key_id", "/api/v1/auth/keys/"),
]
PREFIXES = [(build, prefix) for build, _, prefix in TAKES_SEGMENT]


@pytest.mark.parametrize(
    ("build", "argument"), [(build, argument) for build, argument, _ in TAKES_SEGMENT]
)
@pytest.mark.parametrize(
    "value",
    ["", ".", "..", "a/b", "/", "a\\b", "a\0b", "a\nb", "\x7f", "\x85", "\ud800", None, 5, b"a"],
)
def test_refuses_what_could_reach_another_path(
    build: Callable[[Any], Operation[Any]], argument: str, value: Any
) -> None:
    """The error names operation and argument; nothing is sent."""
    with pytest.raises(ValidationError, match=rf"^{build.__name__}: {argument}: must"):
        build(value)


@pytest.mark.parametrize(("build", "prefix"), PREFIXES)
@given(value=st.text(min_size=1))
def test_never_leaves_its_own_path(
    build: Callable[[Any], Operation[Any]], prefix: str, value: str
) -> None:
    """Whatever is not refused is one encoded segment, and decodes to what was given."""
    try:
        path = build(value).path
    except ValidationError:
        return

    tail = path.removeprefix(prefix)
    assert path.startswith(prefix)
    assert not set(tail) & set("/?#\\")
    assert tail.isascii()
    assert unquote(tail) == value
    assert tail not in (".", "..")


@pytest.mark.parametrize(("build", "prefix"), PREFIXES)
@pytest.mark.parametrize(
    "value", ["a?b", "a#b", "100%", "%2e%2e", "%2F", "a b", "名前", "...", "é"]
)
def test_encodes_what_is_odd_but_harmless(
    build: Callable[[Any], Operation[Any]], prefix: str, value: str
) -> None:
    """Such names exist, and work."""
    assert unquote(build(value).path) == prefix + value


@pytest.mark.parametrize(
    ("build", "named"),
    [
        (lambda: operations.create_episode("", "x"), "name"),
        (lambda: operations.create_episode("n", ""), "content"),
        (lambda: operations.create_episode("n", 5), "content"),  # type: ignore[arg-type]
        (lambda: operations.create_episode("n", None), "content"),  # type: ignore[arg-type]
        (lambda: operations.create_episode("n", "a\0b"), "content"),
        (lambda: operations.create_episode("n", "\ud800"), "content"),
        (lambda: operations.create_episode("n", "x", "fax"), "source_type"),  # type: ignore[arg-type]
        (lambda: operations.create_episode("n", "x", group_id=""), "group_id"),
        (lambda: operations.create_episode("n", "x", metadata="no"), "metadata"),  # type: ignore[arg-type]
        (lambda: operations.create_episode("n", "x", metadata={1: 2}), "metadata"),  # type: ignore[dict-item]
        (lambda: operations.create_episode("n", "x", metadata={"a": {1}}), "metadata"),
        (lambda: operations.create_episode("n", "x", metadata={"a": datetime.now()}), "metadata"),
        (lambda: operations.create_episode("n", "x", metadata={"a": float("nan")}), "metadata"),
        (lambda: operations.create_episode("n", "x", metadata={"a": ["\0"]}), "metadata"),
        (lambda: operations.create_episode("n", "x", metadata={"a": "\udfff"}), "metadata"),
        (lambda: operations.create_episode("n", "x", tenant_id="a\0"), "tenant_id"),
        (lambda: operations.create_episode("n", "x", valid_at=datetime(2026, 5, 1)), "valid_at"),
        (lambda: operations.create_episode("n", "x", valid_at="now"), "valid_at"),  # type: ignore[arg-type]
        (lambda: operations.create_episode("n", "x", idempotency_key=""), "idempotency_key"),
        (lambda: operations.create_memo("x", idempotency_key="a b"), "idempotency_key"),
        (lambda: operations.create_memo("x", idempotency_key="k" * 256), "idempotency_key"),
        (lambda: operations.list_episodes(0), "limit"),
        (lambda: operations.list_episodes(201), "limit"),
        (lambda: operations.list_episodes(True), "limit"),
        (lambda: operations.list_episodes(offset=-1), "offset"),
        (lambda: operations.list_episodes(project_id=""), "project_id"),
        (lambda: operations.search_memory(""), "query"),
        (lambda: operations.search_memory("a\0"), "query"),
        (lambda: operations.search_memory("x", 0), "limit"),
        (lambda: operations.search_memory("x", 101), "limit"),
        (lambda: operations.search_memory("x", "5"), "limit"),  # type: ignore[arg-type]
        (lambda: operations.search_memory("x", 5.0), "limit"),  # type: ignore[arg-type]
        (lambda: operations.search_memory("x", filters=["a"]), "filters"),  # type: ignore[arg-type]
        (lambda: operations.search_memory("x", filters={"a": object()}), "filters"),
        (lambda: operations.create_api_key("", ["read"]), "name"),
        (lambda: operations.create_api_key("k", []), "permissions"),
        (lambda: operations.create_api_key("k", "read"), "permissions"),  # type: ignore[arg-type]
        (lambda: operations.create_api_key("k", ["fly"]), "permissions"),  # type: ignore[list-item]
        (lambda: operations.create_api_key("k", ["read"], 0), "expires_in_days"),
        (lambda: operations.create_api_key("k", ["read"], 36501), "expires_in_days"),
        (lambda: operations.create_memo(""), "content"),
        (lambda: operations.create_memo("x", "SECRET"), "visibility"),  # type: ignore[arg-type]
        (lambda: operations.create_memo("x", tags="hiking"), "tags"),
        (lambda: operations.create_memo("x", tags=["a", ""]), r"tags\[1\]"),
        (lambda: operations.update_memo("m", ""), "content"),
        (lambda: operations.list_memos(0), "limit"),
        (lambda: operations.list_memos(1001), "limit"),
        (lambda: operations.list_memos(offset=2**31), "offset"),
    ],
)
def test_names_the_argument_that_breaks_its_rule(
    build: Callable[[], Operation[Any]], named: str
) -> None:
    """Before anything is sent, and without quoting the value."""
    with pytest.raises(ValidationError, match=rf"^\w+: {named}") as caught:
        build()

    assert caught.value.outcome == "not_sent"
    assert caught.value.__cause__ is None


def nested(depth: int) -> dict[str, Any]:
    inner: dict[str, Any] = {}
    for _ in range(depth):
        inner = {"a": inner}
    return inner


def test_refuses_a_value_that_never_ends() -> None:
    """A value that holds itself, one nested too deep, and a number of too many digits."""
    endless: dict[str, Any] = {}
    endless["self"] = endless

    for value in (endless, nested(5000), {"n": 10**5000}):
        with pytest.raises(ValidationError, match=r"^create_episode: "):
            operations.create_episode("n", "x", metadata=value)


def test_keeps_null_in_metadata_and_leaves_out_what_was_not_given() -> None:
    """None as an argument means left out; None inside metadata is a value."""
    operation = operations.create_episode("n", "x", metadata={"a": None, "b": [None]})

    assert json.loads(operation.body or b"") == {
        "name": "n",
        "content": "x",
        "source_type": "text",
        "metadata": {"a": None, "b": [None]},
    }


def test_sends_the_moment_with_its_zone() -> None:
    """A server reads the same instant, wherever it stands."""
    zone = timezone(timedelta(hours=8))

    operation = operations.create_episode(
        "n", "x", valid_at=datetime(2026, 5, 1, 17, 30, tzinfo=zone)
    )

    sent = datetime.fromisoformat(json.loads(operation.body or b"")["valid_at"])
    assert sent == datetime(2026, 5, 1, 9, 30, tzinfo=timezone.utc)


def test_update_tells_no_tags_from_tags_left_alone() -> None:
    """An empty list removes; None leaves."""
    assert operations.update_memo("m", tags=[]).body == b'{"tags":[]}'
    assert operations.update_memo("m", content="y").body == b'{"content":"y"}'


def test_an_operation_is_data() -> None:
    """Equal arguments give equal operations, and the repr keeps the content to itself."""
    operation = operations.create_memo("the secret plan")

    assert operation == operations.create_memo("the secret plan")
    assert repr(operation) == "<Operation create_memo: POST /api/v1/memos>"


EFFECTS = {
    "create_api_key": "once",
    "create_episode": "once",
    "create_memo": "once",
    "delete_episode": "once",
    "delete_memo": "repeatable",
    "get_episode": "read",
    "get_memo": "read",
    "health_check": "read",
    "list_api_keys": "read",
    "list_episodes": "read",
    "list_memos": "read",
    "revoke_api_key": "repeatable",
    "search_memory": "read",
    "update_memo": "repeatable",
}
EXAMPLES: dict[str, tuple[Any, ...]] = {
    "create_api_key": ("k", ["read"]),
    "create_episode": ("n", "x"),
    "create_memo": ("x",),
    "health_check": (),
    "list_api_keys": (),
    "list_episodes": (),
    "list_memos": (),
}


def test_the_effect_of_every_operation_is_known() -> None:
    """A new one is added to the table below."""
    assert sorted(EFFECTS) == sorted(set(operations.__all__) - {"Operation"})


@pytest.mark.parametrize("name", EFFECTS)
def test_knows_what_may_be_sent_twice(name: str) -> None:
    """Only creates and delete_episode do more the second time."""
    operation = getattr(operations, name)(*EXAMPLES.get(name, ("x",)))

    assert operation.id == name
    assert operation.effect == EFFECTS[name]
    assert operation.sends_idempotency_key == name.startswith("create_")
