"""`make faults`: a thousand creates of each kind through a proxy that fails, and their fate.

Writes the table in docs/reliability.md anew. The tests run a short version of it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import get_args

from ..colours import CLASSES
from ..served import serving
from .exactly_once import Kind, run
from .fault_proxy import LOST, RESET, UNAVAILABLE
from .figures import RELIABILITY, write_figures

CREATES = 1000


def table(creates: int) -> Iterator[str]:
    """The table as Markdown, a row for each kind, client and sort of server."""
    yield (
        f"{creates} creates of distinct content in each row, 8 at once; of all requests "
        f"{LOST:.0%} lose their answer, {RESET:.0%} are reset and {UNAVAILABLE:.0%} get a 503."
    )
    yield ""
    yield (
        "| creates | client | idempotency keys | faults | returned | raised, unknown "
        "| doubled | lost | untrue |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    with serving() as served:
        for kind in get_args(Kind):
            for colour in CLASSES:
                for idempotency in (True, False):
                    tally = run(served, kind, colour, creates=creates, idempotency=idempotency)
                    honoured = "honoured" if idempotency else "not known"
                    yield (
                        f"| {kind} | {colour} | {honoured} | {tally.faults} | {tally.returned} "
                        f"| {tally.raised['unknown']} | {tally.duplicates} | {tally.lost} "
                        f"| {tally.untrue} |"
                    )


if __name__ == "__main__":
    lines = []
    for line in table(int(sys.argv[1]) if len(sys.argv) > 1 else CREATES):
        print(line, flush=True)
        lines.append(line)
    write_figures(RELIABILITY, "faults", lines)
