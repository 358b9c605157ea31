"""Large answers: read whole up to `max_response_bytes`, and no further."""

from __future__ import annotations

import json
import socket
import tracemalloc
import zlib
from functools import cache

import pytest

import memstack
from memstack import operations

from ..colours import outcomes
from .connecting import Connect, bare as bare, connect as connect
from .faulty import OK, Behaviour, answer, read_request, serving, site, zipped

FOUND = json.dumps(
    {
        "results": [
            {
                "id": f"m{n}",
                "type": "episode",
                "content": "x" * 100_000,
                "score": 0.5,
                "metadata": {},
            }
            for n in range(100)
        ],
        "total": 100,
        "query": "hiking",
    }
).encode()
"""A good answer to a search, of 10 MB."""


@pytest.mark.parametrize(
    "behaviour",
    [
        answer(200, FOUND),
        answer(200, FOUND, chunked=True),
        zipped(FOUND),
    ],
    ids=["length", "chunked", "gzip"],
)
def test_a_large_answer_comes_whole(connect: Connect, behaviour: Behaviour) -> None:
    """Ten megabytes are no fault."""
    with serving(behaviour) as url:
        response = connect(url).send_raw(operations.search_memory("hiking", 100))

    assert outcomes(response.attempts) == [(200, "applied")]
    assert len(response.result.results) == 100
    assert response.content == FOUND


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_an_answer_larger_than_allowed_is_not_read_to_its_end(
    connect: Connect, chunked: bool
) -> None:
    """It was applied, and is not asked for again; what was read is kept."""
    with site(answer(200, FOUND, chunked=chunked)) as running:
        client = connect(running.url, max_response_bytes=100_000)
        with pytest.raises(memstack.ResponseValidationError, match="max_response_bytes") as caught:
            client.search_memory("hiking")

    assert outcomes(caught.value.attempts) == [(200, "applied")]
    assert caught.value.outcome == "applied"
    assert FOUND.startswith(caught.value.content)
    assert len(caught.value.content) <= 100_000
    assert running.connections == 1


def test_an_answer_without_end_is_left(connect: Connect) -> None:
    """At the limit, and not when its time is over."""

    def endless(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:  # until the client closes the connection
            connection.sendall(b"8000\r\n" + b" " * 0x8000 + b"\r\n")

    with (
        serving(endless) as url,
        pytest.raises(memstack.ResponseValidationError, match="max_response_bytes") as caught,
    ):
        connect(url, timeout=2, max_response_bytes=100_000).search_memory("hiking")

    assert outcomes(caught.value.attempts) == [(200, "applied")]


def test_an_answer_just_as_large_as_allowed_is_read(connect: Connect) -> None:
    """The limit itself is allowed, and a byte more is not."""
    with serving(answer(), answer()) as url:
        client = connect(url, max_response_bytes=len(OK))
        assert client.health_check() == {"status": "ok"}
        with pytest.raises(memstack.ResponseValidationError):
            client.with_options(max_response_bytes=len(OK) - 1).health_check()


def test_none_allows_an_answer_of_any_size(connect: Connect) -> None:
    """For whoever trusts the server."""
    with serving(answer(200, FOUND)) as url:
        found = connect(url, max_response_bytes=None).search_memory("hiking")

    assert found.total == 100


def test_the_page_of_an_error_may_be_too_large_too(connect: Connect) -> None:
    """The error is that of its status, with the part that was read."""
    page = b"<html>" + b"x" * 1_000_000
    with serving(answer(404, page)) as url, pytest.raises(memstack.NotFoundError) as caught:
        connect(url, max_response_bytes=100_000).get_memo("m1")

    assert outcomes(caught.value.attempts) == [(404, "rejected")]
    assert page.startswith(caught.value.content)
    assert 0 < len(caught.value.content) <= 100_000


@cache
def bomb(size: int) -> bytes:
    """A gzip file that says nothing, at length."""
    press = zlib.compressobj(9, wbits=31)
    parts = [press.compress(bytes(1_000_000)) for _ in range(size // 1_000_000)]
    return b"".join([*parts, press.flush()])


def test_a_gzip_bomb_does_not_fill_the_memory(connect: Connect) -> None:
    """Its few bytes are counted as the many that they become, and no more are made of them."""
    packed = bomb(64_000_000)
    with serving(answer(200, packed, {"Content-Encoding": "gzip"})) as url:
        client = connect(url, max_response_bytes=1_000_000)
        tracemalloc.start()
        try:
            with pytest.raises(
                memstack.ResponseValidationError, match="max_response_bytes"
            ) as caught:
                client.search_memory("hiking")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert outcomes(caught.value.attempts) == [(200, "applied")]
    assert len(caught.value.content) <= 1_000_000
    assert peak < 16_000_000
