"""Looks for the row of a create where its rows are listed, and claims only what is sure.

- Rows older than the first attempt do not count, by the server's own `Date`; nor do rows that are
  known to be another create's.
- A list that is cut is followed, newest first, until it reaches back to before the create; pages
  overlap, so that a row which moves meanwhile is noticed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from . import operations
from ._claims import SHOWN, Claims
from ._reading import http_date
from ._steps import Steps, response_of
from .models import EpisodePage, EpisodeResponse
from .operations import Operation
from .response import Response

__all__ = ["LOOKS", "SLACK", "Listed", "Look", "listed", "matches"]

_OVERLAP = 50
"""Rows of a page that the next one is asked for again, to show that no row fell between them."""
_PAGES = 20
"""Most pages of a look: about 3,000 episodes that were stored since."""
SLACK = 5
"""Seconds before the create in which a row like it makes the matter unclear."""


@dataclass(frozen=True)
class Look:
    """How the rows that a create may have made are found."""

    page: Callable[[int], Operation[Any]]
    """Lists them, newest first, without so many."""
    most: int | None
    """Rows of a whole page; None where there is only one."""
    rows: Callable[[Any], Sequence[Any]]
    id: str
    result: Callable[[Any], Any] | None
    """What the create would have returned, of its row; None where the row does not tell."""


LOOKS = {
    "create_episode": Look(
        lambda offset: operations.list_episodes(200, offset),
        200,
        lambda page: page.episodes,
        "id",
        lambda row: EpisodeResponse(id=row.id, status=row.status, created_at=row.created_at),
    ),
    "create_memo": Look(
        lambda offset: operations.list_memos(1000, offset),
        1000,
        list,
        "id",
        lambda row: row,
    ),
    # The secret of a key is in the lost answer alone.
    "create_api_key": Look(lambda _: operations.list_api_keys(), None, list, "key_id", None),
}


@dataclass(frozen=True)
class Listed:
    """What a list shows of the time in question."""

    rows: list[tuple[Any, float]]
    """Each with the second it was created in, newest first where there are several pages."""
    began: int
    """The earliest second in which the create may have come to be, by the server's clock."""
    answer: Response[Any]
    is_cut: bool = False
    """Whether the rows do not reach back to *began*."""


def listed(
    look: Look,
    since: Callable[[], float | None],
    *,
    pages: int = _PAGES,
    partly: bool = False,
) -> Steps[Listed | None]:
    """The rows back to the beginning of a create; None if they cannot be trusted.

    Args:
        since: Seconds since the create was begun; None if that is not known.
        pages: Most pages to ask for.
        partly: Whether rows are wanted, too, that do not reach back so far.

    Raises:
        MemStackError: The server did not show them.
    """
    began: int | None = None
    rows: list[tuple[Any, float]] = []
    total = None
    answer = None
    for _ in range(pages):
        answer = response_of((yield look.page(max(0, len(rows) - _OVERLAP))))
        date = http_date(answer.headers.get("date"))
        if began is None:
            age = since()
            # `Date` is whole, and so may be the times of rows: the earliest second in question.
            began = math.floor(date - age) if date is not None and age is not None else None
        fresh = _following(rows, look.rows(answer.result), look.id)
        if began is None or date is None or fresh is None:
            return None
        for row in fresh:
            seconds = _seconds(row.created_at)
            # Or they are stamped by another clock than the answer.
            if seconds is None or seconds > date + 2 or not getattr(row, look.id):
                return None
            rows.append((row, seconds))
        if total is None:  # of the first page: what is stored meanwhile is of no concern
            total = getattr(answer.result, "total", 0)
        if total <= len(rows) and not _is_cut(look, answer.result):
            return Listed(rows, began, answer)
        known = [seconds for _, seconds in rows]
        if not fresh or known != sorted(known, reverse=True):
            return None
        if known[-1] < began:
            return Listed(rows, began, answer)
    if not partly or began is None or answer is None:
        return None
    return Listed(rows, began, answer, is_cut=True)


def _following(rows: list[tuple[Any, float]], page: Sequence[Any], id: str) -> Sequence[Any] | None:
    """What of *page* comes after *rows*; None if something between them may be missing."""
    if not rows:
        return page
    ids = [getattr(row, id) for row in page]
    last = getattr(rows[-1][0], id)
    return page[ids.index(last) + 1 :] if last in ids else None


def _is_cut(look: Look, page: Any) -> bool:
    """Whether more rows may follow *page*."""
    if isinstance(page, EpisodePage) and page.has_more:
        return True
    return look.most is not None and len(look.rows(page)) >= look.most


def matches(
    look: Look, operation: Operation[Any], seen: Listed, claims: Claims
) -> list[Any] | None:
    """The rows that are like the create and not older; None if that is not clear."""
    like = [
        (row, seconds)
        for row, seconds in seen.rows
        if seconds >= seen.began - SLACK
        and not claims.has(getattr(row, look.id))
        and _is_like(row, operation)
    ]
    if any(seconds < seen.began for _, seconds in like):
        return None  # a little too old to be ours, by clocks that may be a little apart
    return [row for row, _ in like]


def _is_like(row: Any, operation: Operation[Any]) -> bool:
    """Whether *row* shows what *operation* would have made, and contradicts it in nothing."""
    fields = operation.fields()
    if any(getattr(row, name) != fields.get(name) for name in SHOWN[operation.id]):
        return False
    scopes = {name: getattr(row, name, None) for name in ("tenant_id", "project_id", "user_id")}
    if operation.id != "create_episode":  # the user_id of a memo is whose it is
        return True
    return all(shown is None or shown == fields.get(name) for name, shown in scopes.items())


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
