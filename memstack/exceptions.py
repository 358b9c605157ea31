"""The errors of MemStack, and what a program can learn from them.

    MemStackError
    ├── ValidationError                bad input, found before anything was sent
    │   └── UnsupportedArgumentError   an argument that the server is known to pass over
    ├── NetworkError                   no usable answer
    │   ├── RequestTimeoutError        an attempt's timeout or the call's deadline passed
    │   └── OutcomeUnknownError        a write that may or may not have been applied
    ├── ResponseValidationError        an answer that is not of the promised shape
    ├── ListChangedError               a walk through a list has lost its place
    ├── ProcessingError                an episode was accepted, but cannot be relied on yet
    │   ├── StillProcessingError       the time to wait is over; it may be done later
    │   ├── ProcessingFailedError      the server could not process it
    │   └── ProcessingUnknownError     the server does not tell, or could not be asked
    └── APIError                       an answer with an error status
        ├── BadRequestError            400
        ├── AuthenticationError        401, or a key that cannot be one
        ├── PermissionDeniedError      403
        ├── NotFoundError              404
        │   └── UnsupportedOperationError  the server does not have the operation
        ├── ConflictError              409
        ├── UnprocessableEntityError   422, also a ValidationError
        ├── RateLimitError             429
        └── ServerError                any 5xx, standard or not

Every call of this package raises one of these, or a bug is to be reported. They are plain data:
each can be pickled. No message and no repr holds an API key; `content` is what the server sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

__all__ = [
    "APIError",
    "Attempt",
    "AuthenticationError",
    "BadRequestError",
    "ConflictError",
    "InsecureConnectionWarning",
    "ListChangedError",
    "MemStackError",
    "NetworkError",
    "NotFoundError",
    "Outcome",
    "OutcomeUnknownError",
    "PermissionDeniedError",
    "ProcessingError",
    "ProcessingFailedError",
    "ProcessingUnknownError",
    "RateLimitError",
    "RequestTimeoutError",
    "ResponseValidationError",
    "ServerError",
    "StillProcessingError",
    "UnprocessableEntityError",
    "UnsupportedArgumentError",
    "UnsupportedArgumentWarning",
    "UnsupportedOperationError",
    "ValidationError",
]

Outcome = Literal["not_sent", "rejected", "unknown", "applied"]
"""What is known of the server's side.

`not_sent`: the server never saw the request. `rejected`: it answered that nothing was done.
`unknown`: it may or may not have been applied. `applied`: it was.
"""


@dataclass(frozen=True)
class Attempt:
    """One sending of a call's request."""

    status: int | None
    """Status of the answer; None where there was none."""
    failure: str | None
    """Why there was no usable answer, in words; None where there was one."""
    outcome: Outcome
    elapsed: float
    """Seconds this attempt took."""
    pause: float | None = None
    """Seconds waited after it before the next; None if there was no next."""
    pause_reason: str | None = None
    """What set the pause, `backoff` or `retry-after`; None if there was none."""


class MemStackError(Exception):
    """Anything that went wrong with a call.

    Attributes:
        message: What happened, and what to do about it where that is known.
        method, path: The request; None before there was one.
        request_id: The server's id of the request, or the one this client sent with it.
        attempts: What was tried, oldest first; empty if nothing was sent.
        outcome: What is known of the server's side.
        candidates: Ids of what a create of unknown outcome may have made.
    """

    def __init__(
        self,
        message: str,
        *,
        method: str | None = None,
        path: str | None = None,
        request_id: str | None = None,
        attempts: tuple[Attempt, ...] = (),
        outcome: Outcome = "not_sent",
    ) -> None:
        # Only the message is an argument of Exception: unpickling calls the class with it alone,
        # then restores the rest from __dict__.
        super().__init__(message)
        self.message = message
        self.method = method
        self.path = path
        self.request_id = request_id
        self.attempts = attempts
        self.outcome: Outcome = outcome
        self.candidates: tuple[str, ...] = ()
        self.doubt: object = None
        """What `client.settle` has to know; None where nothing is in doubt."""


class ValidationError(MemStackError, ValueError):
    """An argument breaks a rule; the message names both. Nothing was sent."""


class UnsupportedArgumentError(ValidationError):
    """The server is known to pass over an argument; raised with `on_unsupported="raise"`."""


class UnsupportedArgumentWarning(UserWarning):
    """The server is known to have passed over an argument: what it did is not what was asked."""


class InsecureConnectionWarning(UserWarning):
    """The server is reached over plain http: whoever is on the way can read the API key."""


