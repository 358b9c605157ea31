"""Decides how many creates may be on their way, and when the next may begin; never waits.

Additive increase, multiplicative decrease (https://www.rfc-editor.org/rfc/rfc5681#section-3.1): a
429 or 503 halves the number, and each round of creates without one makes it one more. What a server
asks for in Retry-After holds all of them back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

__all__ = ["OVERLOADED", "Pace"]

OVERLOADED = frozenset({429, 503})


class Pace:
    """Of one run; may be asked and told from any thread."""

    def __init__(self, most: int, monotonic: Callable[[], float]) -> None:
        self._most = self._limit = float(most)
        self._monotonic = monotonic
        self._cut_at = self._held_until = float("-inf")
        self._lock = threading.Lock()

    @property
    def limit(self) -> int:
        """Most creates at once, now; 1 or more."""
        return int(self._limit)

    def wait(self) -> float:
        """Seconds until the next may begin; 0 or less for at once."""
        return self._held_until - self._monotonic()

    def succeeded(self) -> None:
        """One create was answered well."""
        if self._limit < self._most:
            with self._lock:
                self._limit = min(self._most, self._limit + 1 / self._limit)

    def overloaded(self, elapsed: float, asked: float | None) -> None:
        """The server has too much to do.

        Args:
            elapsed: Seconds that the request took which it said so to.
            asked: Seconds that it asked to wait; None if it did not.
        """
        now = self._monotonic()
        with self._lock:
            # Those that were on their way at the last time tell of the same overload.
            if now - elapsed >= self._cut_at:
                self._limit = max(1.0, self._limit / 2)
                self._cut_at = now
            if asked is not None:
                self._held_until = max(self._held_until, now + asked)

    def hold(self, seconds: float) -> None:
        """Let nothing begin for so long."""
        with self._lock:
            self._held_until = max(self._held_until, self._monotonic() + seconds)
