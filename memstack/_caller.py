"""Warns at the line of the user's that calls this package."""

from __future__ import annotations

import sys
import warnings


def warn(message: str, category: type[Warning]) -> None:
    """Warn of *message*, at the first frame outside this package."""
    level, frame = 1, sys._getframe()
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == "memstack":
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
