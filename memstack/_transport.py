"""Drives a call: attempt, ask what to do, wait; once blocking and once awaited.

The loops are tenacity's, made anew for each call: one AsyncRetrying that several calls share loses
calls silently (https://github.com/jd/tenacity/issues/93). They begin with the first retry, so that
most calls neither import tenacity nor show it in a traceback.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from ._call import Call
from ._settling import Steps, settling
from ._wire import AsyncTransport, Transport
from .exceptions import MemStackError, NetworkError
from .operations import Operation
from .response import Response

R = TypeVar("R")
T = TypeVar("T")


def send(
    call: Call[T],
    transport: Transport,
    sleep: Callable[[float], None],
    ask: Callable[[Operation[Any]], Response[Any]],
) -> Response[T]:
    """The result of *call*, after as many attempts as it takes.

    Args:
        ask: Sends the operations that settle a doubtful create.
    """
    with call.ticket() as ticket:
        while True:
            try:
                response = _attempts(call, transport, sleep)
                break
            except MemStackError as error:
                error.doubt = call.doubt_of(error, ticket)
                if ticket is None or not call.is_in_doubt(error):
                    raise
                settled = run(settling(call, error, ticket), sleep, ask)
            if settled is not None:
                return settled
            sleep(call.pause)
        call.claim(ticket, response)
        return response


async def send_async(
    call: Call[T],
    transport: AsyncTransport,
    sleep: Callable[[float], Awaitable[None]],
    ask: Callable[[Operation[Any]], Awaitable[Response[Any]]],
) -> Response[T]:
    """The same, awaited."""
    with call.ticket() as ticket:
        while True:
            try:
                response = await _attempts_async(call, transport, sleep)
                break
            except MemStackError as error:
                error.doubt = call.doubt_of(error, ticket)
                if ticket is None or not call.is_in_doubt(error):
                    raise
                settled = await run_async(settling(call, error, ticket), sleep, ask)
            if settled is not None:
                return settled
            await sleep(call.pause)
        call.claim(ticket, response)
        return response


def run(
    steps: Steps[R], sleep: Callable[[float], None], ask: Callable[[Operation[Any]], Response[Any]]
) -> R:
    """What *steps* return, given what they yield for; an error of theirs is raised."""
    answer: Response[Any] | MemStackError | None = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration as end:
            result: R = end.value
            return result
        if isinstance(step, Operation):
            try:
                answer = ask(step)
            except MemStackError as error:
                answer = error
        else:
            sleep(step)
            answer = None


async def run_async(
    steps: Steps[R],
    sleep: Callable[[float], Awaitable[None]],
    ask: Callable[[Operation[Any]], Awaitable[Response[Any]]],
) -> R:
    answer: Response[Any] | MemStackError | None = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration as end:
            result: R = end.value
            return result
        if isinstance(step, Operation):
            try:
                answer = await ask(step)
            except MemStackError as error:
                answer = error
        else:
            await sleep(step)
            answer = None


def _attempts(call: Call[T], transport: Transport, sleep: Callable[[float], None]) -> Response[T]:
    """The result of *call*, after as many attempts as may follow each other."""

    def attempt() -> Response[T]:
        while True:
            request = call.next_request()
            try:
                response = transport.send(request)
            except NetworkError as error:
                raise call.failed(error) from error
            if not call.goes_elsewhere(response):
                return call.answered(response)

    try:
        return attempt()
    except MemStackError as error:
        if not call.goes_on(error):
            raise
    from tenacity import Retrying

    sleep(call.pause)
    return Retrying(sleep=sleep, **_rules(call))(attempt)


async def _attempts_async(
    call: Call[T], transport: AsyncTransport, sleep: Callable[[float], Awaitable[None]]
) -> Response[T]:
    """The same, awaited."""

    async def attempt() -> Response[T]:
        while True:
            request = call.next_request()
            try:
                response = await transport.send(request)
            except NetworkError as error:
                raise call.failed(error) from error
            if not call.goes_elsewhere(response):
                return call.answered(response)

    try:
        return await attempt()
    except MemStackError as error:
        if not call.goes_on(error):
            raise
    from tenacity import AsyncRetrying

    await sleep(call.pause)
    return await AsyncRetrying(sleep=sleep, **_rules(call))(attempt)


def _rules(call: Call[T]) -> dict[str, Any]:
    """What tenacity asks of *call*; it stops where `goes_on` says no."""
    from tenacity import retry_if_exception

    return {
        "retry": retry_if_exception(call.goes_on),
        "wait": lambda _: call.pause,
        "reraise": True,
    }
