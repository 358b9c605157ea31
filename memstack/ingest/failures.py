"""Writes what was not stored into a file, from which it can be ingested again."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from memstack.exceptions import MemStackError
from memstack.local.newfile import new_file

from .items import unwrapped
from .report import IngestOutcome

__all__ = ["Failures"]


class Failures:
    """JSON Lines at *path*, which is there once the run has ended, in whatever way.

    Raises:
        ValidationError: *path* cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = os.fspath(path)
        self._appearing: AbstractContextManager[str] = new_file(path, "failed", overwrite=True)
        self._file = io.BufferedWriter(io.FileIO(self._appearing.__enter__(), "w"))
        self._is_open = True

    def write(self, outcomes: Iterable[tuple[IngestOutcome, bytes | None]]) -> None:
        """Write *outcomes*, each with the body that was to be sent; None if it was no episode.

        Raises:
            MemStackError: The disk is full.
        """
        with self._explained():
            for outcome, body in outcomes:
                self._file.write(_line(outcome, body))

    def finish(self) -> None:
        """Let it appear, in place of one that is there.

        Raises:
            MemStackError: The disk is full.
        """
        self._appear(with_older=False)

    def close(self) -> None:
        """Let it appear with the lines of one that is there, if it has not been finished.

        Their items may be the ones that were to be ingested, and were not reached.

        Raises:
            MemStackError: The disk is full; the one that is there stays.
        """
        self._appear(with_older=True)

    def _appear(self, *, with_older: bool) -> None:
        if not self._is_open:
            return
        self._is_open = False
        with self._explained(), ExitStack() as stack:
            stack.push(self._appearing.__exit__)
            stack.callback(self._file.close)
            if with_older:
                with suppress(FileNotFoundError), open(self._path, "rb") as older:
                    shutil.copyfileobj(older, self._file)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise MemStackError(
                f"failed: {self._path!r} cannot be written: {error.strerror}"
            ) from error


def _line(outcome: IngestOutcome, body: bytes | None) -> bytes:
    error = outcome.error
    told = {
        # As it was to be sent, so that it is the same episode when it comes again.
        "item": unwrapped(outcome.item) if body is None else json.loads(body),
        "index": outcome.index,
        "outcome": outcome.outcome,
        "error": f"{type(error).__name__}: {error.message}" if error else None,
    }
    try:
        text = json.dumps(told, default=_plain, allow_nan=False)
    except (TypeError, ValueError, RecursionError):  # what JSON cannot hold was no episode
        text = json.dumps({**told, "item": _described(told["item"])})
    return text.encode() + b"\n"


def _plain(value: Any) -> Any:
    """What stands for *value*, if it does not make an episode of what was none."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_none=True)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError


def _described(value: Any) -> str:
    try:
        return repr(value)
    except Exception:  # of someone else's class, or too large, or too deep
        return f"a {type(value).__name__}"
