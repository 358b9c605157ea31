"""Chooses what sends the requests of a client: httpx, or pyreqwest where that is asked for."""

from __future__ import annotations

import sys
from typing import Any, get_args

import httpx

from ._connecting import Connecting, TransportName
from ._httpx import AsyncHttpxTransport, HttpxTransport
from ._wire import AsyncTransport, Transport
from .exceptions import ValidationError


def transport_of(
    base_url: str, connecting: Connecting, http_client: httpx.Client | None
) -> Transport:
    """The blocking one.

    Raises:
        ValidationError: What is asked for cannot be had.
    """
    if _is_httpx(connecting, http_client):
        return HttpxTransport(base_url, connecting, http_client)
    from ._pyreqwest import PyreqwestTransport

    return PyreqwestTransport(base_url, connecting)


def async_transport_of(
    base_url: str, connecting: Connecting, http_client: httpx.AsyncClient | None
) -> AsyncTransport:
    """The same, awaited."""
    if _is_httpx(connecting, http_client):
        return AsyncHttpxTransport(base_url, connecting, http_client)
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
