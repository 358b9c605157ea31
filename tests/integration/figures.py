"""Decides where in a page of docs/ the figures that a program found stand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

RELIABILITY = Path(__file__).parents[2] / "docs" / "reliability.md"


def write_figures(page: Path, name: str, lines: Sequence[str]) -> None:
    """Put *lines* between the two comments of *page* that have *name*."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    before, rest = page.read_text("utf-8").split(begin)
    page.write_text(before + begin + "\n".join(lines) + "\n" + end + rest.split(end)[1], "utf-8")
