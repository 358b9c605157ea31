"""Calls that are cancelled or interrupted leave the client as good as new."""

from __future__ import annotations

import asyncio
import gc
import signal
import threading
from typing import Any

import pytest

from memstack import MemStackAsyncClient, MemStackClient
from memstack._claims import Claims
from memstack.operations import create_memo

from ..colours import what_sends
from ..conftest import KEY
from ..echo import Echoing
from .cancelling import run

pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")


@pytest.mark.parametrize("twice", [False, True])
def test_cancelled_calls_leave_nothing_behind(twice: bool) -> None:
    """Wherever they are, and also if they are cancelled again while they clean up."""
    left = asyncio.run(run(250, twice=twice))
    gc.collect()

    assert left.ends["CancelledError"] > 100
    assert set(left.ends) <= {"CancelledError", "Memo"}
    assert set(left.states) <= {"idle"}
    assert (left.used, left.told, left.served, left.open) == (0, [], 100, 0)


@pytest.mark.parametrize("name", ["hold-1", "half-1"])
def test_wait_for_bounds_a_call(echo: Echoing, name: str) -> None:
    """Before the answer and amid it; the connection is closed, and the next call has another."""

    async def work() -> tuple[str, set[int]]:
        async with MemStackAsyncClient(KEY, echo.url) as client:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.get_memo(name), 0.05)
            return (await client.get_memo("m1")).id, echo.ports()

    found, ports = asyncio.run(work())

    assert found == "m1"
    assert len(ports) == 1
    assert ports != {echo.echo.requests[0][0]}


def test_a_timeout_of_asyncio_bounds_a_call(echo: Echoing) -> None:
    """It is a TimeoutError outside, not an error of ours."""
    timeout: Any = getattr(asyncio, "timeout", None)
    if timeout is None:
        pytest.skip("new in Python 3.11")

    async def work() -> str:
        async with MemStackAsyncClient(KEY, echo.url) as client:
            with pytest.raises(TimeoutError):
                async with timeout(0.05):
                    await client.get_memo("hold-1")
            return (await client.get_memo("m1")).id

    assert asyncio.run(work()) == "m1"


def test_a_call_that_waits_for_a_connection_may_be_cancelled(
    echo: Echoing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next in the queue gets the connection, at the very moment when it is free."""
    monkeypatch.setattr("memstack._pools.MAX_CONNECTIONS", 1)

    async def work(turns: int) -> str:
        async with MemStackAsyncClient(KEY, echo.url, 10, max_retries=0) as client:
            first = asyncio.ensure_future(client.get_memo("hold-1"))
            await asyncio.get_running_loop().run_in_executor(None, echo.wait_until_held)
            waits = asyncio.ensure_future(client.get_memo("m2"))
            last = asyncio.ensure_future(client.get_memo("m3"))
            await asyncio.sleep(0)
            first.cancel()
            for _ in range(turns):
                await asyncio.sleep(0)
            waits.cancel()
            await asyncio.gather(first, waits, return_exceptions=True)
            return (await last).id

    assert [asyncio.run(work(turns)) for turns in range(12)] == ["m3"] * 12


def test_a_create_that_is_cancelled_counts_as_doubtful(echo: Echoing) -> None:
    """The server may have it, so a later one of the same content claims no row without a doubt."""

    async def work() -> bool:
        async with MemStackAsyncClient(KEY, echo.url) as client:
            call = asyncio.ensure_future(client.create_memo("hold-1"))
            await asyncio.get_running_loop().run_in_executor(None, echo.wait_until_held)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            with Claims.of(client.base_url).ticket(create_memo("hold-1")) as ticket:
                return Claims.of(client.base_url).is_alone(ticket)

    assert asyncio.run(work()) is False


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="Windows interrupts otherwise")
@pytest.mark.parametrize("name", ["hold-1", "half-1"])
def test_an_interrupted_create_counts_as_doubtful_and_the_client_goes_on(
    echo: Echoing, name: str
) -> None:
    """Ctrl-C before the answer and amid it; the connection is closed."""
    with MemStackClient(KEY, echo.url) as client:
        claims = Claims.of(client.base_url)

        main = threading.get_ident()

        def interrupt() -> None:
            echo.wait_until_held()
            signal.pthread_kill(main, signal.SIGINT)

        # A shell starts what runs in its background with SIGINT ignored.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        thread = threading.Thread(target=interrupt)
        thread.start()
        try:
            with pytest.raises(KeyboardInterrupt):
                client.create_memo(name)
        finally:
            signal.signal(signal.SIGINT, before)
        thread.join(10)
        with claims.ticket(create_memo(name)) as ticket:
            alone = claims.is_alone(ticket)
        found = client.get_memo("m1").id

        assert alone is False
        assert found == "m1"
        assert len(echo.ports()) == len(what_sends(client)._pool.idle) == 1
    assert echo.ports() == set()
