"""Binds the functions of `memstack.operations` to the clients, with signature, types and docstring.

    class MemStackClient:
        get_memo = SyncMethod(operations.get_memo)

A method is written once, as an operation, and appears on both clients: to a type checker, in
help() and in a debugger it is a method like any other, with the result in place of the Operation.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, get_args, overload

from .operations import Operation

P = ParamSpec("P")
T = TypeVar("T")


class _Sends(Protocol):
    def send(self, operation: Operation[T], /) -> T: ...


class _SendsAsync(Protocol):
    async def send(self, operation: Operation[T], /) -> T: ...


class SyncMethod(Generic[P, T]):
    """A method that sends the operation and gives its result."""

    def __init__(self, build: Callable[P, Operation[T]]) -> None:
        def method(client: _Sends, /, *args: P.args, **kwargs: P.kwargs) -> T:
            return client.send(build(*args, **kwargs))

        self._method = _dressed(method, build)

    def __set_name__(self, owner: type, name: str) -> None:
        _name(self._method, owner, name)

    @overload
    def __get__(self, client: None, owner: type) -> Callable[Concatenate[Any, P], T]: ...
    @overload
    def __get__(self, client: object, owner: type) -> Callable[P, T]: ...
    def __get__(self, client: object | None, owner: type) -> Callable[..., T]:
        bound: Callable[..., T] = self._method.__get__(client, owner)
        return bound


class AsyncMethod(Generic[P, T]):
    """The same as a coroutine."""

    def __init__(self, build: Callable[P, Operation[T]]) -> None:
        async def method(client: _SendsAsync, /, *args: P.args, **kwargs: P.kwargs) -> T:
            return await client.send(build(*args, **kwargs))

        self._method = _dressed(method, build)

    def __set_name__(self, owner: type, name: str) -> None:
        _name(self._method, owner, name)

    @overload
    def __get__(
        self, client: None, owner: type
    ) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]: ...
    @overload
    def __get__(self, client: object, owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, client: object | None, owner: type) -> Callable[..., Coroutine[Any, Any, T]]:
        bound: Callable[..., Coroutine[Any, Any, T]] = self._method.__get__(client, owner)
        return bound


def _dressed(method: Any, build: Callable[..., Operation[Any]]) -> Any:
    """*method* with the docstring and signature of *build*, the Operation taken off the result."""
    signature = inspect.signature(build)
    (result,) = get_args(signature.return_annotation)
    client = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    method.__doc__ = build.__doc__
    method.__signature__ = signature.replace(
        parameters=[client, *signature.parameters.values()], return_annotation=result
    )
    return method


def _name(method: Any, owner: type, name: str) -> None:
    method.__name__ = name
    method.__qualname__ = f"{owner.__qualname__}.{name}"
    method.__module__ = owner.__module__
