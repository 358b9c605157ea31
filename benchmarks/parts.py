"""Where the time of a call goes: a profile, by the package whose code runs.

cProfile adds to each call of a Python function, so packages of many small functions look larger
than they are.
"""

from __future__ import annotations

import cProfile
import pstats
import re
import time
from collections import Counter
from typing import Any

from memstack import MemStackClient

from .requests import KEY, call_of, search_for

CASES = ("get_memo", "create_episode", search_for(10), search_for(100), search_for(1000))
CALLS = 1000
LEAST = 0.01
"""Packages of a smaller share are one row."""
SYSTEM = "system: socket"
REST = "others"

Place = tuple[str, int, str]
"""File, line and name of a function, as pstats has them."""


def shares(url: str) -> dict[str, dict[str, float]]:
    """By package, what it has of the time of each case."""
    with MemStackClient(KEY, url) as client:
        columns = {case: _of(call_of(client, case)) for case in CASES}
    names = Counter[str]()
    for column in columns.values():
        names.update(column)
    table = {
        name: {case: column.get(name, 0.0) for case, column in columns.items()}
        for name, share in names.most_common()
        if share >= LEAST * len(columns) and name != REST
    }
    left = {case: 1 - sum(row[case] for row in table.values()) for case in columns}
    return {**table, REST: left}


def _of(call: Any) -> dict[str, float]:
    call()
    profile = cProfile.Profile(time.process_time)
    profile.enable()
    for _ in range(CALLS):
        call()
    profile.disable()
    spent = Counter[str]()
    stats: Any = pstats.Stats(profile)
    for place, (_, _, own, _, callers) in stats.stats.items():
        package = _package(place)
        if package is not None or not callers:
            spent[package or REST] += own
        else:  # of C and of the standard library: it is the caller's
            for caller, (_, _, seconds, _) in callers.items():
                spent[_package(caller) or REST] += seconds
    return {name: seconds / spent.total() for name, seconds in spent.items()}


def _package(place: Place) -> str | None:
    """What *place* is part of; None where nobody but its caller tells."""
    file, _, name = place
    if "_socket" in name or "select." in name:
        return SYSTEM
    if "pydantic_core" in name:
        return "pydantic"
    found = re.search(
        r"/(?:site-packages/)?(memstack_api|memstack|pydantic|httpx|httpcore|h11)/", file
    )
    return found[1] if found else None
