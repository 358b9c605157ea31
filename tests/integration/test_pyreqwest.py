"""What only the pyreqwest transport has to prove; all other tests here run on it too."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

import memstack
from memstack import MemStackAsyncClient, MemStackClient, operations
from memstack._connecting import TransportName

from ..colours import Driven, outcomes
from ..conftest import KEY
from .connecting import Connect, bare as bare, connect as connect
from .faulty import (
    Behaviour,
    answer,
    hang_up,
    in_turn,
    read_request,
    redirect,
    reset,
    serving,
    silent,
    site,
    speaks,
)

if tuple(sys.version_info) < (3, 11):
    pytest.skip("pyreqwest needs Python 3.11", allow_module_level=True)

from memstack import _pyreqwest

HEALTHY = {"status": "ok"}


@pytest.fixture
def transport() -> TransportName:
    return "pyreqwest"


def reset_writing(connection: socket.socket) -> None:
    """A reset while a large request is being sent."""
    connection.recv(1000)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def cut_by_reset(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"status"')
    time.sleep(0.05)  # so that it overtakes nothing
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def packed(connection: socket.socket) -> None:
    answer(200, b"x", {"Content-Encoding": "br"})(connection)


def half(connection: socket.socket) -> None:
    """A part of the body, until the client goes away."""
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    assert connection.recv(1) == b""


ROWS: dict[str, tuple[Behaviour, str]] = {
    "reset while writing": (reset_writing, "write read"),  # either comes first
    "reset in the body": (cut_by_reset, "read"),
    "bad chunk": (speaks("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz"), "truncated"),
    "head too large": (speaks(f"HTTP/1.1 200 OK\r\nA: {'x' * 1_000_000}\r\n\r\n"), "truncated"),
    "other packing": (packed, "truncated"),
}


@pytest.mark.parametrize("name", ROWS)
def test_what_may_have_been_seen_is_unknown(connect: Connect, name: str) -> None:
    """Whatever class pyreqwest gives it."""
    behaviour, reason = ROWS[name]
    with serving(behaviour) as url, pytest.raises(memstack.OutcomeUnknownError) as caught:
        connect(url, max_retries=0).create_memo("x" * 5_000_000)

    assert caught.value.reason in reason.split()
    assert caught.value.outcome == "unknown"


@contextmanager
def full() -> Iterator[str]:
    """A server that takes no more connections, and refuses none."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        for one in waiting:
            one.close()


