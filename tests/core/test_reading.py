"""What an answer is read as."""

from __future__ import annotations

import json
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given, strategies as st

from memstack import APIError, EpisodePage, Memo, MemoryResponse, ResponseValidationError
from memstack._reading import MAX_DETAIL, error_of, read_answer, redirect_of, retry_after
from memstack._wire import WireResponse

FACTS: dict[str, Any] = {
    "method": "GET",
    "path": "/api/v1/memos/m1",
    "request_id": "r1",
    "attempts": (),
    "outcome": "rejected",
}
NOW = 1_800_000_000.0
MEMO = {"id": "m1", "content": "x", "visibility": "TEAM", "created_at": "2026-05-01T09:30:02"}


def answer(body: Any, status: int = 200, **headers: str) -> WireResponse:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return WireResponse(status, {k.replace("_", "-"): v for k, v in headers.items()}, raw)


def error(body: Any, status: int = 400, **headers: str) -> APIError:
    return error_of(answer(body, status, **headers), FACTS, now=NOW)


def test_keeps_what_a_newer_server_added() -> None:
    """Unknown fields are reachable, unknown words survive, a naive time is UTC."""
    memo = read_answer(answer({**MEMO, "tags": [], "colour": "red"}), Memo, FACTS)

    assert memo.model_extra == {"colour": "red"}
    assert memo.visibility == "TEAM"
    assert memo.created_at.isoformat() == "2026-05-01T09:30:02+00:00"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"<html>", b"null", b"[]", b'{"id": "m1"}', b"\xff\xfe", b'"x"']
)
def test_keeps_the_body_of_an_answer_it_cannot_read(body: bytes) -> None:
    """The write was applied, so what came back must not be lost."""
    with pytest.raises(ResponseValidationError) as caught:
        read_answer(answer(body), Memo, FACTS)

    assert caught.value.content == body
    assert caught.value.outcome == "applied"
    assert caught.value.status_code == 200
    assert "r1" in str(caught.value)


@pytest.mark.parametrize(
    "raw", ["yesterday", {"_DateTime__date": {}}, [], True, "2026-13-01T00:00:00Z"]
)
def test_an_unreadable_optional_time_costs_no_more_than_itself(raw: Any) -> None:
    """It is None, what came is kept, and the rest is there."""
    memo = read_answer(answer({**MEMO, "tags": ["a"], "updated_at": raw}), Memo, FACTS)

    assert (memo.updated_at, memo.tags, memo.unparsed) == (None, ["a"], {"updated_at": raw})


@pytest.mark.parametrize("raw", ["high", {}, [1]])
def test_an_unreadable_score_costs_no_more_than_itself(raw: Any) -> None:
    """In its place in a list of results."""
    result = {"id": "r1", "content": "x", "type": "episode", "metadata": {}}
    body = {
        "results": [{**result, "score": 1.5}, {**result, "score": raw}],
        "total": 2,
        "query": "x",
    }

    first, second = read_answer(answer(body), MemoryResponse, FACTS).results

    assert (first.score, first.unparsed) == (1.5, {})
    assert (second.score, second.unparsed) == (None, {"score": raw})


@pytest.mark.parametrize(
    "body",
    [
        b'{"results": null, "total": 0}',
        b'{"results": [1], "total": 0}',
        b'{"results": [{"metadata": null}], "total": 0}',
        b'{"episodes": [{"name": "n", "content": "x", "created_at": "no", "unparsed": 5}],'
        b'"total": 1}',
    ],
)
def test_an_odd_page_is_an_error_of_ours(body: bytes) -> None:
    """Whatever a server puts where a list should be."""
    with pytest.raises(ResponseValidationError):
        read_answer(answer(body), EpisodePage, FACTS)


def test_what_a_server_says_can_be_printed() -> None:
    """JSON may hold half a surrogate pair, which no terminal or log can."""
    assert error({"detail": "odd \ud800"}).message.encode()


def test_an_endless_score_is_no_score() -> None:
    """Some servers write NaN, which is no JSON."""
    body = b'{"results": [{"id": "r", "content": "x", "type": "t", "metadata": {}, "score": NaN}]'
    body += b', "total": 1, "query": "x"}'

    (result,) = read_answer(answer(body), MemoryResponse, FACTS).results

    assert result.score is None


def test_an_unreadable_required_time_is_an_error() -> None:
    """Nothing is made up."""
    with pytest.raises(ResponseValidationError):
        read_answer(answer({**MEMO, "tags": [], "created_at": "yesterday"}), Memo, FACTS)


