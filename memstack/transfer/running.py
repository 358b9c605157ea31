"""Carries out the steps of a transfer, blocking or awaited; knows nothing of what they are for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from memstack.async_client import MemStackAsyncClient
from memstack.client import MemStackClient

__all__ = ["AnyClient", "Call", "Steps", "Work", "run", "run_async"]

T = TypeVar("T")
AnyClient = MemStackClient | MemStackAsyncClient


@dataclass(frozen=True)
class Call:
    """Call a method of a client; gives what that gives."""

    client: AnyClient
    method: str
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Work:
    """Do something with files, which may take a while; gives what it returns."""

    do: Callable[[], Any]


Steps = Generator[Call | Work, Any, T]
"""Yields what to do; is sent what came of it, or thrown the exception."""


def run(steps: Steps[T]) -> T:
    """What *steps* return, blocking."""
    given: Any = None
    error: Exception | None = None
    try:
        while True:
            try:
                step = steps.send(given) if error is None else steps.throw(error)
            except StopIteration as end:
                result: T = end.value
                return result
            given, error = None, None
            try:
                given = _begun(step) if isinstance(step, Call) else step.do()
            except Exception as caught:
                error = caught
    finally:
        steps.close()


async def run_async(steps: Steps[T]) -> T:
    """The same, awaited; files are used in a worker thread."""
    given: Any = None
    error: Exception | None = None
    try:
        while True:
            try:
                step = steps.send(given) if error is None else steps.throw(error)
            except StopIteration as end:
                result: T = end.value
                return result
            given, error = None, None
            try:
                if isinstance(step, Call):
                    given = await _begun(step)
                else:
                    given = await asyncio.to_thread(step.do)
            except Exception as caught:
                error = caught
    finally:
        steps.close()


def _begun(step: Call) -> Any:
    return getattr(step.client, step.method)(*step.arguments)
