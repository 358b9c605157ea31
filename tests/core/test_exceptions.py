"""What every error has, and what survives a process boundary."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

import memstack.exceptions
from memstack import APIError, MemStackError
from memstack.exceptions import Attempt

ERRORS: list[type[MemStackError]] = [
    value
    for value in vars(memstack.exceptions).values()
    if isinstance(value, type)
    and issubclass(value, MemStackError)
    and not value.__name__.startswith("_")
]
ATTEMPTS = (Attempt(503, None, "unknown", 0.25, 1.0, "backoff"),)


def full(kind: type[MemStackError]) -> MemStackError:
    facts: dict[str, Any] = {
        "method": "POST",
        "path": "/api/v1/memos",
        "request_id": "r1",
        "attempts": ATTEMPTS,
        "outcome": "unknown",
    }
    if issubclass(kind, memstack.exceptions._Answered):
        facts |= {"status_code": 503, "headers": {"a": "b"}, "content": b"no"}
    if issubclass(kind, APIError):
        facts |= {"response_body": {"detail": "no"}, "retry_after": 2.0}
    if issubclass(kind, memstack.NetworkError):
        facts |= {"reason": "read"}
    return kind("it failed", **facts)


@pytest.mark.parametrize("kind", ERRORS)
@pytest.mark.parametrize("through", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_survives_pickling_with_every_fact(kind: type[MemStackError], through: Any) -> None:
    """Celery, Ray and multiprocessing hand errors on by pickling them."""
    error = full(kind)

    twin = through(error)

    assert type(twin) is kind
    assert str(twin) == str(error) == twin.message == "it failed"
    assert vars(twin) == vars(error)


@pytest.mark.parametrize("kind", ERRORS)
def test_can_be_raised_with_a_message_alone(kind: type[MemStackError]) -> None:
    """A test of the user's own can raise any error of ours."""
    error = kind("it failed")

    assert error.message == "it failed"
    assert error.attempts == ()
    assert error.outcome == "not_sent"


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "BadRequestError"),
        (401, "AuthenticationError"),
        (403, "PermissionDeniedError"),
        (404, "NotFoundError"),
        (409, "ConflictError"),
        (418, "APIError"),
        (422, "UnprocessableEntityError"),
        (429, "RateLimitError"),
        (499, "APIError"),
        (500, "ServerError"),
        (520, "ServerError"),
        (599, "ServerError"),
    ],
)
def test_has_a_class_for_each_status(status: int, name: str) -> None:
    """Standard or not, a status from 500 up is the server's fault."""
    assert APIError.class_for(status).__name__ == name


def test_a_422_is_a_validation_error_too() -> None:
    """Bad input is caught by one class, whoever found it."""
    assert issubclass(memstack.UnprocessableEntityError, memstack.ValidationError)
    assert issubclass(memstack.ValidationError, ValueError)


def test_shows_its_tree_as_it_is() -> None:
    """The tree at the top of the module names every class."""
    doc = memstack.exceptions.__doc__ or ""

    assert [kind.__name__ for kind in ERRORS if kind.__name__ not in doc] == []
