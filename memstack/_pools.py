"""Keeps connections: each is a transport of httpx with one connection, and each call takes one.

A pool of httpcore looks through all its connections for every request, and again when it ends, so
that a call costs the more the more there are. Here the one that was used last is taken, whatever
their number. A call that is cancelled, or fails, takes its connection with it; one that is under
way when the pool is closed fails.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Generic, TypeVar, cast

import httpx

from ._lock import LOCK
from ._streams import cut
from .exceptions import NetworkError

__all__ = ["AsyncPool", "Pool"]

Http = TypeVar("Http", httpx.HTTPTransport, httpx.AsyncHTTPTransport)

MAX_CONNECTIONS = 1000
"""Of one client, and one event loop: as many calls at once as a busy agent makes."""
MAX_IDLE = 100
"""Connections that are kept while nobody uses them."""
MAX_IDLE_SECONDS = 5.0
"""How long they are kept; uvicorn closes its side after as long."""


class _Stack(Generic[Http]):
    """The transports of a pool: in use, or idle with the time since when."""

    def __init__(self, make: Callable[[], Http]) -> None:
        self._make: Callable[[], Http] = make
        self._used: set[Http] = set()
        self.idle: list[tuple[Http, float]] = []
        self._closed = False

    def take(self) -> Http:
        with LOCK:
            self._check_open()
            if self.idle:
                http = self.idle.pop()[0]
                self._used.add(http)
                return http
        http = self._make()
        with LOCK:
            self._check_open()
            self._used.add(http)
        return http

    def _check_open(self) -> None:
        if self._closed:  # during an earlier attempt of the same call
            raise NetworkError("this client is closed; make a new one", reason="closed")

    def drop(self, http: Http) -> None:
        """Have *http* no more."""
        with LOCK:
            self._used.discard(http)

    def give(self, http: Http) -> list[Http]:
        """Take *http* back; gives those that are to be closed now."""
        now = time.monotonic()
        with LOCK:
            self._used.discard(http)
            self.idle.append((http, now))
            keep = 0 if self._closed else MAX_IDLE
            old: list[Http] = []
            while len(self.idle) > keep or (self.idle and self.idle[0][1] < now - MAX_IDLE_SECONDS):
                old.append(self.idle.pop(0)[0])
        return old

    def end(self) -> Iterator[Http]:
        """Give out no more, and cut those in use; gives those that are to be closed, one by one.

        Where the loop ends amid this, it closes the others.
        """
        with LOCK:
            self._closed = True
            used = list(self._used)
        for http in used:  # whoever uses it closes it
            cut(http)
        while True:
            with LOCK:
                if not self.idle:
                    return
                http = self.idle.pop()[0]
            yield http


class Pool(_Stack[httpx.HTTPTransport]):
    """Of one process."""

    def __init__(self, make: Callable[[], httpx.HTTPTransport]) -> None:
        super().__init__(make)
        self._room = threading.BoundedSemaphore(MAX_CONNECTIONS)

    @contextmanager
    def one(self, timeout: float | None) -> Iterator[httpx.HTTPTransport]:
        """A transport for one request; waits up to *timeout* seconds for it."""
        if not self._room.acquire(timeout=timeout):
            raise httpx.PoolTimeout("all connections are in use")
        try:
            http = self.take()
            try:
                yield http
            except BaseException:  # KeyboardInterrupt, too
                self.drop(http)
                http.close()
                raise
            for old in self.give(http):
                old.close()
        finally:
            self._room.release()

    def close(self) -> None:
        """Close the connections."""
        for http in self.end():
            http.close()


class AsyncPool(_Stack[httpx.AsyncHTTPTransport]):
    """Of one event loop."""

    def __init__(self, make: Callable[[], httpx.AsyncHTTPTransport]) -> None:
        super().__init__(make)
        self._room = asyncio.Semaphore(MAX_CONNECTIONS)
        self._end = self._closed_at_the_end()

    @classmethod
    async def begun(cls, make: Callable[[], httpx.AsyncHTTPTransport]) -> AsyncPool:
        """One of the running loop, to be closed with it; nothing here waits."""
        pool = cls(make)
        await pool._end.__anext__()
        return pool

    @asynccontextmanager
    async def one(self, timeout: float | None) -> AsyncIterator[httpx.AsyncHTTPTransport]:
        """A transport for one request; waits up to *timeout* seconds for it."""
        await self._enter(timeout)
        try:
            http = self.take()
            try:
                yield http
            except BaseException:  # CancelledError, too
                self.drop(http)
                await _to_the_end(http.aclose())
                raise
            for old in self.give(http):
                await _to_the_end(old.aclose())
        finally:
            self._room.release()

    async def close_in(self, loop: asyncio.AbstractEventLoop) -> None:
        """The same in *loop*, whose they are; it may end at any time."""
        if loop is asyncio.get_running_loop():
            await _to_the_end(self._close())
            return
        tasks: list[asyncio.Task[None]] = []
        with suppress(RuntimeError):  # it has ended
            loop.call_soon_threadsafe(lambda: tasks.append(loop.create_task(self._close())))
        stopped = 0  # asyncio.run stops a loop several times before it closes it
        while not (loop.is_closed() or (tasks and tasks[0].done())) and stopped < 10:
            await asyncio.sleep(0.005)
            stopped = 0 if loop.is_running() else stopped + 1
        if loop.is_closed():
            for task in tasks:
                _drop(task)

    async def _enter(self, timeout: float | None) -> None:
        if not self._room.locked():
            await self._room.acquire()  # does not wait
            return
        try:
            await asyncio.wait_for(self._room.acquire(), timeout)
        except asyncio.TimeoutError:
            raise httpx.PoolTimeout("all connections are in use") from None

    async def _close(self) -> None:
        await self._close_all()
        with suppress(RuntimeError):  # the loop does so just now
            await self._end.aclose()

    async def _close_all(self) -> None:
        for http in self.end():
            await http.aclose()

    async def _closed_at_the_end(self) -> AsyncGenerator[None, None]:
        """Closes all when the loop that ran the first step is shut down, as by `asyncio.run`.

        A loop closes the asynchronous generators that are not at their end. Once it is closed
        itself, nothing can close its connections.
        """
        try:
            yield
        finally:
            await self._close_all()


def _drop(task: asyncio.Task[None]) -> None:
    """Forget *task* in silence: its loop ended before it, and has closed the connections itself."""
    if not task.done():
        with suppress(RuntimeError):
            cast(Any, task.get_coro()).close()
        cast(Any, task)._log_destroy_pending = False


async def _to_the_end(closing: Coroutine[Any, Any, None]) -> None:
    """Await *closing*; a task that is cancelled meanwhile is so only after it."""
    task = asyncio.ensure_future(closing)
    cancelled = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    task.result()
