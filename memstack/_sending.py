"""Drives a call: attempt, ask what to do, wait. The steps exist once; two loops carry them out.

tenacity's Retrying counts the attempts, made anew for each call: one that several calls share
loses calls silently (https://github.com/jd/tenacity/issues/93). It begins with the first retry, so
that most calls neither import it nor show it in a traceback.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ._call import Call
from ._settings import check_key
from ._wire import AsyncTransport, Transport, WireRequest, WireResponse
from .exceptions import AuthenticationError, MemStackError, NetworkError
from .operations import Operation
from .response import Response

if TYPE_CHECKING:
    from ._steps import Steps

R = TypeVar("R")
T = TypeVar("T")


def sending(call: Call[T]) -> Steps[Response[T]]:
    """The response of *call*, after as many attempts as it takes."""
    with call.ticket() as ticket:
        while True:
            try:
                response = yield from _attempts(call)
                break
            except MemStackError as error:
                error.doubt = call.doubt_of(error, ticket)
                if ticket is None or not call.is_in_doubt(error):
                    raise
                from ._settling import settling

                settled = yield from settling(call, error, ticket)
            if settled is not None:
                return settled
            yield call.pause
        call.claim(ticket, response)
        return response


def _attempts(call: Call[T]) -> Steps[Response[T]]:
    """The response of *call*, after as many attempts as may follow each other."""
    try:
        return (yield from _attempt(call))
    except MemStackError as error:
        if not call.goes_on(error):
            raise
    from tenacity import Retrying, retry_if_exception

    pauses = [call.pause]
    for attempt in Retrying(
        retry=retry_if_exception(call.goes_on),
        wait=lambda _: call.pause,
        sleep=pauses.append,
        reraise=True,
    ):
        yield pauses.pop()
        with attempt:
            return (yield from _attempt(call))
    raise AssertionError("Retrying ends with a result or an error")


def _attempt(call: Call[T]) -> Steps[Response[T]]:
    while True:
        key = call.api_key
        if not isinstance(key, str):
            given = yield key
            try:
                key = _checked(given)
            except AuthenticationError as error:
                raise call.keyless(error) from error.__cause__
        answer: WireResponse | NetworkError = yield call.next_request(key)
        if isinstance(answer, NetworkError):
            raise call.failed(answer) from answer
        if not call.goes_elsewhere(answer):
            return call.answered(answer)


def _checked(given: Any) -> str:
    if isinstance(given, AuthenticationError):  # it has said itself what is wrong
        raise given
    if isinstance(given, Exception):
        raise AuthenticationError(
            f"api_key(): it raised {type(given).__name__}, so there is no key to send"
        ) from given
    if inspect.iscoroutine(given):
        given.close()
        raise AuthenticationError("api_key(): gives a coroutine; use MemStackAsyncClient with it")
    check_key(given)
    key: str = given
    return key


def run(
    steps: Steps[R],
    transport: Transport,
    sleep: Callable[[float], None],
    ask: Callable[[Operation[Any]], Response[Any]],
) -> R:
    """What *steps* return, blocking; an error of theirs is raised.

    Args:
        ask: Makes a call on the side.
    """
    given: Any = None
    try:
        while True:
            try:
                step = steps.send(given)
            except StopIteration as end:
                result: R = end.value
                return result
            try:
                if isinstance(step, WireRequest):
                    given = transport.send(step)
                elif isinstance(step, Operation):
                    given = ask(step)
                elif callable(step):
                    given = step()
                else:
                    given = None
                    sleep(step)
            except Exception as error:
                if not _is_expected(step, error):
                    raise
                given = error
    finally:
        steps.close()  # now, not when a traceback lets go of it: a create may hold a ticket


async def run_async(
    steps: Steps[R],
    transport: AsyncTransport,
    sleep: Callable[[float], Awaitable[None]],
    ask: Callable[[Operation[Any]], Awaitable[Response[Any]]],
) -> R:
    """The same, awaited."""
    given: Any = None
    try:
        while True:
            try:
                step = steps.send(given)
            except StopIteration as end:
                result: R = end.value
                return result
            try:
                if isinstance(step, WireRequest):
                    given = await transport.send(step)
                elif isinstance(step, Operation):
                    given = await ask(step)
                elif callable(step):
                    given = step()
                    if inspect.isawaitable(given):
                        given = await given
                else:
                    given = None
                    await sleep(step)
            except Exception as error:
                if not _is_expected(step, error):
                    raise
                given = error
    finally:
        steps.close()


def _is_expected(step: Any, error: Exception) -> bool:
    """Whether *error* is one that whoever yielded *step* deals with."""
    if isinstance(step, WireRequest):
        return isinstance(error, NetworkError)
    return isinstance(error, MemStackError) if isinstance(step, Operation) else callable(step)
