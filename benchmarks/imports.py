"""What it costs to get ready: CPU seconds of new processes, the best of several each."""

from __future__ import annotations

import resource
import subprocess
import sys

PROGRAMS = {
    "python alone": "pass",
    "import httpx, pydantic": "import httpx, pydantic",
    "import memstack": "import memstack",
    "import, and a first client": (
        "import memstack; memstack.MemStackClient('ms_sk_x', 'https://localhost').close()"
    ),
}


def ready(rounds: int = 7) -> dict[str, float]:
    """CPU seconds of each program."""
    best = dict.fromkeys(PROGRAMS, float("inf"))
    for _ in range(rounds):
        for name, program in PROGRAMS.items():
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([sys.executable, "-c", program], check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            best[name] = min(best[name], spent)
    return best


TWO_CLIENTS = """
import time, memstack
for _ in range(2):
    started = time.process_time()
    memstack.MemStackClient('ms_sk_x', 'https://localhost').close()
    print(time.process_time() - started)
"""


def second_client(rounds: int = 7) -> float:
    """What a second client costs, over the first of the same process."""
    shares = []
    for _ in range(rounds):
        ran = subprocess.run(
            [sys.executable, "-c", TWO_CLIENTS], check=True, capture_output=True, text=True
        )
        first, second = map(float, ran.stdout.split())
        shares.append(second / first)
    return min(shares)
