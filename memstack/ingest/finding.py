"""Finds out which items in doubt are stored, on a server that knows no idempotency keys.

A run that was killed had sent some items and not heard of them. Before any of them is sent again,
what the server lists is looked through, back to the time when the oldest of them was sent:

- A row that shows the whole content of an item is that item's.
- Elsewhere rows and items are told apart by name and content. As many rows as items of one look:
  all are stored. No row: none is, if none comes within `settle_grace` seconds either. Any other
  number proves nothing, and such items stay unknown; so do they where such a row shows more, which
  is not theirs: another worker may have stored it.
- Rows that the ledger has are other items'; older rows are of no concern.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from memstack._looking import LOOKS, SLACK, Listed, listed
from memstack._steps import Steps
from memstack.exceptions import MemStackError, NetworkError

from .items import digests_of_row, shown_by
from .ledger import Doubt

__all__ = ["Found", "find"]

_PAGES = 40
"""Most pages of a look: about 6,000 episodes that were stored since."""


@dataclass
class Found:
    """What became of the items in doubt."""

    stored: dict[bytes, str | None] = field(default_factory=dict)
    """Those that are there, with the id of their row where it is sure."""
    absent: set[bytes] = field(default_factory=set)
    """Those that are surely not there."""


def find(
    doubts: Mapping[bytes, Doubt],
    digests_of: Callable[[set[str]], Mapping[str, bytes]],
    now: Callable[[], float],
    grace: float,
) -> Steps[Found]:
    """What became of *doubts*; those that are in neither part of the answer stay in doubt.

    Args:
        digests_of: The content hashes of rows that are known, by their ids.
        now: Seconds since 1970, by the clock of the doubts.
        grace: Seconds to wait before what is not found is taken to be absent.

    Raises:
        NetworkError: The server cannot be asked.
    """
    first = yield from _look(doubts, digests_of, now)
    if not first.absent:
        return first
    yield grace  # it may still be at work on what it was sent last
    again = yield from _look(doubts, digests_of, now)
    again.absent &= first.absent
    return again


def _look(
    doubts: Mapping[bytes, Doubt],
    digests_of: Callable[[set[str]], Mapping[str, bytes]],
    now: Callable[[], float],
) -> Steps[Found]:
    oldest = min(doubt.began for doubt in doubts.values())
    try:
        seen = yield from listed(
            LOOKS["create_episode"], lambda: now() - oldest, pages=_PAGES, partly=True
        )
    except NetworkError:
        raise
    except MemStackError:  # such as a key that may not list
        return Found()
    if seen is None:
        return Found()
    known = digests_of({row.id for row, _ in seen.rows})
    # What the clock of the server showed when each was sent.
    times = {
        digest: math.floor(seen.began + doubt.began - oldest)  # rows may have whole seconds
        for digest, doubt in doubts.items()
    }
    return _matched(doubts, times, seen, known)


def _matched(
    doubts: Mapping[bytes, Doubt],
    times: Mapping[bytes, float],
    seen: Listed,
    known: Mapping[str, bytes],
) -> Found:
    found, free = Found(), []
    unclear: set[bytes] = set()
    # Whether the list shows episodes just as they were sent: by rows of which that is known.
    shows_all: set[bool] = set()
    for row, seconds in seen.rows:
        digests = list(digests_of_row(row))
        if row.id in known:
            shows_all.add(known[row.id] in digests)
            continue
        match = next((digest for digest in digests if digest in doubts), None)
        if match is None:
            free.append((row, seconds))
        elif seconds >= times[match]:
            found.stored.setdefault(match, row.id)
        elif seconds >= times[match] - SLACK:
            unclear.add(match)  # a little too old, by clocks that may be a little apart
    if seen.is_cut:
        reach = seen.rows[-1][1]
        unclear.update(digest for digest, time in times.items() if time - SLACK <= reach)
    left = doubts.keys() - found.stored.keys() - unclear
    if shows_all == {True}:
        found.absent = set(left)
    else:
        _count(found, left, doubts, free, min(times.values()) - SLACK)
    return found


def _count(
    found: Found,
    left: set[bytes],
    doubts: Mapping[bytes, Doubt],
    free: list[tuple[Any, float]],
    earliest: float,
) -> None:
    """Sort *left* by how many of the rows *free* look like them."""
    rows = defaultdict(list)
    others: set[bytes] = set()
    for row, seconds in free:
        if seconds >= earliest:
            shown = shown_by(row.name, row.content)
            rows[shown].append(row.id)
            if row.metadata or row.group_id or row.source_description:  # what callers alone set
                others.add(shown)
    alike = Counter(doubt.shown for digest, doubt in doubts.items() if digest not in found.stored)
    for digest in left:
        shown = doubts[digest].shown
        if not rows[shown]:
            found.absent.add(digest)
        elif shown not in others and len(rows[shown]) == alike[shown]:
            found.stored[digest] = rows[shown][0] if alike[shown] == 1 else None
