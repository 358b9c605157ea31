"""Decides how a moment is written: ISO 8601 in UTC, always of one length, ending in `Z`.

So the texts sort as the moments do, which the tables and filters rely on.
"""

from __future__ import annotations

from datetime import datetime, timezone

__all__ = ["now", "read", "written"]


def now() -> datetime:
    """This moment."""
    return datetime.now(timezone.utc)


def written(moment: datetime) -> str:
    """*moment*, which has a time zone, as text.

    Raises:
        OverflowError: In UTC it is before year 1 or after year 9999.
    """
    return moment.astimezone(timezone.utc).isoformat(timespec="microseconds")[:-6] + "Z"


def read(text: str) -> datetime:
    """The moment that *text*, which `written` made, stands for."""
    return datetime.fromisoformat(text.removesuffix("Z") + "+00:00")  # Python 3.10 knows no Z
