"""Decides what an error of SQLite says of the file, and what whoever asked is told of it.

Rules:
- After each of these errors the transaction was undone: nothing of it is stored.
- Only a busy database mends itself. All else needs someone to act, so a client is told not to try
  again by itself.
- What is in none of the tables is a bug, and stays an exception.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["BUSY", "DAMAGED", "FAILING", "FULL", "GONE", "READ_ONLY", "Trouble", "trouble_of"]


@dataclass(frozen=True)
class Trouble:
    """Why the file cannot be used as asked."""

    status: int
    detail: str
    """What happened, and what to do about it; names no file, for it may go over the network."""
    headers: Mapping[str, str] = field(default_factory=lambda: {"x-should-retry": "false"})


BUSY = Trouble(503, "The database is busy", {"retry-after": "1"})
# 507: the server cannot store what the request needs stored, and the request must not be repeated
# before someone has acted. https://www.rfc-editor.org/rfc/rfc4918#section-11.5
FULL = Trouble(507, "The disk is full, so nothing was stored; free some space, then try again")
READ_ONLY = Trouble(
    507,
    "The database file is read-only, so nothing was stored; "
    "make it and its folder writable, then try again",
)
GONE = Trouble(
    500,
    "The database file cannot be opened, so nothing was done; check that it is where it was, "
    "may be read and written, and that not too many files are open",
)
DAMAGED = Trouble(
    500,
    "The database file is damaged, so nothing was done; put back a backup, "
    "or save what is left with `sqlite3 FILE .recover`",
)
FAILING = Trouble(
    500,
    "The database file could not be read or written; "
    "check the disk, its quota and the limit on file sizes",
)

# https://www.sqlite.org/rescode.html
_BY_CODE = {
    5: BUSY,  # SQLITE_BUSY
    6: BUSY,  # SQLITE_LOCKED
    8: READ_ONLY,  # SQLITE_READONLY
    10: FAILING,  # SQLITE_IOERR
    11: DAMAGED,  # SQLITE_CORRUPT
    13: FULL,  # SQLITE_FULL
    14: GONE,  # SQLITE_CANTOPEN
    15: BUSY,  # SQLITE_PROTOCOL, after too many attempts to get a lock
    26: DAMAGED,  # SQLITE_NOTADB
}

# For Python 3.10, whose errors have no code, and for faults that have none of their own.
_BY_TEXT = {
    "locked": BUSY,
    "locking protocol": BUSY,
    "readonly": READ_ONLY,
    "disk I/O error": FAILING,
    "malformed": DAMAGED,
    "corrupt": DAMAGED,
    "not a database": DAMAGED,
    "no such table": DAMAGED,
    "vtable constructor failed": DAMAGED,
    "Could not decode to UTF-8": DAMAGED,
    "is full": FULL,
    "unable to open": GONE,
}


def trouble_of(error: Exception) -> Trouble | None:
    """What *error*, raised within a transaction, says of the file; None if it is a bug."""
    if isinstance(error, json.JSONDecodeError):
        return DAMAGED  # All JSON that is read there was stored.
    if not isinstance(error, sqlite3.Error):
        return None
    # The lower byte is the kind, the rest its details.
    found = _BY_CODE.get((getattr(error, "sqlite_errorcode", None) or 0) & 0xFF)
    if found is None:
        found = next((told for text, told in _BY_TEXT.items() if text in str(error)), None)
    return found
