"""What a walk through a list gives, whatever becomes of the list on the way."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given, strategies as st

from memstack import Episode, EpisodePage, ListChangedError, Memo
from memstack._generations import V0_1
from memstack._paging import iter_episodes, iter_memos
from memstack._server import Server
from memstack._walking import _IN_TOKEN as IN_TOKEN, Walk
from memstack.operations import Operation
from memstack.response import Response, Rows

STARTED = datetime(2026, 5, 1, tzinfo=timezone.utc)


@dataclass
class Shelf:
    """The rows of a server, newest first, and how it lists them."""

    kind: str = "episode"
    timed: bool = True
    most: int = 1000
    """Most rows of a page, whatever is asked for."""
    offset_counts: bool = True
    rows: list[int] = field(default_factory=list)
    """Their numbers."""
    times: dict[int, int] = field(default_factory=dict)
    """Seconds, of rows whose number does not tell it."""
    asked: list[tuple[int, int]] = field(default_factory=list)
    before: Callable[[], None] = lambda: None
    _count: int = 0

    def store(self, count: int) -> None:
        for _ in range(count):
            self.rows.insert(0, self._count)
            self._count += 1

    def walk(self, page_size: int = 20, after: str | None = None) -> Walk[Any]:
        if self.kind == "episode":
            return iter_episodes(page_size=page_size, after=after)
        return iter_memos(page_size=page_size, after=after)

    def answer(self, operation: Operation[Any]) -> Response[Any]:
        self.before()
        query = parse_qs(operation.query)
        limit, offset = int(query["limit"][0]), int(query["offset"][0])
        self.asked.append((limit, offset))
        assert len(self.asked) < 2000, "it never ends"
        first = offset if self.offset_counts else 0
        shown = self.rows[first : first + min(limit, self.most)]
        result: Any
        if self.kind == "episode":
            result = EpisodePage(
                episodes=[self._episode(n) for n in shown],
                total=len(self.rows),
                has_more=first + len(shown) < len(self.rows),
            )
        else:
            result = Rows([self._memo(n) for n in shown])
        return Response(result, 200, {}, b"", "r", ())

    def _time(self, number: int) -> datetime:
        return STARTED + timedelta(seconds=self.times.get(number, number))

    def _episode(self, number: int) -> Episode:
        time = self._time(number) if self.timed else None
        return Episode(id=f"{number}", name="n", content="x", created_at=time)

    def _memo(self, number: int) -> Memo:
        return Memo(
            id=f"{number}",
            content="x",
            visibility="PRIVATE",
            created_at=self._time(number),
            tags=[],
        )


def take(walk: Walk[Any], shelf: Shelf, server: Server | None = None) -> int | None:
    """The number of the next row; None at the end."""
    steps = walk.filling(server or Server("https://memstack.test"))
    answer: Any = None
    try:
        while walk.is_low:
            answer = shelf.answer(steps.send(answer))
    except StopIteration:
        pass
    row = walk.give()
    assert row is None or walk.token
    return None if row is None else int(row.id or row.content)


def rest(walk: Walk[Any], shelf: Shelf, server: Server | None = None) -> list[int]:
    """The numbers of all rows that follow."""
    found: list[int] = []
    while (number := take(walk, shelf, server)) is not None:
        found.append(number)
    return found


def shelf_of(count: int, **how: Any) -> Shelf:
    shelf = Shelf(**how)
    shelf.store(count)
    return shelf


KINDS = pytest.mark.parametrize("how", [{}, {"timed": False}, {"kind": "memo"}], ids=str)


@given(data=st.data())
@KINDS
def test_gives_each_row_once_though_rows_come_and_go(how: dict[str, Any], data: Any) -> None:
    """Those that were there all the time are given, in their order, also over tokens."""
    shelf = shelf_of(data.draw(st.integers(0, 120), label="stored"), **how)
    there = set(shelf.rows)
    page_size = data.draw(st.integers(4, 50), label="page_size")
    walk, found = shelf.walk(page_size), []
    # While one known row is left, nothing can be lost.
    for _ in range(data.draw(st.integers(0, 12), label="turns")):
        for _ in range(data.draw(st.integers(0, 30), label="taken")):
            number = take(walk, shelf)
            if number is None:
                break
            found.append(number)
        shelf.store(data.draw(st.integers(0, 60), label="added"))
        # Rows that were held back may be gone when they are given.
        spared = [number for number in found if number in shelf.rows][-1:]
        for number in data.draw(st.sets(st.sampled_from(shelf.rows or [-1])), label="deleted"):
            if number in shelf.rows and number not in spared:
                shelf.rows.remove(number)
                there.discard(number)
        is_known = not {*found[-IN_TOKEN:]}.isdisjoint(shelf.rows)
        if data.draw(st.booleans(), label="a later process") and is_known:
            walk = shelf.walk(data.draw(st.integers(4, 50), label="its page_size"), walk.token)
    found += rest(walk, shelf)

    assert len(set(found)) == len(found)
    assert there - set(found) == set()
    assert found == sorted(found, reverse=True)


@KINDS
@pytest.mark.parametrize("page_size", [2, 3, 20, 200])
def test_whoever_deletes_what_is_given_gets_all(how: dict[str, Any], page_size: int) -> None:
    """The rows behind the place are all gone, at every page."""
    shelf = shelf_of(450, **how)
    walk, found = shelf.walk(page_size), []
    while (number := take(walk, shelf)) is not None:
        found.append(number)
        shelf.rows.remove(number)

    assert found == list(range(449, -1, -1))


def test_asks_for_little_more_than_each_row_once() -> None:
    """An overlap of 20 rows a page, and none at the end where the server tells it."""
    shelf = shelf_of(1000)

    rest(shelf.walk(200), shelf)

    assert shelf.asked == [(200, 0), (200, 180), (200, 360), (200, 540), (200, 720), (200, 900)]


def test_asks_for_a_page_when_it_is_due() -> None:
    """Not at the beginning, and not for rows that nobody wants yet."""
    shelf = shelf_of(1000)
    walk = shelf.walk(200)
    assert shelf.asked == []

    for _ in range(180):
        take(walk, shelf)

    assert shelf.asked == [(200, 0)]


def test_goes_on_at_once_where_many_rows_were_stored_meanwhile() -> None:
    """The new total tells how far the place was pushed."""
    shelf = shelf_of(1000)
    walk = shelf.walk(200)
    found = [take(walk, shelf) for _ in range(500)]
    shelf.store(100_000)
    shelf.asked.clear()

    found += rest(walk, shelf)

    assert found == list(range(999, -1, -1))
    assert len(shelf.asked) == 4


@pytest.mark.parametrize("kind", ["episode", "memo"])
def test_finds_its_place_by_time_where_all_known_rows_are_gone(kind: str) -> None:
    """In a list that is in the order of its times; rows of the same time are not left out."""
    shelf = shelf_of(600, kind=kind)
    shelf.times = dict.fromkeys(range(290, 310), 300)
    walk = shelf.walk(50)
    found = [take(walk, shelf) for _ in range(300)]
    token = walk.token
    assert found[-1] == 300
    shelf.rows = [n for n in shelf.rows if n < 297 or n > 500]
    shelf.store(30)

    found += rest(shelf.walk(50, token), shelf)

    assert found == [*range(599, 299, -1), *range(296, -1, -1)]


def test_a_token_knows_the_rows_that_follow_by_their_order() -> None:
    """The first of them may be above the page that it is looked for in."""
    shelf = shelf_of(12, timed=False)
    walk = shelf.walk(8)
    for _ in range(6):
        take(walk, shelf)
    shelf.rows = [5, 4, 3, 2, 1, 0]

    assert rest(shelf.walk(8, walk.token), shelf) == [5, 4, 3, 2, 1, 0]


def test_is_at_its_end_where_all_that_followed_is_gone() -> None:
    """What is left was given out before, or is new."""
    shelf = shelf_of(600)
    walk = shelf.walk(50)
    found = [take(walk, shelf) for _ in range(300)]
    ahead = len(walk._ahead)
    shelf.rows = [n for n in shelf.rows if n > 500]

    assert rest(walk, shelf) == [*range(found[-1] - 1, found[-1] - 1 - ahead, -1)]  # type: ignore[operator]


@pytest.mark.parametrize(
    "how",
    [
        {"timed": False},
        {"times": {n: (n * 7919) % 601 for n in range(600)}},
        {"times": dict.fromkeys(range(600), 5)},
    ],
    ids=["no times", "no order", "one time"],
)
def test_says_so_where_its_place_is_lost(how: dict[str, Any]) -> None:
    """Rather than give rows twice, or leave some out."""
    shelf = shelf_of(600, **how)
    walk = shelf.walk(50)
    for _ in range(300):
        take(walk, shelf)
    token = walk.token
    shelf.rows = [n for n in shelf.rows if n < 200 or n > 400]

    with pytest.raises(ListChangedError, match="start again"):
        rest(shelf.walk(50, token), shelf)


def test_follows_the_list_and_not_its_times() -> None:
    """An import keeps the times of its rows, so they stand above rows that are newer."""
    shelf = shelf_of(300)
    shelf.times = {number: number - 250 for number in range(150, 300)}

    assert rest(shelf.walk(40), shelf) == list(range(299, -1, -1))


def test_walks_through_pages_shorter_than_it_asked_for() -> None:
    """A server or a proxy may have a limit of its own."""
    shelf = shelf_of(450, kind="memo", most=100)

    walk = shelf.walk(200)

    assert rest(walk, shelf) == list(range(449, -1, -1))
    assert walk.cut_at is None


@pytest.mark.parametrize("count", [0, 1, 19, 20, 21, 40, 199, 200])
@pytest.mark.parametrize("kind", ["episode", "memo"])
def test_ends_where_the_list_ends(kind: str, count: int) -> None:
    """Also where that is the end of a page."""
    shelf = shelf_of(count, kind=kind)

    walk = shelf.walk(20)

    assert rest(walk, shelf) == list(range(count - 1, -1, -1))
    assert walk.cut_at is None


def test_does_not_loop_where_every_page_begins_at_the_newest_row() -> None:
    """It tells after how many rows the list is cut."""
    shelf = shelf_of(450, kind="memo", offset_counts=False)

    walk = shelf.walk(200)

    assert rest(walk, shelf) == list(range(449, 249, -1))
    assert walk.cut_at == 200
    assert len(shelf.asked) == 4


@pytest.mark.parametrize(("count", "cut_at"), [(450, 200), (200, 200), (199, None), (0, None)])
def test_asks_a_server_of_one_page_for_the_largest(count: int, cut_at: int | None) -> None:
    """Once it is known to be one: v0.1, which pays no heed to offset."""
    shelf = shelf_of(count, offset_counts=False)
    server = Server("https://memstack.test")
    server.generation = V0_1
    answer = shelf.answer

    def older(operation: Operation[Any]) -> Response[Any]:
        response = answer(operation)
        response.result.has_more = None
        return response

    shelf.answer = older  # type: ignore[method-assign]
    walk = shelf.walk(30)
    first = [number for _ in range(5) if (number := take(walk, shelf, server)) is not None]
    token = walk.token
    following = rest(walk, shelf, server)

    assert first + following == list(range(count - 1, max(count - 201, -1), -1))
    assert walk.cut_at == cut_at
    assert rest(shelf.walk(30, token), shelf, server) == following
    assert {offset for _, offset in shelf.asked} == {0}


def test_tells_rows_without_ids_by_what_they_hold() -> None:
    """As v0.1 lists them."""
    shelf = shelf_of(100)
    nameless = shelf._episode

    def shown(number: int) -> Episode:
        return nameless(number).model_copy(update={"id": None, "content": f"{number}"})

    shelf._episode = shown  # type: ignore[method-assign]

    assert rest(shelf.walk(10), shelf) == list(range(99, -1, -1))


def test_needs_no_more_memory_for_a_longer_list() -> None:
    """Neither the walk nor its token grows."""

    def size(count: int) -> tuple[int, int]:
        shelf = shelf_of(count)
        walk = shelf.walk(200)
        while take(walk, shelf) is not None:
            pass
        assert walk.token
        known = sys.getsizeof(walk._behind) + sum(map(sys.getsizeof, walk._behind))
        return known, len(walk._behind) + len(walk._ahead)

    assert size(5000) == size(1000)
