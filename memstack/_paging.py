"""Iterators over whole lists, for both clients: `client.iter_memos()`, `client.iter_episodes()`."""

# No `from __future__ import annotations`: help() then shows types, not texts.
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from . import operations
from ._caller import warn
from ._rows import Row
from ._rules import EpisodeListing
from ._server import Server
from ._settings import Settings
from ._steps import Steps
from .exceptions import UnsupportedArgumentError, UnsupportedArgumentWarning
from .models import Episode, Memo
from .operations._arguments import checked

if TYPE_CHECKING:
    from ._walking import Walk

__all__ = ["AsyncPager", "Pager", "iter_episodes", "iter_memos"]

R = TypeVar("R", bound=Row)


def iter_episodes(
    *,
    project_id: str | None = None,
    tenant_id: str | None = None,
    user_id: str | None = None,
    page_size: int = 200,
    after: str | None = None,
) -> "Walk[Episode]":
    """All episodes, newest first, a page at a time; nothing is sent before the first is due.

    None comes twice, though others are stored or deleted meanwhile; those stored after it began
    may be missing. The memory it needs does not grow with the list.

    Args:
        project_id: Only episodes of this project.
        tenant_id: Only episodes of this tenant.
        user_id: Only episodes of this user.
        page_size: Most episodes to ask for at once; 2 to 200.
        after: The `token` of a pager, to go on after the last episode that it gave.

    Raises:
        ValidationError: An argument breaks its rule, or the token is of another list.
        ListChangedError: As it goes: all episodes that it knew around its place are gone.
        UnsupportedArgumentError: At the end, with `on_unsupported="raise"`: the server lists no
            more than its newest episodes. Otherwise that is an UnsupportedArgumentWarning.

    An error of a page may be passed over by asking again: it goes on where it was.
    """
    from ._walking import Walk, Walked  # most programs walk through none

    given = {"project_id": project_id, "tenant_id": tenant_id, "user_id": user_id}
    listing = checked("iter_episodes", EpisodeListing, given)
    scope = {name: listing[name] for name in given if name in listing}
    page = partial(operations.list_episodes, **scope)
    return Walk(Walked("iter_episodes", "list_episodes", page, 200, scope), page_size, after)


def iter_memos(*, page_size: int = 200, after: str | None = None) -> "Walk[Memo]":
    """All memos of yours, newest first, a page at a time; nothing is sent before the first is due.

    None comes twice, though others are stored or deleted meanwhile; those stored after it began
    may be missing. The memory it needs does not grow with the list.

    Args:
        page_size: Most memos to ask for at once; 2 to 1000.
        after: The `token` of a pager, to go on after the last memo that it gave.

    Raises:
        ValidationError: An argument breaks its rule, or the token is of another list.
        ListChangedError: As it goes: all memos that it knew around its place are gone.

    An error of a page may be passed over by asking again: it goes on where it was.
    """
    from ._walking import Walk, Walked

    walked = Walked[Memo]("iter_memos", "list_memos", operations.list_memos, 1000, {})
    return Walk(walked, page_size, after)


class _Place(Generic[R]):
    def __init__(self, walk: "Walk[R]") -> None:
        self._walk = walk
        self._told = False

    @property
    def token(self) -> str | None:
        """The place after the last row that was given, as a text to keep; None at the beginning.

        `after=token` goes on from there, also in another process, after rows were stored or
        deleted. It holds no key, and nothing of what rows and filters say.
        """
        return self._walk.token

    @property
    def is_cut(self) -> bool:
        """Whether it has ended before the list did, since the server shows no more of it."""
        return self._walk.cut_at is not None

    def _tell(self, on_unsupported: str) -> None:
        """Say at the end that the list is cut, if it is."""
        if self._walk.cut_at is None or on_unsupported == "ignore":
            return
        message = (
            f"{self._walk.walked.method}: this server lists its newest {self._walk.cut_at} rows, "
            "whatever the offset: the list is cut, and any older ones are missing"
        )
        if on_unsupported == "raise":
            raise UnsupportedArgumentError(message, outcome="rejected")
        if not self._told:
            self._told = True
            warn(message, UnsupportedArgumentWarning)

    def __repr__(self) -> str:
        state = ", cut" if self.is_cut else ""
        return (
            f"<{type(self).__name__} {self._walk.walked.method}, {self._walk.given} given{state}>"
        )


class _Client(Protocol):
    _server: Server
    _settings: Settings

    def _carry_out(self, steps: Steps[Any]) -> Any:
        """What *steps* return; a coroutine of that, of a client that is awaited."""


class Pager(_Place[R], Iterator[R]):
    """An iterator over a list of a server; for one thread."""

    def __init__(self, client: _Client, walk: "Walk[R]") -> None:
        super().__init__(walk)
        self._client = client

    def __next__(self) -> R:
        if self._walk.is_low:
            self._client._carry_out(self._walk.filling(self._client._server))
        row = self._walk.give()
        if row is None:
            self._tell(self._client._settings.on_unsupported)
            raise StopIteration
        return row


class AsyncPager(_Place[R], AsyncIterator[R]):
    """The same for `async for`; for one task."""

    def __init__(self, client: _Client, walk: "Walk[R]") -> None:
        super().__init__(walk)
        self._client = client

    async def __anext__(self) -> R:
        if self._walk.is_low:
            await self._client._carry_out(self._walk.filling(self._client._server))
        row = self._walk.give()
        if row is None:
            self._tell(self._client._settings.on_unsupported)
            raise StopAsyncIteration
        return row
