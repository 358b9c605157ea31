"""What answers are made of, and how they look: short in a repr, as a table in a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

__all__ = ["Brief", "Listing", "Read", "Row", "as_dicts", "as_html", "brief_list", "table"]

MAY_FOLLOW = ", and more may follow"
"""Said of a page that may not be the last."""
MOST_TEXT = 80
"""Characters of one value."""
MOST_IN_REPR = 3
"""Items of a list in a repr."""
MOST_ROWS = 20
"""Rows of a table."""


class Brief:
    """Stands for *value* in a repr, where it would be too long."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __repr__(self) -> str:
        value = self._value
        if isinstance(value, str):
            return repr(_cut(value))
        if isinstance(value, datetime):
            return value.isoformat()
        if isinstance(value, list):
            return brief_list(value)
        return _cut(repr(value)) if isinstance(value, dict) else repr(value)


def brief_list(items: Sequence[object], is_cut: bool = False) -> str:
    """*items* as a list, of which the first few are shown; *is_cut* if others may follow."""
    shown = [repr(Brief(item)) for item in items[:MOST_IN_REPR]]
    shown += _more(len(items), MOST_IN_REPR)
    return f"[{', '.join([*shown, '…'] if is_cut else shown)}]"


def table(caption: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """*rows* as HTML; what they hold is text there, whatever it says. Empty columns are left out.

    Args:
        columns: What to show of each row, in this order.
    """
    from html import escape

    filled = [name for name in columns if any(row.get(name) not in (None, [], {}) for row in rows)]
    head = "".join(f"<th>{escape(name)}</th>" for name in filled)
    cells = [[escape(_cell(row.get(name))) for name in filled] for row in rows[:MOST_ROWS]]
    lines = ["".join(f'<td style="text-align: left">{cell}</td>' for cell in row) for row in cells]
    lines += [f'<td colspan="{len(filled)}">{more}</td>' for more in _more(len(rows), MOST_ROWS)]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return (
        f"<table><caption>{escape(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _more(count: int, most: int) -> list[str]:
    """What to say of the rest, if there is one."""
    return [f"… and {count - most:,} more"] if count > most else []


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} {value.tzname() or ''}".rstrip()
    if isinstance(value, list):
        return _cut(", ".join(map(str, value)))
    return _cut(str(value))


def _cut(text: str) -> str:
    return text if len(text) <= MOST_TEXT else f"{text[: MOST_TEXT - 1]}…"


class Read(BaseModel):
    """Part of an answer; what is not known of it is kept."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    @property
    def unparsed(self) -> dict[str, Any]:
        """What came for those fields that are None because it could not be read."""
        found: dict[str, Any] = (self.model_extra or {}).get("unparsed", {})
        return found

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        return [
            (name, Brief(value)) for name, value in super().__repr_args__() if value is not None
        ]


class Row(Read):
    """One of what a list or a search gives."""

    _columns: ClassVar[tuple[str, ...]] = ()
    """What a table shows of it."""
    _in_dict: ClassVar[set[str] | None] = None
    """What a dict made for a table has of it; None for all, with what a newer server added."""


def as_dicts(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """A dict for each of *rows*."""
    return [row.model_dump(include=row._in_dict) for row in rows]


def as_html(caption: str, rows: Sequence[Row]) -> str:
    """The table of *rows*, which are of one kind."""
    columns = rows[0]._columns if rows else ()
    return table(caption, columns, [{name: getattr(row, name) for name in columns} for row in rows])


class Listing(Read):
    """An answer that is mostly rows."""

    def to_dicts(self) -> list[dict[str, Any]]:
        """A dict for each row, as `pandas.DataFrame` takes them."""
        return as_dicts(self._rows())

    def _repr_html_(self) -> str:
        return as_html(self._caption(), self._rows())

    def _rows(self) -> Sequence[Row]:
        raise NotImplementedError

    def _caption(self) -> str:
        raise NotImplementedError
