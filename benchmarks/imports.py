"""What it costs to get ready: CPU seconds of new processes, the best of several each."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from importlib.util import find_spec

from memstack._connecting import is_of_connections

BARE = "import httpx, pydantic"
ANSWERED = {
    "httpx": """
import httpx, pydantic
class Memo(pydantic.BaseModel):
    id: str
    content: str
with httpx.Client() as client:
    Memo.model_validate_json(client.get('{url}/api/v1/memos/m1').content)
""",
    "memstack": """
import memstack
with memstack.MemStackClient('ms_sk_x', '{url}') as client:
    client.get_memo('m1')
""",
}
"""Programs of one call."""
FIRST = "memstack.MemStackClient('ms_sk_x', 'https://localhost', transport='{}').close()"
TWICE = """
import time, memstack
for _ in range(2):
    started = time.process_time()
    {}
    print(time.process_time() - started)
"""

Row = dict[str, float]


def ready(url: str, rounds: int = 9) -> dict[str, Row]:
    """By what is got ready and transport: CPU over that of importing httpx and pydantic.

    What Python itself needs to start does not count.
    """
    answered = {name: program.format(url=url) for name, program in ANSWERED.items()}
    firsts = {name: FIRST.format(transport) for name, transport in _transports().items()}
    programs = {"": "pass", BARE: BARE, "import memstack": "import memstack"}
    programs |= {f"first {name}": f"import memstack; {first}" for name, first in firsts.items()}
    programs |= answered
    best = dict.fromkeys(programs, float("inf"))
    for _ in range(rounds):
        for name, program in programs.items():
            best[name] = min(best[name], _spent(program))
    over = {name: (spent - best[""]) / (best[BARE] - best[""]) for name, spent in best.items()}
    return {
        "import memstack": {"memstack": over["import memstack"]},
        "first client ready": {name: over[f"first {name}"] for name in firsts},
        "first call answered": {name: over[name] for name in answered},
        "a second client, over the first": {
            name: _second_over_first(first, rounds) for name, first in firsts.items()
        },
    }


def _transports() -> dict[str, str]:
    both = {"memstack": "httpx", "memstack, pyreqwest": "pyreqwest"}
    return {name: transport for name, transport in both.items() if find_spec(transport)}


def _spent(program: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", program], check=True, env=plain_environment())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def plain_environment() -> dict[str, str]:
    """That of this process, without what says how to connect: there a client begins to at once."""
    return {name: value for name, value in os.environ.items() if not is_of_connections(name)}


def _second_over_first(make: str, rounds: int) -> float:
    command = [sys.executable, "-c", TWICE.format(make)]
    ran = [subprocess.run(command, check=True, stdout=subprocess.PIPE) for _ in range(rounds)]
    pairs = [[float(seconds) for seconds in run.stdout.split()] for run in ran]
    return min(second for _, second in pairs) / min(first for first, _ in pairs)
