"""What both clients make of real connections that fail."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

import memstack

from ..colours import CLASSES, AnyClient, Colour, Driven, FakeTime, outcomes
from .faulty import (
    Behaviour,
    closed_port,
    cut,
    drip_body,
    drip_head,
    garble,
    hang_up,
    healthy,
    plain,
    reset,
    serving,
    silent,
)

Connect = Callable[..., Driven]


@pytest.fixture
def connect(colour: Colour, drive: Callable[[AnyClient], Driven]) -> Connect:
    """Makes a client of a real URL, whose pauses between attempts take no time."""

    def connect(base_url: str, **options: Any) -> Driven:
        client = CLASSES[colour]("ms_sk_test", base_url, **{"timeout": 5, **options})
        FakeTime().install(client)
        return drive(client)

    return connect


def test_a_refused_connection_says_what_to_do(connect: Connect) -> None:
    """Nothing was sent, and the text names the ways out."""
    with pytest.raises(memstack.NetworkError, match=r"MemStackClient\.local") as caught:
        connect(f"http://127.0.0.1:{closed_port()}", max_retries=1).health_check()

    assert (caught.value.reason, caught.value.outcome) == ("refused", "not_sent")
    assert outcomes(caught.value.attempts) == [(None, "not_sent")] * 2


def test_an_unknown_host_is_a_dns_failure(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told apart from a server that is down."""

    def no_address(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    client = connect("https://memstack.invalid", max_retries=0)
    monkeypatch.setattr(socket, "getaddrinfo", no_address)
    with pytest.raises(memstack.NetworkError, match="base_url") as caught:
        client.health_check()

    assert (caught.value.reason, caught.value.outcome) == ("dns", "not_sent")


def test_https_to_a_server_that_speaks_http_is_not_tried_again(connect: Connect) -> None:
    """No later attempt would be trusted either."""
    with serving(plain) as url:
        client = connect(url.replace("http:", "https:"))
        with pytest.raises(memstack.NetworkError) as caught:
            client.health_check()

    assert (caught.value.reason, caught.value.outcome) == ("tls", "not_sent")
    assert len(caught.value.attempts) == 1


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


def test_a_silent_server_costs_one_timeout(connect: Connect) -> None:
    """With the time limit in the error."""
    with serving(silent) as url:
        client = connect(url, timeout=0.2, max_retries=0)
        started = time.monotonic()
        with pytest.raises(memstack.RequestTimeoutError, match=r"0\.2 s") as caught:
            client.search_memory("hiking")
        elapsed = time.monotonic() - started

    assert (caught.value.reason, caught.value.outcome) == ("read_timeout", "unknown")
    assert 0.2 <= elapsed < 5


@pytest.mark.parametrize("behaviour", [drip_head, drip_body])
def test_a_dripping_server_costs_one_timeout(connect: Connect, behaviour: Behaviour) -> None:
    """Each byte comes in time, the answer does not."""
    with serving(behaviour) as url:
        client = connect(url, timeout=0.3, max_retries=0)
        started = time.monotonic()
        with pytest.raises(memstack.RequestTimeoutError, match=r"0\.3 s") as caught:
            client.search_memory("hiking")
        elapsed = time.monotonic() - started

    assert (caught.value.reason, caught.value.outcome) == ("read_timeout", "unknown")
    assert 0.3 <= elapsed < 3


def test_a_connection_that_the_server_dropped_is_replaced(connect: Connect) -> None:
    """A server may close a kept connection unannounced; the next call opens another."""
    with serving(healthy, healthy, healthy) as url:
        client = connect(url)

        assert [client.health_check() for _ in range(3)] == [{"status": "ok"}] * 3


def test_keeps_no_cookies(colour: Colour, drive: Callable[[AnyClient], Driven]) -> None:
    """What a server set for one key would go along with another."""
    seen: list[bytes] = []

    def sets_a_cookie(connection: socket.socket) -> None:
        seen.append(connection.recv(65536))
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nSet-Cookie: session=a\r\nContent-Length: 16\r\n"
            b'Connection: close\r\n\r\n{"status": "ok"}'
        )

    with serving(sets_a_cookie, sets_a_cookie) as url:
        client = drive(CLASSES[colour]("ms_sk_a", url, timeout=5))
        client.health_check()
        client.with_options(api_key="ms_sk_b").health_check()

    assert b"ms_sk_b" in seen[1]
    assert b"session" not in seen[1]
