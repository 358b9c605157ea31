"""Chooses what sends the requests of a client: httpx, or pyreqwest where that is asked for.

What cannot fail is made for the first request: to import httpx and to read the certificate
authorities takes longer than all else that a client does before.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar, get_args

from ._connecting import Connecting, TransportName
from ._lock import LOCK, lock_across_forks
from ._wire import AsyncTransport, Transport
from .exceptions import NetworkError, ValidationError

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

_MAKING = lock_across_forks()
"""Held while a transport is made, by whoever may take LOCK then."""


def transport_of(
    base_url: str, connecting: Connecting, http_client: httpx.Client | None
) -> Transport | Later[Transport]:
    """The blocking one.

    Raises:
        ValidationError: What is asked for cannot be had.
    """
    if _is_httpx(connecting, http_client):

        def make() -> Transport:
            from ._httpx import HttpxTransport

            return HttpxTransport(base_url, connecting, http_client)

        later = http_client is None and connecting.cannot_fail()
        return Later(make) if later else make()
    from ._pyreqwest import PyreqwestTransport

    return PyreqwestTransport(base_url, connecting)


def async_transport_of(
    base_url: str, connecting: Connecting, http_client: httpx.AsyncClient | None
) -> AsyncTransport | Later[AsyncTransport]:
    """The same, awaited."""
    if _is_httpx(connecting, http_client):

        def make() -> AsyncTransport:
            from ._httpx import AsyncHttpxTransport

            return AsyncHttpxTransport(base_url, connecting, http_client)

        later = http_client is None and connecting.cannot_fail()
        return Later(make) if later else make()
    from ._pyreqwest import AsyncPyreqwestTransport

    return AsyncPyreqwestTransport(base_url, connecting)


def _is_httpx(connecting: Connecting, http_client: Any) -> bool:
    if connecting.transport not in get_args(TransportName):
        raise ValidationError("transport: must be 'httpx' or 'pyreqwest'")
    if connecting.transport == "httpx":
        return True
    if http_client is not None:
        raise ValidationError("transport: an http_client sends with httpx; leave out one of them")
    if tuple(sys.version_info) < (3, 11):
        raise ValidationError("transport: 'pyreqwest' needs Python 3.11; leave it out")
    try:
        import pyreqwest  # noqa: F401
    except ImportError as error:
        raise ValidationError(
            "transport: pyreqwest is not installed; pip install 'memstack-sdk[fast]', or leave it "
            "out"
        ) from error
    return False


class Later(Generic[T]):
    """A transport that is made when it is needed."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make: Callable[[], T] = make
        self._made: T | None = None
        self._ended = False

    def made(self) -> T:
        """The transport, the same for every client that shares it.

        Raises:
            NetworkError: It was ended meanwhile.
        """
        with _MAKING:
            made = self._made or self._make()
            with LOCK:
                if self._ended:
                    raise NetworkError("this client is closed; make a new one", reason="closed")
                self._made = made
        return made

    def ended(self) -> T | None:
        """The transport, if it was made; it is not from now on."""
        with LOCK:
            self._ended = True
        return self._made
