"""Which creates of a process are on their way, and which of the server's rows are whose.

Two creates of one content make two rows that look alike. So that a doubtful create never takes the
other's row for its own, each create holds a ticket while it is on its way.
"""

from __future__ import annotations

import hashlib
import uuid
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, TypeVar
from weakref import WeakValueDictionary

from ._lock import LOCK
from .exceptions import MemStackError
from .operations import Operation

T = TypeVar("T")

_REMEMBERED = 10_000
"""Most ids, and most contents in doubt, that are remembered; the oldest are forgotten first."""


SHOWN = {
    "create_episode": ("name", "content"),
    "create_memo": ("content", "visibility", "tags"),
    "create_api_key": ("name", "permissions"),
}
"""By operation, the fields of its body that the list of its rows shows everywhere."""


class Ticket:
    """One create on its way; `id` is set once its row is known."""

    def __init__(self, operation: Operation[Any]) -> None:
        self._operation = operation
        self.id: str | None = None

    @cached_property
    def content(self) -> bytes:
        """A digest of what its row shows: rows of other creates with the same look alike."""
        operation, fields = self._operation, self._operation.fields()
        shown = (operation.id, [fields.get(name) for name in SHOWN.get(operation.id, ())])
        return hashlib.sha256(repr(shown).encode()).digest()


PROCESS = uuid.uuid4().hex
"""The clock of one process means nothing in another."""


@dataclass(frozen=True)
class Doubt:
    """What `client.settle` has to know of a call in doubt; travels with its error."""

    operation: Operation[Any]
    idempotency_key: str | None
    started: float
    """When the call began, on the monotonic clock of *process*."""
    began: float
    """The same on its wall clock, in seconds since 1970."""
    ticket: Ticket | None
    process: str = PROCESS


class Claims:
    """Shared by all clients of one server in a process, and their threads."""

    _of: ClassVar[WeakValueDictionary[str, Claims]] = WeakValueDictionary()

    @classmethod
    def of(cls, base_url: str) -> Claims:
        """Those of the server at *base_url*, for as long as one of its clients is there."""
        with LOCK:
            return cls._of.setdefault(base_url, cls())

    def __init__(self) -> None:
        self._under_way: set[Ticket] = set()
        self._ids: OrderedDict[str, int] = OrderedDict()
        self._doubtful: OrderedDict[bytes, int] = OrderedDict()

    @contextmanager
    def ticket(self, operation: Operation[Any]) -> Iterator[Ticket]:
        """A ticket for the time that the create *operation* is on its way."""
        ticket = Ticket(operation)
        with LOCK:
            self._under_way.add(ticket)
        doubtful = True  # also when the call is cancelled or interrupted
        try:
            yield ticket
            doubtful = False
        except MemStackError as error:
            # "applied": stored, but the answer that has its id could not be read
            doubtful = error.outcome in ("unknown", "applied")
            raise
        finally:
            content = ticket.content if doubtful else b""
            with LOCK:
                self._under_way.discard(ticket)
                if ticket.id is not None:
                    _remember(self._ids, ticket.id, 1)
                elif doubtful:
                    _remember(self._doubtful, content, self._doubtful.get(content, 0) + 1)

    def has(self, id: str) -> bool:
        """Whether the row *id* is known to be another create's."""
        with LOCK:
            return id in self._ids

    def is_alone(self, ticket: Ticket) -> bool:
        """Whether no other create of the same content could have made an unclaimed row."""
        content = ticket.content
        with LOCK:
            under_way = list(self._under_way)
            doubts = self._doubtful.get(content, 0)
        return sum(other.content == content for other in under_way) + doubts == 1

    def settle(self, ticket: Ticket, id: str) -> None:
        """The row *id* is that of *ticket*, whose create had ended in doubt."""
        with LOCK:
            _remember(self._ids, id, 1)
            self._doubtful.pop(ticket.content, None)


def _remember(known: OrderedDict[T, int], item: T, count: int) -> None:
    known[item] = count
    if len(known) > _REMEMBERED:
        known.popitem(last=False)
