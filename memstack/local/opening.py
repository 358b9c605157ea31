"""Decides how a path becomes a connection to a database of ours, or an error that says why not.

Who uses the connection, and when, is for `database`; what the tables are, for `schema`.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

from memstack._lock import LOCK
from memstack.exceptions import MemStackError, ValidationError
from memstack.local import schema
from memstack.local.troubles import BUSY, DAMAGED, FAILING, FULL, trouble_of

__all__ = ["PATIENCE", "connect", "identity", "open_file", "open_memory", "transaction"]

PATIENCE = 5.0
"""Seconds to wait for another writer, in this process or another."""

_POLL = 0.01
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def open_memory() -> sqlite3.Connection:
    """A connection to a new database in memory, ready for use."""
    connection = connect(":memory:")
    schema.require_fts5(connection)
    schema.migrate(connection)
    return connection


def open_file(path: str) -> sqlite3.Connection:
    """A connection to the file *path*, which is made or brought up to date where needed.

    Nothing is written to one that is up to date.

    Raises:
        ValidationError: *path* cannot be a MemStack file; the message says what to do.
        MemStackError: It is locked, damaged, or of a newer version, the disk is full, or SQLite
            cannot search text.
    """
    _check_place(path)
    try:
        _make_if_missing(path)
    except OSError as error:
        raise _unwritable(
            path, error.strerror or str(error), is_full=error.errno in _NO_SPACE
        ) from error
    try:
        connection = connect(path)
        try:
            schema.require_fts5(connection)
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
    except sqlite3.DatabaseError as error:
        raise _explained(path, error) from error
    return connection


def identity(path: str) -> tuple[int, int] | None:
    """What tells the file *path* from another put in its place; None if there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def connect(path: str) -> sqlite3.Connection:
    """A connection to *path* as it is, for one user at a time, of whichever thread."""
    connection = sqlite3.connect(
        path, timeout=PATIENCE, isolation_level=None, check_same_thread=False
    )
    connection.row_factory = sqlite3.Row
    try:
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    """A transaction, begun by the statement *begin*, and undone by any exception."""
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _check_place(path: str) -> None:
    if not path or path == ":memory:" or "\0" in path:
        raise ValidationError(f"path: {path!r} is no file; leave it out to keep all in memory")
    if os.path.isdir(path):
        raise ValidationError(f"path: {path!r} is a folder; give the path of a file in it")
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise ValidationError(f"path: {folder!r} is not a folder; make it first, or give another")


def _make_if_missing(path: str) -> None:
    """See to it that *path* is a file that may be written; one that is there is not opened.

    To close a file takes all locks on it from this process, also those that SQLite holds for
    another connection; then a process that closes the file removes the write-ahead log of that one.
    https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_
    """
    with LOCK:  # No other thread may have SQLite open what is made here before it is closed.
        try:
            # Only for its owner: it holds the memories, and a secret that keys are derived from.
            place = os.path.realpath(path)  # which a link may lead to
            os.close(os.open(place, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            if not os.access(path, os.R_OK | os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from None


def _explained(path: str, error: sqlite3.DatabaseError) -> MemStackError:
    """What to raise for *error*, which ended the opening of *path*."""
    trouble = trouble_of(error)
    if trouble is BUSY:
        return MemStackError(
            f"path: {path!r} is locked by another program; try again when that is done"
        )
    if "not a database" in str(error):
        return ValidationError(
            f"path: {path!r} is not a MemStack database, or its first page is damaged; give the "
            "path of one, or of a file that does not exist yet; the file was not touched"
        )
    if trouble is DAMAGED:
        # Python quotes text that it cannot decode, which may be a memory.
        is_text = "UTF-8" in str(error)
        return schema.damaged(path, "text that is not UTF-8" if is_text else str(error))
    return _unwritable(path, str(error), is_full=trouble in (FULL, FAILING))


def _unwritable(path: str, reason: str, *, is_full: bool) -> MemStackError:
    if is_full:
        return MemStackError(
            f"path: {path!r} cannot be written ({reason}); free some space, or see what else ails "
            "the disk, then try again"
        )
    return ValidationError(
        f"path: {path!r} cannot be written ({reason}); check its permissions and its folder's"
    )


def _prepare(connection: sqlite3.Connection, path: str) -> None:
    # First without writing: someone else's file must stay as it is.
    with transaction(connection, "BEGIN"):
        schema.check(connection, path)
    _use_wal(connection)
    with transaction(connection, "BEGIN IMMEDIATE"):
        schema.check(connection, path)  # Again: another process may have been first.
        schema.migrate(connection)


def _use_wal(connection: sqlite3.Connection) -> None:
    # SQLite does not wait for the lock this takes, whatever the timeout, so several processes
    # that open a new file at once have to try again. https://www.sqlite.org/wal.html
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if trouble_of(error) is not BUSY or time.monotonic() > deadline:
                raise
        time.sleep(_POLL)
