"""Finds out which items in doubt are stored, on a server that knows no idempotency keys.

A run that was killed had sent some items and not heard of them. Before any of them is sent again,
what the server lists is looked through, back to the time when the oldest of them was sent. Rows
that the ledger has are other items'; older rows are of no concern. The others are compared with the
items of the same name and content:

- A row may be any of those, but an item whose fields the list shows, all of them, as they were
  sent: that is only a row that is just like it. Which fields it shows, rows tell whose content hash
  is known.
- An item that no row may be is not there, if none comes within `settle_grace` seconds either.
- A row that is just like an item whose fields are shown, and may be no other one, is that item's.
- Of the rest, all are stored if there are as many rows as items, and each row may be each item. Any
  other number proves nothing, and such items stay unknown; so do they where a row and an item seem
  to differ in what callers alone set, since another worker may have stored it.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from memstack._looking import LOOKS, SLACK, Listed, listed
from memstack._steps import Steps
from memstack.exceptions import MemStackError, NetworkError

from .items import digests_of_row, shown_by
from .ledger import Doubt
from .steps import work

__all__ = ["Found", "find"]

_OF_CALLERS = ("group_id", "metadata", "source_description")
"""What no server sets of itself, in an episode that came without it."""
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
    digests_of: Callable[[Set[str]], Mapping[str, bytes]],
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
        Ended: The ledger cannot be read.
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
    digests_of: Callable[[Set[str]], Mapping[str, bytes]],
    now: Callable[[], float],
) -> Steps[Found]:
    oldest, newest = (pick(doubt.began for doubt in doubts.values()) for pick in (min, max))
    if now() < newest:
        return Found()  # the clock was set back, so no time can be told
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
    known = yield from work(lambda: digests_of({row.id for row, _ in seen.rows}))
    # What the clock of the server showed when each was sent.
    times = {
        digest: math.floor(seen.began + doubt.began - oldest)  # rows may have whole seconds
        for digest, doubt in doubts.items()
    }
    return _matched(doubts, times, seen, known)


@dataclass(frozen=True)
class _Row:
    """One that is not in the ledger."""

    id: str
    seconds: float
    digests: Set[bytes]
    """The content hashes of what it shows."""
    told: Set[str]
    """The fields it shows that callers alone set."""


def _matched(
    doubts: Mapping[bytes, Doubt],
    times: Mapping[bytes, float],
    seen: Listed,
    known: Mapping[str, bytes],
) -> Found:
    rows: dict[bytes, list[_Row]] = defaultdict(list)
    as_sent: set[str] = set()
    listed_fields: set[str] = set()
    is_faithful = True
    for row, seconds in seen.rows:
        digests = dict(digests_of_row(row))
        for digest, fields in digests.items():
            if digest == known.get(row.id) or digest in doubts:
                as_sent |= fields
        told = {name for name in _OF_CALLERS if getattr(row, name)}
        listed_fields |= told
        if row.id in known:
            is_faithful = is_faithful and known[row.id] in digests
            continue
        one = _Row(row.id, seconds, digests.keys(), told)
        rows[shown_by(row.name, row.content)].append(one)
    alike: dict[bytes, list[bytes]] = defaultdict(list)
    for digest, doubt in doubts.items():
        alike[doubt.shown].append(digest)
    found = Found()
    for shown, group in alike.items():
        plain = {d for d in group if is_faithful and doubts[d].others <= as_sent}
        telling = {d for d in group if doubts[d].others & listed_fields}
        _sort(found, {d: times[d] for d in group}, plain, telling, rows[shown])
    if seen.is_cut:
        reach = seen.rows[-1][1]
        found.absent -= {digest for digest, time in times.items() if time - SLACK <= reach}
    return found


def _sort(
    found: Found,
    times: Mapping[bytes, float],
    plain: Set[bytes],
    telling: Set[bytes],
    rows: Sequence[_Row],
) -> None:
    """Add to *found* those items of one name and content of which something is sure.

    Args:
        times: When each was sent.
        plain: Those whose fields the list shows, all of them.
        telling: Those with a field that callers alone set, and that the list shows.
        rows: Those of that name and content.
    """
    # By clocks that may be a little apart, a row may seem a little too old.
    may_be = {
        item: [
            row
            for row in rows
            if row.seconds >= time - SLACK and (item not in plain or item in row.digests)
        ]
        for item, time in times.items()
    }
    claims = Counter(row.id for its in may_be.values() for row in its)
    rest: set[bytes] = set()
    for item, its in may_be.items():
        own = [row for row in its if claims[row.id] == 1 and row.seconds >= times[item]]
        if not its:
            found.absent.add(item)
        elif item in plain and own:
            found.stored[item] = own[0].id
        else:
            rest.add(item)
    free = {row.id: row for item in rest for row in may_be[item]}
    if len(free) == len(rest) and all(
        row.seconds >= times[item]
        and row in may_be[item]
        and (item in row.digests or not (row.told or item in telling))
        for item in rest
        for row in free.values()
    ):
        found.stored.update({item: next(iter(free)) if len(rest) == 1 else None for item in rest})
