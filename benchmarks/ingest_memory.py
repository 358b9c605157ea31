"""By how much a process grows while it ingests very many episodes.

Its anonymous memory is looked at every 10,000 episodes, after the first 10,000; what counts is
the most that it is above what it was then.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from memstack import MemStackAsyncClient, MemStackClient
from memstack.ingest import IngestOutcome

from .ingest_speed import KEY, items
from .server import serving

EVERY = 10_000
LIMIT = 50.0
"""MB that a run may grow by."""
AT_ONCE = 16
TRANSPORT: Any = "pyreqwest" if find_spec("pyreqwest") else "httpx"
VARIANTS = (("blocking", "file", 1_000_000), ("awaited", "none", 250_000))
"""Client, ledger and number of episodes; the second shows that the first holds for tasks too."""


def anonymous() -> float:
    """MB of memory that no file backs."""
    gc.collect()
    lines = Path("/proc/self/smaps_rollup").read_text("ascii").splitlines()[1:]
    fields = dict(line.split(":") for line in lines)
    return int(fields["Anonymous"].split()[0]) / 1024


def grown(url: str, colour: str, ledger: str | None, count: int) -> float:
    """MB that this process grew by, at most, while it ingested *count* episodes."""
    seen: list[float] = []
    numbers = itertools.count(1)

    def look(_: IngestOutcome) -> None:
        if next(numbers) % EVERY == 0:
            seen.append(anonymous())

    options: dict[str, Any] = {"concurrency": AT_ONCE, "ledger": ledger, "on_outcome": look}
    if colour == "blocking":
        with MemStackClient(KEY, url, transport=TRANSPORT) as client:
            report = client.ingest(items(count), **options)
    else:

        async def run() -> Any:
            async with MemStackAsyncClient(KEY, url, transport=TRANSPORT) as awaited:
                return await awaited.ingest(items(count), **options)

        report = asyncio.run(run())
    if report.created != count:
        raise AssertionError(report)
    return max(seen) - seen[0]


def table(found: list[float]) -> Iterator[str]:
    """The table as Markdown, a row for each client and ledger; puts their MB into *found*."""
    yield f"{AT_ONCE} at once, transport {TRANSPORT}, each in a new process."
    yield ""
    yield "| client | ledger | episodes | grew by |"
    yield "|---|---|---|---|"
    with serving() as url:
        for colour, ledger, count in VARIANTS:
            with tempfile.TemporaryDirectory() as folder:
                path = f"{folder}/run.sqlite" if ledger == "file" else ""
                command = [sys.executable, "-m", __spec__.name, url, colour, path, str(count)]
                ran = subprocess.run(command, stdout=subprocess.PIPE, check=True)
            found.append(json.loads(ran.stdout))
            kept = "a file" if path else "none"
            yield f"| {colour} | {kept} | {count:,} | {found[-1]:.1f} MB |"


def _main(url: str, colour: str, ledger: str, count: str) -> None:
    started = time.monotonic()
    print(json.dumps(grown(url, colour, ledger or None, int(count))))
    print(f"{time.monotonic() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    _main(*sys.argv[1:])
