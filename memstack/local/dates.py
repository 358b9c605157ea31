"""Decides which words a date has, in the index and in a question, so that the two meet.

A day of the year is a word of its own (`day0503`): as numbers, the 3 and the 5 of 3 May stand in
too many texts to tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import cache

__all__ = ["date_words", "days_in"]

_MONTHS = (
    "january february march april may june july august september october november december"
).split()
_DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_TENS = {"": 0, "十": 10, "二十": 20, "廿": 20, "三十": 30}
_ONES = {"": 0, **{digit: value for value, digit in enumerate("一二三四五六七八九", 1)}}
_CHINESE = {
    tens + ones: ten + one
    for tens, ten in _TENS.items()
    for ones, one in _ONES.items()
    if ten + one
}


def date_words(day: date) -> str:
    """The text of a date that is indexed."""
    month, weekday = _MONTHS[day.month - 1], _DAYS[day.weekday()]
    return f"{day.year:04} {month} {day.isoformat()} {weekday} {_word(day.month, day.day)}"


def days_in(text: str) -> Iterator[str]:
    """The word of each day of the year in *text*: 3 May, May 3rd, 5月3日, 五月三日, 5월 3일."""
    for match in _pattern().finditer(text):
        found = {name[0]: value for name, value in match.groupdict().items() if value}
        month, day = _number(found["m"]), _number(found["d"])
        if 1 <= month <= 12 and 1 <= day <= 31:
            yield _word(month, day)


def _word(month: int, day: int) -> str:
    return f"day{month:02}{day:02}"


def _number(text: str) -> int:
    if text.isdecimal():
        return int(text)
    if ord(text[0]) > 0x7F:
        return _CHINESE.get(text, 0)
    short = text[:3].lower()
    return next(number for number, name in enumerate(_MONTHS, 1) if name.startswith(short))


@cache
def _pattern() -> re.Pattern[str]:
    month = "|".join(f"{name[:3]}(?:{name[3:]})?" for name in [*_MONTHS, "sept"])
    number = r"(?<!\d)\d{1,2}"
    chinese = "[一二三四五六七八九十廿]{1,3}"
    return re.compile(
        rf"(?P<d1>{number})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<m1>{month})\b"
        rf"|\b(?P<m2>{month})\.?\s+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?(?!\w)"
        rf"|(?P<m3>{number})\s*[月월]\s*(?P<d3>\d{{1,2}})\s*[日号號일]"
        rf"|(?P<m4>{chinese})月(?P<d4>{chinese})[日号號]",
        re.IGNORECASE,
    )
