"""Bodies of requests that the embedded server refuses, and some that it just takes."""

from __future__ import annotations

import pytest

from memstack._wire import WireRequest
from memstack.local import EmbeddedServer

from .local import EPISODE, EPISODES, KEYS, MEMOS, SEARCH, ask, told


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
