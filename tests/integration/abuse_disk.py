"""Writes to a small disk until it is full, and again when there is space.

Run as a program it is given the folder, which `full_disk` has put a small disk of its own at.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from memstack import MemStackClient, MemStackError

from .abuse_file import held

SIZE = 10_000_000
"""Bytes of the disk."""
BALLAST = 5_000_000
"""Bytes that are given back when it is full; more than the write-ahead log has, about 4 MB, which
SQLite copies into the file before it uses the log anew."""

# As root of a namespace of its own any user may mount a disk, which ends with the process.
_MOUNT = (
    'mount -t tmpfs -o size="$0" memstack "$1" && shift && exec "$@"',
    str(SIZE),
)


@dataclass
class Filled:
    """What became of a number of disks that were filled."""

    disks: int = 0
    acknowledged: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """Writes by the error that they raised."""
    wrong: int = 0
    """Files that had a write too many, too few or half done."""
    faults: list[str] = field(default_factory=list)
    openings: list[str] = field(default_factory=list)
    """What is raised where a file that is there, and a new one, is opened on a full disk."""


def full_disk(folder: Path, disks: int) -> Filled | None:
    """What became of *disks* disks mounted at *folder*; None where this system mounts none."""
    program = [sys.executable, "-m", __name__, str(folder), str(disks)]
    mount = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", *_MOUNT, str(folder)]
    try:
        probe = subprocess.run([*mount, "true"], capture_output=True)
    except FileNotFoundError:
        return None
    if probe.returncode != 0:
        return None
    done = subprocess.run([*mount, *program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    return Filled(**{**told, "refused": Counter(told["refused"])})


def fill(folder: Path, disks: int) -> Filled:
    """What became of the one disk at *folder*, filled *disks* times."""
    total = Filled()
    for disk in range(disks):
        lots = random.Random(disk)
        path = folder / f"{disk}.db"
        ballast = folder / "ballast"
        ballast.write_bytes(bytes(BALLAST))
        expected: Counter[str] = Counter()

        def write(client: MemStackClient, number: int, size: int, told: Counter[str]) -> bool:
            try:
                client.create_episode(f"e{number}", f"hiking {number} {'x' * size}", group_id="g")
            except MemStackError as error:
                sent_once = "once" if len(error.attempts) == 1 else "again"
                kind = f"{type(error).__name__} {getattr(error, 'status_code', '')} {sent_once}"
                total.refused[kind] += 1
                return False
            total.acknowledged += 1
            told[f"e{number}"] += 1
            return True

        with MemStackClient.local(path) as client:
            number = 0
            while write(client, number, lots.randrange(100_000), expected):
                number += 1
            for more in range(5):  # A small one may still fit.
                write(client, number + 1 + more, 1, expected)
            try:
                client.search_memory("hiking", limit=1)
            except MemStackError as error:
                total.refused[f"search: {type(error).__name__}"] += 1
            ballast.unlink()
            for more in range(10):
                if not write(client, number + 10 + more, 1, expected):
                    total.faults.append("a write is refused though there is space again")
        now = held(path)
        total.disks += 1
        total.wrong += now.episodes != expected
        total.faults += now.faults
        path.unlink()
    return total


def openings(folder: Path) -> list[str]:
    """What the opening of an old and of a new file raises while the disk at *folder* is full."""
    told = []
    old, new, ballast = folder / "old.db", folder / "new.db", folder / "ballast"
    with MemStackClient.local(old) as client:
        client.create_memo("kept")
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass
    for path in (old, new):
        try:
            MemStackClient.local(path).close()
        except MemStackError as error:
            told.append(f"{type(error).__name__}: {error.message}")
    ballast.unlink()
    with MemStackClient.local(old) as client, MemStackClient.local(new) as other:
        assert [memo.content for memo in client.list_memos()] == ["kept"]
        assert other.list_memos() == []
    return told


if __name__ == "__main__":
    place = Path(sys.argv[1])
    filled = fill(place, int(sys.argv[2]))
    filled.openings = openings(place)
    print(json.dumps(vars(filled)))