class NetworkError(MemStackError):
    """No usable answer came.

    Attributes:
        reason: The kind of failure: `dns`, `refused`, `connect`, `connect_timeout`,
            `pool_timeout`, `proxy`, `proxy_auth`, `tls`, `url`, `write`, `read`, `read_timeout`,
            `write_timeout`, `truncated`, `deadline` or `closed`.
    """

    def __init__(self, message: str, *, reason: str = "connect", **facts: Any) -> None:
        super().__init__(message, **facts)
        self.reason = reason


class RequestTimeoutError(NetworkError):
    """An attempt took longer than `timeout`, or the call longer than `deadline`."""


class OutcomeUnknownError(NetworkError):
    """The answer to a write was lost: it may or may not have been applied.

    Look for what it would have made before sending it again; `outcome` is `unknown`.
    """


class _Answered(MemStackError):
    """What the two kinds of error that have an answer share."""

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        **facts: Any,
    ) -> None:
        super().__init__(message, **facts)
        self.status_code = status_code
        self.headers = dict(headers or {})
        self.content = content


class ResponseValidationError(_Answered):
    """The server answered with success, but not with what the API promises.

    `outcome` is `applied`: what was asked for was done, only the answer cannot be read.

    Attributes:
        status_code: Status of the answer.
        headers: Headers of the answer, names in lower case.
        content: The raw body, untouched.
    """


class ListChangedError(MemStackError):
    """A walk through a list has lost its place: all rows that it knew there are gone.

    It cannot go on without giving rows twice or leaving some out.
    """


class ProcessingError(MemStackError):
    """An episode was accepted, but is not processed, or nobody can tell.

    `outcome` is `applied`: do not create it again. `client.wait_for_episode(error.episode_name,
    error.episode_id)` goes on waiting, also in another process.

    Attributes:
        episode_name: Its name.
        episode_id: Its id; None where only its name was given.
        status: The server's last word on it; None if it said none.
        created: What `create_episode` would have returned; None if something else waited.
    """

    def __init__(
        self,
        message: str,
        *,
        episode_name: str = "",
        episode_id: str | None = None,
        status: str | None = None,
        created: Any = None,
        **facts: Any,
    ) -> None:
        super().__init__(message, **facts)
        self.episode_name = episode_name
        self.episode_id = episode_id
        self.status = status
        self.created = created


class StillProcessingError(ProcessingError):
    """The episode was not processed within the time to wait; it may be later."""


class ProcessingFailedError(ProcessingError):
    """The server says that it could not process the episode; waiting longer does not help."""


class ProcessingUnknownError(ProcessingError):
    """The server does not tell how far the episode is, or could not be asked; see `__cause__`."""


class APIError(_Answered):
    """The server answered with an error status.

    Attributes:
        status_code: Status of the answer; None only for a key refused before anything was sent.
        headers: Headers of the answer, names in lower case.
        content: The raw body, untouched.
        response_body: The body as parsed JSON, else as text; None if it is empty.
        retry_after: Seconds the server asked to wait; None if it did not.
    """

    _by_status: ClassVar[dict[int, type[APIError]]] = {}

    def __init_subclass__(cls, *, status: int | None = None) -> None:
        super().__init_subclass__()
        if status is not None:
            APIError._by_status[status] = cls

    def __init__(
        self,
        message: str,
        *,
        response_body: Any = None,
        retry_after: float | None = None,
        **facts: Any,
    ) -> None:
        super().__init__(message, **facts)
        self.response_body = response_body
        self.retry_after = retry_after

    @staticmethod
    def class_for(status: int) -> type[APIError]:
        """The class that stands for *status*: its own, ServerError from 500 up, else APIError."""
        return APIError._by_status.get(status, ServerError if status >= 500 else APIError)


class BadRequestError(APIError, status=400):
    """400: the request makes no sense to the server."""


class AuthenticationError(APIError, status=401):
    """401, or a key that is missing or malformed; then `status_code` is None."""


class PermissionDeniedError(APIError, status=403):
    """403: the key has not the permission that the operation needs."""


class NotFoundError(APIError, status=404):
    """404: there is no such thing, or it is someone else's."""


class UnsupportedOperationError(NotFoundError):
    """404 from the server's router: it does not have this operation, or `base_url` is wrong."""


class ConflictError(APIError, status=409):
    """409: the request does not fit the state of the server."""


class UnprocessableEntityError(APIError, ValidationError, status=422):
    """422: the server found that a field breaks a rule; nothing was done."""


class RateLimitError(APIError, status=429):
    """429: too many requests; nothing was done. `retry_after` has the seconds asked for."""


class ServerError(APIError):
    """Any status from 500 up: the server failed, or a proxy before it."""
