"""Decides how a file that takes long to write comes to be: under its name there is never a part."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from memstack.exceptions import MemStackError, ValidationError

__all__ = ["SIDE_FILES", "new_file"]

SIDE_FILES = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a file."""


@contextmanager
def new_file(
    path: str | os.PathLike[str], argument: str, *, overwrite: bool = False
) -> Iterator[str]:
    """The name of an empty file, its owner's alone, that becomes *path* at the end.

    After an exception it is gone, and *path* as it was. One that is killed leaves a file whose
    name begins with a dot and ends in `.part`.

    Args:
        argument: What errors call *path*.
        overwrite: Whether to replace a file that is there; a folder or device never is.

    Raises:
        ValidationError: *path* is there already, or cannot be written.
        MemStackError: The disk is full.
    """
    goal = os.path.abspath(path)
    folder, base = os.path.split(goal)

    def refuse_if_there() -> None:
        if os.path.lexists(goal) and not (overwrite and os.path.isfile(goal)):
            raise ValidationError(f"{argument}: {goal!r} is there already; give another name")

    refuse_if_there()
    try:
        handle, name = tempfile.mkstemp(prefix=f".{base[:100]}.", suffix=".part", dir=folder)
    except OSError as error:
        raise ValidationError(
            f"{argument}: {goal!r} cannot be written: {error.strerror}; see that its folder is "
            "there, and that you may write in it"
        ) from error
    os.close(handle)
    try:
        yield name
        with open(name, "rb+") as file:
            os.fsync(file.fileno())
        refuse_if_there()
        os.replace(name, goal)
    except OSError as error:
        raise MemStackError(f"{argument}: {goal!r} cannot be written: {error.strerror}") from error
    finally:
        for end in ("", *SIDE_FILES):
            with suppress(FileNotFoundError):
                os.remove(name + end)