def test_a_server_that_takes_no_connection_was_sent_nothing(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as the attempt may take longer than a connection."""
    monkeypatch.setattr(_pyreqwest, "CONNECTING", 0.1)
    with full() as url, pytest.raises(memstack.RequestTimeoutError) as caught:
        connect(url, max_retries=1).create_memo("note")

    assert caught.value.reason == "connect_timeout"
    assert outcomes(caught.value.attempts) == [(None, "not_sent")] * 2
    assert "0.1 s" in caught.value.message


def test_a_call_too_many_was_not_sent(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits for a place as long as its timeout."""
    monkeypatch.setattr(_pyreqwest, "MOST_AT_ONCE", 1)
    with site(silent) as running:
        client = connect(running.url, max_retries=0)

        def last() -> Any:
            with pytest.raises(memstack.RequestTimeoutError) as caught:
                client.with_options(timeout=0.1).create_memo("note")
            return caught.value

        error = beside(client, running, last)

    assert (error.reason, error.outcome) == ("pool_timeout", "not_sent")


def beside(client: Driven, running: Any, act: Callable[[], Any]) -> Any:
    """What *act* gives while a call of *client* waits for a server that says nothing."""
    if isinstance(client.client, MemStackClient):
        with ThreadPoolExecutor(1) as pool:
            other = pool.submit(_failing, client.client.with_options(timeout=0.5))
            while running.connections == 0:
                time.sleep(0.01)
            time.sleep(0.05)
            result = act()
            other.result()
        return result
    waiting = client.client.with_options(timeout=0.5).health_check()
    task = client.loop.create_task(waiting)
    client.loop.run_until_complete(asyncio.sleep(0.1))
    result = act()
    with pytest.raises(memstack.NetworkError):
        client.loop.run_until_complete(task)
    return result


def _failing(client: MemStackClient) -> None:
    with pytest.raises(memstack.NetworkError):
        client.health_check()


def test_close_ends_a_call_that_runs(connect: Connect) -> None:
    """At once; the server may have seen it."""
    errors: list[Any] = []
    with site(silent) as running:
        client = connect(running.url, timeout=5, on_attempt=errors.append)
        started = time.monotonic()
        beside(client, running, client.close)
        with pytest.raises(memstack.NetworkError, match="closed"):
            client.health_check()

    assert time.monotonic() - started < 2
    assert [(event.reason, event.outcome) for event in errors] == [("closed", "unknown")]


def test_a_header_that_is_not_ascii_does_not_hide_the_others(connect: Connect) -> None:
    """It is left out."""
    text = "HTTP/1.1 200 OK\r\nX-Name: Zoë\r\nX-Two: a\r\nX-Two: b\r\nContent-Length: 16\r\n\r\n"
    with serving(speaks(text + '{"status": "ok"}')) as url:
        response = connect(url).send_raw(operations.health_check())

    assert response.headers["x-two"] == "a, b"
    assert "x-name" not in response.headers


def test_a_target_is_sent_as_it_is_or_not_at_all(connect: Connect) -> None:
    """For `%2E%2E` pyreqwest would go up a folder, to another place than was meant."""
    with (
        site(redirect(307, "/a/%2E%2E/b")) as running,
        pytest.raises(memstack.NetworkError) as caught,
    ):
        connect(running.url).get_memo("m1")

    assert (caught.value.reason, caught.value.outcome) == ("url", "not_sent")
    assert running.connections == 1


def test_one_client_serves_loops_one_after_the_other(bare: None) -> None:
    """Each asyncio.run() has a new one; the connections stay."""
    with site(in_turn(*[answer(keep=True)] * 3)) as running:
        client = MemStackAsyncClient(KEY, running.url, timeout=5, transport="pyreqwest")
        seen = [asyncio.run(_health(client)) for _ in range(3)]
        asyncio.run(client.close())

    assert seen == [HEALTHY] * 3
    assert running.connections == 1


async def _health(client: MemStackAsyncClient) -> Any:
    return await client.health_check()


def test_one_client_serves_loops_at_the_same_time(bare: None) -> None:
    """Each in a thread of its own."""
    with serving(*[answer()] * 40) as url:
        client = MemStackAsyncClient(KEY, url, timeout=5, transport="pyreqwest")

        async def several() -> list[Any]:
            return list(await asyncio.gather(*(client.health_check() for _ in range(10))))

        with ThreadPoolExecutor(4) as pool:
            seen = list(pool.map(lambda _: asyncio.run(several()), range(4)))
        asyncio.run(client.close())

    assert seen == [[HEALTHY] * 10] * 4


@pytest.mark.parametrize("behaviour", [silent, half], ids=["head", "body"])
def test_a_cancelled_call_returns_at_once_and_ends_with_its_timeout(
    bare: None, behaviour: Behaviour
) -> None:
    """pyreqwest cannot take a request back; the client goes on meanwhile."""
    gone = threading.Event()

    def watched(connection: socket.socket) -> None:
        behaviour(connection)
        gone.set()

    async def cancel(url: str) -> tuple[Any, float]:
        async with MemStackAsyncClient(KEY, url, timeout=0.6, transport="pyreqwest") as client:
            started = time.monotonic()
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.health_check(), 0.1)
            elapsed = time.monotonic() - started
            assert await asyncio.to_thread(gone.wait, 5)
            return await client.health_check(), elapsed

    with serving(watched, answer()) as url:
        seen, elapsed = asyncio.run(cancel(url))

    assert seen == HEALTHY
    assert elapsed < 0.5


def test_a_kept_connection_that_breaks_is_not_tried_anew(connect: Connect) -> None:
    """By nobody but us: the server sees one request for each attempt."""
    with site(in_turn(answer(keep=True), reset), answer(), answer()) as running:
        client = connect(running.url, max_retries=0)
        client.health_check()
        with pytest.raises(memstack.OutcomeUnknownError):
            client.create_memo("note")

    assert running.connections == 1


def test_no_traceback_shows_the_query(connect: Connect) -> None:
    """The first cause of each error of pyreqwest is the URL, with whose memories they are."""
    whose = "-".join(["alice", "hidden"])  # a traceback shows the lines of this file too
    with serving(hang_up) as url, pytest.raises(memstack.NetworkError) as caught:
        connect(url, max_retries=0).list_episodes(user_id=whose)

    assert whose not in "".join(traceback.format_exception(caught.value))
