"""Reads episodes from files, one at a time: JSON Lines, CSV, and text files of one episode each."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePath
from typing import IO, Any, Literal

from memstack.exceptions import ValidationError

__all__ = ["FORMATS", "Format", "Reader"]

Format = Literal["jsonl", "csv", "text"]
Item = dict[str, Any]

FORMATS: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".txt": "text",
    ".md": "text",
    ".markdown": "text",
}
"""What a file is read as, by the end of its name."""

# As in models, whose import costs that of pydantic: a test compares them.
FIELDS = (
    "name content source_type source_description group_id metadata project_id tenant_id user_id "
    "valid_at"
).split()
_LONGEST_CELL = 2**31 - 1  # the most that csv takes on every system


class Reader:
    """The episodes of *source*, in order; whether they are valid is not checked here.

    Args:
        source: A file, a folder, which is read with all below it, or `-` for stdin.
        format: What a file or stdin is read as; None to go by its name, stdin as JSON Lines.
        on_problem: Told what cannot be read, with its place; it is passed over.

    Raises:
        ValidationError: *source* is not there, or its kind is not known.
    """

    def __init__(
        self, source: str, format: Format | None, on_problem: Callable[[str], object]
    ) -> None:
        self._problem = on_problem
        self._places: dict[int, str] = {}
        self._source = source
        self._format: Format | None = format
        self.bytes_read = 0
        self.bytes_in_all: int | None = None
        """None where that is not known: of stdin and folders."""
        self.passed_over = 0
        """Files of a folder whose kind is not known."""
        if source == "-":
            if format == "text":
                raise ValidationError("text on stdin: use `memstack episode add NAME -`")
        elif not os.path.exists(source):
            raise ValidationError(f"there is no file or folder {source!r}")
        elif not os.path.isdir(source):
            self._kind_of(source)
            self.bytes_in_all = os.path.getsize(source)
        elif format is not None:
            raise ValidationError("--format is for one file; in a folder, names tell it")

    def __iter__(self) -> Iterator[Item]:
        for index, (place, item) in enumerate(self._items()):
            self._places[index] = place
            yield item

    def place_of(self, index: int) -> str:
        """File and line of the item at *index*; can be asked once, and is then forgotten."""
        return self._places.pop(index, f"item {index + 1}")

    def _items(self) -> Iterable[tuple[str, Item]]:
        if self._source == "-":
            return self._of(sys.stdin.buffer, "stdin", self._format or "jsonl")
        if os.path.isdir(self._source):
            return self._folder()
        return self._file(self._source, self._kind_of(self._source))

    def _kind_of(self, path: str) -> Format:
        kind = self._format or FORMATS.get(os.path.splitext(path)[1].lower())
        if kind is None:
            raise ValidationError(
                f"{path!r} is of no kind that is known ({', '.join(FORMATS)}): give --format"
            )
        return kind

    def _folder(self) -> Iterator[tuple[str, Item]]:
        for folder, below, names in os.walk(self._source):
            below[:] = sorted(name for name in below if not name.startswith("."))
            for name in sorted(name for name in names if not name.startswith(".")):
                kind = FORMATS.get(os.path.splitext(name)[1].lower())
                if kind is None:
                    self.passed_over += 1
                else:
                    yield from self._file(os.path.join(folder, name), kind)

    def _file(self, path: str, kind: Format) -> Iterator[tuple[str, Item]]:
        try:
            with open(path, "rb") as file:
                yield from self._of(file, path, kind)
        except OSError as error:
            self._problem(f"{path}: cannot be read: {error.strerror}")

    def _of(self, file: IO[bytes], path: str, kind: Format) -> Iterator[tuple[str, Item]]:
        if kind == "jsonl":
            return self._json_lines(file, path)
        return self._csv(file, path) if kind == "csv" else self._text(file, path)

    def _lines(self, file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
        for number, line in enumerate(file, 1):
            self.bytes_read += len(line)
            yield number, line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line

    def _json_lines(self, file: IO[bytes], path: str) -> Iterator[tuple[str, Item]]:
        for number, line in self._lines(file):
            if not line.strip():
                continue
            place = f"{path}:{number}"
            try:
                item = json.loads(line)
            except UnicodeDecodeError:
                self._problem(f"{place}: is not UTF-8")
            except (ValueError, RecursionError) as error:
                self._problem(f"{place}: is not JSON: {error}")
            else:
                if isinstance(item, dict):
                    yield place, item
                else:
                    self._problem(f"{place}: is no JSON object")

    def _csv(self, file: IO[bytes], path: str) -> Iterator[tuple[str, Item]]:
        csv.field_size_limit(_LONGEST_CELL)
        rows = csv.reader(self._decoded(file, path), strict=True)
        try:
            header = [name.strip() for name in next(rows, [])]
            if "content" not in header or len(set(header)) < len(header) or "" in header:
                raise ValidationError(
                    f"{path}:1: the header must name each column once, with commas between, and "
                    "one must be `content`"
                )
            begins = rows.line_num + 1
            for row in rows:
                place, begins = f"{path}:{begins}", rows.line_num + 1
                if len(row) > len(header):
                    self._problem(f"{place}: has {len(row)} cells under {len(header)} headings")
                elif any(row):
                    cells = {name: cell for name, cell in zip(header, row, strict=False) if cell}
                    yield from self._of_row(cells, place)
        except csv.Error as error:
            # Where a quotation does not end, no row after it can be told from another.
            raise ValidationError(f"{path}:{rows.line_num}: is no CSV: {error}") from None

    def _of_row(self, cells: dict[str, str], place: str) -> Iterator[tuple[str, Item]]:
        item: Item = {name: cell for name, cell in cells.items() if name in FIELDS}
        try:
            metadata = json.loads(item.pop("metadata", "{}"))
        except (ValueError, RecursionError):
            metadata = None
        if not isinstance(metadata, dict):
            self._problem(f"{place}: metadata is no JSON object")
            return
        others = {name: cell for name, cell in cells.items() if name not in FIELDS}
        if others or metadata:
            item["metadata"] = {**others, **metadata}
        path, _, line = place.rpartition(":")
        item.setdefault("name", f"{PurePath(path).stem} {line}")
        yield place, item

    def _decoded(self, file: IO[bytes], path: str) -> Iterator[str]:
        for number, line in self._lines(file):
            try:
                yield line.decode()
            except UnicodeDecodeError:
                raise ValidationError(f"{path}:{number}: is not UTF-8") from None

    def _text(self, file: IO[bytes], path: str) -> Iterator[tuple[str, Item]]:
        content = file.read()
        self.bytes_read += len(content)
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            self._problem(f"{path}: is not UTF-8")
            return
        within = PurePath(path)
        if os.path.isdir(self._source):
            within = within.relative_to(Path(self._source))
        # No slash: an episode is got by its name, and that is a segment of a path.
        name = " - ".join([*within.parent.parts, within.stem])
        yield (
            path,
            {
                "name": name,
                "content": text,
                "source_type": "document",
                "source_description": within.as_posix(),
            },
        )
