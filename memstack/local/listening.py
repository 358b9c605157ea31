"""Decides which address a server listens on, and that nobody else's machine reaches it unasked.

Plain HTTP has no other guard than the key. So an address that other machines may reach takes a key
that was chosen: one that was made at the start is printed, and ends with the process.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass

from memstack._rules import KEY_PREFIX
from memstack.exceptions import MemStackError, ValidationError
from memstack.local.keys import is_key

__all__ = ["HOW_TO_MAKE_A_KEY", "Listener", "listen"]

HOW_TO_MAKE_A_KEY = f"python -c \"import secrets; print('{KEY_PREFIX}' + secrets.token_hex(32))\""


@dataclass(frozen=True)
class Listener:
    """A socket that listens."""

    socket: socket.socket
    url: str
    """Where it listens."""
    url_here: str
    """Where this machine reaches it."""
    is_public: bool
    """Whether other machines may reach it."""


def listen(host: str, port: int, api_key: str | None) -> Listener:
    """A listener on *host*, if that may be with *api_key*, the one that was chosen.

    Raises:
        ValidationError: *api_key* is none, or is needed for *host*.
        MemStackError: The address cannot be listened on.
    """
    if api_key is not None and not is_key(api_key):
        # The key itself stays out of the message: it may be a typo in a real one.
        raise ValidationError(
            f"MEMSTACK_API_KEY is no API key: it must begin with {KEY_PREFIX!r}, go on, and hold "
            f"no spaces. Unset it to have one made for this run, or make one: {HOW_TO_MAKE_A_KEY}"
        )
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        is_public = not _is("loopback", address[0])
        if is_public and api_key is None:
            raise ValidationError(
                f"--host {host} lets other machines in, so choose the key that they need: set "
                f"MEMSTACK_API_KEY to what this prints: {HOW_TO_MAKE_A_KEY}"
            )
        listener = socket.socket(family, kind, protocol)
        try:
            if sys.platform != "win32":  # There it would share the port with another program.
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(128)
        except BaseException:
            listener.close()
            raise
    except (OSError, UnicodeError) as error:  # The latter for a host that is no name at all.
        raise MemStackError(
            f"cannot listen on {host} port {port}: {getattr(error, 'strerror', None) or error}; "
            "choose another with --host and --port"
        ) from error
    bound = listener.getsockname()[1]
    here = "localhost" if _is("unspecified", address[0]) else host
    return Listener(listener, _url(host, bound), _url(here, bound), is_public)


def _is(kind: str, address: object) -> bool:
    with suppress(ValueError):
        # A link-local one may end in its interface, as in fe80::1%eth0.
        parsed = ipaddress.ip_address(str(address).partition("%")[0])
        return bool(getattr(parsed, f"is_{kind}"))
    return False


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
