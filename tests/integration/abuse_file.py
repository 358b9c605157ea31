"""What a file holds after the abuse, found without the client, and processes to abuse it with."""

from __future__ import annotations

import multiprocessing
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from memstack.local.text import index_text

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext


def processes() -> ForkServerContext | SpawnContext:
    """Starts processes that share nothing with this one; quickly, where the system can."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", "memstack.local", __name__])
    return context


@dataclass
class Held:
    """How often each name of an episode and each text of a memo is in a file."""

    episodes: Counter[str] = field(default_factory=Counter)
    memos: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    """What SQLite, or a comparison of the episodes with their index, finds wrong."""


def held(path: Path) -> Held:
    """What *path* holds."""
    with closing(sqlite3.connect(path)) as db:
        faults = [row[0] for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]
        if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
            return Held(faults=faults)  # Whoever was to make the tables did not get that far.
        try:
            db.execute("INSERT INTO episode_words(episode_words) VALUES ('integrity-check')")
        except sqlite3.DatabaseError as error:
            faults.append(f"index: {error}")
        indexed = dict(db.execute("SELECT rowid, content FROM episode_words"))
        stored = dict(db.execute("SELECT seq, content FROM episodes"))
        if indexed != {seq: index_text(content) for seq, content in stored.items()}:
            faults.append("an episode and its index differ")
        return Held(
            Counter(row[0] for row in db.execute("SELECT name FROM episodes")),
            Counter(row[0] for row in db.execute("SELECT content FROM memos")),
            faults,
        )
