"""The checks of `memstack doctor` for a file of the embedded MemStack; nothing is changed."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing

from memstack.exceptions import MemStackError
from memstack.local import schema, stats
from memstack.local.opening import connect

from .checks import Check, failed, ok, warned
from .output import counted

__all__ = ["checks_of_file"]

_LITTLE_ROOM = 100 * 2**20
"""Bytes free on the disk below which that is told."""


def checks_of_file(path: str) -> Iterator[Check]:
    """The checks of the file *path*."""
    if not os.path.isfile(path):
        yield failed(
            "file", f"there is no file {path!r}", "check the path; a first `episode add` makes it"
        )
        return
    found = os.stat(path)
    if found.st_size == 0:
        yield warned("file", "it is empty", "a first `episode add` fills it")
        return
    yield ok("file", f"{found.st_size:,} bytes")
    yield _permission(path, found.st_mode)
    yield _room(path, found.st_size)
    yield from _inside(path)


def _permission(path: str, mode: int) -> Check:
    if not os.access(path, os.R_OK | os.W_OK):
        return failed(
            "permission", "you may not read and write it", "run as its owner, or chmod it"
        )
    folder = os.path.dirname(os.path.abspath(path))
    if not os.access(folder, os.W_OK):
        return failed(
            "permission",
            f"you may not write in {folder}, where SQLite keeps its log",
            "chmod the folder, or move the file",
        )
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        return warned(
            "permission",
            f"other users of this machine may read it ({stat.filemode(mode)})",
            f"chmod 600 {path}",
        )
    return ok("permission", stat.filemode(mode))


def _room(path: str, size: int) -> Check:
    free = shutil.disk_usage(os.path.dirname(os.path.abspath(path))).free
    if free < max(size, _LITTLE_ROOM):
        return warned(
            "disk", f"{free:,} bytes free", "make room: `memstack compact` needs a second copy"
        )
    return ok("disk", f"{free:,} bytes free")


def _inside(path: str) -> Iterator[Check]:
    restore = f"put back a backup, or save what is left with `sqlite3 {path} .recover`"
    try:
        with closing(connect(os.path.abspath(path))) as connection:
            version: int = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > schema.SCHEMA_VERSION:
                yield failed("schema", f"version {version} is newer", "upgrade memstack-sdk")
                return
            if not schema.is_sound(connection):
                yield failed("integrity", "SQLite finds it damaged", restore)
                return
            yield ok("integrity", "SQLite finds it sound")
            if version < schema.SCHEMA_VERSION:
                yield warned(
                    "schema",
                    f"version {version}, of {schema.SCHEMA_VERSION}",
                    "nothing: the next command that opens it brings it up to date",
                )
                return
            yield ok("schema", f"version {version}")
            schema.check_index(connection)
            yield ok("search_index", "sound")
        found = stats(path)
        episodes, memos = found.episodes.rows, found.memos.rows
        yield ok("content", f"{counted(episodes, 'episode')}, {counted(memos, 'memo')}")
    except MemStackError as error:
        yield failed("open", error.message, restore)
    except sqlite3.OperationalError as error:
        yield failed("open", str(error), "close what keeps it busy, and try again")
    except sqlite3.DatabaseError as error:
        yield failed("integrity", str(error), restore)
