"""Reads items, and bounds how many are read at once: by number, by time and by size."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

from memstack.exceptions import ValidationError

from .items import Item, read_item
from .report import IngestOutcome

__all__ = ["MOST_BYTES", "Read", "Reader", "Taken", "read_some", "size_of"]

MOST_BYTES = 4 * 2**20
"""Bytes of items after which what was read is sent."""
_LONGEST = 0.02
"""Seconds of reading after which it is, too."""
_BAD = 64 * 2**10
"""Bytes that one which is no episode may have; its size is not known."""

Taken = Item | IngestOutcome
"""What was read, or why it is no episode."""


class Reader:
    """Numbers items, and makes of each what is to be sent.

    Args:
        keyed: Whether to send the content hash as the `Idempotency-Key`.
    """

    def __init__(self, *, keyed: bool) -> None:
        self._indices, self._keyed = count(), keyed

    def take(self, given: Any) -> Taken:
        """What is known of *given*, which may be changed afterwards."""
        index = next(self._indices)
        try:
            return read_item(index, given, keyed=self._keyed)
        except ValidationError as error:
            return IngestOutcome(index, "failed", None, error, given)


@dataclass(frozen=True)
class Read:
    """The step that reads some items; gives what was taken of each, and whether that is all."""

    most: int
    """How many, at most."""
    reader: Reader
    """Takes each before the next one is read, which may be the same object, changed."""


def read_some(items: Iterator[Any], step: Read) -> tuple[list[Taken], bool]:
    """What `Read` gives, of an iterator that does not wait for long."""
    given: list[Taken] = []
    until, size = time.monotonic() + _LONGEST, 0
    for item in islice(items, step.most):
        given.append(step.reader.take(item))
        size += size_of(given[-1])
        if size > MOST_BYTES or time.monotonic() > until:
            return given, False
    return given, len(given) < step.most


def size_of(taken: Taken) -> int:
    """Bytes that *taken* takes, about."""
    return taken.size if isinstance(taken, Item) else _BAD
