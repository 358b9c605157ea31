"""Processes of several threads each that write to one file and search it, all at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from memstack import MemStackClient, MemStackError

from .abuse_file import processes


@dataclass
class Work:
    """What was done, and what is to be in the file after it."""

    writes: int = 0
    """Those that returned."""
    searches: int = 0
    episodes: Counter[str] = field(default_factory=Counter)
    memos: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)

    def add(self, other: Work) -> None:
        self.writes += other.writes
        self.searches += other.searches
        self.episodes += other.episodes
        self.memos += other.memos
        self.errors += other.errors


def run_crowd(path: Path, *, count: int, threads: int, rounds: int) -> Work:
    """What *count* processes did, which began at the same moment."""
    context = processes()
    total = Work()
    pipes: list[Connection] = []
    workers = []
    for process in range(count):
        here, there = context.Pipe()
        worker = context.Process(target=crowd, args=(str(path), process, threads, rounds, there))
        worker.start()
        there.close()
        pipes.append(here)
        workers.append(worker)
    for pipe in pipes:
        assert pipe.recv() == "ready"
    for pipe in pipes:
        pipe.send("go")
    for pipe, worker in zip(pipes, workers, strict=True):
        total.add(pipe.recv())
        worker.join()
        pipe.close()
    return total


def crowd(path: str, process: int, threads: int, rounds: int, pipe: Connection) -> None:
    """The work of one process."""
    pipe.send("ready")
    pipe.recv()
    total = Work()
    with MemStackClient.local(path) as patient, ThreadPoolExecutor(threads) as pool:
        client = patient.with_options(max_retries=0)  # So that no failure is hidden.
        for work in pool.map(lambda n: _thread(client, f"{process}-{n}", rounds), range(threads)):
            total.add(work)
    pipe.send(total)


def _thread(client: MemStackClient, who: str, rounds: int) -> Work:
    work = Work()

    def write(method: Callable[..., Any], *arguments: str | None) -> Any:
        try:
            result = method(*arguments)
        except MemStackError as error:
            work.errors[f"{type(error).__name__}: {error.message[:60]}"] += 1
            return None
        work.writes += 1
        return result

    for n in range(rounds):
        name = f"{who}-{n}"
        write(client.create_episode, name, f"hiking {name}", "text", None, "g")
        memo = write(client.create_memo, f"new {name}")
        write(client.update_memo, memo.id, f"old {name}")
        if n % 3 == 0:
            write(client.delete_episode, name)
        else:
            work.episodes[name] += 1
        if n % 3 == 1:
            write(client.delete_memo, memo.id)
        else:
            work.memos[f"old {name}"] += 1
        found = client.search_memory(name, limit=3)
        work.searches += 1
        if (name in {row.metadata["name"] for row in found.results}) != (n % 3 != 0):
            work.errors["a search that does not see what was written before it"] += 1
    return work
