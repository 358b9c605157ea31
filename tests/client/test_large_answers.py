"""Answers of more than `max_response_bytes`."""

from __future__ import annotations

import gzip

import pytest

import memstack

from ..colours import outcomes
from ..conftest import Make
from ..scripted import MEMO, Answer, ScriptedServer

LARGE = {**MEMO, "content": "x" * 10_000}


def test_a_success_is_an_error_that_says_it_was_applied(make: Make, server: ScriptedServer) -> None:
    """It is not sent again: the next answer would be as large."""
    client = make(max_response_bytes=1000)
    server.answer(Answer(body=LARGE))

    with pytest.raises(memstack.ResponseValidationError, match="max_response_bytes") as caught:
        client.create_memo("note")

    assert outcomes(caught.value.attempts) == [(200, "applied")]
    assert caught.value.outcome == "applied"
    assert len(caught.value.content) == 1000


def test_an_error_keeps_its_class_and_the_beginning(make: Make, server: ScriptedServer) -> None:
    """The status tells enough."""
    server.answer(Answer(404, b"x" * 1001))

    with pytest.raises(memstack.NotFoundError) as caught:
        make(max_response_bytes=1000).get_memo("m1")

    assert caught.value.content == b"x" * 1000


def test_counts_what_is_unpacked(make: Make, server: ScriptedServer) -> None:
    """A small answer may be a large one, packed."""
    packed = gzip.compress(b'{"id": "' + b"x" * 100_000)
    server.answer(Answer(200, packed, headers={"Content-Encoding": "gzip"}))

    with pytest.raises(memstack.ResponseValidationError) as caught:
        make(max_response_bytes=1000).get_memo("m1")

    assert len(packed) < len(caught.value.content) == 1000


@pytest.mark.parametrize("limit", [None, 10_000_000])
def test_reads_what_is_within_the_limit(
    make: Make, server: ScriptedServer, limit: int | None
) -> None:
    """Or all, without one; a sibling may have another."""
    client = make(max_response_bytes=10)
    server.answer(Answer(body=LARGE))

    memo = client.with_options(max_response_bytes=limit).get_memo("m1")

    assert memo.content == LARGE["content"]
