"""Decides what a MemStack file holds and how an older one is brought up to date.

It opens nothing itself: it is given a connection, and says whether the file behind it is ours.
"""

from __future__ import annotations

import secrets
import sqlite3
import uuid

from memstack.exceptions import MemStackError, ValidationError
from memstack.local import index
from memstack.local.text import TOKENIZER

__all__ = [
    "SCHEMA_VERSION",
    "check",
    "check_index",
    "damaged",
    "is_sound",
    "migrate",
    "require_fts5",
]

_APPLICATION_ID = 0x4D656D53  # "MemS"; what `file` and SQLite's own tools show.

_WORDS = f"""
    CREATE VIRTUAL TABLE episode_words USING fts5 (
        name, content, context, dates, tokenize = "{TOKENIZER}"
    )
"""

# Every table has `seq`, which grows with each row: times may repeat, it does not.
_FIRST = (
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID",
    """
    CREATE TABLE episodes (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        content TEXT NOT NULL,
        source_type TEXT NOT NULL,
        source_description TEXT,
        group_id TEXT,
        metadata TEXT,
        project_id TEXT,
        tenant_id TEXT,
        user_id TEXT,
        created_at TEXT NOT NULL,
        valid_at TEXT NOT NULL
    )
    """,
    "CREATE INDEX episodes_by_name ON episodes (name, seq)",
    "CREATE INDEX episodes_by_group ON episodes (group_id, seq) WHERE group_id IS NOT NULL",
    "CREATE INDEX episodes_by_tenant ON episodes (tenant_id, seq)",
    "CREATE INDEX episodes_by_project ON episodes (project_id, seq)",
    "CREATE INDEX episodes_by_user ON episodes (user_id, seq)",
    _WORDS,
    """
    CREATE TABLE memos (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        content TEXT NOT NULL,
        visibility TEXT NOT NULL,
        tags TEXT NOT NULL,
        created_at TEXT NOT NULL,
        updated_at TEXT
    )
    """,
    """
    CREATE TABLE api_keys (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        sha256 BLOB NOT NULL UNIQUE,
        name TEXT NOT NULL,
        permissions TEXT NOT NULL,
        created_at TEXT NOT NULL,
        expires_at TEXT
    )
    """,
    """
    CREATE TABLE answers (
        request BLOB PRIMARY KEY,
        body BLOB NOT NULL,
        status INTEGER NOT NULL,
        content TEXT NOT NULL
    ) WITHOUT ROWID
    """,
)

# Where foreign keys are off, a vector outlives its episode; no other gets its `seq`.
_VECTORS = """
    CREATE TABLE episode_vectors (
        seq INTEGER PRIMARY KEY REFERENCES episodes (seq) ON DELETE CASCADE,
        vector BLOB NOT NULL
    )
"""

# One entry per version, never changed once released: entry n leads from version n to n + 1.
# The second has no statements: the index is written anew, for it cuts words otherwise.
_MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST, (), (_VECTORS,))

_WORDS_SINCE = 2
"""The version that first cut words as `text` does now."""

SCHEMA_VERSION = len(_MIGRATIONS)

# Of the current version.
_TABLES = (
    "settings",
    "episodes",
    "episode_words",
    "episode_vectors",
    "memos",
    "api_keys",
    "answers",
)


def require_fts5(connection: sqlite3.Connection) -> None:
    """Nothing, if this SQLite can search text.

    Raises:
        MemStackError: It was built without FTS5.
    """
    try:
        connection.execute("CREATE VIRTUAL TABLE temp.fts5_probe USING fts5 (text)")
        connection.execute("DROP TABLE temp.fts5_probe")
    except sqlite3.DatabaseError as error:
        raise MemStackError(
            f"The embedded MemStack needs SQLite with FTS5, which SQLite {sqlite3.sqlite_version} "
            "of this Python was built without; use a Python from python.org, uv or conda"
        ) from error


def check(connection: sqlite3.Connection, path: str) -> None:
    """Nothing, if the file may be used: it is new, or ours and not of a later version.

    Raises:
        ValidationError: It is someone else's database.
        MemStackError: A later version of this package made it, or something is missing in it.
    """
    application, version = _identity(connection)
    is_empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if application != _APPLICATION_ID and not (application == 0 and version == 0 and is_empty):
        raise ValidationError(
            f"path: {path!r} is another program's SQLite database; "
            "give the path of a MemStack file, or of a file that does not exist yet"
        )
    if version > SCHEMA_VERSION:
        raise MemStackError(
            f"path: {path!r} was written by a newer memstack-sdk (schema {version}; this one knows "
            f"{SCHEMA_VERSION}); upgrade memstack-sdk, the file was not touched"
        )
    if version == SCHEMA_VERSION:
        _look_at_tables(connection, path)


def damaged(path: str, reason: str) -> MemStackError:
    """What to raise where *path* is, or was, a MemStack file, but cannot be read."""
    return MemStackError(
        f"path: {path!r} is damaged ({reason}) and was not touched; put back a backup, "
        "or save what is left with `sqlite3 FILE .recover`"
    )


def is_sound(connection: sqlite3.Connection) -> bool:
    """Whether SQLite finds nothing wrong with the file, but for the search index."""
    found: str = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    return found == "ok"


def check_index(connection: sqlite3.Connection) -> None:
    """Nothing, if the search index is sound; an error of SQLite if not.

    FTS5 asks this in the form of a write. https://www.sqlite.org/fts5.html#the_integrity_check_command
    """
    connection.execute("INSERT INTO episode_words (episode_words) VALUES ('integrity-check')")


def _look_at_tables(connection: sqlite3.Connection, path: str) -> None:
    """Reads a row of each table: the whole file would take too long."""
    found = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    for table in _TABLES:
        if table not in found:
            raise damaged(path, f"it has no table {table}")
        connection.execute(f"SELECT * FROM {table} LIMIT 1").fetchone()
    (settings,) = connection.execute(
        "SELECT count(*) FROM settings WHERE name IN ('user_id', 'secret')"
    ).fetchone()
    if settings != 2:
        raise damaged(path, "its settings are not all there")


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file up to date; inside the caller's write transaction."""
    _, version = _identity(connection)
    if version == SCHEMA_VERSION:
        # Changes no byte, but fails where the file cannot be written.
        connection.execute("DELETE FROM settings WHERE FALSE")
        return
    for statements in _MIGRATIONS[version:]:
        for statement in statements:
            connection.execute(statement)
    if version == 0:
        connection.executemany(
            "INSERT INTO settings VALUES (?, ?)",
            [("user_id", str(uuid.uuid4())), ("secret", secrets.token_bytes(32))],
        )
    elif version < _WORDS_SINCE:
        connection.execute("DROP TABLE episode_words")
        connection.execute(_WORDS)
        index.rebuild(connection)
    # Both are part of the transaction: another process sees all of a new file or nothing of it.
    connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _identity(connection: sqlite3.Connection) -> tuple[int, int]:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    return application, version
