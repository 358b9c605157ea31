"""The embedded database with many users, killed, full, damaged, forked and ended.

Writes the table in docs/reliability.md anew. The tests run a short version of most of it.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from .abuse_crowd import run_crowd
from .abuse_damage import run_damage
from .abuse_disk import full_disk
from .abuse_ends import run_exit, run_forks
from .abuse_file import held
from .abuse_kills import run_kills
from .figures import RELIABILITY, write_figures

CROWDS, KILLS, DISKS, FILES, FORKS, EXITS = 5, 200, 20, 500, 300, 40


def table(folder: Path, share: float) -> Iterator[str]:
    """The table as Markdown, a row for each abuse, with *share* of the usual times."""

    def times(number: int) -> int:
        return max(1, round(number * share))

    yield (
        f"Found with Python {sys.version.split()[0]} and SQLite {sqlite3.sqlite_version}, "
        f"on {sys.platform}."
    )
    yield ""
    yield "| abuse | times | acknowledged writes | wrong | what else there was |"
    yield "|---|---|---|---|---|"
    yield _crowds(folder, times(CROWDS))
    yield _kills(folder / "killed.db", times(KILLS), bystander=False)
    yield _kills(folder / "watched.db", times(KILLS), bystander=True)
    yield _disks(folder / "disk", times(DISKS))
    yield _damage(folder / "damage", times(FILES))
    if hasattr(os, "fork"):
        yield _forks(folder, "file", times(FORKS))
        yield _forks(folder, "memory", times(FORKS))
    yield _exits(folder, times(EXITS))


def _row(abuse: str, times: int, acknowledged: int | str, wrong: int, *others: str) -> str:
    return f"| {abuse} | {times} | {acknowledged} | {wrong} | {', '.join(others)} |"


def _shown(counted: Counter[str]) -> list[str]:
    return [f"{count} {what}" for what, count in counted.most_common()]


def _crowds(folder: Path, crowds: int) -> str:
    writes = searches = wrong = 0
    errors: Counter[str] = Counter()
    for crowd in range(crowds):
        path = folder / f"crowd-{crowd}.db"
        work, now = run_crowd(path, count=4, threads=8, rounds=20), held(path)
        writes += work.writes
        searches += work.searches
        errors += work.errors
        errors.update(now.faults)
        wrong += (now.episodes, now.memos) != (work.episodes, work.memos)
    abuse = "4 processes of 8 threads write and search"
    wrong += errors.total()
    return _row(abuse, crowds, writes, wrong, f"{searches} searches", *_shown(errors))


def _kills(path: Path, kills: int, *, bystander: bool) -> str:
    fate = run_kills(path, kills, bystander=bystander, look_every=2)
    abuse = "`kill -9` of a process that writes" + (", beside another" if bystander else "")
    return _row(
        abuse,
        kills,
        fate.acknowledged,
        fate.wrong + fate.faults.total(),
        f"{fate.amid} amid a write",
        f"{fate.opening} while it opened the file",
        f"{fate.applied} of {fate.looks} looks found the write that was not acknowledged",
        *_shown(fate.faults),
    )


def _disks(folder: Path, disks: int) -> str:
    folder.mkdir()
    filled = full_disk(folder, disks)
    if filled is None:
        return _row("a disk that is full", 0, "", 0, "this system lets no user mount a disk")
    return _row(
        "a disk that is full",
        disks,
        filled.acknowledged,
        filled.wrong + len(filled.faults),
        *_shown(filled.refused),
        *filled.faults,
    )


def _damage(folder: Path, files: int) -> str:
    folder.mkdir()
    told = run_damage(folder, files)
    known = told["refused"] + told["told at use"] + told["not noticed"]
    return _row("a file with damaged pages", files, "", files - known, *_shown(told))


def _forks(folder: Path, kind: str, forks: int) -> str:
    path = folder / "forked.db" if kind == "file" else None
    own = folder / f"children-{kind}.db"
    writes, statuses = run_forks(path, path or own, forks=forks, threads=4)
    now = held(path or own)
    wrong = forks - statuses[0] + (now.memos["child"] != forks) + len(now.faults)
    return _row(f"a fork beside 4 threads that write to a {kind}", forks, writes + forks, wrong)


def _exits(folder: Path, exits: int) -> str:
    ended = [run_exit(folder / f"exit-{n}.db") for n in range(exits)]
    wrong: Counter[str] = Counter(text for _, texts in ended for text in texts)
    abuse = "the interpreter ends beside threads at work"
    writes = sum(acknowledged for acknowledged, _ in ended)
    return _row(abuse, exits, writes, wrong.total(), *_shown(wrong))


if __name__ == "__main__":
    logging.disable()  # Each refusal is logged.
    warnings.simplefilter("ignore", DeprecationWarning)  # Of forks beside threads.
    lines = []
    with TemporaryDirectory() as place:
        for line in table(Path(place), float(sys.argv[1]) if len(sys.argv) > 1 else 1.0):
            print(line, flush=True)
            lines.append(line)
    write_figures(RELIABILITY, "abuse", lines)
