"""The attempts of one call, and who is told of each: the log, and the user's own hook.

Of a call only what stands in AttemptEvent goes out: no path, no query, no header and no body, so
that neither a key nor what somebody wants remembered gets into a log.
"""

from __future__ import annotations

import logging
import os
import random
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from .exceptions import Attempt, Outcome

__all__ = ["AttemptEvent", "AttemptHook", "Chance", "History"]

_log = logging.getLogger("memstack")
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO}


@dataclass(frozen=True)
class AttemptEvent:
    """What `on_attempt` is told when an attempt has ended; also `record.memstack` in the log."""

    operation: str
    """The operationId of openapi.yaml, which is the name of the method: `create_episode`."""
    method: str
    base_url: str
    attempt: int
    """1 for the first of the call."""
    status: int | None
    """Status of the answer; None where there was none."""
    reason: str | None
    """Why there was no answer, as in `NetworkError.reason`; None where there was one."""
    outcome: Outcome
    """What the attempt says of the server's side."""
    elapsed: float
    """Seconds it took."""
    request_id: str
    retry_after: float | None = None
    """Seconds that an answer of 429 or 503 asked to wait; None where it did not."""


AttemptHook = Callable[[AttemptEvent], None]


@dataclass(frozen=True)
class Chance:
    """Time and luck, so that a test can be sure of both."""

    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    uniform: Callable[[float, float], float] = random.uniform

    def age(self, started: float, began: float) -> float | None:
        """Seconds since the monotonic clock showed *started* and the wall clock *began*.

        None if the two disagree: a machine that sleeps stops the first, and the second may be set.
        """
        seconds = self.monotonic() - started
        return seconds if abs(self.now() - began - seconds) <= 1.0 else None


class History:
    """What became of the attempts of one call so far."""

    def __init__(self, operation: str, method: str, base_url: str, hook: AttemptHook | None):
        self.attempts: tuple[Attempt, ...] = ()
        self._call = {"operation": operation, "method": method, "base_url": base_url}
        self._hook = hook

    def add(
        self,
        status: int | None,
        failure: str | None,
        outcome: Outcome,
        elapsed: float,
        request_id: str,
        reason: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        """An attempt has ended; *failure* says in words what *reason* names."""
        self.attempts = (*self.attempts, Attempt(status, failure, outcome, elapsed))
        is_logged = _log.isEnabledFor(logging.DEBUG)
        if self._hook is None and not is_logged:
            return
        event = AttemptEvent(
            **self._call,
            attempt=len(self.attempts),
            status=status,
            reason=reason,
            outcome=outcome,
            elapsed=elapsed,
            request_id=request_id,
            retry_after=retry_after,
        )
        if is_logged:
            _log.debug(
                "%s: attempt %d: %s in %.3f s, %s [request id %s]",
                event.operation,
                event.attempt,
                event.status or event.reason,
                event.elapsed,
                event.outcome,
                event.request_id,
                extra={"memstack": asdict(event)},
            )
        if self._hook is not None:
            try:
                self._hook(event)
            except Exception:  # the call goes on: it may be a write that was applied
                _log.exception("on_attempt failed")

    def goes_on(self, pause: float, pause_reason: str) -> None:
        """The last attempt is followed by another, *pause* seconds later."""
        self.amend(pause=pause, pause_reason=pause_reason)
        last = self.attempts[-1]
        _log.info(
            "%s: attempt %d follows in %.3f s (%s) after %s",
            self._call["operation"],
            len(self.attempts) + 1,
            pause,
            pause_reason,
            last.status or "no answer",
            extra={
                "memstack": {
                    **self._call,
                    "attempt": len(self.attempts),
                    "status": last.status,
                    "outcome": last.outcome,
                    "pause": pause,
                    "pause_reason": pause_reason,
                }
            },
        )

    def settled(self, status: int, elapsed: float) -> None:
        """The call ends well: what it created was found by a look, which is a call of its own."""
        story = "settled: it was found where it is listed"
        self.attempts = (*self.attempts, Attempt(status, story, "applied", elapsed))

    def amend(self, **facts: Any) -> None:
        """Correct the last attempt."""
        self.attempts = (*self.attempts[:-1], replace(self.attempts[-1], **facts))

    def outcome(self, last: Outcome) -> Outcome:
        """What is known after all attempts: one unknown leaves it unknown, unless applied."""
        if last != "applied" and any(attempt.outcome == "unknown" for attempt in self.attempts):
            return "unknown"
        return last


def log_as_the_environment_says() -> None:
    """Print the log to stderr where MEMSTACK_LOG is `debug` or `info`."""
    _log.addHandler(logging.NullHandler())
    wish = os.environ.get("MEMSTACK_LOG", "").lower()
    if wish in _LEVELS:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
        _log.addHandler(handler)
        _log.setLevel(_LEVELS[wish])
    elif wish:
        warnings.warn(f"MEMSTACK_LOG: must be debug or info, not {wish!r}", stacklevel=2)


log_as_the_environment_says()
