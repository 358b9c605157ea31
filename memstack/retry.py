"""Decides whether a call is tried again, and after what pause; never sleeps, sends or draws lots.

| what happened | outcome | create, delete_episode | the rest | pause |
|---|---|---|---|---|
| DNS failure, refused, connect or pool timeout | not_sent | again | again | backoff |
| TLS or URL error, proxy wants a password, client closed | not_sent | no | no | |
| reset, read timeout, dropped or truncated answer | unknown | no | again | backoff |
| 408, 5xx but 501, 505, 507, 511 | unknown | no | again | Retry-After, else backoff |
| 429 | rejected | again | again | Retry-After, else backoff from 1 s |
| 501, 505, 507, 511, other 4xx, 3xx | rejected | no | no | |
| 2xx that cannot be read | applied | no | no | |

A create is treated like the rest where the server is known to honour `Idempotency-Key`; elsewhere
one of unknown outcome is looked for first, and sent again if it is not there: see _settling. An
answer's `x-should-retry: true` or `false` decides before this table. Each client has a budget of
retries, which an outage uses up and successes fill again: see RetryBudget.

Backoff is `retry_delay * 2**n`, n from 0, at most 30 s, times a random 0.5 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ._lock import LOCK
from .exceptions import APIError, MemStackError, NetworkError, Outcome

__all__ = ["Effect", "Pause", "RetryBudget", "RetryPolicy", "is_hopeless", "outcome_of_status"]

Effect = Literal["read", "repeatable", "once"]
"""What sending a request does: changes nothing; the same if sent twice; or more if sent twice."""

# 500 and 503 come from a server, 502 and 504 from a proxy before it: either may fail after the
# work is done. 408 may cut a request that was read in full. RFC 9110 15.5.9, 15.6.
# 501, 505 and 511 say that the request was not even considered, 507 that there was no room for it.
# RFC 9110 15.6.2, 15.6.6; RFC 6585 6; RFC 4918 11.5.
_REFUSALS = frozenset({501, 505, 507, 511})
_HOPELESS = frozenset({"tls", "url", "proxy_auth", "closed", "deadline"})

MAX_BACKOFF = 30.0
"""Seconds; the longest pause that is not asked for by the server."""
MIN_RATE_LIMIT_BACKOFF = 1.0
"""Seconds; the first pause after a 429 that says nothing, before the random factor."""


def is_hopeless(error: NetworkError) -> bool:
    """Whether the same would happen at once if it were tried again."""
    return error.reason in _HOPELESS


def outcome_of_status(status: int) -> Outcome:
    """What an answer of *status*, not 2xx, says of the server's side."""
    if status == 408 or (status >= 500 and status not in _REFUSALS):
        return "unknown"
    return "rejected"


@dataclass(frozen=True)
class Pause:
    """How long to wait before the next attempt."""

    seconds: float
    reason: Literal["backoff", "retry-after"]


@dataclass(frozen=True)
class RetryPolicy:
    """When to try again; all durations in seconds.

    Attributes:
        max_retries: Most attempts after the first; 0 means one attempt.
        retry_delay: First pause of the backoff.
        max_retry_after: Longest pause a server may ask for; a longer one ends the call.
    """

    max_retries: int
    retry_delay: float
    max_retry_after: float

    def pause_after(
        self,
        error: MemStackError,
        *,
        effect: Effect,
        retries: int,
        left: float | None,
        jitter: float,
    ) -> Pause | None:
        """The pause before the next attempt, or None if *error* ends the call.

        Args:
            error: How the last attempt ended.
            effect: What sending the request does.
            retries: How often it was tried again already.
            left: Seconds until the deadline; None without one.
            jitter: A random number from 0.5 to 1.
        """
        if retries >= self.max_retries or not _may_go_again(error, effect):
            return None
        pause = self._pause(error, retries, jitter)
        if pause.reason == "retry-after" and pause.seconds > self.max_retry_after:
            return None
        if left is not None and pause.seconds >= left:
            return None
        return pause

    def _pause(self, error: MemStackError, retries: int, jitter: float) -> Pause:
        delay = self.retry_delay
        if isinstance(error, APIError):
            if error.retry_after is not None:
                return Pause(error.retry_after, "retry-after")
            if error.status_code == 429:
                delay = max(delay, MIN_RATE_LIMIT_BACKOFF)
        # 2.0**1024 overflows; 30 s is reached long before 2**64.
        return Pause(min(MAX_BACKOFF, delay * 2.0 ** min(retries, 64)) * jitter, "backoff")


class RetryBudget:
    """What a client may still spend on retries; shared by its siblings and threads.

    Without one, clients that try four times each multiply an outage by four. The bucket and its
    prices are those of the standard retry mode of the AWS SDKs: enough for any passing failure,
    and in an outage soon empty, so that most calls then fail after one attempt.
    """

    CAPACITY = 500
    RETRY = 14
    """Tokens that a retry costs."""
    THROTTLED = 5
    """Tokens that a retry after a 429 costs: the server is up."""
    INCOME = 1
    """Tokens that a call which succeeds at once brings."""

    def __init__(self) -> None:
        self._tokens = self.CAPACITY

    @classmethod
    def price(cls, error: MemStackError) -> int:
        """What a retry after *error* costs."""
        throttled = isinstance(error, APIError) and error.status_code == 429
        return cls.THROTTLED if throttled else cls.RETRY

    def spend(self, tokens: int) -> bool:
        """Whether *tokens* were there, and are spent."""
        with LOCK:
            if tokens > self._tokens:
                return False
            self._tokens -= tokens
            return True

    def earn(self, tokens: int) -> None:
        """Put *tokens* back, up to the capacity."""
        with LOCK:
            self._tokens = min(self.CAPACITY, self._tokens + tokens)


def _may_go_again(error: MemStackError, effect: Effect) -> bool:
    if isinstance(error, NetworkError):
        if is_hopeless(error):
            return False
        return error.outcome == "not_sent" or effect != "once"
    if isinstance(error, APIError) and error.status_code is not None:
        asked = error.headers.get("x-should-retry")
        doubtful = outcome_of_status(error.status_code) == "unknown"
        if asked == "false" or (asked == "true" and not (doubtful and effect == "once")):
            return asked == "true"
        if error.status_code == 429:
            return True
        return outcome_of_status(error.status_code) == "unknown" and effect != "once"
    return False
