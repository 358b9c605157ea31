"""What the commands print: tables for people, JSON for programs, and what is said beside them.

What a MemStack holds is text: no part of it moves the cursor or colours the screen.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timezone
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import Console, OverflowMethod

__all__ = ["OWN_WORDS", "Column", "as_json", "console", "counted", "cut", "fields"]
__all__ += ["in_own_words", "moment", "print_json", "print_rows", "printable", "say"]
__all__ += ["table", "tell", "with_content"]

Row = TypeVar("Row")

_WIDTH = 120
"""Characters of a line where there is no terminal to ask."""
_GAP = 2
"""Spaces after each column."""
_AT_ONCE = 200
"""Rows of a table, where there may be more of them than memory holds."""
_LEAST = 8
"""Characters that a column which can be cut keeps."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Beside C0 and C1, what ends a line or turns its direction."""
_NOT_ON_SCREEN = re.compile(r"[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What of that JSON writes as it is."""

OWN_WORDS = {
    "MemStackClient.local()": "--local FILE",
    "base_url": "--url",
    "api_key= or MEMSTACK_API_KEY": "MEMSTACK_API_KEY, or where its profile says",
    "wait_for_episode goes on waiting": "`memstack episode wait` goes on waiting",
}
"""What errors tell a program to do, and what does it here."""

Column = tuple[str, str]
"""Its heading, and how it fits: `id` is never cut, `wrap` takes lines, `cut` takes one."""


def printable(text: str) -> str:
    """*text* with its control characters written out, but for tab and line feed."""
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


def say(text: str) -> None:
    """Print *text*, which the command was asked for, to stdout."""
    print(printable(text))


def tell(text: str) -> None:
    """Print *text*, which is beside that, to stderr."""
    print(printable(text), file=sys.stderr)


def in_own_words(text: object) -> str:
    """*text*, an error or what is said of one, as the user of a command can follow it."""
    said = str(text)
    for words, own in OWN_WORDS.items():
        said = said.replace(words, own)
    return said


def print_json(value: Any, indent: int | None = 2) -> None:
    """Print *value*, a model, a list of models or plain data, as JSON to stdout.

    Args:
        indent: None for one line.
    """
    # Written out where stdout cannot take them.
    is_utf = (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")
    text = json.dumps(as_json(value), ensure_ascii=not is_utf, indent=indent, default=_plain)
    print(_NOT_ON_SCREEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def as_json(value: Any) -> Any:
    """*value* with its models as JSON has them."""
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    if hasattr(value, "model_dump"):
        model: BaseModel = value
        return model.model_dump(mode="json")
    return value


def _plain(value: Any) -> str:
    """*value*, which JSON has no kind for; a time as models have it."""
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    return str(value)


def console(*, err: bool = False) -> Console:
    """Where tables and progress go; without colours where that is no terminal."""
    from rich.console import Console

    stream = sys.stderr if err else sys.stdout
    width = None
    if not stream.isatty():
        columns = os.environ.get("COLUMNS", "")
        width = int(columns) if columns.isdecimal() and int(columns) > 0 else _WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def table(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
    """Print a table to stdout; columns in which nothing stands are left out."""
    from rich.cells import cell_len
    from rich.console import ConsoleDimensions
    from rich.table import Table
    from rich.text import Text

    lines = [[printable(cell) for cell in row] for row in rows]
    filled = [n for n in range(len(columns)) if any(line[n] for line in lines)]
    if not filled:
        return
    output = console()
    natural = {n: max(cell_len(text) for text in _column(columns, lines, n)) for n in filled}
    widths = _fitting(natural, [n for n in filled if columns[n][1] != "id"], output.width)
    width = max(output.width, sum(widths.values()) + _GAP * len(widths))
    output.size = ConsoleDimensions(width, output.height)  # a width alone: not in TERM=dumb
    shown = Table(box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))
    for n in filled:
        heading, fit = columns[n]
        cut_off = fit == "cut"
        overflow: OverflowMethod = "ellipsis" if cut_off else "fold"
        shown.add_column(Text(heading), no_wrap=cut_off, overflow=overflow, width=widths[n])
    for line in lines:
        shown.add_row(*(Text(line[n]) for n in filled))
    with output.capture() as captured:
        output.print(shown)
    # rich fills each line up to the width of the table.
    print("\n".join(line.rstrip() for line in captured.get().splitlines()))


def print_rows(
    rows: Iterable[Row],
    columns: Sequence[Column],
    cells: Callable[[Row], Sequence[str]],
    thing: str,
    *,
    json: bool,
) -> None:
    """Print *rows* to stdout as they come, and to stderr how many they were.

    Args:
        cells: What a row has in the columns of a table; there is one for each 200 rows.
        thing: What a row is called.
        json: Whether to print each as a line of JSON instead.
    """
    count = 0
    left = iter(rows)
    while some := list(islice(left, 1 if json else _AT_ONCE)):
        count += len(some)
        if json:
            print_json(some[0], indent=None)
        else:
            table(columns, map(cells, some))
    tell(counted(count, thing))


def _column(columns: Sequence[Column], lines: Sequence[Sequence[str]], n: int) -> list[str]:
    return [columns[n][0], *(line[n] for line in lines)]


def _fitting(natural: dict[int, int], flexible: Sequence[int], width: int) -> dict[int, int]:
    """Widths whose sum is at most *width*, where *flexible* columns can give way so far.

    A narrow one keeps what it has, and the wide ones share the rest.
    """
    fixed = sum(natural[n] for n in natural if n not in flexible)
    room = width - fixed - _GAP * len(natural)
    widths = dict(natural)
    for taken, n in enumerate(sorted(flexible, key=natural.__getitem__)):
        share = max(room // (len(flexible) - taken), _LEAST)
        widths[n] = min(natural[n], share)
        room -= widths[n]
    return widths


def fields(named: Mapping[str, Any]) -> None:
    """Print each of *named* that is not None or empty on a line, to stdout."""
    filled = {name: value for name, value in named.items() if value not in (None, "", [], {})}
    width = max(map(len, filled), default=0) + 1
    for name, value in filled.items():
        say(f"{name + ':':<{width}} {_value(value)}")


def with_content(row: BaseModel) -> None:
    """Print the fields of *row*, and its `content` below them, to stdout."""
    named = {name: getattr(row, name) for name in type(row).model_fields}
    content = named.pop("content")
    fields(named)
    say(f"\n{content}")


def _value(value: Any) -> str:
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)


def counted(number: int, thing: str) -> str:
    """*number* and the word for it."""
    return f"{number:,} {thing}{'s' * (number != 1)}"


def moment(when: datetime | None) -> str:
    """*when* to the minute, in UTC; empty for None."""
    return "" if when is None else f"{when.astimezone(timezone.utc):%Y-%m-%d %H:%M}Z"


def cut(text: str, most: int = 300) -> str:
    """*text* in one line, of at most *most* characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
