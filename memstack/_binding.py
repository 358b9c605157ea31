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
from types import CoroutineType, GenericAlias
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, get_args

from ._paging import AsyncPager, Pager
from ._rows import Row
from ._waiting import Waiting
from .models import Episode
from .operations import Operation

if TYPE_CHECKING:
    from ._walking import Walk

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R", bound=Row)


def sync_method(build: Callable[P, Operation[T]]) -> Callable[Concatenate[Any, P], T]:
    """A method that sends the operation and gives its result."""
    return _sync(build, "send", _result(build))


def async_method(
    build: Callable[P, Operation[T]],
) -> Callable[Concatenate[Any, P], CoroutineType[Any, Any, T]]:
    """The same as a coroutine."""
    return _async(build, "send", _result(build))


def sync_wait(build: Callable[P, Waiting]) -> Callable[Concatenate[Any, P], Episode]:
    """A method that waits for an episode."""
    return _sync(build, "_wait", Episode)


def async_wait(
    build: Callable[P, Waiting],
) -> Callable[Concatenate[Any, P], CoroutineType[Any, Any, Episode]]:
    """The same as a coroutine."""
    return _async(build, "_wait", Episode)


def sync_pager(
    build: Callable[P, Walk[R]], row: type[R]
) -> Callable[Concatenate[Any, P], Pager[R]]:
    """A method that gives an iterator over a list."""
    return _pager(build, row, Pager)


def async_pager(
    build: Callable[P, Walk[R]], row: type[R]
) -> Callable[Concatenate[Any, P], AsyncPager[R]]:
    """The same for `async for`."""
    return _pager(build, row, AsyncPager)


def _sync(
    build: Callable[P, object], carries_out: str, result: Any
) -> Callable[Concatenate[Any, P], Any]:
    """A method that has the client's method *carries_out* do what *build* describes."""

    def method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> Any:
        return getattr(self, carries_out)(build(*args, **kwargs))

    dressed: Callable[Concatenate[Any, P], Any] = _dressed(method, build, result)
    return dressed


def _async(
    build: Callable[P, object], carries_out: str, result: Any
) -> Callable[Concatenate[Any, P], CoroutineType[Any, Any, Any]]:
    async def method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> Any:
        return await getattr(self, carries_out)(build(*args, **kwargs))

    dressed: Callable[Concatenate[Any, P], CoroutineType[Any, Any, Any]]
    dressed = _dressed(method, build, result)
    return dressed


def _pager(
    build: Callable[P, Walk[R]], row: type[R], kind: Any
) -> Callable[Concatenate[Any, P], Any]:
    def method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> Any:
        return kind(self, build(*args, **kwargs))

    result = GenericAlias(kind, row)
    dressed: Callable[Concatenate[Any, P], Any] = _dressed(method, build, result)
    return dressed


def _result(build: Callable[..., Any]) -> Any:
    """The type that what *build* describes ends in."""
    (result,) = get_args(inspect.signature(build).return_annotation)
    return result


def _dressed(method: Any, build: Callable[..., Any], result: Any) -> Any:
    """*method* with the name, docstring and signature of *build*, whose result is *result*."""
    # Of the class body that binds it: a function defined there would have these two from it.
    body = sys._getframe(3)
    signature = inspect.signature(build)
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
