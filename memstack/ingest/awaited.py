"""Carries out a run with tasks of one event loop."""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import AsyncIterable, Callable, Iterable, Iterator
from typing import Any

from memstack._claims import Doubt
from memstack.exceptions import MemStackError
from memstack.operations import Operation

from .items import Item
from .pacing import Pace
from .reading import MOST_BYTES, Read, Reader, Taken, read_some, size_of
from .report import IngestReport
from .starting import started
from .steps import QUIET, Collect, Course, Done, Send, Stop, Stopped, Tell, Work

__all__ = ["ingest"]

_GRACE = 1.0
"""Seconds that creates on their way may still take when the run is cancelled."""
_AHEAD = 256
"""Items of an async iterable that are read before they are asked for."""


async def ingest(
    client: Any, items: Iterable[Any] | AsyncIterable[Any], **options: Any
) -> IngestReport:
    """What `MemStackAsyncClient.ingest` says."""
    load, sender, pace = started(client, items, awaited=True, **options)
    runner = _Runner(sender, items, pace)
    course = Course(load.steps())
    try:
        while (step := course.next()) is not None:
            try:
                course.given = await runner.carry_out(step)
            except BaseException as caught:  # also CancelledError: what is on its way ends first
                course.error = caught
                runner.is_cancelled = isinstance(caught, asyncio.CancelledError)
        return course.report()
    finally:
        await runner.abandon()


class _Runner:
    def __init__(self, client: Any, items: Any, pace: Pace) -> None:
        self._client, self._pace = client, pace
        self._sleep = client._sleep
        client._sleep = self._pause
        self._source = _Ahead(items, self._look_up) if _is_async(items) else _Now(items)
        self._todo: deque[Item] = deque()
        self._done: list[Done] = []
        self._flying = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle: deque[asyncio.Future[None]] = deque()
        self._awaits: tuple[Collect, asyncio.Future[None]] | None = None
        self._stopped = asyncio.Event()
        self.is_cancelled = False

    async def carry_out(self, step: Any) -> Any:
        if isinstance(step, Read):
            return self._source.read(step)
        if isinstance(step, Collect):
            return await self._collect(step)
        if isinstance(step, Work):
            return await _to_the_end(asyncio.to_thread(step.do))
        if isinstance(step, Send):
            return self._send(step.items)
        if isinstance(step, Tell):
            given = step.function(step.value)
            return await given if inspect.isawaitable(given) else given
        if isinstance(step, Stop):
            return await self._stop()
        if isinstance(step, Operation):
            try:
                return await self._client.send_raw(step)
            except MemStackError as error:
                return error
        return await self._sleep(step)

    async def abandon(self) -> None:
        """Have no task begin anything more, and end them all."""
        self._end_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, self._source.close(), return_exceptions=True)

    def _end_all(self) -> list[Item]:
        """Begin no more creates; gives the items that were not sent."""
        self._stopped.set()
        unsent = [*self._todo]
        self._todo.clear()
        self._wake(len(self._idle))
        return unsent

    def _send(self, items: list[Item]) -> None:
        self._todo.extend(items)
        self._wake(len(items))
        wanted = min(self._pace.limit, len(self._todo) + self._flying)
        for _ in range(wanted - len(self._tasks)):
            self._tasks.add(asyncio.create_task(self._work()))

    def _wake(self, count: int) -> None:
        for _ in range(min(count, len(self._idle))):
            future = self._idle.popleft()
            if not future.done():
                future.set_result(None)

    async def _collect(self, step: Collect) -> list[Done]:
        if step.wait and not self._is_news(step):
            future = asyncio.get_running_loop().create_future()
            self._awaits = step, future
            try:
                await asyncio.wait([future], timeout=QUIET)
            finally:
                self._awaits = None
        elif not step.wait:
            await asyncio.sleep(0)  # so that others have their turn, too
        done, self._done = self._done, []
        return done

    def _is_news(self, step: Collect) -> bool:
        readable = self._source.has_some
        return step.is_news(self._done, len(self._todo), self._flying, readable=readable)

    def _look_up(self) -> None:
        if self._awaits is not None and self._is_news(self._awaits[0]):
            future = self._awaits[1]
            if not future.done():
                future.set_result(None)

    async def _stop(self) -> tuple[list[Done], list[Item]]:
        unsent = self._end_all()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_GRACE if self.is_cancelled else None)
        done, self._done = self._done, []
        return done, unsent

    async def _work(self) -> None:
        while not self._stopped.is_set():
            wait = self._pace.wait()
            if wait > 0 and self._todo:
                try:
                    await self._pause(wait)
                except Stopped:
                    return
            elif self._todo and self._flying < self._pace.limit:
                self._flying += 1
                done = await self._sent(self._todo.popleft())
                self._flying -= 1
                self._done.append(done)
                self._look_up()
                if self._todo and self._flying + 1 < self._pace.limit:
                    self._wake(1)
            else:
                self._idle.append(asyncio.get_running_loop().create_future())
                await self._idle[-1]

    async def _sent(self, item: Item) -> Done:
        try:
            return Done(item, await self._client.send_raw(item.operation))
        except MemStackError as error:
            if error.outcome == "unknown" and isinstance(error.doubt, Doubt):
                try:
                    return Done(item, error, await self._client.settle(error))
                except MemStackError:
                    pass
                except BaseException as other:
                    return Done(item, other)
            return Done(item, error)
        except BaseException as other:  # an item without an end would be waited for for ever
            return Done(item, other)

    async def _pause(self, seconds: float) -> None:
        if self._sleep is not asyncio.sleep:  # a test's
            await self._sleep(seconds)
        elif not self._stopped.is_set():
            waiting = asyncio.ensure_future(self._stopped.wait())
            try:
                await asyncio.wait([waiting], timeout=seconds)
            finally:
                waiting.cancel()
        if self._stopped.is_set():
            raise Stopped


