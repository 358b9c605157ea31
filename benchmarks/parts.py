"""Where the time of a call goes: a profile, by the package whose code runs.

cProfile adds to each call of a Python function, so packages of many small functions look larger
than they are.
"""

from __future__ import annotations

import asyncio
import cProfile
import pstats
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

from memstack import MemStackAsyncClient, MemStackClient
from memstack._connecting import TransportName

from .imports import FIRST, plain_environment
from .packages import package_of
from .requests import KEY, call_of, search_for
from .server import together

CASES = ("get_memo", "create_episode", search_for(10), search_for(100), search_for(1000))
AT_ONCE = (1, 64, 256)
CALLS = 512
LEAST = 0.01
"""Packages of a smaller share are one row."""
SYSTEM = "system: socket"
FAST = "pyreqwest"
REST = "others"

Place = tuple[str, int, str]
"""File, line and name of a function, as pstats has them."""
Table = dict[str, dict[str, float]]


def blocking(url: str, transport: TransportName) -> Table:
    """By package, what it has of the time of each case, one call after the other."""
    with MemStackClient(KEY, url, transport=transport) as client:
        return _table({case: _of_calls(call_of(client, case), transport) for case in CASES})


def awaited(url: str, transport: TransportName) -> Table:
    """The same of get_memo, so many at once."""
    return _table(
        {f"{many} at once": asyncio.run(_of_awaited(url, many, transport)) for many in AT_ONCE}
    )


def imported() -> Table:
    """By package, what it has of the time that the imports of a first client take."""
    transports = [name for name in ("httpx", FAST) if name == "httpx" or find_spec(name)]
    return _table({name: _of_imports(FIRST.format(name)) for name in transports})


def _table(columns: Mapping[str, Mapping[str, float]]) -> Table:
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


def _of_calls(call: Callable[[], Any], transport: str) -> dict[str, float]:
    call()
    with cProfile.Profile(time.process_time) as profile:
        for _ in range(CALLS):
            call()
    return _shares(profile, transport)


async def _of_awaited(url: str, at_once: int, transport: TransportName) -> dict[str, float]:
    async with MemStackAsyncClient(KEY, url, transport=transport) as client:
        call = call_of(client, "get_memo")
        with together(url, at_once):
            await asyncio.gather(*(call() for _ in range(at_once)))
            with cProfile.Profile(time.process_time) as profile:
                for _ in range(CALLS // at_once):
                    await asyncio.gather(*(call() for _ in range(at_once)))
    return _shares(profile, transport)


def _shares(profile: cProfile.Profile, transport: str) -> dict[str, float]:
    spent = Counter[str]()
    stats: Any = pstats.Stats(profile)
    for place, (_, _, own, _, callers) in stats.stats.items():
        package = _package(place, transport)
        if package is not None or not callers:
            spent[package or REST] += own
        else:  # of C and of the standard library: it is the caller's
            for caller, (_, _, seconds, _) in callers.items():
                spent[_package(caller, transport) or REST] += seconds
    return {name: seconds / spent.total() for name, seconds in spent.items()}


def _package(place: Place, transport: str) -> str | None:
    """What *place* is part of; None where nobody but its caller tells."""
    file, _, name = place
    if "_socket" in name or "select." in name:
        return SYSTEM if transport == "httpx" else FAST  # whose threads work meanwhile
    if "pydantic_core" in name:
        return "pydantic"
    if file.endswith("memstack/_pyreqwest.py") and name == "send" and transport == FAST:
        return FAST  # cProfile does not see what `with` calls, and Rust works meanwhile
    return package_of(file)


def _of_imports(program: str) -> dict[str, float]:
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", f"import sys, memstack; {program}"],
        stderr=subprocess.PIPE,
        check=True,
        text=True,
        env=plain_environment(),
    )
    spent = Counter[str]()
    for own, name in re.findall(r"^import time: +(\d+) \|.*\| +([\w.]+)$", ran.stderr, re.M):
        package = name.partition(".")[0].removesuffix("_core")
        known = package in ("memstack", "memstack_api", "pydantic", FAST)
        spent[package if known else REST] += int(own)
    return {name: micros / spent.total() for name, micros in spent.items()}
