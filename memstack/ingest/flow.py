"""Keeps the items that are open: read, and not ended; each is ready, or waits behind another.

How many and how large they may be is bounded, so that memory does not grow with the input.
"""

from __future__ import annotations

from collections import deque

from .items import Item

__all__ = ["Flow"]

STOCK = 512
"""Items to have ready, at least: enough that one transaction of the ledger is for many, and that
nobody waits for it. Half as many cost up to a tenth more processor time for each."""
_MOST_BYTES = 32 * 2**20
_WAITING = 4
"""Items that may wait behind others of their group, for each that is ready."""


class Flow:
    """The open items of one run."""

    def __init__(self, concurrency: int, *, by_group: bool) -> None:
        self.stock = max(STOCK, 4 * concurrency)
        self._most_open = self.stock * (_WAITING if by_group else 1)
        self._by_group = by_group
        self._open: dict[bytes, Item] = {}
        self._groups: dict[str, deque[Item]] = {}
        self._waiting = self._followers = self._bytes = 0

    def room(self) -> int:
        """How many items to read now; 0 until it is worth while."""
        ready = len(self._open) - self._waiting
        if ready > self.stock // 2 or self._bytes > _MOST_BYTES:
            return 0
        left = self._most_open - len(self._open) - self._followers
        return max(0, min(self.stock - ready, left))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is open."""
        return not self._open

    @property
    def has_waiting(self) -> bool:
        """Whether the end of an item may make another one ready."""
        return self._waiting > 0

    def follows(self, item: Item) -> bool:
        """Whether one of the same content is open, and will tell what becomes of *item*, too."""
        first = self._open.get(item.digest)
        if first is None:
            return False
        first.followers.append((item.index, item.given))
        self._followers += 1
        self._bytes += item.size
        return True

    def add(self, item: Item) -> bool:
        """Open *item*; whether it is ready."""
        self._open[item.digest] = item
        self._bytes += item.size
        if not self._by_group or item.group is None:
            return True
        before = self._groups.get(item.group)
        if before is None:
            self._groups[item.group] = deque()
            return True
        before.append(item)
        self._waiting += 1
        return False

    def end(self, item: Item) -> Item | None:
        """Close *item*; the next of its group, which is ready now."""
        del self._open[item.digest]
        self._bytes -= item.size * (1 + len(item.followers))
        self._followers -= len(item.followers)
        if not self._by_group or item.group is None:
            return None
        waiting = self._groups[item.group]
        if not waiting:
            del self._groups[item.group]
            return None
        self._waiting -= 1
        return waiting.popleft()
