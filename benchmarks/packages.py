"""Tells which package a file is part of, of those that make a call."""

from __future__ import annotations

import re

_PACKAGE = re.compile(
    r"/(memstack_api|memstack|pydantic|pydantic_core|httpx|httpcore|h11|anyio|asyncio)/"
)


def package_of(file: str) -> str | None:
    """The package; None for any other."""
    found = _PACKAGE.search(file)
    return found[1].removesuffix("_core") if found else None
