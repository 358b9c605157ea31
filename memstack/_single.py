"""One connection of httpcore, in place of the pool that a transport of httpx has.

A pool looks through its connections for every request, and again when it ends, each time with a
system call, which is a sixth of what a call costs. A transport that has one request at a time
needs none of that.
"""

from __future__ import annotations

import httpcore

__all__ = ["AsyncSingle", "Single"]


class Single:
    """Blocking."""

    __slots__ = ("_connection", "pool")

    def __init__(self, pool: httpcore.ConnectionPool) -> None:
        self.pool = pool
        """Knows how to connect, through a proxy too; it keeps no connection itself."""
        self._connection: httpcore.ConnectionInterface | None = None

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """The answer, whose stream is to be read and closed before the next request."""
        connection = self._connection
        if connection is None or connection.is_closed() or connection.has_expired():
            self.close()
            connection = self._connection = self.pool.create_connection(request.url.origin)
        return connection.handle_request(request)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class AsyncSingle:
    """The same, awaited."""

    __slots__ = ("_connection", "pool")

    def __init__(self, pool: httpcore.AsyncConnectionPool) -> None:
        self.pool = pool
        self._connection: httpcore.AsyncConnectionInterface | None = None

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """The same."""
        connection = self._connection
        if connection is None or connection.is_closed() or connection.has_expired():
            await self.aclose()
            connection = self._connection = self.pool.create_connection(request.url.origin)
        return await connection.handle_async_request(request)

    async def aclose(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.aclose()
