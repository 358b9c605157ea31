"""What is to go wrong, in which order; knows nothing of how a request comes."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Literal

from memstack import operations
from memstack._wire import WireResponse
from memstack.exceptions import ValidationError

__all__ = ["Break", "Fault", "Script"]

Break = Literal["refused", "before", "after"]
"""When a connection ends: before it is there, before the server has the request, or after."""

_OPERATIONS = sorted(name for name in operations.__all__ if name != "Operation")


@dataclass(frozen=True)
class Fault:
    """What becomes of one request."""

    name: str
    """As the test wrote it."""
    answer: WireResponse | None = None
    """What is said in the server's place, which never sees the request."""
    breaks: Break | None = None
    takes: float = 0.0
    """Seconds until the answer comes."""
    body: bytes | None = None
    """What the answer holds in place of the server's."""


@dataclass
class _Step:
    fault: Fault
    on: str | None
    left: int | None
    """How many requests it is for still; None for all."""

    def __str__(self) -> str:
        place = f" on {self.on}" if self.on else ""
        count = f", {self.left} times" if self.left != 1 else ""
        return f"{self.fault.name}{place}{count}"


class Script:
    """Steps, taken by the requests they are for, first come first served."""

    def __init__(self) -> None:
        self._steps: list[_Step] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault, on: str | None, times: int | None) -> None:
        """Put *fault* at the end, for the next *times* requests; None for all that follow.

        Args:
            on: The operation it is for; None for any.

        Raises:
            ValidationError: There is no such operation, or *times* is no count.
        """
        if on is not None and on not in _OPERATIONS:
            raise ValidationError(f"on: must be one of {', '.join(_OPERATIONS)}")
        if times is not None and (isinstance(times, bool) or not isinstance(times, int)):
            raise ValidationError("times: must be a whole number, 1 or more, or None for all")
        if times is not None and times < 1:
            raise ValidationError("times: must be 1 or more, or None for all")
        with self._lock:
            self._steps.append(_Step(fault, on, times))

    def take(self, operation: str | None) -> Fault | None:
        """What becomes of the next request, which is of *operation*; None for nothing unusual."""
        with self._lock:
            for step in self._steps:
                if step.on in (None, operation):
                    if step.left is not None:
                        step.left -= 1
                        if not step.left:
                            self._steps.remove(step)
                    return step.fault
        return None

    def pending(self) -> list[str]:
        """The steps that no request has taken; one for all requests is not among them."""
        with self._lock:
            return [str(step) for step in self._steps if step.left is not None]

    def clear(self) -> None:
        """Forget all steps."""
        with self._lock:
            self._steps.clear()
