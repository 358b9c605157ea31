"""Decides nothing: lets a client call an embedded server where it would call a remote one."""

from __future__ import annotations

import asyncio

from memstack._wire import WireRequest, WireResponse
from memstack.exceptions import NetworkError
from memstack.local.database import Closed
from memstack.local.server import EmbeddedServer

__all__ = ["AsyncLocalTransport", "LocalTransport"]


class LocalTransport:
    """A `Transport` to *server*; closing it closes the server."""

    def __init__(self, server: EmbeddedServer) -> None:
        self.server = server

    def __repr__(self) -> str:
        return f"<LocalTransport to {self.server!r}>"

    def send(self, request: WireRequest) -> WireResponse:
        """The answer to *request*, worked out in this thread.

        Raises:
            NetworkError: The server is closed, or the memory is another process's.
        """
        return _answer(self.server, request)

    def close(self) -> None:
        """Close the server. May be repeated."""
        self.server.close()


class AsyncLocalTransport:
    """An `AsyncTransport` to *server*; closing it closes the server.

    The work is done in the running loop's worker threads, so that several loops may use one
    after the other. A call that is cancelled goes on there to its end, as it would on a remote
    server; only its answer is dropped.
    """

    def __init__(self, server: EmbeddedServer) -> None:
        self.server = server

    def __repr__(self) -> str:
        return f"<AsyncLocalTransport to {self.server!r}>"

    async def send(self, request: WireRequest) -> WireResponse:
        """The answer to *request*, worked out in a worker thread.

        Raises:
            NetworkError: The server is closed, or the memory is another process's.
        """
        return await asyncio.to_thread(_answer, self.server, request)

    async def close(self) -> None:
        """Close the server, once it has answered what it was asked. May be repeated."""
        await asyncio.to_thread(self.server.close)


def _answer(server: EmbeddedServer, request: WireRequest) -> WireResponse:
    try:
        return server.reply(request)
    except Closed as error:
        # To wait, as a 503 asks for, would help nobody here.
        raise NetworkError(str(error), reason="closed") from None
