"""What it costs to get ready: CPU seconds of new processes, the best of several each."""

from __future__ import annotations

import resource
import subprocess
import sys
from importlib.util import find_spec

BARE = "import httpx, pydantic"
FIRST = "memstack.MemStackClient('ms_sk_x', 'https://localhost', transport='{}').close()"
TWICE = """
import time, memstack
for _ in range(2):
    started = time.process_time()
    {}
    print(time.process_time() - started)
"""

Row = dict[str, float]


def ready(rounds: int = 9) -> dict[str, Row]:
    """By what is got ready and transport: CPU over that of importing httpx and pydantic.

    What Python itself needs to start does not count.
    """
    firsts = {name: FIRST.format(transport) for name, transport in _transports().items()}
    programs = {"": "pass", BARE: BARE, "import memstack": "import memstack"}
    programs |= {name: f"import memstack; {first}" for name, first in firsts.items()}
    best = dict.fromkeys(programs, float("inf"))
    for _ in range(rounds):
        for name, program in programs.items():
            best[name] = min(best[name], _spent(program))
    over = {name: (spent - best[""]) / (best[BARE] - best[""]) for name, spent in best.items()}
    return {
        "import memstack": {"memstack": over["import memstack"]},
        "first client ready": {name: over[name] for name in firsts},
        "a second client, over the first": {
            name: _second_over_first(first, rounds) for name, first in firsts.items()
        },
    }


def _transports() -> dict[str, str]:
    both = {"memstack": "httpx", "memstack, pyreqwest": "pyreqwest"}
    return {name: transport for name, transport in both.items() if find_spec(transport)}


def _spent(program: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", program], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _second_over_first(make: str, rounds: int) -> float:
    command = [sys.executable, "-c", TWICE.format(make)]
    ran = [subprocess.run(command, check=True, stdout=subprocess.PIPE) for _ in range(rounds)]
    pairs = [[float(seconds) for seconds in run.stdout.split()] for run in ran]
    return min(second for _, second in pairs) / min(first for first, _ in pairs)
