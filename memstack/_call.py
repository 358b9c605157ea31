"""The story of one call: what to send next, what an answer means; never sends and never sleeps."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from ._claims import Doubt, Ticket, shown_content
from ._reading import error_of, is_no_route, read_answer
from ._server import Server
from ._settings import Settings
from ._wire import WireRequest, WireResponse
from .exceptions import (
    Attempt,
    MemStackError,
    NetworkError,
    Outcome,
    OutcomeUnknownError,
    RequestTimeoutError,
)
from .operations import Operation
from .response import Response
from .retry import Effect, Pause, RetryBudget, RetryPolicy, outcome_of_status

T = TypeVar("T")


@dataclass(frozen=True)
class Chance:
    """Time and luck, so that a test can be sure of both."""

    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    uniform: Callable[[float, float], float] = random.uniform


def age(started: float, began: float, chance: Chance) -> float | None:
    """Seconds since the monotonic clock showed *started* and the wall clock *began*.

    None if the two disagree: a machine that sleeps stops the first, and the second may be set.
    """
    seconds = chance.monotonic() - started
    return seconds if abs(chance.now() - began - seconds) <= 1.0 else None


class Call(Generic[T]):
    """One call of one client, from its first attempt to its result or error."""

    def __init__(
        self, operation: Operation[T], settings: Settings, server: Server, chance: Chance
    ) -> None:
        self.operation = operation
        self.server = server
        self._price = 0
        self._moved = operation.moves is not None and operation.moves[0] in server.moved
        self._looked_elsewhere = False
        self._retries = 0
        self._settings = settings
        self._chance = chance
        self._policy = RetryPolicy(
            settings.max_retries, settings.retry_delay, settings.max_retry_after
        )
        self._attempts: list[Attempt] = []
        self._started = self._attempt_started = chance.monotonic()
        self._began = chance.now()
        self._pause: Pause | None = None
        self._headers = {**settings.request_headers(), **operation.headers}
        # One value each for the whole call, so that the server can tell a repeated sending.
        self._request_id = self._headers.setdefault("x-request-id", str(uuid.uuid4()))
        if operation.sends_idempotency_key:
            self._headers["idempotency-key"] = operation.idempotency_key or str(uuid.uuid4())

    def next_request(self) -> WireRequest:
        """The request of the next attempt.

        Raises:
            RequestTimeoutError: The deadline has passed.
        """
        self._attempt_started = self._chance.monotonic()
        operation, settings, left = self.operation, self._settings, self.left()
        if left is not None and left <= 0:
            raise self._failure(
                RequestTimeoutError,
                f"the deadline of {settings.deadline:g} s passed",
                reason="deadline",
                attempts=tuple(self._attempts),
                outcome=self._outcome("not_sent"),
            )
        path = operation.path_at(self._moved)
        return WireRequest(
            method=operation.method,
            target=f"{path}?{operation.query}" if operation.query else path,
            headers={**self._headers, "x-retry-count": str(self._retries)},
            body=operation.body,
            timeout=min((t for t in (settings.timeout, left) if t is not None), default=None),
        )

    def goes_elsewhere(self, response: WireResponse) -> bool:
        """Whether the server has no such path, but may have the operation at another."""
        if self.operation.moves is None or self._looked_elsewhere or not is_no_route(response):
            return False
        self._record(response.status, None, "rejected")
        self._looked_elsewhere = True
        self._moved = not self._moved
        return True

    def answered(self, response: WireResponse) -> Response[T]:
        """What *response* is to the caller.

        Raises:
            APIError: Its status is an error.
            ResponseValidationError: Its body is not what the API promises.
        """
        operation = self.operation
        if self._looked_elsewhere and operation.moves and not is_no_route(response):
            self.server.learn_place(operation.moves[0], self._moved)
        success = 200 <= response.status < 300
        outcome: Outcome = "applied" if success else outcome_of_status(response.status)
        was_unknown = self._outcome("rejected") == "unknown"
        attempts = self._record(response.status, None, outcome)
        request_id = self._masked(response.headers.get("x-request-id", self._request_id))
        facts = {
            "method": operation.method,
            "path": operation.path_at(self._moved),
            "request_id": request_id,
            "attempts": attempts,
            "outcome": self._outcome(outcome),
        }
        if success:
            result = read_answer(response, operation.answer, facts)
            self.server.learn(operation, result, response.headers)
            self.server.budget.earn(self._price or RetryBudget.INCOME)
        elif operation.gone_is_done and was_unknown and _is_gone(response):
            result = read_answer(response, operation.answer, facts)  # NoneType: reads nothing
        else:
            error = error_of(response, facts, now=self._chance.now())
            error.args = (self._masked(error.message),)  # a server may quote what it was sent
            error.message = error.args[0]
            raise error
        return Response(
            result, response.status, response.headers, response.body, request_id, attempts
        )

    def failed(self, error: NetworkError) -> NetworkError:
        """The error for a request that had no usable answer, with all the facts of the call."""
        attempts = self._record(None, error.message, error.outcome)
        outcome = self._outcome(error.outcome)
        kind, advice = type(error), ""
        if outcome == "unknown" and self.operation.effect != "read":
            kind, advice = OutcomeUnknownError, "; the server may or may not have applied it"
        return self._failure(
            kind, error.message + advice, reason=error.reason, attempts=attempts, outcome=outcome
        )

    def goes_on(self, error: BaseException, effect: Effect | None = None) -> bool:
        """Whether to try again after *error*; if so, `pause` has the seconds to wait first.

        *effect* is what sending the request again does, where more is known than the operation.
        """
        if not isinstance(error, MemStackError) or not self._attempts:
            return False
        self._pause = self._policy.pause_after(
            error,
            effect=effect or self._effect(),
            retries=self._retries,
            left=self.left(),
            jitter=self._chance.uniform(0.5, 1.0),
        )
        price = RetryBudget.price(error)
        if self._pause is None or not self.server.budget.spend(price):
            return False
        self._price = price
        self._retries += 1
        self._attempts[-1] = replace(
            self._attempts[-1], pause=self._pause.seconds, pause_reason=self._pause.reason
        )
        return True

    def _effect(self) -> Effect:
        safe = self.server.honours_keys or self._settings.retry_unsafe
        if self.operation.sends_idempotency_key and safe:
            return "repeatable"
        return self.operation.effect

    @property
    def pause(self) -> float:
        """Seconds to wait before the next attempt."""
        return self._pause.seconds if self._pause else 0.0

    def is_in_doubt(self, error: MemStackError) -> bool:
        """Whether *error* leaves a create unknown that can be looked for."""
        return (
            error.outcome == "unknown"
            and self.operation.sends_idempotency_key
            and self._effect() == "once"
            and self._settings.max_retries > 0
        )

    def doubt_of(self, error: MemStackError, ticket: Ticket | None) -> Doubt | None:
        """What has to be known to settle *error* later; None if nothing is in doubt."""
        if error.outcome != "unknown" or self.operation.effect == "read":
            return None
        return Doubt(
            self.operation, self._headers.get("idempotency-key"), self._started, self._began, ticket
        )

    def clear(self, outcome: Outcome) -> None:
        """Correct the last attempt, which goes again: it was found to be *outcome*."""
        self._attempts[-1] = replace(self._attempts[-1], outcome=outcome)

    def settled(self, result: T, look: Response[Any]) -> Response[T]:
        """The response of a create that was found, as *look* shows it."""
        story = "settled: it was found where it is listed"
        attempts = self._record(look.status_code, story, "applied")
        return Response(
            result, look.status_code, look.headers, look.content, self._request_id, attempts
        )

    @property
    def settle_grace(self) -> float:
        return self._settings.settle_grace

    def has_time_for(self, pause: float) -> bool:
        """Whether *pause* seconds end before the deadline."""
        left = self.left()
        return left is None or pause < left

    def since_beginning(self) -> float | None:
        """Seconds since the call began; None if the machine slept and nobody counted them."""
        return age(self._started, self._began, self._chance)

    def ticket(self) -> AbstractContextManager[Ticket | None]:
        """A ticket for the time that this create is on its way; None for all else."""
        if not self.operation.sends_idempotency_key:
            return nullcontext()
        return self.server.claims.ticket(shown_content(self.operation))

    def claim(self, ticket: Ticket | None, response: Response[T]) -> None:
        """Remember whose row it is that *response* tells of."""
        if ticket is not None:
            ticket.id = getattr(response.result, "key_id", None) or getattr(
                response.result, "id", None
            )

    def left(self) -> float | None:
        """Seconds until the deadline; None without one."""
        if self._settings.deadline is None:
            return None
        return self._settings.deadline - (self._chance.monotonic() - self._started)

    def _masked(self, text: str) -> str:
        return text.replace(self._settings.api_key, "ms_sk_***")

    def _outcome(self, last: Outcome) -> Outcome:
        """What is known after all attempts: one unknown leaves it unknown, unless applied."""
        if last != "applied" and any(attempt.outcome == "unknown" for attempt in self._attempts):
            return "unknown"
        return last

    def _record(
        self, status: int | None, failure: str | None, outcome: Outcome
    ) -> tuple[Attempt, ...]:
        elapsed = self._chance.monotonic() - self._attempt_started
        self._attempts.append(Attempt(status, failure, outcome, elapsed))
        return tuple(self._attempts)

    def _failure(self, kind: type[NetworkError], message: str, **facts: Any) -> NetworkError:
        method, path = self.operation.method, self.operation.path_at(self._moved)
        return kind(
            f"{message} [{method} {path}, request id {self._request_id}]",
            method=method,
            path=path,
            request_id=self._request_id,
            **facts,
        )


def _is_gone(response: WireResponse) -> bool:
    return response.status == 404 and not is_no_route(response)
