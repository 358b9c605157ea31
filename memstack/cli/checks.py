"""What `memstack doctor` checks: each check tells what it found, and what to do about it.

A check that cannot be made, since one before it failed, is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .places import Chosen

__all__ = ["Check", "checks_of", "failed", "ok", "skipped", "warned"]


@dataclass(frozen=True)
class Check:
    """What became of one check."""

    name: str
    verdict: Literal["ok", "warn", "fail", "skip"]
    found: str
    todo: str = ""
    """What to do; empty if nothing."""


def ok(name: str, found: str) -> Check:
    """A check that found all as it should be."""
    return Check(name, "ok", found)


def warned(name: str, found: str, todo: str) -> Check:
    """A check that found what may do harm."""
    return Check(name, "warn", found, todo)


def failed(name: str, found: str, todo: str) -> Check:
    """A check that found what keeps calls from working."""
    return Check(name, "fail", found, todo)


def skipped(name: str, found: str) -> Check:
    """A check that could not be made, and does no harm so."""
    return Check(name, "skip", found)


def checks_of(chosen: Chosen) -> Iterator[Check]:
    """The checks of a MemStack, one after the other as they are made."""
    yield ok("settings", f"{chosen}, chosen by {chosen.by}")
    if chosen.local is not None:
        from .file_checks import checks_of_file

        yield from checks_of_file(chosen.local)
    else:
        from .server_checks import checks_of_server

        yield from checks_of_server(chosen)
