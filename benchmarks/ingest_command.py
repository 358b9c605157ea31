"""What a kill in the middle does to `memstack ingest` of a long file.

The command and `memstack serve` run in processes of their own, on loopback. The command is killed
with SIGKILL once the server has half of the lines, and then run to its end, and once more.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.served import serving

_LOOK_EVERY = 0.3


def table(lines: int, wrong: list[str]) -> Iterator[str]:
    """The table as Markdown; puts what is not as promised into *wrong*."""
    yield f"`memstack ingest` of {lines:,} lines, as a user starts it."
    yield ""
    yield "| run | exit code | created | duplicate | stored then | doubled | peak memory |"
    yield "|---|---|---|---|---|---|---|"
    with tempfile.TemporaryDirectory() as name, serving("--db", f"{name}/db") as served:
        folder = Path(name)
        with (folder / "in.jsonl").open("w", encoding="utf-8") as file:
            for n in range(lines):
                item = {"name": f"e{n}", "content": f"Alice on hike {n}.", "group_id": f"g{n % 50}"}
                file.write(json.dumps(item) + "\n")
        environment = {**os.environ, **served.environment}
        for run, kill_at in (("killed", lines // 2), ("again", None), ("once more", None)):
            code, told, peak = _ran(folder, environment, kill_at)
            stored, distinct = _counts(folder)
            created, duplicate = told.get("created", "-"), told.get("duplicate", "-")
            row = (
                f"| {run} | {code} | {created} | {duplicate} | {stored} | {stored - distinct} "
                f"| {peak:.0f} MB |"
            )
            if kill_at is not None:
                is_kept = code == -9 and kill_at <= stored == distinct < lines
            else:
                is_kept = (code, stored, distinct) == (0, lines, lines) and told["is_whole"]
            if not is_kept:
                wrong.append(row)
            yield row


def _ran(
    folder: Path, environment: dict[str, str], kill_at: int | None
) -> tuple[int, dict[str, Any], float]:
    """Exit code, report, and MB of peak memory of one run."""
    program = Path(sysconfig.get_path("scripts"), "memstack")
    command = [str(program), "ingest", "in.jsonl", "--ledger", "run.sqlite", "--json"]
    peak = 0.0
    with (
        (folder / "out").open("wb") as out,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=out) as process,
    ):
        while process.poll() is None:
            peak = max(peak, _peak(process.pid))
            if kill_at is not None and _counts(folder)[0] >= kill_at:
                process.kill()
            time.sleep(_LOOK_EVERY)
    told = (folder / "out").read_bytes()
    return process.returncode, json.loads(told) if told else {}, peak


def _peak(pid: int) -> float:
    """MB that the process *pid* had at most; 0 once it has ended."""
    # Not ru_maxrss, which begins with that of the process that started it.
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def _counts(folder: Path) -> tuple[int, int]:
    """Episodes that the server has, and different names among them."""
    with closing(sqlite3.connect(folder / "db", timeout=10)) as db:
        query = "SELECT count(*), count(DISTINCT name) FROM episodes"
        stored, distinct = db.execute(query).fetchone()
    return stored, distinct
