"""Walks through a list page by page, though rows come and go meanwhile; asks nothing itself.

Lists are asked for by how many rows to pass over, newest first. A row that is stored meanwhile
pushes the others on, one that is deleted pulls them back. So each page is asked for with the last
rows that are known, and what follows them there is new, wherever it stands now. The last rows of a
page are held back until the next one is there: whoever deletes each row that is given out has not
deleted them yet.

Where no known row is left in a page, they are looked for from the top. If all are gone, the time
of the last one tells the place, in a list that is in the order of its times from end to end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ._rows import Row
from ._server import Server
from ._steps import Steps, response_of
from ._tokens import Mark, Token, digest, mark_of
from .exceptions import ListChangedError, ValidationError
from .operations import Operation

__all__ = ["Walk", "Walked"]

R = TypeVar("R", bound=Row)

_OVERLAP = 20
"""Most rows that a page is asked for again; as many deletions between two pages cost nothing."""
_REMEMBERED = 200
"""Rows behind that are known, and not given out again: a page of episodes."""
_IN_TOKEN = 10
"""Rows before and after its place that a token knows."""
_STUCK = 2
"""Pages that lead no further, after which a list is taken for one that begins the same always."""


@dataclass(frozen=True)
class Walked(Generic[R]):
    """A list, as it is asked for."""

    method: str
    """The one that walks through it."""
    operation: str
    """The one that lists a page."""
    page: Callable[[int, int], Operation[Any]]
    """Asks for so many rows, without so many."""
    most: int
    """Most rows of a page."""
    scope: Mapping[str, Any]
    """The filters."""


@dataclass(frozen=True)
class _Page(Generic[R]):
    offset: int
    rows: Sequence[R]
    marks: Sequence[Mark]
    total: int | None = None
    has_more: bool | None = None


class Walk(Generic[R]):
    """One walk; what it remembers does not grow with the list."""

    def __init__(self, walked: Walked[R], page_size: int, after: str | None) -> None:
        whole = isinstance(page_size, int) and not isinstance(page_size, bool)
        if not whole or not 2 <= page_size <= walked.most:
            raise ValidationError(
                f"{walked.method}: page_size: must be a whole number, 2 to {walked.most}"
            )
        self.walked = walked
        self.cut_at: int | None = None
        """How many rows the server lists, where it shows no others; None if that is all."""
        self._size = page_size
        self._overlap = min(_OVERLAP, page_size // 2)
        self._ahead: deque[tuple[R, Mark]] = deque()
        self._behind: deque[Mark] = deque(maxlen=_REMEMBERED)
        self._next: Sequence[Mark] = ()
        self.given = 0
        """Rows that were given out, with those before the token."""
        self._end = self._stuck = 0
        self._reached = -1
        self._total: int | None = None
        self._done = False
        self._started = after is not None
        if after is not None:
            token = Token.read(after, walked.method, walked.scope)
            self._behind.extend(token.before)
            self._next, self._end = token.next, token.at
            self._total, self.given = token.total, token.given

    @property
    def token(self) -> str | None:
        """The place after the last row that was given out; None at the beginning."""
        if not self._started:
            return None
        seen = [mark for _, mark in self._ahead] or self._next
        return Token(
            method=self.walked.method,
            of=digest(self.walked.scope),
            at=max(0, self._end - len(self._ahead)),  # less where the place is lost, or a page grew
            total=self._total,
            given=self.given,
            before=[*self._behind][-_IN_TOKEN:],
            next=list(seen[:_IN_TOKEN]),
        ).text()

    @property
    def is_low(self) -> bool:
        """Whether to ask for more rows before the next one is given out."""
        return not self._done and len(self._ahead) <= self._overlap

    def give(self) -> R | None:
        """The next row; None at the end."""
        if not self._ahead:
            return None
        row, mark = self._ahead.popleft()
        self._behind.append(mark)
        self.given += 1
        self._started = True
        return row

    def filling(self, server: Server) -> Steps[None]:
        """Gets rows until enough are at hand; after an error it may be done again.

        Raises:
            ListChangedError: The place is lost.
            MemStackError: The server did not show them.
        """
        while self.is_low:
            page = yield from self._page(max(0, self._end - self._overlap), server)
            start = self._start(page)
            if start is None:
                page, start = yield from self._sought(page, server)
            self._take(page, start, self._lists_one_page(server))

    def _page(self, offset: int, server: Server) -> Steps[_Page[R]]:
        if self._lists_one_page(server):
            offset = 0
        result = response_of((yield self.walked.page(self._size, offset))).result
        rows: Sequence[R] = getattr(result, "episodes", result)
        return _Page(
            offset,
            rows,
            [mark_of(row) for row in rows],
            getattr(result, "total", None),
            getattr(result, "has_more", None),
        )

    def _lists_one_page(self, server: Server) -> bool:
        """Whether the server is known to begin at the newest row, whatever it is asked for."""
        return server.passes_over(self.walked.operation, "offset")

    def _known(self) -> list[Mark]:
        return [*self._behind, *(mark for _, mark in self._ahead)]

    def _depth(self, marks: Sequence[Mark]) -> int:
        """How far down the known rows the last of *marks* is."""
        known = [mark.digest for mark in self._known()]
        return known.index(marks[-1].digest) if marks else -1

    def _start(self, page: _Page[R]) -> int | None:
        """Where in *page* the rows begin that are new; None if the place is not there."""
        known = {mark.digest for mark in self._known()}
        if not known:
            return 0
        shown = [mark.digest for mark in page.marks]
        for index in reversed(range(len(shown))):
            if shown[index] in known:
                return index + 1
        following = [mark.digest for mark in self._next]
        found = next((index for index, mark in enumerate(shown) if mark in following), None)
        if found == 0 and page.offset > 0 and shown[0] != following[0]:
            return None  # rows that come before it may be above the page
        return found

    def _take(self, page: _Page[R], start: int, one_page: bool) -> None:
        fresh = len(page.rows) - start
        reached = -1 if fresh else self._depth(page.marks[start - 1 : start])
        self._stuck = 0 if fresh or reached > self._reached else self._stuck + 1
        self._reached = reached
        self._ahead.extend(zip(page.rows[start:], page.marks[start:], strict=True))
        self._end = page.offset + len(page.rows)
        self._total = page.total
        self._next = ()
        if page.has_more is False:
            self._done = True
        elif one_page and len(page.rows) >= self._size < self.walked.most:
            self._size, self._end = self.walked.most, 0  # the largest page is all there is
        elif one_page or self._stuck == _STUCK:
            self._done = True
            if not one_page or len(page.rows) >= self._size:
                self.cut_at = len(page.rows)
        elif page.has_more is None and not fresh and start <= self._overlap:
            self._done = True  # whatever the length of a page is

    def _sought(self, page: _Page[R], server: Server) -> Steps[tuple[_Page[R], int]]:
        """The page at which it goes on, which is not *page*, and where in it."""
        if page.total is not None and self._total is not None:
            there = max(0, page.offset + page.total - self._total)
            page = yield from self._page(there, server)
            start = self._start(page)
            if start is not None:
                return page, start
        offset, older = 0, None
        ordered = True
        shown: set[str] = set()
        while True:
            page = yield from self._page(offset, server)
            start = self._start(page)
            if start is not None:
                return page, start
            ordered = ordered and _are_in_order(page.marks)
            first = self._first_older(page.marks)
            if older is None and first is not None:
                older = page.offset + first
            before, shown = shown, {mark.digest for mark in page.marks}
            if page.has_more is False or not shown - before:
                break
            offset += max(1, len(page.rows) - self._overlap)
        if not ordered or not self._has_a_time():
            raise ListChangedError(
                f"{self.walked.method}: all rows around the place are gone, so nobody can tell "
                "what was given out before; start again without a token",
                outcome="rejected",
            )
        if older is not None:
            page = yield from self._page(max(0, older - self._overlap), server)
            start = self._first_older(page.marks)
            if start is not None:
                return page, start
        return _Page(0, (), (), has_more=False), 0  # nothing older is left

    def _first_older(self, marks: Sequence[Mark]) -> int | None:
        """The first of *marks* that is not newer than the last known row."""
        since = self._known()[-1].time if self._behind or self._ahead else None
        if since is None:
            return None
        older = (i for i, mark in enumerate(marks) if mark.time is not None and mark.time <= since)
        return next(older, None)

    def _has_a_time(self) -> bool:
        """Whether the time of the last known row tells the place, if that row is gone.

        Not if rows of the same time were given out that are not remembered any more.
        """
        known = self._known()
        since = known[-1].time if known else None
        whole = self.given + len(self._ahead) <= len(known)
        return since is not None and (whole or known[0].time != since)


def _are_in_order(marks: Sequence[Mark]) -> bool:
    times = [mark.time for mark in marks if mark.time is not None]
    return len(times) == len(marks) and times == sorted(times, reverse=True)
