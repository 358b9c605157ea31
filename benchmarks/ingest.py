"""`make ingest-figures`: what a bulk ingest costs, how much it grows, and what kills do to it.

It takes about a quarter of an hour on two processors.

Writes the tables in docs/ingest.md anew; fails where one shows less than is promised there.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.colours import Colour
from tests.integration.figures import write_figures
from tests.integration.ingest_kills import run_kills

from . import ingest_command, ingest_memory, ingest_speed

PAGE = Path(__file__).parents[1] / "docs" / "ingest.md"
KILLS = 20
ITEMS = 1000
LINES = 100_000
COLOURS: tuple[Colour, ...] = ("sync", "async")


def kills(count: int, items: int, wrong: list[str]) -> Iterator[str]:
    """The table as Markdown; puts what is not stored once into *wrong*."""
    yield "| idempotency keys | client | items | kills | stored | doubled | by a run more |"
    yield "|---|---|---|---|---|---|---|"
    for idempotency in (True, False):
        for colour in COLOURS:
            with tempfile.TemporaryDirectory() as folder:
                fate = run_kills(Path(folder), count, items, colour=colour, idempotency=idempotency)
            told = "honoured" if idempotency else "not known"
            row = (
                f"| {told} | {colour} | {fate.items} | {fate.kills} | {fate.stored} "
                f"| {fate.doubled} | {fate.again} |"
            )
            if (fate.stored, fate.doubled, fate.again) != (items, 0, 0):
                wrong.append(row)
            yield row


def write(name: str, lines: Iterable[str]) -> None:
    """Print *lines*, and put them into the page."""
    found = []
    for line in lines:
        print(line, flush=True)
        found.append(line)
    write_figures(PAGE, name, found)


def main() -> int:
    """The exit code: 1 if a promise is not kept."""
    wrong: list[str] = []
    grown: list[float] = []
    write("throughput", ingest_speed.table(1000, 24, wrong))
    write("kills", kills(KILLS, ITEMS, wrong))
    with ThreadPoolExecutor(1) as pool:  # what is not timed may run beside each other
        command = pool.submit(lambda: list(ingest_command.table(LINES, wrong)))
        write("growth", ingest_memory.table(grown))
        write("command", command.result())
    wrong += [f"grew by {size:.1f} MB" for size in grown if size > ingest_memory.LIMIT]
    print("\n".join(wrong), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
