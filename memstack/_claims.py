"""Which creates of a client are on their way, and which of the server's rows are whose.

Two creates of one content make two rows that look alike. So that a doubtful create never takes the
other's row for its own, each create holds a ticket while it is on its way.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from .exceptions import MemStackError

_REMEMBERED = 10_000
"""Most ids, and most contents in doubt, that are remembered; the oldest are forgotten first."""


class Ticket:
    """One create on its way; `id` is set once its row is known."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.id: str | None = None


class Claims:
    """Shared by a client, its siblings and threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: Counter[bytes] = Counter()
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._doubtful: OrderedDict[bytes, None] = OrderedDict()

    @contextmanager
    def ticket(self, operation: str, body: bytes) -> Iterator[Ticket]:
        """A ticket for the time that a create of *body* is on its way."""
        ticket = Ticket(hashlib.sha256(operation.encode() + b"\0" + body).digest())
        with self._lock:
            self._under_way[ticket.content] += 1
        doubtful = True  # also when the call is cancelled or interrupted
        try:
            yield ticket
            doubtful = False
        except MemStackError as error:
            doubtful = error.outcome == "unknown"
            raise
        finally:
            with self._lock:
                self._under_way -= Counter([ticket.content])
                if ticket.id is not None:
                    _remember(self._ids, ticket.id)
                elif doubtful:
                    _remember(self._doubtful, ticket.content)

    def has(self, id: str) -> bool:
        """Whether the row *id* is known to be another create's."""
        with self._lock:
            return id in self._ids

    def is_alone(self, ticket: Ticket) -> bool:
        """Whether no other create of the same content could have made an unclaimed row."""
        with self._lock:
            return self._under_way[ticket.content] == 1 and ticket.content not in self._doubtful


def _remember(known: OrderedDict[str, None] | OrderedDict[bytes, None], item: str | bytes) -> None:
    known[item] = None  # type: ignore[index]
    if len(known) > _REMEMBERED:
        known.popitem(last=False)
