"""Where requests of a test meet the memory and the script, from its beginning to its end."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import count

from memstack._wire import WireRequest, WireResponse
from memstack.exceptions import ValidationError
from memstack.local import EmbeddedServer
from memstack.testing.clock import Clock
from memstack.testing.reaching import reached
from memstack.testing.script import Break, Fault, Script
from memstack.testing.sent import SentRequest, operation_of, sent

__all__ = ["Played", "Stage"]

_numbers = count(1)


@dataclass(frozen=True)
class Played:
    """What becomes of a request."""

    answer: WireResponse | None
    """None where the connection ends without one."""
    breaks: Break | None = None
    takes: float = 0.0
    """Seconds until the answer comes."""


class Stage:
    """A memory, a script, a clock, and all that was sent."""

    def __init__(self, api_key: str) -> None:
        self.api_key = api_key
        # Not the same for two: what a process remembers of a server, it remembers by its URL.
        self.base_url = f"https://memstack-{next(_numbers)}.invalid"
        self.listens_at: str | None = None
        """Where other processes reach it, once that was asked for."""
        self.script = Script()
        self.clock = Clock()
        self.requests: list[SentRequest] = []
        self._memory: EmbeddedServer | None = None
        self._exits = ExitStack()
        self._lock = threading.Lock()

    def open(self) -> None:
        """Begin.

        Raises:
            ValidationError: It has begun before.
        """
        if self._memory is not None:
            raise ValidationError("a MemStackServer is for one `with` statement; make another")
        self._memory = EmbeddedServer(owner_key=self.api_key)
        self._exits.callback(self._memory.close)
        self._exits.enter_context(reached(self))

    def close(self) -> None:
        """End; everything is as it was before."""
        self._exits.close()

    def url(self) -> str:
        """Where other processes reach it, from now on.

        Raises:
            ValidationError: It has not begun.
        """
        from memstack.testing.loopback import listening

        with self._lock:
            if self.listens_at is None:
                if self._memory is None:
                    raise ValidationError("url: use the MemStackServer in a `with` statement")
                self.listens_at = self._exits.enter_context(listening(self.play))
            return self.listens_at

    def play(self, request: WireRequest) -> Played:
        """What becomes of *request*, as the script says."""
        operation = operation_of(request)
        fault = self.script.take(operation) or Fault("")
        if fault.breaks == "refused":
            return Played(None, "refused")
        answer = self._answer(request, fault) if fault.breaks != "before" else None
        if fault.breaks == "after":
            answer = None
        late = request.timeout is not None and fault.takes >= request.timeout
        status = None if answer is None or late else answer.status
        self.requests.append(sent(request, operation, status))
        return Played(answer, fault.breaks, fault.takes)

    def _answer(self, request: WireRequest, fault: Fault) -> WireResponse:
        if fault.answer is not None:
            return fault.answer
        assert self._memory is not None  # nobody gets here before the beginning
        answer = self._memory.handle(request)
        return answer if fault.body is None else replace(answer, body=fault.body)
