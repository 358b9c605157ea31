"""Keeps on disk which episodes are stored, and which may be: their hashes and ids, no content.

An item is written down before it is sent, and again once it is answered. So after a kill, what is
in doubt is known, and it is little.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeVar

from memstack.exceptions import MemStackError, ValidationError
from memstack.local.troubles import BUSY, FAILING, FULL, trouble_of

__all__ = ["Doubt", "Ledger"]

T = TypeVar("T")

_APPLICATION = 0x4D534C47  # "MSLG"
_VERSION = 1
_TABLES = (
    "CREATE TABLE facts (target TEXT NOT NULL)",
    "CREATE TABLE stored (digest BLOB PRIMARY KEY, id TEXT) WITHOUT ROWID",
    "CREATE TABLE sending (digest BLOB PRIMARY KEY, shown BLOB NOT NULL, others TEXT NOT NULL, "
    "began REAL NOT NULL) WITHOUT ROWID",
)


@dataclass(frozen=True)
class Doubt:
    """An item that was sent, and whose answer was not written down."""

    shown: bytes
    """A digest of what every list shows of it."""
    others: frozenset[str]
    """The names of the fields that only some lists show, of those it has."""
    began: float
    """When it was sent first, in seconds since 1970, by the clock of this machine."""


class Ledger:
    """A ledger of one run at a time; may be used by one thread after the other.

    Args:
        path: The file, made if there is none; None for one that is lost in the end.
        target: What tells the MemStack that it is about from others; holds no key.

    Raises:
        ValidationError: *path* is no ledger, is about another MemStack, or cannot be opened.
        MemStackError: It is in use, damaged or of a newer version, or the disk is full.
    """

    def __init__(self, path: str | os.PathLike[str] | None, target: str) -> None:
        self._path = None if path is None else _path_of(path)
        self._lock = threading.Lock()
        with self._explained():
            if self._path is not None:
                _make_if_missing(self._path)
            # An empty name is a file that nobody else sees. https://www.sqlite.org/inmemorydb.html
            self._db = sqlite3.connect(
                self._path or "", timeout=0, isolation_level=None, check_same_thread=False
            )
        try:
            with self._explained():
                self._prepare(target)
        except BaseException:
            self._db.close()
            raise

    def _prepare(self, target: str) -> None:
        if self._path is None:
            # Ctrl-C rolls back, which needs a journal; in memory, for what is lost in the end.
            self._set("journal_mode = MEMORY", "synchronous = OFF")
        else:
            # Held until it is closed or its process ends, so a second run is told at once.
            self._set("locking_mode = EXCLUSIVE")
            self._refuse_other_kinds()
            # Each transaction is on the disk before what it tells of is sent.
            self._set("journal_mode = WAL", "synchronous = FULL")
        with self._transaction():
            if self._pragma("user_version") == 0:
                for table in _TABLES:
                    self._db.execute(table)
                self._db.execute("INSERT INTO facts VALUES (?)", (target,))
                self._set(f"application_id = {_APPLICATION}", f"user_version = {_VERSION}")
        (known,) = self._db.execute("SELECT target FROM facts").fetchone()
        if known != target:
            raise ValidationError(
                f"ledger: {self._path!r} is about {known}, not about {target}; give another file, "
                "or the client that it was made with"
            )

    def _refuse_other_kinds(self) -> None:
        application, version = self._pragma("application_id"), self._pragma("user_version")
        tables = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if application != _APPLICATION and (application or version or tables):
            raise ValidationError(
                f"ledger: {self._path!r} is a database of another kind; it was not touched. Give "
                "a ledger, or the path of a file that does not exist yet"
            )
        if version > _VERSION:
            raise MemStackError(
                f"ledger: {self._path!r} has version {version}, and this memstack-sdk knows "
                f"{_VERSION}; upgrade it"
            )

    def _set(self, *pragmas: str) -> None:
        for pragma in pragmas:
            self._db.execute(f"PRAGMA {pragma}")

    def _pragma(self, name: str) -> int:
        value: int = self._db.execute(f"PRAGMA {name}").fetchone()[0]
        return value

    def look_up(self, digests: Sequence[bytes]) -> dict[bytes, str | None]:
        """Those of *digests* that are stored, with the id of the episode where it is known."""
        found: dict[bytes, str | None] = {}
        with self._lock, self._explained():
            for some in _parts(digests):
                query = f"SELECT digest, id FROM stored WHERE digest IN {_marks(some)}"
                found.update(self._db.execute(query, some).fetchall())
        return found

    def write(
        self,
        *,
        stored: Iterable[tuple[bytes, str | None]] = (),
        dropped: Iterable[bytes] = (),
        sending: Iterable[tuple[bytes, Doubt]] = (),
    ) -> None:
        """Note down, all at once or nothing.

        Args:
            stored: Digests of episodes that are stored, and their ids.
            dropped: Digests of items that were sent, or were to be, and are surely not stored.
            sending: Digests of items that are to be sent, and what is in doubt then.
        """
        stored = list(stored)
        begun = [(digest, d.shown, ",".join(sorted(d.others)), d.began) for digest, d in sending]
        gone = [*dropped, *(digest for digest, _ in stored)]
        with self._transaction():
            for some in _parts(gone):
                self._db.execute(f"DELETE FROM sending WHERE digest IN {_marks(some)}", some)
            for table, rows in (("stored", stored), ("sending", begun)):
                for part in _parts(rows):
                    values = ",".join(_marks(row) for row in part)
                    self._db.execute(
                        f"INSERT OR IGNORE INTO {table} VALUES {values}", [*chain(*part)]
                    )

    def doubts(self) -> dict[bytes, Doubt]:
        """All items that were to be sent and whose end is not noted down, by their digests."""
        with self._lock, self._explained():
            rows = self._db.execute("SELECT digest, shown, others, began FROM sending").fetchall()
        return {
            digest: Doubt(shown, frozenset(filter(None, others.split(","))), began)
            for digest, shown, others, began in rows
        }

    def digests_of(self, ids: Set[str]) -> Mapping[str, bytes]:
        """The content hashes of those of *ids* that are known as stored, by their ids."""
        # There is no index of ids: it would cost each item more than this costs a run, once.
        with self._lock, self._explained():
            rows = self._db.execute("SELECT id, digest FROM stored")
            return {id: digest for id, digest in rows if id in ids}

    def close(self) -> None:
        """Give it free for others."""
        with self._lock:
            self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock, self._explained():
            try:
                self._db.execute("BEGIN IMMEDIATE")  # within: Ctrl-C may come just after it
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise _explained(self._path, error) from error


def _parts(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """*rows* in parts for one statement each: a statement for each row would let the interpreter
    go that often, and wait behind all threads that send."""
    for start in range(0, len(rows), 240):  # four values each; SQLite takes 999 at least
        yield rows[start : start + 240]


def _marks(values: Sequence[Any]) -> str:
    return f"({','.join('?' * len(values))})"


def _path_of(path: str | os.PathLike[str]) -> str:
    text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else None
    if not isinstance(text, str) or text in ("", ":memory:") or "\0" in text:
        raise ValidationError("ledger: must be the path of a file, or None for none")
    if os.path.isdir(text):
        raise ValidationError(f"ledger: {text!r} is a folder; give the path of a file in it")
    return os.path.abspath(text)


def _make_if_missing(path: str) -> None:
    # Only for its owner: who knows an episode could see by its hash that it is there. One that is
    # there is not opened: to close it would take the locks of SQLite in this process away.
    # https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_
    with suppress(OSError):  # which SQLite tells better
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _explained(path: str | None, error: sqlite3.Error) -> MemStackError:
    place, trouble = f"ledger: {path!r}" if path else "the place for temporary files", None
    trouble = trouble_of(error)
    if trouble is BUSY:
        return MemStackError(
            f"{place} is in use by another run; wait until it has ended, or give this one a "
            "ledger and items of its own"
        )
    if "not a database" in str(error):
        return ValidationError(
            f"{place} is no ledger; it was not touched. Give one, or the path of a file that does "
            "not exist yet"
        )
    if trouble in (FULL, FAILING):
        return MemStackError(
            f"{place} cannot be written ({error}); free some space, or see what else ails the "
            "disk, then make the same call again"
        )
    if "unable to open" in str(error) or "readonly" in str(error):
        return ValidationError(
            f"{place} cannot be opened ({error}); see that its folder is there, and that both "
            "may be written"
        )
    return MemStackError(f"{place} is damaged ({error}); put it aside, and begin a new one")
