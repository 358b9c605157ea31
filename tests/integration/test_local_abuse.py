"""Many processes at one file, and processes that are killed; `abuse` does the same for longer."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from .abuse_crowd import run_crowd
from .abuse_disk import full_disk
from .abuse_file import held
from .abuse_kills import run_kills


def test_every_acknowledged_write_of_a_crowd_is_there_once(tmp_path: Path) -> None:
    """Two processes of two threads; nothing fails, and a search sees what was written before it."""
    path = tmp_path / "memory.db"

    work = run_crowd(path, count=2, threads=2, rounds=6)
    now = held(path)

    assert work.errors == Counter()
    assert (work.writes, work.searches) == (2 * 2 * (6 * 3 + 4), 2 * 2 * 6)
    assert (now.episodes, now.memos) == (work.episodes, work.memos)
    assert now.faults == []


@pytest.mark.parametrize(("kills", "bystander", "look_every"), [(10, False, 1), (6, True, 2)])
def test_a_killed_process_loses_nothing_that_was_acknowledged(
    tmp_path: Path, kills: int, bystander: bool, look_every: int
) -> None:
    """The write that it was at is there whole or not at all, and once when it is sent again."""
    fate = run_kills(tmp_path / "memory.db", kills, bystander=bystander, look_every=look_every)

    assert (fate.kills, fate.wrong, fate.faults) == (kills, 0, Counter())
    assert fate.acknowledged > 0


def test_a_full_disk_is_told_and_survived(tmp_path: Path) -> None:
    """What is refused is not there, is not tried again, and fits when there is space."""
    filled = full_disk(tmp_path, 1)
    if filled is None:
        pytest.skip("this system lets no user mount a disk")

    assert set(filled.refused) == {"ServerError 507 once"}
    assert filled.acknowledged > 10
    assert (filled.wrong, filled.faults) == (0, [])
    assert len(filled.openings) == 2
    for told in filled.openings:
        assert told.startswith("MemStackError: path: ")
        assert "cannot be written" in told
        assert "free some space" in told
