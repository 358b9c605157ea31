"""Decides what the error of one create means for its item, and for the run.

| what came | the item | the run |
|---|---|---|
| not valid, 400, 409, 413, 422 and other 4xx | failed | goes on |
| success that cannot be read | created, its id unknown | goes on |
| outcome unknown, and settling does not help | unknown | ends after some in a row |
| 429; not sent, though tried again | is sent again later | ends after some in a row |
| 429 that asks to wait longer than max_retry_after | is sent by the next run | ends |
| 401, 403, 404, 405, 407, 501, 505, 507, 511, redirect | is sent by the next run | ends |
| TLS or URL error, client closed | is sent by the next run | ends |
"""

from __future__ import annotations

from typing import Literal

from memstack.exceptions import (
    APIError,
    MemStackError,
    NetworkError,
    OutcomeUnknownError,
    ValidationError,
)
from memstack.retry import is_hopeless

__all__ = ["MOST_TROUBLE", "Verdict", "trouble_of", "unsure", "verdict_on"]

Verdict = Literal["created", "failed", "unknown", "again", "end"]

MOST_TROUBLE = 30
"""Trouble without a success in between after which a run ends."""
_OF_THE_SERVER = frozenset({401, 403, 404, 405, 407, 501, 505, 507, 511})
"""Statuses that any other episode would get, too."""


def verdict_on(error: MemStackError, max_retry_after: float) -> Verdict:
    """What *error*, with which a create ended, means."""
    if error.outcome == "applied":
        return "created"
    if error.outcome == "unknown":
        return "unknown"
    if isinstance(error, NetworkError):
        return "end" if is_hopeless(error) else "again"
    if not isinstance(error, APIError):
        return "failed" if isinstance(error, ValidationError) else "end"
    status = error.status_code
    if status == 429:
        return "end" if (error.retry_after or 0) > max_retry_after else "again"
    if status is None or status < 400 or status in _OF_THE_SERVER:
        return "end"
    return "failed"


def trouble_of(error: MemStackError) -> int:
    """How much *error* tells against going on: a server that says 429 is there."""
    return 1 if isinstance(error, APIError) and error.status_code == 429 else 10


def unsure() -> OutcomeUnknownError:
    """The error of an item that an earlier run left in doubt, and that stays so."""
    return OutcomeUnknownError(
        "item: it was sent before, and it cannot be told whether it is stored; look for it on the "
        "server, or use a client with retry_unsafe=True to send it again",
        outcome="unknown",
    )
