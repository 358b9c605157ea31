"""The rate limit of `memstack serve`: so many requests of a key within any minute."""

from __future__ import annotations

from typing import Any

import pytest

from memstack import ValidationError
from memstack.local.answers import Refusal
from memstack.local.keys import Bearer
from memstack.local.limits import RateLimit

ALICE, BOB = (Bearer(name, frozenset({"read"})) for name in ("alice", "bob"))


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def refused(limit: RateLimit, bearer: Bearer) -> int | None:
    """The seconds to wait, or None if the request is let in."""
    try:
        limit.admit(bearer)
    except Refusal as refusal:
        return int(refusal.answer.headers["retry-after"])
    return None


def test_refusal_is_a_429_that_says_why(clock: Clock) -> None:
    """With `Retry-After` in whole seconds, for clients and for people."""
    limit = RateLimit(1, clock=clock)
    limit.admit(ALICE)

    with pytest.raises(Refusal) as caught:
        limit.admit(ALICE)

    assert caught.value.answer.status == 429
    assert caught.value.answer.headers == {"retry-after": "60"}
    detail = "Too many requests: this key may make 1 a minute; wait 60 s"
    assert caught.value.answer.content == {"detail": detail}


def test_each_key_has_a_limit_of_its_own(clock: Clock) -> None:
    """One key's requests do not cost another's."""
    limit = RateLimit(2, clock=clock)

    assert [refused(limit, ALICE) for _ in range(3)] == [None, None, 60]
    assert [refused(limit, BOB) for _ in range(3)] == [None, None, 60]


def test_the_minute_is_any_minute(clock: Clock) -> None:
    """Not one of the clock's, at whose turn twice as many would pass."""
    limit = RateLimit(2, clock=clock)
    let_in = []
    for second in range(150):
        clock.now = 1000.0 + second
        if refused(limit, ALICE) is None:
            let_in.append(second)

    assert let_in == [0, 1, 60, 61, 120, 121]


def test_who_waits_as_told_is_let_in(clock: Clock) -> None:
    """Whatever was refused meanwhile; a part of a second is rounded up."""
    limit = RateLimit(2, clock=clock)
    limit.admit(ALICE)
    clock.now += 30.5
    limit.admit(ALICE)
    clock.now += 0.25
    wait = refused(limit, ALICE)
    for _ in range(5):
        refused(limit, ALICE)
    assert wait == 30
    clock.now += wait

    assert refused(limit, ALICE) is None
    assert refused(limit, ALICE) == 30


def test_keys_that_are_gone_are_forgotten(clock: Clock) -> None:
    """A server that runs for months does not grow by the keys it has seen."""
    limit = RateLimit(2, clock=clock)
    for number in range(1000):
        clock.now += 1
        limit.admit(Bearer(str(number), frozenset()))

    assert len(limit._times) <= 60


@pytest.mark.parametrize("a_minute", [0, -1, 100_001, 1.5, True, "60"])
def test_limit_that_is_none_is_refused(a_minute: Any) -> None:
    """Before anything is served with it."""
    with pytest.raises(ValidationError, match="rate_limit: must be an integer from 1 to 100000"):
        RateLimit(a_minute)
