"""What a forked process does with the locks that threads of its parent held."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from memstack import MemStackClient, operations
from memstack._claims import Claims
from memstack._lock import LOCK

from ..colours import what_sends
from ..conftest import KEY
from ..echo import Echoing
from .forking import NEEDS_FORK, PATIENCE, in_a_child, port_of

pytestmark = NEEDS_FORK


@contextmanager
def _busy(client: MemStackClient) -> Iterator[None]:
    """Threads that call without a pause."""
    over, failures = threading.Event(), list[BaseException]()

    def work() -> None:
        number = 0
        while not over.is_set():
            number += 1
            try:
                assert client.create_memo(f"busy {number}").content == f"busy {number}"
            except BaseException as error:
                failures.append(error)
                return

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(PATIENCE)
    assert failures == []


def test_a_fork_amid_calls_of_other_threads_does_not_hang(echo: Echoing) -> None:
    """Whatever locks they hold; their calls in the parent get their answers."""
    with MemStackClient(KEY, echo.url) as client, _busy(client):
        results = [
            in_a_child(lambda: (client.create_memo("of a child").content, LOCK.locked()))
            for _ in range(15)
        ]

    assert results == [("of a child", False)] * 15


def test_a_fork_while_a_connection_is_locked_does_not_hang(echo: Echoing) -> None:
    """By a thread that the child does not have."""
    with MemStackClient(KEY, echo.url) as client:
        own = port_of(client)
        transport = what_sends(client)
        ((http, _),) = transport._pool.idle
        connection = http._pool._connection
        locked, over = threading.Event(), threading.Event()

        def hold() -> None:
            with connection._request_lock:
                locked.set()
                over.wait(PATIENCE)

        thread = threading.Thread(target=hold)
        thread.start()
        locked.wait(PATIENCE)
        other = in_a_child(lambda: port_of(client))
        over.set()
        thread.join(PATIENCE)

    assert isinstance(other, int)
    assert other != own


def test_a_fork_waits_for_the_lock_of_the_claims(echo: Echoing) -> None:
    """So the child finds it free, and its create can be settled."""
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        with LOCK:
            held.set()
            over.wait(0.1)

    with MemStackClient(KEY, echo.url) as client:
        thread = threading.Thread(target=hold)
        thread.start()
        held.wait(PATIENCE)

        def create() -> tuple[str, bool]:
            with Claims.of(client.base_url).ticket(operations.create_memo("note")):
                pass
            return client.create_memo("note").content, LOCK.locked()

        result = in_a_child(create)
        thread.join(PATIENCE)

    assert result == ("note", False)
