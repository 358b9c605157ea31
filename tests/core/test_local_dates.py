"""Which words a date has, in the index and in a question."""

from __future__ import annotations

from datetime import date

import pytest

from memstack.local.dates import date_words, days_in

from .local import Memory


@pytest.mark.parametrize(
    "text",
    [
        *("on 3 May", "on May 3", "the 3rd of May", "MAY 3RD, 2026", "03 may", "May. 3"),
        *("5月3日", "2026年5月3日开会", "05月03号", "五月三日", "5월 3일에"),
    ],
)
def test_day_is_read_in_many_ways(text: str) -> None:
    """As English, Chinese, Japanese and Korean write it."""
    assert list(days_in(text)) == ["day0503"]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("from 30 September to Oct 12th", ["day0930", "day1012"]),
        ("十二月三十一日", ["day1231"]),
        ("二十日", []),
        ("十十月三日", []),
        ("32 May", []),
        ("13月1日", []),
        ("0 May", []),
        ("3 maybe", []),
        ("dismay 3", []),
        ("May 2026", []),
        ("in May", []),
    ],
)
def test_what_is_no_day_is_not_read(text: str, days: list[str]) -> None:
    """A month or a number alone, and what merely holds one."""
    assert list(days_in(text)) == days


@pytest.mark.parametrize("day", [date(1, 1, 1), date(2026, 12, 31), date(2028, 2, 29)])
def test_indexed_date_has_the_day_that_is_read_from_it(day: date) -> None:
    """The two agree on every month."""
    words = date_words(day).split()

    assert list(days_in(f"{day.day} {words[1]}")) == words[-1:]


def test_question_for_a_day_finds_it_before_others_of_the_month(memory: Memory) -> None:
    """And before one that merely holds the number."""
    memory.remember("day", "we met", valid_at="2026-05-03T09:00:00Z")
    memory.remember("month", "we met", valid_at="2026-05-09T09:00:00Z")
    memory.remember("number", "3 of us met", valid_at="2026-06-01T09:00:00Z")

    for query in ("What happened on 3 May?", "5月3日", "2026-05-03"):
        assert memory.names(query)[0] == "day", query
