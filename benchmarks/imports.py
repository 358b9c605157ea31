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
    "import, and two clients": (
        "import memstack\n"
        "for _ in range(2): memstack.MemStackClient('ms_sk_x', 'https://localhost').close()"
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
