"""What a run asks of who carries it out: `blocking` with threads, `awaited` with tasks."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from memstack._settling import Settlement
from memstack.exceptions import MemStackError, ValidationError
from memstack.models import EpisodeResponse
from memstack.response import Response

from .items import Item
from .judging import verdict_on
from .report import IngestReport

__all__ = [
    "QUIET",
    "Collect",
    "Course",
    "Done",
    "Ended",
    "Send",
    "Steps",
    "Stop",
    "Stopped",
    "Tell",
    "Work",
    "work",
]

T = TypeVar("T")
Steps = Generator[Any, Any, T]
"""Yields one of these, or what `_steps.Steps` yields: an Operation, or seconds to wait."""

QUIET = 0.25
"""Most seconds until what has ended is noted down, and told."""


@dataclass(frozen=True)
class Send:
    """Send these when their turn comes."""

    items: list[Item]


@dataclass(frozen=True)
class Done:
    """How the create of an item ended."""

    item: Item
    answer: Response[EpisodeResponse] | BaseException
    settlement: Settlement | None = None
    """What was found out about one of unknown outcome."""

    @property
    def is_urgent(self) -> bool:
        """Whether it tells something of the server, so that more of the same may come."""
        answer = self.answer
        if not isinstance(answer, BaseException):
            return False
        return not isinstance(answer, MemStackError) or verdict_on(answer, 0) != "failed"


@dataclass(frozen=True)
class Collect:
    """Gives a `Done` for each create that has ended."""

    wait: bool
    """Whether to wait for news: few are left, one is urgent, QUIET has passed, or see below."""
    low: int
    """How many are few."""
    eager: bool
    """Whether it is news that one has ended and no other could begin."""
    hungry: bool
    """Whether it is news that items can be read."""

    def is_news(self, done: list[Done], todo: int, flying: int, *, readable: bool = False) -> bool:
        """Whether to wait no longer.

        Args:
            done: What has ended and was not collected.
            todo: How many creates wait for their turn.
            flying: How many are on their way.
            readable: Whether items can be read.
        """
        if self.hungry and readable:
            return True
        if not done:  # else a run that has no room to read would ask again and again
            return False
        if done[-1].is_urgent or (not self.hungry and todo + flying <= self.low):
            return True
        return (self.eager or self.hungry) and not todo


@dataclass(frozen=True)
class Stop:
    """Begin no more creates, and wait for those on their way.

    Gives a `Done` for each that has ended, and the items that surely were not sent.
    """


class Stopped(BaseException):
    """Ends a call that pauses, when the run has stopped."""


@dataclass(frozen=True)
class Work:
    """Do something with files, which may take a while; gives what it returns."""

    do: Callable[[], Any]


class Ended(Exception):
    """The run ends early for *reason*, which the server or a file is to blame for."""

    def __init__(self, reason: MemStackError) -> None:
        self.reason = reason


def work(do: Callable[[], Any]) -> Steps[Any]:
    """What `Work` of *do* gives.

    Raises:
        Ended: It cannot be done.
    """
    try:
        return (yield Work(do))
    except ValidationError:
        raise
    except MemStackError as error:
        raise Ended(error) from error


@dataclass(frozen=True)
class Tell:
    """Call a function of the user."""

    function: Callable[[Any], Any]
    value: Any


class Course:
    """Goes through *steps*; who carries one out says what it gave, or what it raised."""

    def __init__(self, steps: Steps[IngestReport]) -> None:
        self._steps = steps
        self._report: IngestReport | None = None
        self.given: Any = None
        self.error: BaseException | None = None

    def next(self) -> Any:
        """The next step; None once there is a report."""
        given, error = self.given, self.error
        self.given = self.error = None
        try:
            return self._steps.send(given) if error is None else self._steps.throw(error)
        except StopIteration as end:
            self._report = end.value
            return None

    def report(self) -> IngestReport:
        """What the run did."""
        assert self._report is not None
        return self._report
