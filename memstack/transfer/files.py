"""Writes exports and reads them, a line at a time; in a file that is read nothing is believed."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import IO, Any

from memstack.exceptions import MemStackError, ValidationError
from memstack.local.newfile import new_file
from memstack.local.rows import Kind

from .lines import FORMAT, MAX_LINE, End, Header, InvalidFileError, Line, line_of, read_line

__all__ = ["AnyPath", "ExportReader", "ExportWriter", "Row"]

_MOST_PROBLEMS = 20
_BATCH = 200
_BATCH_BYTES = 4 * 2**20

AnyPath = str | os.PathLike[str]
Row = tuple[Kind, dict[str, Any]]


class ExportWriter:
    """Writes an export to *path*, which is there only once it is whole."""

    def __init__(self, path: AnyPath, *, overwrite: bool) -> None:
        self.path = os.fspath(path)
        self._stack = ExitStack()
        self._appearing: AbstractContextManager[str] = new_file(path, "path", overwrite=overwrite)
        self._digest = hashlib.sha256()
        self._counts: dict[Kind, int] = {"episode": 0, "memo": 0}
        self._file: IO[bytes] | gzip.GzipFile

    def open(self, header: Header) -> None:
        """Begin.

        Raises:
            ValidationError: There is a file already, or it cannot be written.
        """
        name = self._appearing.__enter__()
        self._stack.push(self._appearing.__exit__)
        raw = self._stack.enter_context(io.BufferedWriter(io.FileIO(name, "w")))
        if self.path.endswith(".gz"):
            # Without a name and a time in it, so that the same rows make the same bytes.
            zipped = gzip.GzipFile("", "wb", 6, raw, mtime=0)
            self._file = self._stack.enter_context(zipped)
        else:
            self._file = raw
        self._write(line_of("memstack_export", header))

    def write(self, rows: list[Row]) -> None:
        """Go on with *rows*."""
        for kind, fields in rows:
            self._write(line_of(kind, fields))
            self._counts[kind] += 1

    def finish(self) -> None:
        """Write the end; now it is there."""
        end = End(
            episodes=self._counts["episode"],
            memos=self._counts["memo"],
            sha256=self._digest.hexdigest(),
        )
        self._write(line_of("end", end))
        self._stack.close()

    def discard(self) -> None:
        """Leave nothing behind; does nothing once it is finished."""
        error = _Discarded()
        self._stack.__exit__(type(error), error, None)

    def _write(self, line: bytes) -> None:
        self._digest.update(line)
        try:
            self._file.write(line)
        except OSError as error:
            raise MemStackError(
                f"path: {self.path!r} cannot be written: {error.strerror}; nothing was exported"
            ) from error


class _Discarded(Exception):
    """Tells `new_file` that the file is not wanted."""


class ExportReader:
    """Reads the export *path*."""

    def __init__(self, path: AnyPath) -> None:
        self.path = os.fspath(path)

    def verify(self) -> Header:
        """The header, once every line was read and found good.

        Raises:
            InvalidFileError: It is no whole export.
            ValidationError: It cannot be read.
        """
        problems: list[tuple[int, str]] = []
        header: Header | None = None
        end: Line | None = None
        counts: dict[str, int] = {"episode": 0, "memo": 0}
        digest, number = hashlib.sha256(), 0
        lines = self._lines()
        while len(problems) < _MOST_PROBLEMS:
            try:
                data = next(lines, None)
            except _Cut as cut:
                problems.append((number + 1, str(cut)))
                break
            if data is None:
                break
            number += 1
            try:
                if end is not None:
                    raise ValueError("there are lines after the end")
                line = read_line(data)
                if (line.memstack_export is not None) != (number == 1):
                    raise ValueError("the line memstack_export must be the first, and only that")
                if line.memstack_export is not None:
                    header = _of_today(line.memstack_export)
            except ValueError as error:
                problems.append((number, str(error)))
                if number == 1:
                    break  # It is another file.
                continue
            if line.end is not None:
                end = line
                wrong = _unlike(line.end, counts, digest.hexdigest())
                problems += [(number, wrong)] if wrong and not problems else []
            digest.update(data)
            for kind in counts:
                counts[kind] += getattr(line, kind) is not None
        if not problems and end is None:
            problems.append((number + 1, "the end is missing: the file was cut short"))
        if problems or header is None:
            raise _invalid(self.path, problems)
        return header

    def batches(self) -> Iterator[list[Row]]:
        """The rows, some at a time."""
        batch: list[Row] = []
        size = 0
        for data in self._lines():
            row = read_line(data).row()  # raises nothing: it was verified
            if row is not None:
                batch.append(row)
                size += len(data)
            if len(batch) == _BATCH or size > _BATCH_BYTES:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _lines(self) -> Iterator[bytes]:
        try:
            with open(self.path, "rb") as raw:
                is_zipped = raw.peek(2)[:2] == b"\x1f\x8b"
                file: Any = gzip.GzipFile(fileobj=raw) if is_zipped else raw
                while data := file.readline(MAX_LINE + 1):
                    if len(data) > MAX_LINE:
                        raise _Cut(f"the line is longer than {MAX_LINE} bytes")
                    yield data
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise _Cut(f"the compressed data is cut short or damaged ({error})") from None
        except OSError as error:
            raise ValidationError(f"path: {self.path!r} cannot be read: {error.strerror}") from None


class _Cut(Exception):
    """No further line can be read."""


def _of_today(header: Header) -> Header:
    if header.format > FORMAT:
        raise ValueError(
            f"the file has format {header.format}, and this memstack-sdk knows {FORMAT}; upgrade it"
        )
    return header


def _unlike(end: End, counts: dict[str, int], sha256: str) -> str | None:
    """How the file differs from what its end says; None if it does not."""
    if (end.episodes, end.memos) != (counts["episode"], counts["memo"]):
        return (
            f"the end counts {end.episodes} episodes and {end.memos} memos, but there are "
            f"{counts['episode']} and {counts['memo']}"
        )
    return None if end.sha256 == sha256 else "the checksum is another: a line was changed"


def _invalid(path: str, problems: list[tuple[int, str]]) -> InvalidFileError:
    told = "\n".join(f"  line {number}: {text}" for number, text in problems)
    error = InvalidFileError(f"path: {path!r} is no whole export; nothing was stored\n{told}")
    error.problems = tuple(problems)
    return error
