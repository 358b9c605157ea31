"""Finds out what became of a create whose outcome is unknown; yields what to ask, and never asks.

Deployed servers know no idempotency key, and some answer only long after they have stored. So a
create is looked for before it is sent again, and only what is sure is claimed:

- Rows older than the first attempt do not count, by the server's own `Date`; nor do rows that are
  known to be another create's.
- Exactly one row that matches is the one that was created.
- It is sent again only where the server cannot be at work on it still: the request was not written
  out in time, or nothing is found `settle_grace` seconds after the connection ended, nor a while
  later. After a timeout it may come at any time, so then absence says nothing.
- In every other case the error is raised, with the ids of rows that match.

Identical creates of other processes cannot be told apart, and a row that the server stores later
than `settle_grace` after it dropped the connection cannot be foreseen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, TypeVar

from . import operations
from ._call import Call
from ._claims import PROCESS, SHOWN, Claims, Doubt, Ticket
from ._reading import http_date
from ._server import Server
from .exceptions import APIError, MemStackError, NetworkError, NotFoundError, ValidationError
from .models import EpisodePage, EpisodeResponse, Memo
from .operations import Operation
from .response import Response

T = TypeVar("T")
Steps = Generator[Operation[Any] | float, Response[Any] | MemStackError | None, T]
"""Yields an operation to send, whose response or error it is given, or seconds to wait."""

# The most that one list shows: a page that is full must reach back to before the create.
_EPISODES, _MEMOS = 200, 1000
_SLACK = 5
"""Seconds before the create in which a row like it makes the matter unclear."""


@dataclass(frozen=True)
class _Look:
    """How the rows that a create may have made are found."""

    operation: Operation[Any]
    rows: Callable[[Any], Sequence[Any]]
    id: str
    most: int | None
    """Most rows that the list holds; None for all."""
    result: Callable[[Any], Any] | None
    """What the create would have returned, of its row; None where the row does not tell."""


_LOOKS = {
    "create_episode": _Look(
        operations.list_episodes(_EPISODES),
        lambda page: page.episodes,
        "id",
        _EPISODES,
        lambda row: EpisodeResponse(id=row.id, status=row.status, created_at=row.created_at),
    ),
    "create_memo": _Look(
        operations.list_memos(_MEMOS),
        list,
        "id",
        _MEMOS,
        lambda row: row,
    ),
    # The secret of a key is in the lost answer alone.
    "create_api_key": _Look(operations.list_api_keys(), list, "key_id", None, None),
}


@dataclass(frozen=True)
class Settlement:
    """What `client.settle(error)` found out."""

    outcome: Literal["applied", "unknown"]
    result: Any = None
    """What the call would have returned, if it was applied."""
    candidates: tuple[str, ...] = ()
    """Ids of what it may have made."""


def settling(call: Call[T], error: MemStackError, ticket: Ticket) -> Steps[Response[T] | None]:
    """The response of a create that failed with *error*; None to send it again after `call.pause`.

    Raises:
        MemStackError: *error*; what became of the create is not known, or it may not go again.
    """
    if isinstance(error, NetworkError) and error.reason == "write_timeout":
        _go_again(call, error)
        call.clear("not_sent")  # no server applies half a request
        return None
    server = call.server
    if not server.is_known() and isinstance((yield operations.health_check()), NetworkError):
        raise error  # it does not answer, so there is nothing to see
    if server.honours_keys:
        _go_again(call, error)
        return None
    if server.generation is not None and call.operation.id in server.generation.broken:
        raise error
    look = _LOOKS.get(call.operation.id)
    if look is None:  # an operation built by hand
        raise error
    for pause in (0.0, call.settle_grace, call.settle_grace / 2):
        if pause:
            if not call.has_time_for(pause):
                raise error
            yield pause
        answer = yield look.operation
        if not isinstance(answer, Response):
            raise error
        # First: a create that begins later cannot be in a list that is here already.
        if not server.claims.is_alone(ticket):
            raise error
        found = _matches(look, call.operation, call.since_beginning(), answer, server.claims)
        if found is None:
            raise error
        if found:
            error.candidates = tuple(getattr(row, look.id) for row in found)
            if len(found) > 1 or look.result is None:
                raise error
            (ticket.id,) = error.candidates
            return call.settled(look.result(found[0]), answer)
    if _may_be_at_work(error):
        raise error
    _go_again(call, error)
    call.clear("rejected")
    return None


def resolving(
    error: MemStackError, server: Server, since: Callable[[Doubt], float | None]
) -> Steps[Settlement]:
    """What became of the call that failed with *error*, as far as it can be told now.

    Args:
        since: Seconds since the call of a doubt began; None if that is not known.

    Raises:
        ValidationError: Nothing is in doubt, or *error* does not tell what was sent.
        MemStackError: The server could not be asked.
    """
    doubt = error.doubt
    if error.outcome != "unknown" or not isinstance(doubt, Doubt):
        raise ValidationError(
            f"settle: error: must be one whose outcome is unknown; this is {error.outcome!r}"
        )
    operation = doubt.operation
    if operation.sends_idempotency_key and not server.is_known():
        _response((yield operations.health_check()))
    if operation.id == "update_memo":  # sent again, it might undo a later change
        return _compared(operation, _response((yield _memo_of(operation))).result)
    keyed = operation.sends_idempotency_key and server.honours_keys
    if operation.effect == "repeatable" or keyed:
        answer = yield replace(operation, idempotency_key=doubt.idempotency_key)
        if operation.gone_is_done and type(answer) is NotFoundError:
            return Settlement("applied")
        return Settlement("applied", _response(answer).result)
    look = _LOOKS.get(operation.id)
    if look is None or doubt.ticket is None or doubt.process != PROCESS:
        return Settlement("unknown", candidates=error.candidates)
    answer = _response((yield look.operation))
    alone = server.claims.is_alone(doubt.ticket)
    found = _matches(look, operation, since(doubt), answer, server.claims)
    ids = tuple(getattr(row, look.id) for row in found or ())
    if len(ids) != 1 or look.result is None or not alone:
        return Settlement("unknown", candidates=ids or error.candidates)
    server.claims.settle(doubt.ticket, ids[0])
    return Settlement("applied", look.result((found or [])[0]), ids)


def _memo_of(operation: Operation[Any]) -> Operation[Memo]:
    """The operation that reads the memo which *operation* changes."""
    return replace(
        operation,
        id="get_memo",
        method="GET",
        body=None,
        effect="read",
        sends_idempotency_key=False,
    )


def _compared(operation: Operation[Any], memo: Memo) -> Settlement:
    """Whether *memo* is as the update *operation* would have left it."""
    done = all(getattr(memo, name, None) == value for name, value in operation.fields().items())
    return Settlement("applied", memo) if done else Settlement("unknown")


def _response(answer: Response[Any] | MemStackError | None) -> Response[Any]:
    if isinstance(answer, MemStackError):
        raise answer
    assert answer is not None
    return answer


def _go_again(call: Call[T], error: MemStackError) -> None:
    if not call.goes_on(error, effect="repeatable"):
        raise error


def _may_be_at_work(error: MemStackError) -> bool:
    """Whether the server had no reason to stop: it only took longer than someone would wait."""
    if isinstance(error, NetworkError):
        return error.reason in ("read_timeout", "deadline")
    # 504, 522, 524, 598 and whatever a proxy makes up may mean that it did not wait.
    return isinstance(error, APIError) and error.status_code not in (500, 502, 503)


def _matches(
    look: _Look,
    operation: Operation[Any],
    age: float | None,
    answer: Response[Any],
    claims: Claims,
) -> list[Any] | None:
    """The rows that are like the create and not older; None if the list cannot be trusted.

    Args:
        age: Seconds since the create was begun; None if that is not known.
    """
    date = http_date(answer.headers.get("date"))
    if date is None or age is None:
        return None
    # `Date` is whole, and so may be the times of rows: this is the earliest second in question.
    began = math.floor(date - age)
    rows = look.rows(answer.result)
    times = [_seconds(row.created_at) for row in rows]
    if None in times or not all(getattr(row, look.id) for row in rows):
        return None
    known = [seconds for seconds in times if seconds is not None]
    if any(seconds > date + 2 for seconds in known):
        return None  # rows are stamped by another clock than the answer
    page = answer.result
    is_cut = look.most is not None and len(rows) >= look.most
    if isinstance(page, EpisodePage):
        is_cut = is_cut or bool(page.has_more) or page.total > len(rows)
    if is_cut and (known != sorted(known, reverse=True) or known[-1] >= began):
        return None  # what was created may be on another page
    like = [
        (row, seconds)
        for row, seconds in zip(rows, known, strict=True)
        if seconds >= began - _SLACK
        and not claims.has(getattr(row, look.id))
        and _is_like(row, operation)
    ]
    if any(seconds < began for _, seconds in like):
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
