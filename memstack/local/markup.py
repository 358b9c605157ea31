"""Decides how HTML is put together: what is no `Html` is text, and escaped."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

__all__ = ["Html", "element", "joined", "prose", "sentence"]

_MARKS = re.compile(r"`([^`]+)`|\*([^*]+)\*")


class Html(str):
    """Text that is HTML, and complete."""

    __slots__ = ()


def element(name: str, *content: str | None, **attributes: str | None) -> Html:
    """The element *name*; what is None is left out, and `class_` stands for `class`."""
    shown = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(_escaped(part) for part in content if part is not None)
    return Html(f"<{name}{shown}>{inner}</{name}>")


def joined(*parts: str | None, by: str = "") -> Html:
    """*parts* one after the other, without those that are None or empty."""
    return Html(_escaped(by).join(_escaped(part) for part in parts if part))


def sentence(text: str) -> Html:
    """A line of CommonMark, of which code and emphasis are read."""
    return joined(*_marked(text))


def prose(text: str | None) -> Html:
    """The paragraphs of a CommonMark text."""
    paragraphs = (text or "").strip().split("\n\n")
    return joined(*(element("p", sentence(" ".join(p.split()))) for p in paragraphs if p))


def _marked(text: str) -> Iterator[str]:
    end = 0
    for mark in _MARKS.finditer(text):
        yield text[end : mark.start()]
        yield element("code", mark[1]) if mark[1] else element("em", mark[2])
        end = mark.end()
    yield text[end:]


def _escaped(part: str) -> str:
    return part if isinstance(part, Html) else html.escape(part)
