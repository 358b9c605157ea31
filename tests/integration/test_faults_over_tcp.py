"""What a call comes to when the network or the server fails: one row for each way to fail."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from time import sleep

import pytest

import memstack
from memstack import operations
from memstack._connecting import TransportName

from ..colours import CLASSES, AnyClient, Colour, Driven, FakeTime, outcomes
from . import scenes
from .connecting import Connect, authority as authority, bare as bare, connect as connect
from .faulty import (
    answer,
    cut,
    drip_body,
    drip_head,
    garble,
    hang_up,
    in_turn,
    reset,
    reset_unread,
    serving,
    silent,
)
from .scenes import Scene, by, certified, refused_by_proxy
from .tls import Authority

SLACK = 1.5
"""Seconds that a busy machine may take beside what the settings allow."""


@dataclass(frozen=True)
class Fault:
    """How a call to a scene ends, with one retry allowed."""

    scene: Scene
    error: type[memstack.MemStackError]
    attempts: list[tuple[int | None, str]]
    reason: str | None = None
    """Of a NetworkError."""
    says: str = ""
    seconds: float = 0.0
    """How long it may take at most, and a SLACK."""


NOT_SENT, UNKNOWN = (None, "not_sent"), (None, "unknown")
NETWORK, TIMEOUT = memstack.NetworkError, memstack.RequestTimeoutError
UNREADABLE = memstack.ResponseValidationError
PAGE = answer(502, b"<html>\r\n<title>502 Bad Gateway</title>\r\n", {"Content-Type": "text/html"})
BUSY = answer(429, b'{"detail": "slow down"}', {"Retry-After": "7"})
TORN = answer(200, b"\x1f\x8b\x08\0 this is no gzip", {"Content-Encoding": "gzip"})

FAULTS = {
    "refused": Fault(scenes.nobody, NETWORK, [NOT_SENT] * 2, "refused", "MemStackClient.local()"),
    "unknown host": Fault(scenes.no_address, NETWORK, [NOT_SENT] * 2, "dns", "base_url"),
    "reset unread": Fault(by(reset_unread, reset_unread), NETWORK, [UNKNOWN] * 2, "read"),
    "reset": Fault(by(reset, reset), NETWORK, [UNKNOWN] * 2, "read"),
    "hung up": Fault(by(hang_up, hang_up), NETWORK, [UNKNOWN] * 2, "truncated"),
    "silence": Fault(by(silent, silent), TIMEOUT, [UNKNOWN] * 2, "read_timeout", "0.15 s", 0.3),
    "dripped head": Fault(
        by(drip_head, drip_head), TIMEOUT, [UNKNOWN] * 2, "read_timeout", "0.15 s", 0.3
    ),
    "dripped body": Fault(
        by(drip_body, drip_body), TIMEOUT, [UNKNOWN] * 2, "read_timeout", "0.15 s", 0.3
    ),
    "cut body": Fault(by(cut, cut), NETWORK, [UNKNOWN] * 2, "truncated"),
    "no HTTP": Fault(by(garble, garble), NETWORK, [UNKNOWN] * 2, "truncated"),
    "no gzip": Fault(by(TORN, TORN), NETWORK, [UNKNOWN] * 2, "truncated"),
    "429": Fault(by(BUSY, BUSY), memstack.RateLimitError, [(429, "rejected")] * 2, says="slow"),
    "503": Fault(
        by(*[answer(503, b'{"detail": "too busy"}')] * 2),
        memstack.ServerError,
        [(503, "unknown")] * 2,
        says="too busy",
    ),
    "page of a proxy": Fault(
        by(PAGE, PAGE), memstack.ServerError, [(502, "unknown")] * 2, says="502 Bad Gateway"
    ),
    "other shape": Fault(
        by(answer(200, b'{"results": 5}')), UNREADABLE, [(200, "applied")], says="results"
    ),
    "no JSON": Fault(by(answer(200, b"{")), UNREADABLE, [(200, "applied")], says="JSON"),
    "unknown authority": Fault(scenes.stranger, NETWORK, [NOT_SENT], "tls", "certificate"),
    "other host's certificate": Fault(
        certified("memstack.test"), NETWORK, [NOT_SENT], "tls", "localhost"
    ),
    "expired certificate": Fault(
        certified("localhost", expired=True), NETWORK, [NOT_SENT], "tls", "expired"
    ),
    "http at https": Fault(scenes.plain_at_https, NETWORK, [NOT_SENT], "tls"),
    "https at http": Fault(scenes.https_at_http, NETWORK, [UNKNOWN] * 2, "truncated"),
    "no proxy": Fault(scenes.no_proxy_there, NETWORK, [NOT_SENT] * 2, "proxy", "proxy"),
    "proxy asks who": Fault(refused_by_proxy(407), NETWORK, [NOT_SENT], "proxy_auth", "407"),
    "proxy fails": Fault(refused_by_proxy(502), NETWORK, [NOT_SENT] * 2, "proxy", "502"),
}
SAYS = {("pyreqwest", "proxy fails"): "unsuccessful"}
"""Where a transport does not tell as much."""


@pytest.mark.parametrize("name", FAULTS)
def test_ends_with_an_error_that_tells_the_truth(
    connect: Connect, transport: TransportName, authority: Authority, name: str
) -> None:
    """Its class, reason, outcome and attempts; as often as the server saw, and in time."""
    fault = FAULTS[name]
    with fault.scene(authority) as stage:
        limits = {"timeout": fault.seconds / 2 or 5, "max_retries": 1}
        client = connect(stage.url, **limits, **stage.options)
        started = time.monotonic()
        with pytest.raises(memstack.MemStackError) as caught:
            client.search_memory("hiking")
        elapsed = time.monotonic() - started
        reached = stage.reached and stage.reached()

    error = caught.value
    assert type(error) is fault.error
    assert getattr(error, "reason", None) == fault.reason
    assert outcomes(error.attempts) == fault.attempts
    assert error.outcome == fault.attempts[-1][1]
    assert reached in (None, len(fault.attempts))
    assert SAYS.get((transport, name), fault.says) in error.message
    assert "<html" not in error.message
    assert fault.seconds <= elapsed < fault.seconds + SLACK


def test_a_storm_of_429_is_weathered_as_it_asks(connect: Connect, time: FakeTime) -> None:
    """Each pause is what the server asked for."""
    with serving(BUSY, BUSY, answer()) as url:
        assert connect(url).health_check() == {"status": "ok"}

    assert time.pauses == [7.0, 7.0]


def test_a_kept_connection_that_ended_costs_no_attempt(
    connect: Connect, transport: TransportName
) -> None:
    """It is seen to be closed before anything is sent on it; pyreqwest needs a moment for that."""
    closed = threading.Event()

    def ends(connection: socket.socket) -> None:
        answer(keep=True)(connection)
        connection.close()
        closed.set()

    with serving(ends, answer()) as url:
        client = connect(url)
        client.health_check()
        assert closed.wait(5)
        sleep(0.2 if transport == "pyreqwest" else 0)
        response = client.send_raw(operations.health_check())

    assert outcomes(response.attempts) == [(200, "applied")]


def test_a_kept_connection_that_breaks_under_a_create_leaves_it_unknown(connect: Connect) -> None:
    """The server may have read it before it went away."""
    with serving(in_turn(answer(keep=True), reset)) as url:
        client = connect(url, max_retries=0)
        client.health_check()
        with pytest.raises(memstack.OutcomeUnknownError) as caught:
            client.create_memo("note")

    assert outcomes(caught.value.attempts) == [UNKNOWN]


def test_a_deadline_ends_a_call_to_a_server_that_never_answers(
    colour: Colour, transport: TransportName, drive: Callable[[AnyClient], Driven], bare: None
) -> None:
    """All attempts and pauses together take the deadline, and not eleven timeouts."""
    with serving(*[silent] * 11) as url:
        client = drive(
            CLASSES[colour](
                "ms_sk_test",
                url,
                timeout=0.1,
                deadline=0.25,
                max_retries=10,
                retry_delay=0.01,
                transport=transport,
            )
        )
        started = time.monotonic()
        with pytest.raises(memstack.RequestTimeoutError) as caught:
            client.search_memory("hiking")
        elapsed = time.monotonic() - started

    assert 0.2 <= elapsed < 0.25 + SLACK
    # The deadline may leave the third too little time to connect.
    assert outcomes(caught.value.attempts)[:2] == [UNKNOWN] * 2
    assert len(caught.value.attempts) in (2, 3)
