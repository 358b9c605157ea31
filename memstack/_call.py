"""The story of one call: what to send next, what an answer means; never sends and never sleeps."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Generic, TypeVar

from ._claims import Doubt, Ticket
from ._history import Chance, History
from ._masking import masked, quotable
from ._place import Place
from ._reading import error_of, is_no_route, read_answer, retry_after
from ._server import Server
from ._settings import ApiKey, Settings
from ._wire import WireRequest, WireResponse
from .exceptions import (
    MemStackError,
    NetworkError,
    Outcome,
    OutcomeUnknownError,
    RequestTimeoutError,
    ResponseValidationError,
)
from .models import EpisodePage
from .operations import Operation
from .response import Response, Rows
from .retry import Effect, Pause, RetryBudget, RetryPolicy, outcome_of_status

T = TypeVar("T")


class Call(Generic[T]):
    """One call of one client, from its first attempt to its result or error."""

    def __init__(
        self, operation: Operation[T], settings: Settings, server: Server, chance: Chance
    ) -> None:
        self.operation = operation
        self.server = server
        self._price = 0
        self._place = Place(operation, settings, server)
        self._retries = 0
        self._settings = settings
        self._chance = chance
        self._policy = RetryPolicy(
            settings.max_retries, settings.retry_delay, settings.max_retry_after
        )
        self._history = History(
            operation.id, operation.method, settings.base_url, settings.on_attempt
        )
        self._started = self._attempt_started = chance.monotonic()
        self._began = chance.now()
        self._pause: Pause | None = None
        self._keys: set[str] = set()
        self._headers = {**settings.request_headers(), **operation.headers}
        # One value each for the whole call, so that the server can tell a repeated sending.
        self._request_id = self._headers.setdefault("x-request-id", _new_id())
        if operation.sends_idempotency_key:
            self._headers["idempotency-key"] = operation.idempotency_key or _new_id()

    @property
    def api_key(self) -> ApiKey:
        """The key of the next request, or what gives it."""
        return self._settings.api_key

    def next_request(self, api_key: str) -> WireRequest:
        """The request of the next attempt.

        Raises:
            RequestTimeoutError: The deadline has passed.
        """
        self._attempt_started = self._chance.monotonic()
        settings, left = self._settings, self.left()
        if left is not None and left <= 0:
            raise self._failure(
                RequestTimeoutError,
                f"the deadline of {settings.deadline:g} s passed",
                reason="deadline",
                outcome=self._history.outcome("not_sent"),
            )
        self._keys.add(api_key)
        return WireRequest(
            method=self.operation.method,
            target=self._place.target,
            headers={
                **self._headers,
                "authorization": f"Bearer {api_key}",
                "x-retry-count": str(self._retries),
            },
            body=self.operation.body,
            timeout=min((t for t in (settings.timeout, left) if t is not None), default=None),
            max_bytes=settings.max_response_bytes,
        )

    def goes_elsewhere(self, response: WireResponse) -> bool:
        """Whether *response* only says that another place of the server has the operation."""
        if not self._place.changes(response):
            return False
        self._record(response, "rejected")
        return True

    def answered(self, response: WireResponse) -> Response[T]:
        """What *response* is to the caller.

        Raises:
            APIError: Its status is an error.
            ResponseValidationError: Its body is not what the API promises.
        """
        operation = self.operation
        self._place.learn(response)
        success = 200 <= response.status < 300
        outcome: Outcome = "applied" if success else outcome_of_status(response.status)
        was_unknown = self._history.outcome("rejected") == "unknown"
        request_id = self._record(response, outcome)
        facts = {
            "method": operation.method,
            "path": self._place.path,
            "request_id": request_id,
            "attempts": self._history.attempts,
            "outcome": self._history.outcome(outcome),
        }
        if success:
            result = self._read(response, facts)
            if operation.most is not None and isinstance(result, (EpisodePage, Rows)):
                result.asked_for(operation.most)
            self.server.learn(operation, result, response.headers)
            self.server.budget.earn(self._price or RetryBudget.INCOME)
        elif operation.gone_is_done and was_unknown and _is_gone(response):
            result = read_answer(response, operation.answer, facts)  # NoneType: reads nothing
        else:
            shown, now = quotable(response, self._keys), self._chance.now()
            raise error_of(shown, facts, now=now, redirects=self._place.redirects)
        return Response(
            result,
            response.status,
            response.headers,
            response.body,
            request_id,
            self._history.attempts,
        )

    def _read(self, response: WireResponse, facts: dict[str, Any]) -> T:
        limit = self._settings.max_response_bytes
        try:
            return read_answer(response, self.operation.answer, facts, limit=limit)
        except ResponseValidationError:
            pass  # and is raised again below, where it is not the context of the other
        shown = quotable(response, self._keys)
        return read_answer(shown, self.operation.answer, facts, limit=limit)

    def failed(self, error: NetworkError) -> NetworkError:
        """The error for a request that had no usable answer, with all the facts of the call."""
        elapsed = self._chance.monotonic() - self._attempt_started
        self._history.add(
            None, error.message, error.outcome, elapsed, self._request_id, error.reason
        )
        outcome = self._history.outcome(error.outcome)
        kind, advice = type(error), ""
        if outcome == "unknown" and self.operation.effect != "read":
            kind, advice = OutcomeUnknownError, "; the server may or may not have applied it"
        return self._failure(kind, error.message + advice, reason=error.reason, outcome=outcome)

    def keyless(self, error: MemStackError) -> MemStackError:
        """*error*, for which there is no key to send, with all the facts of the call."""
        error.method, error.path = self.operation.method, self._place.path
        error.request_id = self._request_id
        error.attempts = self._history.attempts
        error.outcome = self._history.outcome("not_sent")
        return error

    def goes_on(self, error: BaseException, effect: Effect | None = None) -> bool:
        """Whether to try again after *error*; if so, `pause` has the seconds to wait first.

        *effect* is what sending the request again does, where more is known than the operation.
        """
        if not isinstance(error, MemStackError) or not error.attempts:
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
        self._place.forget_redirects()
        self._history.goes_on(self._pause.seconds, self._pause.reason)
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
        self._history.amend(outcome=outcome)

    def settled(self, result: T, look: Response[Any]) -> Response[T]:
        """The response of a create that was found, as *look* shows it."""
        self._history.settled(look.status_code, self._chance.monotonic() - self._attempt_started)
        return Response(
            result,
            look.status_code,
            look.headers,
            look.content,
            self._request_id,
            self._history.attempts,
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
        return self._chance.age(self._started, self._began)

    def ticket(self) -> AbstractContextManager[Ticket | None]:
        """A ticket for the time that this create is on its way; None where no look is needed."""
        if not self.operation.sends_idempotency_key or self.server.honours_keys:
            return nullcontext()
        return self.server.claims.ticket(self.operation)

    def claim(self, ticket: Ticket | None, response: Response[T]) -> None:
        """Remember whose row it is that *response* tells of."""
        if ticket is not None:
            name = "key_id" if self.operation.id == "create_api_key" else "id"
            ticket.id = getattr(response.result, name, None)

    def left(self) -> float | None:
        """Seconds until the deadline; None without one."""
        if self._settings.deadline is None:
            return None
        return self._settings.deadline - (self._chance.monotonic() - self._started)

    def _record(self, response: WireResponse, outcome: Outcome) -> str:
        """The id of the request, which is now one more of the attempts."""
        elapsed = self._chance.monotonic() - self._attempt_started
        told = response.headers.get("x-request-id")
        request_id = self._request_id if told is None else masked(told, self._keys)
        asked = None
        if response.status in (429, 503):
            asked = retry_after(response.headers, now=self._chance.now())
        self._history.add(response.status, None, outcome, elapsed, request_id, retry_after=asked)
        return request_id

    def _failure(self, kind: type[NetworkError], message: str, **facts: Any) -> NetworkError:
        method, path = self.operation.method, self._place.path
        return kind(
            f"{message} [{method} {path}, request id {self._request_id}]",
            method=method,
            path=path,
            request_id=self._request_id,
            attempts=self._history.attempts,
            **facts,
        )


def _new_id() -> str:
    """A random UUID (RFC 9562, version 4), in half the time that `uuid` takes."""
    luck = os.urandom(16).hex()
    return f"{luck[:8]}-{luck[8:12]}-4{luck[13:16]}-a{luck[17:20]}-{luck[20:]}"


def _is_gone(response: WireResponse) -> bool:
    return response.status == 404 and not is_no_route(response)
