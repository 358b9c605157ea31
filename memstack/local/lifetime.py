"""Decides what a fork, and the end of the interpreter, do to the databases that are open.

Rules:
- A fork waits until no thread is inside SQLite. The child would have that thread's locks for ever,
  without the thread that gives them back.
- The child never uses or closes a connection of its parent.
  https://www.sqlite.org/howtocorrupt.html#_carrying_an_open_database_connection_across_a_fork_
- At exit a database that is not in use is closed. One that a daemon thread still uses is left as
  it is, which is no more than a process that is killed does to it.
"""

from __future__ import annotations

import atexit
import os
import sqlite3
import threading
import time
import weakref
from contextlib import suppress
from typing import Protocol

from memstack.local.opening import PATIENCE

__all__ = ["keep_for_ever", "watch"]


class Watched(Protocol):
    """What is told of a fork and of the end."""

    def hold_still(self, seconds: float) -> None:
        """Keep other threads out until `go_on`; wait at most *seconds* for those at work."""

    def go_on(self) -> None:
        """Let threads in again."""

    def forget_parent(self) -> None:
        """Let go of what a fork copied."""

    def close_if_idle(self) -> None:
        """Close the connections unless a thread is at work."""


# What a fork copied from its parent.
_inherited: list[sqlite3.Connection] = []
_open: weakref.WeakSet[Watched] = weakref.WeakSet()
_held: list[Watched] = []
_forking = threading.Lock()
_hooked = False


def watch(database: Watched) -> None:
    """Tell *database* of every fork, and of the end of the interpreter."""
    global _hooked
    with _forking:
        if not _hooked:
            _hooked = True
            atexit.register(_at_exit)
            if hasattr(os, "register_at_fork"):
                os.register_at_fork(
                    before=_before_fork,
                    after_in_parent=_after_in_parent,
                    after_in_child=_after_in_child,
                )
        _open.add(database)


def keep_for_ever(connection: sqlite3.Connection) -> None:
    """Keep *connection*, which is the parent's, from being closed in this process."""
    _inherited.append(connection)


def _before_fork() -> None:
    _forking.acquire()
    deadline = time.monotonic() + PATIENCE
    for database in list(_open):
        database.hold_still(max(0.0, deadline - time.monotonic()))
        _held.append(database)


def _after_in_parent() -> None:
    while _held:
        _held.pop().go_on()
    _forking.release()


def _after_in_child() -> None:
    global _forking
    _forking = threading.Lock()
    _held.clear()
    for database in list(_open):
        database.forget_parent()


def _at_exit() -> None:
    for database in list(_open):
        database.close_if_idle()
    if _inherited:
        # The interpreter closes what it knows of at its end, so it must not know of these.
        with suppress(ImportError):
            import ctypes

            for connection in _inherited:
                ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))
