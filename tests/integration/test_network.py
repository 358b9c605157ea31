"""What both clients make of real connections that fail."""

from __future__ import annotations

import socket

import pytest

import memstack

from .connecting import Connect, bare as bare, connect as connect
from .faulty import (
    Behaviour,
    cut,
    garble,
    hang_up,
    healthy,
    reset,
    serving,
)


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [(reset, "read"), (hang_up, "truncated"), (cut, "truncated"), (garble, "truncated")],
)
def test_a_broken_answer_to_a_create_leaves_it_unknown(
    connect: Connect, behaviour: Behaviour, reason: str
) -> None:
    """The server read the request, so it is not sent again."""
    with serving(behaviour) as url, pytest.raises(memstack.OutcomeUnknownError) as caught:
        connect(url, max_retries=0).create_memo("note")

    assert (caught.value.reason, caught.value.outcome) == (reason, "unknown")
    assert len(caught.value.attempts) == 1


@pytest.mark.parametrize("behaviour", [reset, hang_up, cut, garble])
def test_a_read_survives_a_broken_answer(connect: Connect, behaviour: Behaviour) -> None:
    """Sent again on a new connection."""
    with serving(behaviour, behaviour, healthy) as url:
        assert connect(url).health_check() == {"status": "ok"}


def test_a_connection_that_the_server_dropped_is_replaced(connect: Connect) -> None:
    """A server may close a kept connection unannounced; the next call opens another."""
    with serving(healthy, healthy, healthy) as url:
        client = connect(url)

        assert [client.health_check() for _ in range(3)] == [{"status": "ok"}] * 3


def test_keeps_no_cookies(connect: Connect) -> None:
    """What a server set for one key would go along with another."""
    seen: list[bytes] = []

    def sets_a_cookie(connection: socket.socket) -> None:
        seen.append(connection.recv(65536))
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nSet-Cookie: session=a\r\nContent-Length: 16\r\n"
            b'Connection: close\r\n\r\n{"status": "ok"}'
        )

    with serving(sets_a_cookie, sets_a_cookie) as url:
        client = connect(url, api_key="ms_sk_a")
        client.health_check()
        client.with_options(api_key="ms_sk_b").health_check()

    assert b"ms_sk_b" in seen[1]
    assert b"session" not in seen[1]
