"""Drives a call: attempt, ask what to do, wait; once blocking and once awaited.

The loops are tenacity's, made anew for each call: one AsyncRetrying that several calls share loses
calls silently (https://github.com/jd/tenacity/issues/93). They begin with the first retry, so that
most calls neither import tenacity nor show it in a traceback.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from ._call import Call
from ._wire import AsyncTransport, Transport
from .exceptions import MemStackError, NetworkError
from .response import Response

T = TypeVar("T")


def send(call: Call[T], transport: Transport, sleep: Callable[[float], None]) -> Response[T]:
    """The result of *call*, after as many attempts as it takes."""

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


async def send_async(
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
