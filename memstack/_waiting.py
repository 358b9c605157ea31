"""Waits until an episode is processed: when to look, where, and what the answers mean; never looks.

A server may accept an episode and process it later. Where `get_episode` works it is asked; else
the list, which shows a status on servers that lack the other. What a server does not tell is not
guessed.
"""

# No `from __future__ import annotations`: help() then shows types, not texts.
from typing import Any

from . import operations
from ._history import Chance
from ._paging import iter_episodes
from ._server import Server
from ._settings import check_number
from ._steps import Steps, response_of
from .exceptions import (
    MemStackError,
    NotFoundError,
    ProcessingError,
    ProcessingFailedError,
    ProcessingUnknownError,
    StillProcessingError,
    UnsupportedOperationError,
    ValidationError,
)
from .models import Episode, EpisodeResponse
from .operations import Operation
from .operations.episodes import WAIT

__all__ = ["Waiting", "wait_for_episode"]

_WORDS = {
    "processing": "processing",
    "completed": "completed",
    "failed": "failed",
    "synced": "completed",  # v0.1 lists "Processing", then "Synced"
}
"""What the words of servers mean, in lower case; of any other nothing is known."""

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0
"""Seconds between two looks, which grow from the one to the other, twice as long each time."""
_LAST_LOOK = 5.0
"""Seconds that the last look may take, though the time is over."""
_LISTED = 2000
"""Most episodes of the list that a look goes through: ten pages."""


def wait_for_episode(
    name: str, id: str | None = None, *, timeout: float | None = WAIT
) -> "Waiting":
    """An episode, once the server has processed it.

    It is looked at once, then after pauses that grow from half a second to ten, with a random
    factor of 0.5 to 1.

    Args:
        name: Its name. If there are several, it is the newest, unless there is an id.
        id: Its id; it need not be listed yet.
        timeout: Seconds to wait, 0 or more; 0 for one look, None for no limit.

    Raises:
        ValidationError: An argument breaks its rule; nothing was sent.
        StillProcessingError: It was not processed in time.
        ProcessingFailedError: The server could not process it.
        ProcessingUnknownError: The server does not tell, or could not be asked.
        NotFoundError: There is no episode of that name, or it was deleted meanwhile.
    """
    for argument, value in (("name", name), ("id", "-" if id is None else id)):
        if not isinstance(value, str) or not value:
            raise ValidationError(f"wait_for_episode: {argument}: must be a text, not empty")
    check_number("wait_for_episode: timeout", timeout, or_none=True)
    return Waiting(name, id, timeout)


