"""When a call is tried again, row by row."""

from __future__ import annotations

import pytest

from memstack import APIError, NetworkError, ResponseValidationError
from memstack.exceptions import MemStackError, Outcome
from memstack.retry import Effect, Pause, RetryBudget, RetryPolicy, outcome_of_status

POLICY = RetryPolicy(max_retries=3, retry_delay=1.0, max_retry_after=60.0)


def pause(
    error: MemStackError,
    effect: Effect = "read",
    *,
    retries: int = 0,
    left: float | None = None,
    jitter: float = 1.0,
    policy: RetryPolicy = POLICY,
) -> Pause | None:
    return policy.pause_after(error, effect=effect, retries=retries, left=left, jitter=jitter)


def network(reason: str, outcome: Outcome) -> NetworkError:
    return NetworkError("down", reason=reason, outcome=outcome)


def status(code: int, retry_after: float | None = None) -> APIError:
    return APIError.class_for(code)("bad", status_code=code, retry_after=retry_after)


@pytest.mark.parametrize("reason", ["dns", "refused", "connect", "connect_timeout", "pool_timeout"])
@pytest.mark.parametrize("effect", ["read", "repeatable", "once"])
def test_sends_anything_again_that_was_not_sent(reason: str, effect: Effect) -> None:
    """What the server never saw cannot be doubled."""
    assert pause(network(reason, "not_sent"), effect) == Pause(1.0, "backoff")


@pytest.mark.parametrize("reason", ["tls", "url", "closed", "deadline"])
@pytest.mark.parametrize("effect", ["read", "repeatable", "once"])
def test_does_not_repeat_what_cannot_mend_itself(reason: str, effect: Effect) -> None:
    """A certificate is as wrong a second later."""
    assert pause(network(reason, "not_sent"), effect) is None


@pytest.mark.parametrize("reason", ["read", "read_timeout", "write", "write_timeout", "truncated"])
def test_repeats_after_a_lost_answer_only_what_may_be_sent_twice(reason: str) -> None:
    """A create whose answer is lost is not sent again: it may be stored."""
    lost = network(reason, "unknown")

    assert pause(lost, "read") == Pause(1.0, "backoff")
    assert pause(lost, "repeatable") == Pause(1.0, "backoff")
    assert pause(lost, "once") is None


@pytest.mark.parametrize("code", [408, 500, 502, 503, 504, 520, 529, 599])
def test_repeats_after_a_doubtful_status_only_what_may_be_sent_twice(code: int) -> None:
    """A server or proxy that fails may have done the work."""
    assert outcome_of_status(code) == "unknown"
    assert pause(status(code), "read") == Pause(1.0, "backoff")
    assert pause(status(code), "once") is None


@pytest.mark.parametrize(
    "code", [301, 307, 400, 401, 403, 404, 405, 409, 418, 422, 499, 501, 505, 511]
)
def test_does_not_repeat_a_refusal(code: int) -> None:
    """The same request would be refused again."""
    assert outcome_of_status(code) == "rejected"
    assert pause(status(code), "read") is None


@pytest.mark.parametrize("effect", ["read", "repeatable", "once"])
def test_repeats_after_429_from_one_second(effect: Effect) -> None:
    """A rate limit does nothing, and is not pressed harder than once a second."""
    eager = RetryPolicy(max_retries=3, retry_delay=0.01, max_retry_after=60.0)

    assert outcome_of_status(429) == "rejected"
    assert pause(status(429), effect, policy=eager) == Pause(1.0, "backoff")


def test_waits_as_long_as_the_server_asks() -> None:
    """Retry-After is neither shortened nor shaken."""
    asked = status(429, retry_after=7.5)

    assert pause(asked, jitter=0.5) == Pause(7.5, "retry-after")


def test_ends_the_call_when_the_server_asks_for_too_long() -> None:
    """A wish beyond max_retry_after is the caller's to decide on."""
    assert pause(status(503, retry_after=60.0)) == Pause(60.0, "retry-after")
    assert pause(status(503, retry_after=60.1)) is None


def test_does_not_begin_a_pause_that_the_deadline_cuts() -> None:
    """Sleeping until the deadline would waste the caller's time."""
    assert pause(network("refused", "not_sent"), left=1.1) == Pause(1.0, "backoff")
    assert pause(network("refused", "not_sent"), left=1.0) is None


def test_stops_after_max_retries() -> None:
    """max_retries counts what follows the first attempt."""
    none = RetryPolicy(max_retries=0, retry_delay=1.0, max_retry_after=60.0)

    assert pause(network("refused", "not_sent"), retries=2) is not None
    assert pause(network("refused", "not_sent"), retries=3) is None
    assert pause(network("refused", "not_sent"), policy=none) is None


def test_doubles_the_pause_up_to_thirty_seconds() -> None:
    """The backoff is retry_delay * 2**n, at most 30 s, times the random factor."""
    patient = RetryPolicy(max_retries=10_000, retry_delay=1.0, max_retry_after=60.0)
    refused = network("refused", "not_sent")

    pauses = [pause(refused, retries=n, jitter=0.5, policy=patient) for n in (0, 1, 2, 4, 5, 9_999)]

    assert [p.seconds for p in pauses if p] == [0.5, 1.0, 2.0, 8.0, 15.0, 15.0]


@pytest.mark.parametrize("effect", ["read", "once"])
def test_a_server_can_say_itself_whether_to_try_again(effect: Effect) -> None:
    """`x-should-retry` goes before the table; any other value is passed over."""

    def told(code: int, word: str) -> APIError:
        return APIError.class_for(code)("bad", status_code=code, headers={"x-should-retry": word})

    assert pause(told(409, "true"), effect) == Pause(1.0, "backoff")
    assert pause(told(503, "true"), "read") == Pause(1.0, "backoff")
    assert pause(told(503, "true"), "once") is None  # it may be applied, whatever it says
    assert pause(told(503, "false"), effect) is None
    assert pause(told(429, "false"), effect) is None
    assert pause(told(409, "maybe"), effect) is None


def test_a_budget_ends_in_an_outage_and_fills_again() -> None:
    """500 tokens: 35 retries at 14, or 100 after a 429 at 5; never more than it holds."""
    budget = RetryBudget()
    refused = network("refused", "not_sent")

    spent = [budget.spend(RetryBudget.price(refused)) for _ in range(36)]
    budget.earn(RetryBudget.INCOME)
    few = [budget.spend(RetryBudget.price(status(429))) for _ in range(3)]
    budget.earn(10_000)
    many = [budget.spend(RetryBudget.price(status(429))) for _ in range(101)]

    assert spent == [True] * 35 + [False]
    assert few == [True, True, False]
    assert many == [True] * 100 + [False]


def test_does_not_repeat_an_answer_that_cannot_be_read() -> None:
    """It was applied; only the answer is odd."""
    assert pause(ResponseValidationError("odd", status_code=200)) is None
