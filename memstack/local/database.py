"""Decides which connection a thread uses and when a transaction begins and ends; knows no table.

A file has a connection per thread, closed when its thread ends. A database in memory is private
to its connection, so all threads take turns at one. Writers of one process take turns too: SQLite
would make them poll for the lock.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from memstack.local.opening import PATIENCE, connect, is_busy, open_file, open_memory, transaction

__all__ = ["Database", "Unavailable"]


class Unavailable(Exception):
    """The database cannot be used now; nothing was changed."""


class Database:
    """A SQLite database in the file *path*, or in memory if that is None."""

    def __init__(self, path: str | None) -> None:
        self.path = path
        self._renew_locks()
        self._held = threading.local()
        self._closers: list[weakref.finalize[Any, Any]] = []
        self._closed = False
        self._shared: _Holder | None = None
        if path is None:
            self._shared = self._hold(open_memory())
        else:
            self._hold(open_file(path))
        _renew_after_fork(self)

    def _renew_locks(self) -> None:
        self._idle = threading.Condition()
        self._users = 0
        self._turn = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one state of the database throughout."""
        with self._in_use(), self._my_turn(needed=self.path is None), _available():
            connection = self._connection()
            with transaction(connection, "BEGIN"):
                yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection that alone may write; committed at the end, undone by any exception."""
        with self._in_use(), self._my_turn(needed=True), _available():
            connection = self._connection()
            with transaction(connection, "BEGIN IMMEDIATE"):
                yield connection

    def close(self) -> None:
        """Close the connections of all threads, once those at work are done. May be repeated."""
        with self._idle:
            self._closed = True
            self._idle.wait_for(lambda: self._users == 0)
            for closer in self._closers:
                closer()
            self._closers.clear()

    @contextmanager
    def _in_use(self) -> Iterator[None]:
        with self._idle:
            if self._closed:
                raise Unavailable("The embedded MemStack is closed")
            self._users += 1
        try:
            yield
        finally:
            with self._idle:
                self._users -= 1
                self._idle.notify_all()

    @contextmanager
    def _my_turn(self, *, needed: bool) -> Iterator[None]:
        if not needed:
            yield
        elif self._turn.acquire(timeout=PATIENCE):
            try:
                yield
            finally:
                self._turn.release()
        else:
            raise Unavailable("The database is busy")

    def _connection(self) -> sqlite3.Connection:
        if self._shared is not None:
            return self._shared.connection
        holder: _Holder | None = getattr(self._held, "holder", None)
        if holder is None:
            assert self.path is not None
            holder = self._hold(connect(self.path))
        return holder.connection

    def _hold(self, connection: sqlite3.Connection) -> _Holder:
        holder = _Holder(connection)
        self._held.holder = holder
        with self._idle:
            self._closers = [closer for closer in self._closers if closer.alive]
            self._closers.append(holder.closer)
        return holder

    def forget_parent(self) -> None:
        """Let go of what a fork copied: the parent's connections and the locks of its threads."""
        self._renew_locks()
        if self._shared is None:
            # https://www.sqlite.org/howtocorrupt.html#_carrying_an_open_database_connection_across_a_fork_
            # Not even closing them is allowed here.
            _inherited.append((self._held, self._closers))
            self._held = threading.local()
            self._closers = []


class _Holder:
    """Owns a connection: closes it when the last reference goes, which is when its thread ends."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.closer = weakref.finalize(self, _close, connection, os.getpid())


def _close(connection: sqlite3.Connection, pid: int) -> None:
    if pid == os.getpid():
        connection.close()
    else:
        _inherited.append(connection)


@contextmanager
def _available() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if is_busy(error):
            raise Unavailable("The database is busy") from error
        raise


# What a fork copied from its parent, kept so that nothing closes it.
_inherited: list[object] = []
_open: weakref.WeakSet[Database] = weakref.WeakSet()
_hooked = False


def _renew_after_fork(database: Database) -> None:
    global _hooked
    if not _hooked and hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_after_fork)
        _hooked = True
    _open.add(database)


def _after_fork() -> None:
    for database in list(_open):
        database.forget_parent()
