"""`make faults`: a thousand creates of each kind through a proxy that fails, and their fate.

Writes the table in docs/reliability.md anew. The tests run a short version of it.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import product, repeat
from typing import get_args

from ..colours import Colour
from ..served import serving
from .exactly_once import AT_ONCE, Kind, run
from .fault_proxy import LOST, RESET, UNAVAILABLE
from .figures import RELIABILITY, write_figures

CREATES = 1000


def table(creates: int) -> Iterator[str]:
    """The table as Markdown, a row for each kind, client and sort of server."""
    yield (
        f"{creates} creates of distinct content in each row, {AT_ONCE} at once; of all requests "
        f"{LOST:.0%} lose their answer, {RESET:.0%} are reset and {UNAVAILABLE:.0%} get a 503."
    )
    yield ""
    yield (
        "| creates | client | idempotency keys | faults | returned | raised, unknown "
        "| doubled | lost | untrue |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    cases = product(get_args(Kind), get_args(Colour), (True, False))
    # Two at once, each with a server of its own: little of it is waiting.
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(row, repeat(creates), *zip(*cases, strict=True))


def row(creates: int, kind: Kind, colour: Colour, idempotency: bool) -> str:
    """What became of so many creates."""
    with serving() as served:
        tally = run(served, kind, colour, creates=creates, idempotency=idempotency)
    honoured = "honoured" if idempotency else "not known"
    return (
        f"| {kind} | {colour} | {honoured} | {tally.faults} | {tally.returned} "
        f"| {tally.raised['unknown']} | {tally.duplicates} | {tally.lost} | {tally.untrue} |"
    )


if __name__ == "__main__":
    lines = []
    for line in table(int(sys.argv[1]) if len(sys.argv) > 1 else CREATES):
        print(line, flush=True)
        lines.append(line)
    write_figures(RELIABILITY, "faults", lines)