def test_does_not_quote_a_body_that_may_hold_a_key() -> None:
    """The message names places and rules, and the cause is cut off."""
    with pytest.raises(ResponseValidationError) as caught:
        read_answer(answer({"id": 5, "content": "ms_sk_canary"}), Memo, FACTS)

    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"detail": "Memo not found"}, "Memo not found"),
        (
            {"detail": [{"type": "t", "loc": ["body", "limit"], "msg": "too small"}]},
            "body.limit: too small",
        ),
        ({"detail": {"odd": 1}}, ""),
        ({"detail": ["plain", {"msg": "no place"}, {"loc": 5}]}, "plain; no place"),
        (["a"], "a"),
        (b"Internal Server Error", "Internal Server Error"),
        (b"<html><h1>502</h1></html>", ""),
        (b"", ""),
    ],
)
def test_says_what_the_server_said(body: Any, said: str) -> None:
    """Whatever shape it came in; HTML is left out."""
    message = error(body).message

    assert message.startswith(f"400 Bad Request: {said}" if said else "400 Bad Request")
    assert "<" not in message


def test_cuts_long_texts_in_messages_and_keeps_them_in_the_body() -> None:
    """A deployed server answers a fault with its whole SQL statement."""
    sql = "SELECT " + "x, " * 500

    failure = error({"detail": sql}, 500)

    assert len(failure.message) < MAX_DETAIL + 100
    assert failure.response_body == {"detail": sql}


def test_says_where_a_redirect_leads() -> None:
    """It is not followed: the key would leave with it."""
    moved = error(b"", 307, location="https://elsewhere.test/api")

    assert "https://elsewhere.test/api" in moved.message
    assert "base_url" in moved.message


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "2"}, 2.0),
        ({"retry_after": "0.5"}, 0.5),
        ({"retry_after_ms": "250"}, 0.25),
        ({"retry_after_ms": "250", "retry_after": "9"}, 0.25),
        ({"retry_after_ms": "soon", "retry_after": "9"}, 9.0),
        ({"retry_after": formatdate(NOW + 5, usegmt=True)}, 5.0),
        (
            {
                "retry_after": formatdate(NOW + 65, usegmt=True),
                "date": formatdate(NOW + 60, usegmt=True),
            },
            5.0,
        ),
        ({"retry_after": formatdate(NOW - 5, usegmt=True)}, None),
        ({"retry_after": "0"}, None),
        ({"retry_after": "-3"}, None),
        ({"retry_after": "nan"}, None),
        ({"retry_after": "inf"}, None),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"}, None),
        ({"retry_after": "Mon, 01 Jan 2026 00:00:00 +99999999999999999999"}, None),
        ({"retry_after": ""}, None),
        ({}, None),
    ],
)
def test_reads_every_form_of_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds, milliseconds, a date by the server's clock; nonsense is as good as nothing."""
    assert error(b"", 429, **headers).retry_after == seconds


@given(st.text())
def test_no_retry_after_is_an_error(text: str) -> None:
    """A header is whatever a proxy put there."""
    seconds = retry_after({"retry-after": text, "date": text}, now=NOW)

    assert seconds is None or seconds > 0


@given(st.binary() | st.recursive(st.none() | st.text(), st.lists).map(json.dumps).map(str.encode))
def test_any_body_makes_a_readable_error(body: bytes) -> None:
    """An error about an error would hide the first."""
    failure = error(body, 520)

    assert failure.content == body
    assert failure.message.startswith("520")


@pytest.mark.parametrize(
    ("place", "target"),
    [
        ("/new?a=1#part", "/new?a=1"),
        ("HTTPS://Memstack.test:443", "/"),
        ("../x", "/a/x"),
        ("https://memstack.test:x/", None),
        ("https://memstack.test/é", None),
        ("/a b", None),
        ("", None),
    ],
)
def test_a_redirect_stays_on_its_origin(place: str, target: str | None) -> None:
    """Whatever the header holds; the part of a page is not sent."""
    moved = WireResponse(307, {"location": place}, b"")

    assert redirect_of(moved, "POST", "https://memstack.test/a/b/c") == target


@pytest.mark.parametrize("body", [b"<html><h1>Not Found</h1>", b"", b'"Not Found"'])
def test_a_404_that_is_none_of_memstack_says_so(body: bytes) -> None:
    """A proxy's, or that of another program at a wrong base_url."""
    assert "no answer of MemStack; check base_url" in error(body, 404).message
    assert "base_url" not in error(b'{"detail": "Memo not found"}', 404).message
