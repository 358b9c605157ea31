"""Decides whether a key may make one more request now."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable

from memstack.exceptions import ValidationError
from memstack.local.answers import Refusal
from memstack.local.keys import Bearer

__all__ = ["MAX_BODY", "MOST_A_MINUTE", "RateLimit"]

MAX_BODY = 10 * 1024 * 1024
"""Most bytes of one request's body."""

MOST_A_MINUTE = 100_000
"""The largest rate limit: the time of each request of the last minute is kept."""

_MINUTE = 60.0


class RateLimit:
    """Lets each key make at most *a_minute* requests within any 60 seconds.

    One that is refused is not counted, so who waits as told is let in. Any number of threads may
    use one; each process counts for itself.
    """

    def __init__(self, a_minute: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        if type(a_minute) is not int or not 1 <= a_minute <= MOST_A_MINUTE:
            raise ValidationError(f"rate_limit: must be an integer from 1 to {MOST_A_MINUTE}")
        self._most = a_minute
        self._clock = clock
        self._turn = threading.Lock()
        self._times: dict[str, deque[float]] = {}
        """When each key made the requests of its last minute, by its id."""

    def admit(self, bearer: Bearer) -> None:
        """Count a request of *bearer*.

        Raises:
            Refusal: 429, with `Retry-After` in seconds; there were too many.
        """
        with self._turn:
            now = self._clock()
            if bearer.id not in self._times:
                self._forget_idle(now)
            times = self._times.setdefault(bearer.id, deque())
            while times and times[0] <= now - _MINUTE:
                times.popleft()
            if len(times) < self._most:
                times.append(now)
                return
            wait = math.ceil(times[0] + _MINUTE - now)
        detail = f"Too many requests: this key may make {self._most} a minute; wait {wait} s"
        raise Refusal(429, detail, {"retry-after": str(wait)})

    def _forget_idle(self, now: float) -> None:
        # Keys come and go; those that are gone are not kept in mind.
        self._times = {id: times for id, times in self._times.items() if times[-1] > now - _MINUTE}
