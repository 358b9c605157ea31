"""How many creates are on their way, by what the server says."""

from __future__ import annotations

from memstack.ingest.pacing import Pace

from ..colours import FakeTime


def pace_of(time: FakeTime, most: int = 64) -> Pace:
    return Pace(most, lambda: time.clock)


def test_an_overload_halves_the_number_once(time: FakeTime) -> None:
    """What was on its way at the time tells of the same overload; what began later does not."""
    pace = pace_of(time)
    for _ in range(10):
        pace.overloaded(0.5, None)
    assert pace.limit == 32

    time.clock += 1
    pace.overloaded(0.5, None)
    assert pace.limit == 16


def test_it_never_ends_at_nothing(time: FakeTime) -> None:
    pace = pace_of(time)
    for _ in range(20):
        time.clock += 1
        pace.overloaded(0.1, None)
    assert pace.limit == 1


def test_each_round_without_an_overload_makes_one_more(time: FakeTime) -> None:
    """Up to where it began."""
    pace = pace_of(time, 8)
    pace.overloaded(0, None)
    assert pace.limit == 4
    for _ in range(5):
        pace.succeeded()
    assert pace.limit == 5
    for _ in range(100):
        pace.succeeded()
    assert pace.limit == 8


def test_what_the_server_asks_for_holds_all_back(time: FakeTime) -> None:
    """For the longest of what it asked."""
    pace = pace_of(time)
    assert pace.wait() <= 0
    pace.overloaded(0, 7.0)
    pace.overloaded(0, 2.0)
    assert pace.wait() == 7.0
    time.clock += 7.0
    assert pace.wait() <= 0
