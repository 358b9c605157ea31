"""One asyncio client in several event loops, one after the other and at the same time."""

from __future__ import annotations

import asyncio
import gc
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import memstack
from memstack import MemStackAsyncClient

from ..colours import what_sends
from ..conftest import KEY
from ..echo import Echoing

# What a garbage collection finds is a failure too.
pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")


async def _some(client: MemStackAsyncClient, start: int = 0) -> set[str]:
    """The ids of five memos that were asked for at once."""
    memos = await asyncio.gather(*(client.get_memo(f"m{n}") for n in range(start, start + 5)))
    return {memo.id for memo in memos}


def test_a_client_serves_one_loop_after_the_other(echo: Echoing) -> None:
    """Each loop closes its connections as it ends, without a warning."""
    client = MemStackAsyncClient(KEY, echo.url)
    ids = []

    for start in (0, 5, 10):
        ids.append(asyncio.run(_some(client, start)))
        assert echo.ports() == set()
        gc.collect()
    asyncio.run(client.close())
    gc.collect()

    assert ids == [{f"m{n}" for n in range(start, start + 5)} for start in (0, 5, 10)]


def test_a_loop_that_has_ended_is_forgotten(echo: Echoing) -> None:
    """A service that calls asyncio.run for each job keeps nothing of them."""
    client = MemStackAsyncClient(KEY, echo.url)

    for _ in range(5):
        asyncio.run(_some(client))
    transport = what_sends(client)

    assert len(transport._pools) == 1
    asyncio.run(client.close())
    assert transport._pools == {}


def test_a_loop_that_was_closed_by_hand_does_no_harm(echo: Echoing) -> None:
    """asyncio itself warns of the connections that it was not let close; the client goes on."""
    client = MemStackAsyncClient(KEY, echo.url)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        loop = asyncio.new_event_loop()
        loop.run_until_complete(_some(client))
        loop.close()

        assert asyncio.run(_some(client)) == {f"m{n}" for n in range(5)}
        asyncio.run(client.close())
        del loop
        gc.collect()

    assert echo.ports() == set()


class _Elsewhere:
    """An event loop that runs in a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    def end(self) -> None:
        if not self.loop.is_closed():
            self.run(self.loop.shutdown_asyncgens())
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(10)
            self.loop.close()


@contextmanager
def _elsewhere() -> Iterator[Callable[[], _Elsewhere]]:
    loops: list[_Elsewhere] = []

    def begin() -> _Elsewhere:
        loops.append(_Elsewhere())
        return loops[-1]

    try:
        yield begin
    finally:
        for loop in loops:
            loop.end()


def test_loops_at_the_same_time_have_connections_of_their_own(echo: Echoing) -> None:
    """And close() in one closes those of all that run."""
    client = MemStackAsyncClient(KEY, echo.url)
    with _elsewhere() as begin:
        one, other = begin(), begin()
        works = [
            asyncio.run_coroutine_threadsafe(_some(client, n * 5), (one, other)[n % 2].loop)
            for n in range(20)
        ]
        ids = set().union(*(work.result(10) for work in works))
        before = echo.ports()
        one.run(client.close())

        assert ids == {f"m{n}" for n in range(100)}
        assert len(before) > 1
        assert echo.ports() == set()


def test_close_ends_the_calls_of_another_loop(echo: Echoing) -> None:
    """With a typed error."""
    client = MemStackAsyncClient(KEY, echo.url, retry_delay=0)
    with _elsewhere() as begin:
        one, other = begin(), begin()
        call = asyncio.run_coroutine_threadsafe(client.get_memo("hold-1"), other.loop)
        echo.wait_until_held()
        one.run(client.close())

        with pytest.raises(memstack.NetworkError) as caught:
            call.result(10)
        assert caught.value.reason == "closed"
    assert echo.ports() == set()


def test_close_does_not_wait_for_a_loop_that_has_stopped(echo: Echoing) -> None:
    """It closes its connections itself when it is shut down."""
    client = MemStackAsyncClient(KEY, echo.url)
    stopped = asyncio.new_event_loop()
    stopped.run_until_complete(client.get_memo("m1"))

    asyncio.run(asyncio.wait_for(client.close(), 10))
    stopped.run_until_complete(stopped.shutdown_asyncgens())
    stopped.close()

    assert echo.ports() == set()
    del client
    gc.collect()


def test_close_among_loops_that_end_does_not_hang(echo: Echoing) -> None:
    """Whichever comes first, all connections are closed."""
    for _ in range(20):
        client = MemStackAsyncClient(KEY, echo.url)
        begun = threading.Barrier(2)

        async def work(
            client: MemStackAsyncClient = client, begun: threading.Barrier = begun
        ) -> None:
            await _some(client)
            begun.wait(10)

        thread = threading.Thread(target=asyncio.run, args=(work(),))
        thread.start()
        begun.wait(10)
        asyncio.run(asyncio.wait_for(client.close(), 10))
        thread.join(10)

        assert not thread.is_alive()
        assert echo.ports() == set()


def test_a_call_under_way_ends_when_its_client_is_closed(echo: Echoing) -> None:
    """In the same loop; wherever it is."""

    async def close_after(steps: int, name: str) -> str:
        client = MemStackAsyncClient(KEY, echo.url, retry_delay=0)
        call = asyncio.ensure_future(client.get_memo(name))
        for _ in range(steps):
            await asyncio.sleep(0)
        await client.close()
        try:
            return (await asyncio.wait_for(call, 10)).id
        except memstack.NetworkError as error:
            return error.reason or ""

    ends = {asyncio.run(close_after(steps, "m1")) for steps in range(0, 40, 2)}
    ends |= {asyncio.run(close_after(500, name)) for name in ("half-1",)}

    assert ends <= {"m1", "closed"}
    assert echo.ports() == set()


def test_an_embedded_client_serves_one_loop_after_the_other(tmp_path: Any) -> None:
    """And two at the same time."""
    client = MemStackAsyncClient.local(tmp_path / "memories.db")
    made = [asyncio.run(client.create_memo(f"note {n}")) for n in range(3)]
    with _elsewhere() as begin:
        loops = begin(), begin()
        calls = [
            asyncio.run_coroutine_threadsafe(client.get_memo(made[n % 3].id), loops[n % 2].loop)
            for n in range(12)
        ]
        contents = [call.result(10).content for call in calls]
        for loop in loops:
            loop.run(loop.loop.shutdown_default_executor())
    asyncio.run(client.close())

    assert contents == [f"note {n % 3}" for n in range(12)]
