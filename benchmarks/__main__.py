"""`make bench`: what calls cost beside bare httpx and peers, written to docs/performance.md.

`python -m benchmarks check` compares the ratios with those in ratios.json, which `make bench`
writes, and fails where one is a quarter worse.
"""

from __future__ import annotations

import asyncio
import json
import platform
import sys
from collections.abc import Iterator
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from . import calls, imports
from .requests import CASES
from .server import serving

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
RATIOS = Path(__file__).with_name("ratios.json")
BEGIN, END = "<!-- bench -->\n", "<!-- end of bench -->\n"
WORSE = 1.25
PEERS = ("memstack", "httpx", "pydantic", "aiohttp", "openai", "pyreqwest")

Table = dict[str, dict[str, float]]
"""By row and column, CPU seconds of a call over those of bare httpx in the same turns."""


def blocking(url: str) -> Table:
    """One call after the other."""
    table: Table = {}
    for case in CASES:
        seconds = calls.blocking(url, case)
        table[case] = {name: spent / seconds["httpx"] for name, spent in seconds.items()}
    return table


def awaited(url: str) -> Table:
    """So many get_memo at once; against the better of two ways to set httpx."""
    table: Table = {}
    for at_once in calls.AT_ONCE:
        seconds = asyncio.run(calls.awaited(url, at_once))
        bare = min(seconds["httpx"], seconds["httpx, all kept alive"])
        table[f"{at_once} at once"] = {name: spent / bare for name, spent in seconds.items()}
    return table


def ready() -> Table:
    """Imports and first clients, over importing httpx and pydantic."""
    seconds = imports.ready()
    idle = seconds["python alone"]
    bare = seconds["import httpx, pydantic"] - idle
    first = seconds["import, and a first client"] - idle
    return {
        "import memstack": {"memstack": (seconds["import memstack"] - idle) / bare},
        "import, and a first client": {"memstack": first / bare},
        "a second client, over the first": {"memstack": imports.second_client()},
    }


def lines(tables: dict[str, Table]) -> Iterator[str]:
    """The tables as Markdown."""
    installed = ", ".join(f"{name} {_version(name)}" for name in PEERS if _version(name))
    yield f"{date.today().isoformat()}, Python {platform.python_version()}, {installed}."
    for title, table in tables.items():
        columns = list(dict.fromkeys(name for row in table.values() for name in row))
        yield ""
        yield f"| {title} | {' | '.join(columns)} |"
        yield "|---" * (len(columns) + 1) + "|"
        for name, row in table.items():
            cells = (f"{row[column]:.2f}" if column in row else "" for column in columns)
            yield f"| {name} | {' | '.join(cells)} |"


def worse(now: dict[str, Table], before: dict[str, Table]) -> Iterator[str]:
    """Each ratio of this client that is a quarter worse than it was."""
    for title, table in now.items():
        for row, ratios in table.items():
            was = before.get(title, {}).get(row, {}).get("memstack")
            if was is not None and ratios["memstack"] > was * WORSE:
                yield f"{title}, {row}: {ratios['memstack']:.2f}, was {was:.2f}"


def _version(name: str) -> str | None:
    try:
        return version("memstack-sdk" if name == "memstack" else name)
    except PackageNotFoundError:
        return None


def main(arguments: list[str]) -> int:
    with serving() as url:
        tables = {
            "one call after the other": blocking(url),
            "get_memo, awaited": awaited(url),
            "getting ready": ready(),
        }
    text = "\n".join(lines(tables)) + "\n"
    print(text)
    if arguments == ["check"]:
        found = list(worse(tables, json.loads(RATIOS.read_text("utf-8"))))
        print("\n".join(found), file=sys.stderr)
        return 1 if found else 0
    RATIOS.write_text(json.dumps(tables, indent=1) + "\n", "utf-8")
    before, rest = PAGE.read_text("utf-8").split(BEGIN)
    PAGE.write_text(before + BEGIN + text + END + rest.split(END)[1], "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
