"""One blocking client in many threads, and its end while they are at work."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

import memstack
from memstack import MemStackClient

from ..conftest import KEY
from ..echo import Echoing

THREADS = 32
CALLS = 8


def _work(client: MemStackClient, thread: int) -> list[tuple[str, str]]:
    """What was asked for, and what came."""
    siblings = [client, client.with_options(timeout=20), client.with_options(headers={"x-a": "b"})]
    pairs = []
    for number in range(CALLS):
        sibling, name = siblings[number % 3], f"{thread}-{number}"
        pairs.append((name, sibling.get_memo(name).id))
        pairs.append((name, sibling.create_memo(name).content))
        pairs.append((name, str(sibling.search_memory(name).query)))
    return pairs


def test_threads_that_share_a_client_get_their_own_answers(echo: Echoing) -> None:
    """Siblings too; there are no more connections than threads, and none is left at the end."""
    with MemStackClient(KEY, echo.url) as client, ThreadPoolExecutor(THREADS) as threads:
        done = list(threads.map(lambda thread: _work(client, thread), range(THREADS)))
        during = echo.ports()

    assert all(asked == given for pairs in done for asked, given in pairs)
    assert sum(map(len, done)) == THREADS * CALLS * 3
    assert 1 <= len({port for port, _ in echo.echo.requests}) <= THREADS
    assert len(during) <= THREADS
    assert echo.ports() == set()


def test_threads_that_share_an_embedded_client_get_their_own_answers(tmp_path: Any) -> None:
    """In memory all take turns at one connection, in a file each has its own."""
    for path in (None, tmp_path / "memories.db"):
        with MemStackClient.local(path) as client, ThreadPoolExecutor(8) as threads:

            def work(thread: int, client: MemStackClient = client) -> bool:
                made = [client.create_memo(f"{thread}-{number}") for number in range(5)]
                return [client.get_memo(memo.id).content for memo in made] == [
                    f"{thread}-{number}" for number in range(5)
                ]

            assert all(threads.map(work, range(8)))


def _in_a_thread(work: Callable[[], Any]) -> Future[Any]:
    ended: Future[Any] = Future()

    def run() -> None:
        try:
            ended.set_result(work())
        except BaseException as error:
            ended.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return ended


@pytest.mark.parametrize("name", ["hold-1", "half-1"])
@pytest.mark.parametrize("timeout", [30, None])
def test_a_call_under_way_ends_when_its_client_is_closed(
    echo: Echoing, name: str, timeout: float | None
) -> None:
    """At once, with a typed error, also without a timeout; and it is not sent again."""
    client = MemStackClient(KEY, echo.url, timeout, retry_delay=0)
    call = _in_a_thread(lambda: client.get_memo(name))
    echo.wait_until_held()

    client.close()

    with pytest.raises(memstack.NetworkError) as caught:
        call.result(10)
    assert [attempt.status for attempt in caught.value.attempts] == [None, None]
    assert caught.value.reason == "closed"
    assert len(echo.echo.requests) == 1
    assert echo.ports() == set()


def test_a_create_under_way_when_its_client_is_closed_is_of_unknown_outcome(
    echo: Echoing,
) -> None:
    """The server may have it."""
    client = MemStackClient(KEY, echo.url, retry_delay=0)
    call = _in_a_thread(lambda: client.create_memo("hold-1"))
    echo.wait_until_held()

    client.close()

    with pytest.raises(memstack.OutcomeUnknownError):
        call.result(10)
    assert echo.ports() == set()


def _until_it_fails(client: MemStackClient, started: threading.Barrier) -> None:
    started.wait(10)
    while True:
        client.get_memo("m1")


def test_a_connection_that_comes_about_after_the_close_is_closed_too(
    echo: Echoing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its call, which was under way, ends with a typed error."""
    client = MemStackClient(KEY, echo.url, retry_delay=0)
    found = socket.getaddrinfo

    def close_first(*args: Any, **options: Any) -> Any:
        client.close()
        return found(*args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", close_first)

    with pytest.raises(memstack.NetworkError) as caught:
        client.get_memo("m1")
    assert caught.value.reason == "closed"
    assert echo.ports() == set()


def test_closing_among_many_threads_leaves_no_connection(echo: Echoing) -> None:
    """Wherever their calls are, they end with a typed error."""
    for _ in range(10):
        client, started = MemStackClient(KEY, echo.url, retry_delay=0), threading.Barrier(9)
        calls = [_in_a_thread(partial(_until_it_fails, client, started)) for _ in range(8)]
        started.wait(10)
        seen = len(echo.echo.requests)
        while len(echo.echo.requests) < seen + 5:
            pass
        client.close()

        for call in calls:
            with pytest.raises(memstack.NetworkError) as caught:
                call.result(10)
            assert caught.value.reason == "closed"
        assert echo.ports() == set()


def test_an_embedded_client_closes_after_the_calls_under_way(tmp_path: Any) -> None:
    """Each ends with its answer or a typed error, without a pause."""
    client = MemStackClient.local(tmp_path / "memories.db")
    begun = threading.Event()

    def work() -> memstack.MemStackError:
        while True:
            try:
                client.create_memo("note")
                begun.set()
            except memstack.MemStackError as error:
                return error

    calls = [_in_a_thread(work) for _ in range(4)]
    assert begun.wait(10)
    client.close()

    for call in calls:
        error = call.result(10)
        assert "closed" in str(error)
        assert error.outcome in ("not_sent", "rejected", "unknown")
