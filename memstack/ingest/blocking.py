"""Carries out a run with threads: the caller's reads and decides, others send."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable
from typing import Any

from memstack._claims import Doubt
from memstack.exceptions import MemStackError
from memstack.operations import Operation

from .items import Item
from .pacing import Pace
from .reading import Read, read_some
from .report import IngestReport
from .starting import started
from .steps import QUIET, Collect, Course, Done, Send, Stop, Stopped, Tell, Work

__all__ = ["ingest"]


def ingest(client: Any, items: Iterable[Any], **options: Any) -> IngestReport:
    """What `MemStackClient.ingest` says."""
    load, sender, pace = started(client, items, awaited=False, **options)
    runner = _Runner(sender, items, pace)
    course = Course(load.steps())
    try:
        while (step := course.next()) is not None:
            try:
                course.given = runner.carry_out(step)
            except BaseException as caught:  # also KeyboardInterrupt: what is on its way ends first
                course.error = caught
        return course.report()
    finally:
        runner.abandon()


class _Runner:
    def __init__(self, client: Any, items: Iterable[Any], pace: Pace) -> None:
        self._client, self._items, self._pace = client, iter(items), pace
        self._sleep = client._sleep
        client._sleep = self._pause
        lock = threading.Lock()
        self._turn = threading.Condition(lock)
        """For threads that wait for an item."""
        self._news = threading.Condition(lock)
        """For the caller, who waits for what has ended."""
        self._todo: deque[Item] = deque()
        self._done: list[Done] = []
        self._threads: list[threading.Thread] = []
        self._flying = 0
        self._awaits: Collect | None = None
        self._stopped = threading.Event()

    def carry_out(self, step: Any) -> Any:
        if isinstance(step, Read):
            return read_some(self._items, step)
        if isinstance(step, Collect):
            return self._collect(step)
        if isinstance(step, Work):
            return step.do()
        if isinstance(step, Send):
            return self._send(step.items)
        if isinstance(step, Tell):
            return step.function(step.value)
        if isinstance(step, Stop):
            return self._stop()
        if isinstance(step, Operation):
            try:
                return self._client.send_raw(step)
            except MemStackError as error:
                return error
        return self._sleep(step)

    def abandon(self) -> None:
        """Have no thread begin anything more; those that are idle end."""
        self._give_up()
        if not self._flying:
            for thread in self._threads:
                thread.join()

    def _give_up(self) -> list[Item]:
        """Begin no more creates; gives the items that were not sent."""
        with self._turn:
            self._stopped.set()
            unsent = [*self._todo]
            self._todo.clear()
            self._turn.notify_all()
        return unsent

    def _send(self, items: list[Item]) -> None:
        with self._turn:
            self._todo.extend(items)
            wanted = min(self._pace.limit, len(self._todo) + self._flying)
            self._turn.notify(len(items))
        while len(self._threads) < wanted:
            thread = threading.Thread(target=self._work, name="memstack-ingest", daemon=True)
            thread.start()
            self._threads.append(thread)

    def _collect(self, step: Collect) -> list[Done]:
        with self._news:
            if step.wait and not self._is_news(step):
                self._awaits = step
                self._news.wait(QUIET)
                self._awaits = None
            done, self._done = self._done, []
        return done

    def _is_news(self, step: Collect) -> bool:
        return step.is_news(self._done, len(self._todo), self._flying)

    def _stop(self) -> tuple[list[Done], list[Item]]:
        unsent = self._give_up()
        with self._news:
            while self._flying:
                self._news.wait()
            done, self._done = self._done, []
        return done, unsent

    def _work(self) -> None:
        done: Done | None = None
        while True:
            with self._turn:
                if done is not None:
                    self._done.append(done)
                    self._flying -= 1
                    if self._stopped.is_set() or (self._awaits and self._is_news(self._awaits)):
                        self._news.notify()
                    if self._todo and self._flying + 1 < self._pace.limit:
                        self._turn.notify()  # there is room for one that had to wait
                item = self._next()
            if item is None:
                return
            done = self._sent(item)

    def _next(self) -> Item | None:
        """The item to send now, once there is one; None for the end. Holds the lock."""
        while not self._stopped.is_set():
            wait = self._pace.wait()
            if wait > 0 and self._todo:
                self._turn.release()
                try:
                    self._pause(wait)
                except Stopped:
                    pass
                finally:
                    self._turn.acquire()
            elif self._todo and self._flying < self._pace.limit:
                self._flying += 1
                return self._todo.popleft()
            else:
                self._turn.wait()
        return None

    def _sent(self, item: Item) -> Done:
        try:
            return Done(item, self._client.send_raw(item.operation))
        except MemStackError as error:
            if error.outcome == "unknown" and isinstance(error.doubt, Doubt):
                try:
                    return Done(item, error, self._client.settle(error))
                except MemStackError:
                    pass
                except BaseException as other:
                    return Done(item, other)
            return Done(item, error)
        except BaseException as other:
            return Done(item, other)

    def _pause(self, seconds: float) -> None:
        if self._sleep is not time.sleep:  # a test's
            self._sleep(seconds)
        else:
            self._stopped.wait(seconds)
        if self._stopped.is_set():
            raise Stopped