class Waiting:
    """One wait; its steps are to be carried out once."""

    def __init__(
        self,
        name: str,
        id: str | None,
        timeout: float | None,
        accepted: EpisodeResponse | None = None,
        content: str | None = None,
    ) -> None:
        self._name = name
        self._id = id
        self._timeout = timeout
        self._accepted = accepted
        self._content = content
        self._chance = Chance()
        self._started = self._chance.monotonic()
        self._status = accepted.status if accepted else None
        self._cut = False

    @classmethod
    def after(cls, operation: Operation[Any], created: Any) -> "Waiting":
        """The wait for the episode that *operation* has created; *created* is the answer."""
        fields = operation.fields()
        return cls(fields["name"], created.id, operation.wait, created, fields["content"])

    def left(self) -> float | None:
        """Seconds until it is over; None without an end."""
        if self._timeout is None:
            return None
        return self._timeout - (self._chance.monotonic() - self._started)

    def left_for_a_look(self) -> float | None:
        """Seconds that a look may take; None without an end."""
        left = self.left()
        return None if left is None else max(left, _LAST_LOOK)

    def steps(self, server: Server, chance: Chance) -> Steps[Any]:
        """The episode, once it is processed; after a create, what that would have returned then.

        Raises:
            ProcessingError: It is not, or nobody can tell.
            NotFoundError: There is no such episode.
        """
        self._chance, self._started = chance, chance.monotonic()
        accepted = self._accepted
        if accepted is None:
            return (yield from self._until_done(server))
        said = _WORDS.get(accepted.status.lower())
        if said in ("completed", "failed") and self._tells(accepted.status):
            return accepted
        yield from self._until_done(server)
        return accepted.model_copy(update={"status": "completed", "message": None})

    def _until_done(self, server: Server) -> Steps[Episode]:
        pause = _FIRST_PAUSE
        seen = False
        while True:
            try:
                episode = yield from self._look(server)
            except ProcessingError:
                raise
            except MemStackError as error:
                left = self.left()
                if seen and left is not None and left <= 0:
                    raise self._over(seen) from error
                raise self._error(
                    ProcessingUnknownError, f"the server could not be asked ({error.message})"
                ) from error
            if episode is not None:
                told = "status" in episode.model_fields_set
                if self._tells(episode.status if told else None):
                    return episode
            if episode is None and not self._cut and (seen or self._id is None):
                raise self._gone(seen)
            seen = seen or episode is not None
            left = self.left()
            if left is not None and left <= 0:
                raise self._over(seen)
            wait = pause * self._chance.uniform(0.5, 1.0)
            yield wait if left is None else min(wait, left)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _tells(self, status: str | None) -> bool:
        """Whether *status* says that the episode is processed.

        Raises:
            ProcessingError: It says that it failed, or nothing that is known.
        """
        self._status = status
        meaning = _WORDS.get((status or "").lower())
        if meaning == "failed":
            raise self._error(ProcessingFailedError, "the server could not process it")
        if meaning is None:
            raise self._error(
                ProcessingUnknownError,
                "this server does not tell how far it is"
                + (f" (its status is {status!r})" if status else ""),
            )
        return meaning == "completed"

    def _look(self, server: Server) -> Steps[Episode | None]:
        """The episode as it is now; None if it is not there."""
        self._cut = False
        if not server.is_known():
            response_of((yield operations.health_check()))
        look = self._by_name(server)
        if look is not None:
            answer = yield look
            if type(answer) is NotFoundError:
                return None
            if not isinstance(answer, UnsupportedOperationError):
                episode: Episode = response_of(answer).result
                if self._id is None or episode.id is None or episode.id == self._id:
                    return episode
                # A newer one has the same name.
        return (yield from self._in_the_list(server))

    def _by_name(self, server: Server) -> Operation[Episode] | None:
        known = server.generation
        if known and ("get_episode" in known.missing or "get_episode" in known.broken):
            return None
        try:
            return operations.get_episode(self._name)
        except ValidationError:  # a name that holds `/`, say, is in no path
            return None

    def _in_the_list(self, server: Server) -> Steps[Episode | None]:
        """The one of that id; where lists show no ids, the one alike that is least far.

        Raises:
            ProcessingUnknownError: Of several that are alike some failed.
        """
        walk = iter_episodes()
        alike: list[Episode] = []
        episode = None
        for _ in range(_LISTED):
            yield from walk.filling(server)
            episode = walk.give()
            if episode is None:
                break
            if self._id is not None and episode.id is not None:
                if episode.id == self._id:
                    return episode
            elif episode.name == self._name and self._content in (None, episode.content):
                if self._id is None:
                    return episode
                alike.append(episode)
        self._cut = episode is not None or walk.cut_at is not None
        by_meaning = {_WORDS.get(episode.status.lower()): episode for episode in alike}
        if {"completed", "failed"} == set(by_meaning):
            raise self._error(ProcessingUnknownError, "several are like it, of which some failed")
        return by_meaning.get("processing", alike[0] if alike else None)

    def _gone(self, seen: bool) -> MemStackError:
        gone = "it is not there" + (" any more" if seen else "")
        if self._accepted:
            return self._error(ProcessingUnknownError, gone)
        message = f"wait_for_episode: {self._shown()}: {gone}"
        return NotFoundError(message, status_code=404, outcome="rejected")

    def _over(self, seen: bool) -> ProcessingError:
        if seen or (self._accepted is not None and not self._cut):
            return self._error(
                StillProcessingError, f"it is still {self._status} after {self._timeout:g} s"
            )
        where = "among the newest that are listed" if self._cut else "there"
        return self._error(ProcessingUnknownError, f"it was not {where} within {self._timeout:g} s")

    def _error(self, kind: type[ProcessingError], what: str) -> ProcessingError:
        how = "create_episode: accepted, but" if self._accepted else "wait_for_episode:"
        advice = "" if kind is ProcessingFailedError else "; wait_for_episode goes on waiting"
        return kind(
            f"{how} {self._shown()}: {what}{advice}",
            episode_name=self._name,
            episode_id=self._id,
            status=self._status,
            created=self._accepted,
            outcome="applied",
        )

    def _shown(self) -> str:
        return "the episode" + (f" of id {self._id!r}" if self._id else " of that name")
