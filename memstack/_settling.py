"""Finds out what became of a create whose outcome is unknown; yields what to ask, and never asks.

Deployed servers know no idempotency key, and some answer only long after they have stored. So a
create is looked for before it is sent again, and only what is sure is claimed:

- Exactly one row that matches is the one that was created.
- It is sent again only where the server cannot be at work on it still: the request was not written
  out in time, or nothing is found `settle_grace` seconds after the connection ended, nor a while
  later. After a timeout it may come at any time, so then absence says nothing.
- In every other case the error is raised, with the ids of rows that match.

Identical creates of other processes cannot be told apart, and a row that the server stores later
than `settle_grace` after it dropped the connection cannot be foreseen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from . import operations
from ._call import Call
from ._claims import PROCESS, Doubt, Ticket
from ._looking import LOOKS, listed, matches
from ._server import Server
from ._steps import Steps, response_of
from .exceptions import APIError, MemStackError, NetworkError, NotFoundError, ValidationError
from .models import Memo
from .operations import Operation
from .response import Response

T = TypeVar("T")


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
    look = LOOKS.get(call.operation.id)
    if look is None:  # an operation built by hand
        raise error
    for pause in (0.0, call.settle_grace, call.settle_grace / 2):
        if pause:
            if not call.has_time_for(pause):
                raise error
            yield pause
        try:
            seen = yield from listed(look, call.since_beginning)
        except MemStackError:
            raise error from None
        # First: a create that begins later cannot be in a list that is here already.
        if seen is None or not server.claims.is_alone(ticket):
            raise error
        found = matches(look, call.operation, seen, server.claims)
        if found is None:
            raise error
        if found:
            error.candidates = tuple(getattr(row, look.id) for row in found)
            if len(found) > 1 or look.result is None:
                raise error
            (ticket.id,) = error.candidates
            return call.settled(look.result(found[0]), seen.answer)
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
        response_of((yield operations.health_check()))
    if operation.id == "update_memo":  # sent again, it might undo a later change
        return _compared(operation, response_of((yield _memo_of(operation))).result)
    keyed = operation.sends_idempotency_key and server.honours_keys
    if operation.effect == "repeatable" or keyed:
        answer = yield replace(operation, idempotency_key=doubt.idempotency_key, wait=None)
        if operation.gone_is_done and type(answer) is NotFoundError:
            return Settlement("applied")
        return Settlement("applied", response_of(answer).result)
    look = LOOKS.get(operation.id)
    if look is None or doubt.ticket is None or doubt.process != PROCESS:
        return Settlement("unknown", candidates=error.candidates)
    seen = yield from listed(look, lambda: since(doubt))
    alone = server.claims.is_alone(doubt.ticket)
    found = matches(look, operation, seen, server.claims) if seen else None
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


def _go_again(call: Call[T], error: MemStackError) -> None:
    if not call.goes_on(error, effect="repeatable"):
        raise error


def _may_be_at_work(error: MemStackError) -> bool:
    """Whether the server had no reason to stop: it only took longer than someone would wait."""
    if isinstance(error, NetworkError):
        return error.reason in ("read_timeout", "deadline")
    # 504, 522, 524, 598 and whatever a proxy makes up may mean that it did not wait.
    return isinstance(error, APIError) and error.status_code not in (500, 502, 503)
