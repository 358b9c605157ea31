"""Binds the functions of `memstack.operations` to the clients, with signature, types and docstring.

    class MemStackClient:
        get_memo = sync_method(operations.get_memo)

A method is written once, as an operation, and appears on both clients: to a type checker, in
help(), in a debugger and to a mock it is a method like any other, with the result in place of the
Operation.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from types import CoroutineType
from typing import Any, Concatenate, ParamSpec, TypeVar, get_args

from .operations import Operation

P = ParamSpec("P")
T = TypeVar("T")


def sync_method(build: Callable[P, Operation[T]]) -> Callable[Concatenate[Any, P], T]:
    """A method that sends the operation and gives its result."""

    def method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        result: T = self.send(build(*args, **kwargs))
        return result

    dressed: Callable[Concatenate[Any, P], T] = _dressed(method, build)
    return dressed


def async_method(
    build: Callable[P, Operation[T]],
) -> Callable[Concatenate[Any, P], CoroutineType[Any, Any, T]]:
    """The same as a coroutine."""

    async def method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        result: T = await self.send(build(*args, **kwargs))
        return result

    dressed: Callable[Concatenate[Any, P], CoroutineType[Any, Any, T]] = _dressed(method, build)
    return dressed


def _dressed(method: Any, build: Callable[..., Operation[Any]]) -> Any:
    """*method* with the name, docstring and signature of *build*, and the result in the latter."""
    # Of the class body that binds it: a function defined there would have these two from it.
    body = sys._getframe(2)
    signature = inspect.signature(build)
    (result,) = get_args(signature.return_annotation)
    client = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    method.__name__ = build.__name__
    method.__qualname__ = f"{body.f_locals['__qualname__']}.{build.__name__}"
    method.__module__ = body.f_globals["__name__"]
    method.__doc__ = build.__doc__
    method.__annotations__ = {**build.__annotations__, "return": result}
    method.__signature__ = signature.replace(
        parameters=[client, *signature.parameters.values()], return_annotation=result
    )
    return method
