"""Decides what to show of an episode as the reason that it was found.

A highlight is an object with the `field` it is in and its `text`. In `name` and `content` it also
has `start` and `end`, in characters, so that `content[start:end]` is the text. `context` is what
stands in an episode before or after it in its group, `valid_at` a date that was asked for.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any

from memstack.local.text import marks, normal, readable, spans

__all__ = ["MOST", "highlights"]

MOST = 20
"""Most highlights of one field."""

_OPEN, _CLOSE = "\x01", "\x02"  # Neither is in any token.

# The plus lets SQLite read the matches once; without it, it would match anew for each row found.
_MARKED = """
    SELECT episodes.seq, episodes.name, content, valid_at, marked.* FROM (
        SELECT rowid,
            highlight(episode_words, 0, :open, :close) AS name_words,
            highlight(episode_words, 1, :open, :close) AS content_words,
            highlight(episode_words, 2, :open, :close) AS context_words,
            highlight(episode_words, 3, :open, :close) AS dates_words
        FROM episode_words
        WHERE episode_words MATCH :words AND +rowid IN (SELECT value FROM json_each(:found))
    ) AS marked JOIN episodes ON episodes.seq = marked.rowid
"""


def highlights(
    connection: sqlite3.Connection, terms: Collection[str], found: Collection[int]
) -> dict[int, list[dict[str, Any]]]:
    """What of *terms* stands in the episodes *found*, by their `seq`; of those that have any."""
    if not terms:
        return {}
    values = {
        "words": " OR ".join(terms),
        "found": json.dumps(list(found)),
        "open": _OPEN,
        "close": _CLOSE,
    }
    rows = connection.execute(_MARKED, values).fetchall()
    return {row["seq"]: list(_of(row, terms)) for row in rows}


def _of(row: sqlite3.Row, terms: Collection[str]) -> Iterator[dict[str, Any]]:
    for field in ("name", "content"):
        text = row[field]
        for start, end in islice(_places(text, row[f"{field}_words"], terms), MOST):
            yield {"field": field, "text": text[start:end], "start": start, "end": end}
    around = (word for word, is_marked in _words(row["context_words"]) if is_marked)
    for word in islice(dict.fromkeys(around), MOST):
        yield {"field": "context", "text": readable(word)}
    if _OPEN in row["dates_words"]:
        yield {"field": "valid_at", "text": row["valid_at"][:10]}


def _words(marked: str) -> Iterator[tuple[str, bool]]:
    """The tokens of an indexed text, and which of them stand between the marks."""
    is_open = False
    for word in marked.split(" "):
        is_open = is_open or _OPEN in word
        yield word.replace(_OPEN, "").replace(_CLOSE, ""), is_open
        is_open = is_open and _CLOSE not in word


def _places(text: str, marked: str, terms: Collection[str]) -> Iterator[tuple[int, int]]:
    """Where in *text* the marked tokens of its index stand; those that overlap are one."""
    if _OPEN not in marked:
        return
    of_normal = normal(text)
    original = _Original(text) if of_normal != text else None
    last = (0, 0)
    for (word, is_marked), (start, end) in zip(_words(marked), spans(of_normal), strict=False):
        if not is_marked:
            continue
        if end - start == 2 and f'"{word}"' not in terms and f'"{word[0]}"*' in terms:
            end -= 1  # Of a pair, the first character was asked for alone.
        if original:
            start, end = original.place(start, end)
        if start < last[1]:
            last = (last[0], max(end, last[1]))
            continue
        if last[1]:
            yield last
        last = (start, end)
    if last[1]:
        yield last


class _Original:
    """Where a place of a normalised text is in the text as it was."""

    def __init__(self, text: str) -> None:
        # These become one character with the one before them: marks, half-width or not, and jamo.
        letters = re.finditer(rf"(?s).[{marks()}\u1160-\u11ff\uff9e\uff9f]*", text)
        self._spans = [letter.span() for letter in letters for _ in normal(letter[0])]

    def place(self, start: int, end: int) -> tuple[int, int]:
        return self._spans[start][0], self._spans[end - 1][1]
