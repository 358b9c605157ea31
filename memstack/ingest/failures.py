"""Writes what was not stored into a file, from which it can be ingested again."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack
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

    def write(self, outcomes: Iterable[IngestOutcome]) -> None:
        """Go on with those of *outcomes* that are not stored.

        Raises:
            MemStackError: The disk is full.
        """
        try:
            for outcome in outcomes:
                if outcome.error is not None:
                    self._file.write(_line(outcome))
        except OSError as error:
            raise MemStackError(
                f"failed: {self._path!r} cannot be written: {error.strerror}"
            ) from error

    def close(self) -> None:
        """Let it appear."""
        with ExitStack() as stack:
            stack.push(self._appearing.__exit__)
            self._file.close()


def _line(outcome: IngestOutcome) -> bytes:
    error = outcome.error
    told = {
        "item": unwrapped(outcome.item),
        "index": outcome.index,
        "outcome": outcome.outcome,
        "error": f"{type(error).__name__}: {error.message}" if error else None,
    }
    try:
        text = json.dumps(told, default=_plain)
    except (TypeError, ValueError, RecursionError):  # what JSON cannot hold was no episode
        text = json.dumps({**told, "item": repr(told["item"])})
    return text.encode() + b"\n"


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_none=True)
    return dict(value) if isinstance(value, Mapping) else str(value)
