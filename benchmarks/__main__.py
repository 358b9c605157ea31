"""`make bench`: what calls cost beside bare httpx and peers, written to docs/performance.md.

`python -m benchmarks check` compares the ratios with those in ratios.json, which `make bench`
writes, and fails where one is a quarter worse, twice.
"""

from __future__ import annotations

import asyncio
import json
import platform
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from tests.integration.figures import write_figures

from . import calls, imports, memory, parts, picture, tables
from .measure import Seconds, least
from .requests import CASES, RESULTS, search_for
from .server import serving

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "performance.md"
PICTURE = DOCS / "performance.svg"
RATIOS = Path(__file__).with_name("ratios.json")
PEERS = ("memstack", "httpx", "pydantic", "aiohttp", "openai", "pyreqwest")
EFFORT = 2.5
"""CPU seconds that all variants of a case are called in turn, each time that it is its turn."""
PASSES = 2
"""Turns of each case, minutes apart: another program may be busy for all of one."""


def measured() -> tuple[tables.Tables, dict[str, picture.Series]]:
    """The tables, and what is drawn."""
    with serving() as url:
        passes = range(PASSES)
        one_by_one = [{case: calls.blocking(url, case, EFFORT) for case in CASES} for _ in passes]
        at_once = [
            {many: asyncio.run(calls.awaited(url, many, EFFORT)) for many in calls.AT_ONCE}
            for _ in passes
        ]
        ready = imports.ready(url)
        where = {
            tables.WHERE: parts.blocking(url, "httpx"),
            f"{tables.WHERE}, awaited": parts.awaited(url, "httpx"),
        }
        if find_spec("pyreqwest"):
            where[f"{tables.WHERE}, pyreqwest"] = parts.blocking(url, "pyreqwest")
            where[f"{tables.WHERE}, pyreqwest awaited"] = parts.awaited(url, "pyreqwest")
        where[f"{tables.WHERE}, imports of a first client"] = parts.imported()
        where["bytes of Python that a connection holds"] = memory.parts(url)
        held = {colour: memory.held(url, colour, rounds=3) for colour in ("blocking", "awaited")}
    blocking = {case: least(found[case] for found in one_by_one) for case in CASES}
    awaited = {many: least(found[many] for found in at_once) for many in calls.AT_ONCE}
    searches = {n: blocking[search_for(n)] for n in RESULTS}
    return {
        tables.BLOCKING: tables.blocking(blocking),
        tables.AWAITED: tables.awaited(awaited),
        tables.GROWTH: tables.growth(awaited),
        tables.READY: ready,
        tables.MEMORY: tables.blocking({name: row for name, row in held.items() if row}),
        **where,
    }, {
        "get_memo, so many at once": series(awaited),
        "search_memory, so many results": series(searches),
    }


def series(seconds: Mapping[int, Seconds]) -> picture.Series:
    """What is drawn of each variant that has several points; bare httpx is 1 at the first."""
    first, *_ = seconds.values()
    drawn = {
        name: {
            str(x): round(spent[name] / first["httpx"], 4)
            for x, spent in seconds.items()
            if name in spent
        }
        for name in first
    }
    return {name: points for name, points in drawn.items() if len(points) > 1}


def head() -> Iterator[str]:
    """When and with what."""
    installed = ", ".join(f"{name} {_version(name)}" for name in PEERS if _version(name))
    yield f"{date.today().isoformat()}, Python {platform.python_version()}, {installed}."
    yield ""


def _version(name: str) -> str | None:
    try:
        return version("memstack-sdk" if name == "memstack" else name)
    except PackageNotFoundError:
        return None


def check() -> int:
    """The exit code: 1 where a ratio is worse, and is so again when all is measured once more."""
    before = json.loads(RATIOS.read_text("utf-8"))["tables"]
    found, _ = measured()
    print("\n".join(tables.markdown(found)))
    told = tables.worse(found, before)
    if told:
        print("once more, as chance may have done it: " + "; ".join(told), file=sys.stderr)
        again = tables.worse(measured()[0], before)
        told = {place: again[place] for place in told if place in again}
    for place, ratios in told.items():
        print(f"{place}: {ratios}", file=sys.stderr)
    return 1 if told else 0


def write() -> int:
    """The exit code: 2 where nothing can draw."""
    if not find_spec("matplotlib"):
        print("the picture needs matplotlib: pip install -e '.[bench]'", file=sys.stderr)
        return 2
    found, drawn = measured()
    lines = [*head(), *tables.markdown(found)]
    print("\n".join(lines))
    RATIOS.write_text(json.dumps({"tables": found, "drawn": drawn}, indent=1) + "\n", "utf-8")
    write_figures(PAGE, "bench", lines)
    picture.draw(drawn, PICTURE)
    return 0


if __name__ == "__main__":
    sys.exit(check() if sys.argv[1:] == ["check"] else write())
