"""Decides which connection a thread uses and when a transaction begins and ends; knows no table.

A file has a connection per thread, closed when its thread ends. A database in memory is private
to its connection, so all threads take turns at one. Writers of one process take turns too: SQLite
would make them poll for the lock. When a process forks is for `lifetime`.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from memstack.local import schema
from memstack.local.lifetime import keep_for_ever, watch
from memstack.local.opening import (
    PATIENCE,
    connect,
    identity,
    open_file,
    open_memory,
    transaction,
)
from memstack.local.troubles import BUSY, DAMAGED, GONE, Trouble, trouble_of

__all__ = ["Closed", "Database", "Unusable"]


class Closed(Exception):
    """This process may no longer use the database; nothing was changed."""


class Unusable(Exception):
    """The database cannot be used now; nothing was changed."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.detail)
        self.trouble = trouble


class Database:
    """A SQLite database in the file *path*, or in memory if that is None."""

    def __init__(self, path: str | None) -> None:
        self.path = path
        self._renew()
        self._closed: str | None = None
        """Why it may no longer be used; None as long as it may."""
        self._shared: _Holder | None = None
        watch(self)
        with self._in_use():
            if path is None:
                self._shared = self._hold(open_memory())
            else:
                self._hold(open_file(path))
                self._identity = identity(path)

    def _renew(self) -> None:
        self._idle = threading.Condition()
        self._users: list[int] = []
        """The threads at work; one that is at two works is there twice."""
        self._forking: int | None = None
        """The thread that is about to fork; until it has, it alone may begin work."""
        self._turn = threading.Lock()
        self._held = threading.local()
        self._closers: list[weakref.finalize[Any, Any]] = []

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one state of the database throughout."""
        with self._in_use(), self._my_turn(needed=self.path is None), _usable():
            connection = self._connection()
            with transaction(connection, "BEGIN"):
                yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection that alone may write; committed at the end, undone by any exception."""
        with self._in_use(), self._my_turn(needed=True), _usable():
            connection = self._connection()
            with transaction(connection, "BEGIN IMMEDIATE"):
                yield connection

    def is_damaged(self) -> bool:
        """Whether SQLite finds the file damaged; reads all of it."""
        try:
            with self.reading() as connection:
                if not schema.is_sound(connection):
                    return True
            with self.writing() as connection:
                schema.check_index(connection)
            return False
        except Unusable as error:
            return error.trouble is DAMAGED
        except Closed:
            return False  # Or not; it can no longer be asked.

    def close(self) -> None:
        """Close the connections of all threads, once those at work are done. May be repeated."""
        with self._idle:
            self._closed = self._closed or "The embedded MemStack is closed; make a new client"
            self._idle.wait_for(lambda: not self._users)
            self._close_all()

    def close_if_idle(self) -> None:
        """Close the connections unless a thread is at work; the next use opens new ones."""
        with self._idle:
            if not self._users and self._shared is None:
                self._close_all()
                self._held = threading.local()

    def _close_all(self) -> None:
        for closer in self._closers:
            # To call it does nothing any more when the interpreter ends.
            work = closer.detach()
            if work is not None:
                _, close, arguments, _ = work
                close(*arguments)
        self._closers.clear()

    @contextmanager
    def _in_use(self) -> Iterator[None]:
        # Both stay those of the process that began the work, should it fork at it.
        idle, users, thread = self._idle, self._users, threading.get_ident()
        with idle:
            idle.wait_for(lambda: self._forking in (None, thread))
            if self._closed is not None:
                raise Closed(self._closed)
            users.append(thread)
        try:
            yield
        finally:
            with idle:
                users.remove(thread)
                idle.notify_all()

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
            raise Unusable(BUSY)

    def _connection(self) -> sqlite3.Connection:
        if self._shared is not None:
            return self._shared.connection
        assert self.path is not None
        # To SQLite a file that was deleted or replaced is still there, and what is written to it
        # is lost; a new connection would make an empty one.
        if identity(self.path) != self._identity:
            raise Unusable(GONE)
        holder: _Holder | None = getattr(self._held, "holder", None)
        if holder is None:
            holder = self._hold(connect(self.path))
        return holder.connection

    def _hold(self, connection: sqlite3.Connection) -> _Holder:
        holder = _Holder(connection, self._idle)
        self._held.holder = holder
        with self._idle:
            self._closers = [closer for closer in self._closers if closer.alive]
            self._closers.append(holder.closer)
        return holder

    def hold_still(self, seconds: float) -> None:
        """Keep other threads out until `go_on`; waits at most *seconds* for those at work."""
        own = threading.get_ident()
        self._idle.acquire()
        self._forking = own
        try:
            self._idle.wait_for(lambda: all(user == own for user in self._users), seconds)
        except BaseException:
            self.go_on()
            raise

    def go_on(self) -> None:
        """Let threads in again."""
        self._forking = None
        self._idle.notify_all()
        self._idle.release()

    def forget_parent(self) -> None:
        """Let go of what a fork copied: the parent's connections and the locks of its threads."""
        self._close_all()  # Closes nothing here, but keeps what it would close.
        self._renew()
        if self._shared is not None:
            # A copy would take writes that the parent never sees.
            self._closed = (
                "What is kept in memory belongs to the process that forked this one; "
                "make a client here, or give both a file: local(path)"
            )


class _Holder:
    """Owns a connection: closes it when the last reference goes, which is when its thread ends."""

    def __init__(self, connection: sqlite3.Connection, idle: threading.Condition) -> None:
        self.connection = connection
        self.closer = weakref.finalize(self, _close, connection, idle, os.getpid())
        # At exit a daemon thread may use it still: that is for `close_if_idle`.
        self.closer.atexit = False


def _close(connection: sqlite3.Connection, idle: threading.Condition, pid: int) -> None:
    if pid == os.getpid():
        with idle:  # No fork may come between.
            connection.close()
    else:
        keep_for_ever(connection)


@contextmanager
def _usable() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, ValueError) as error:
        trouble = trouble_of(error)
        if trouble is None:
            raise
        raise Unusable(trouble) from error
