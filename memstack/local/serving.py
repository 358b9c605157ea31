"""Decides how the process of `memstack serve` starts, what it says then, and how it stops.

Needs the extra `[server]`. It stops within a bound, whatever the requests at work do.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from memstack.exceptions import MemStackError
from memstack.local.http import NEEDS, create_app
from memstack.local.listening import HOW_TO_MAKE_A_KEY, Listener, listen
from memstack.local.server import EmbeddedServer

try:
    import uvicorn

    from memstack.local import access
except ImportError as error:
    raise MemStackError(NEEDS) from error

__all__ = ["GRACE", "LAST", "Settings", "serve"]

GRACE = 5
"""Seconds that requests at work get when the process is told to stop."""
LAST = 3
"""Seconds more that it takes at most; Docker and its like kill after 10 in all."""

_GUESSABLE = 32
"""Characters of a key below which it may be guessed; half of what is made here."""


@dataclass(frozen=True)
class Settings:
    """What `serve` is told."""

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 8000
    """0 to 65535; 0 for any that is free."""
    db: str | None = None
    """The file; None keeps all in memory."""
    api_key: str | None = None
    """The owner's key; None makes one and prints it."""
    rate_limit: int | None = None
    """Most requests of one key a minute, 1 to 100000; None for no limit."""
    access_log: bool = False
    """Whether stderr gets a line for each request."""


def serve(settings: Settings) -> int:
    """Serve until Ctrl-C or SIGTERM; the exit code. To be called in the main thread.

    Raises:
        ValidationError: The key is none, or must be chosen and was not.
        MemStackError: The address or the file cannot be used.
    """
    listener = listen(settings.host, settings.port, settings.api_key)
    is_new = settings.db is None or not os.path.exists(settings.db)
    with (
        listener.socket,
        _bound() as begin_the_end,
        EmbeddedServer(settings.db, owner_key=settings.api_key) as server,
    ):
        config = uvicorn.Config(
            create_app(server, rate_limit=settings.rate_limit),
            lifespan="on",
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE,
        )
        lines = [*_introduction(settings, listener, server), *_advice(settings, listener, is_new)]
        http = _Server(config, lambda: print(*lines, sep="\n", flush=True), begin_the_end)
        log = access.to_stderr() if settings.access_log else nullcontext()
        with log, _stopped_by_signals(http):
            http.run(sockets=[listener.socket])
    return 0


class _Server(uvicorn.Server):
    def __init__(
        self,
        config: uvicorn.Config,
        on_started: Callable[[], None],
        on_stopping: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._on_started = on_started
        self._on_stopping = on_stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_stopping()
        await super().shutdown(sockets)


@contextmanager
def _stopped_by_signals(http: uvicorn.Server) -> Iterator[None]:
    # uvicorn raises the signal that stopped it again at the end: these handlers, which are in
    # place then, make that a normal exit.
    def stop(*_: object) -> None:
        http.should_exit = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _bound() -> Iterator[Callable[[], None]]:
    """Gives what is to be called when the end begins: the process then ends in time."""
    timer = threading.Timer(GRACE + LAST, _end_now)
    timer.daemon = True
    try:
        yield timer.start
    finally:
        timer.cancel()


def _end_now() -> None:
    # No thread can be stopped that is at work. What it has not committed is not stored.
    print("memstack: a request did not end in time; stopped without it", file=sys.stderr)
    os._exit(1)


def _introduction(settings: Settings, listener: Listener, server: EmbeddedServer) -> list[str]:
    if server.path is None:
        place = "in memory: all is lost when this stops (--db FILE keeps it)"
    else:
        place = f"in {server.path}"
    is_made = settings.api_key is None
    key = f" MEMSTACK_API_KEY={server.owner_key}" if is_made else ""
    return [
        f"MemStack listens on {listener.url}, {place}",
        f"API key: {server.owner_key if is_made else 'the one in MEMSTACK_API_KEY'}",
        f"To use it: export MEMSTACK_BASE_URL={listener.url_here}{key}",
        f"In a browser: {listener.url_here}/, and the API reference at /docs",
    ]


def _advice(settings: Settings, listener: Listener, is_new: bool) -> Iterator[str]:
    if settings.db is not None and settings.api_key is None:
        yield (
            "This key ends with this run, and that of an earlier run no longer works. To have the "
            "same one each time, set MEMSTACK_API_KEY before; keys of `memstack key create` stay."
        )
    elif not is_new:
        yield (
            "If the file was served with another key before, that one no longer works; "
            "keys of `memstack key create` do."
        )
    if listener.is_public:
        yield (
            "Other machines reach it by this machine's name or address. This is plain HTTP, which "
            "shows the key to those on the way: have a proxy with TLS in front of it."
        )
        if len(settings.api_key or "") < _GUESSABLE:
            yield f"The key is short enough to be guessed. Make a longer one: {HOW_TO_MAKE_A_KEY}"