def _is_async(items: Any) -> bool:
    return isinstance(items, AsyncIterable)


class _Now:
    """Reads an iterable."""

    has_some = True

    def __init__(self, items: Iterable[Any]) -> None:
        self._items: Iterator[Any] = iter(items)

    def read(self, step: Read) -> tuple[list[Taken], bool]:
        return read_some(self._items, step)

    async def close(self) -> None:
        pass


class _Ahead:
    """Reads an async iterable in a task of its own, since it may take its time."""

    def __init__(self, items: AsyncIterable[Any], tell: Callable[[], None]) -> None:
        self._items, self._tell = items, tell
        self._read: deque[Taken] = deque()
        self._size = 0
        self._has_room = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def has_some(self) -> bool:
        """Whether there are items, or none will come."""
        return bool(self._read) or (self._task is not None and self._task.done())

    def read(self, step: Read) -> tuple[list[Taken], bool]:
        if self._task is None:
            self._task = asyncio.create_task(self._go_on(step.reader))
            self._task.add_done_callback(lambda _: self._tell())
        given = [self._read.popleft() for _ in range(min(step.most, len(self._read)))]
        self._size -= sum(map(size_of, given))
        self._has_room.set()
        if given or not self._task.done():
            return given, False
        self._task.result()  # raises what the items raised
        return [], True

    async def _go_on(self, reader: Reader) -> None:
        async for item in self._items:
            self._read.append(reader.take(item))
            self._size += size_of(self._read[-1])
            if len(self._read) == 1:
                self._tell()
            while len(self._read) >= _AHEAD or self._size > MOST_BYTES:
                self._has_room.clear()
                await self._has_room.wait()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await _ended(self._task)


async def _to_the_end(work: Any) -> Any:
    """What *work* gives; a cancellation waits until it has ended."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await _ended(task)
        raise


async def _ended(task: asyncio.Future[Any]) -> None:
    """Wait until *task* has ended; asyncio logs an error that nobody looks at."""
    await asyncio.wait([task])
    if not task.cancelled():
        task.exception()
