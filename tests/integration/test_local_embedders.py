"""Embedders of several processes that use one file of the embedded MemStack at once."""

from __future__ import annotations

import threading
from multiprocessing.synchronize import Barrier
from pathlib import Path

from memstack import MemStackClient
from memstack.local import stats

from ..toy_embedder import meanings
from .abuse_file import held, processes
from .forking import NEEDS_FORK, in_a_child

pytestmark = NEEDS_FORK

PROCESSES = 3
EPISODES = 60


def work(path: str, process: int, barrier: Barrier) -> None:
    """Store, search and delete, at the same time as the others."""
    barrier.wait(20)
    with MemStackClient.local(path, embedder=meanings, embedding_model="toy") as client:
        for number in range(EPISODES):
            client.create_episode(f"{process}-{number}", f"a kitten of {process}", tenant_id="t")
            if number % 10 == 0:
                assert client.search_memory("feline", tenant_id="t", limit=5).total > 0
            if number % 15 == 0:
                client.delete_episode(f"{process}-{number}")


def test_processes_that_embed_one_file_leave_no_gap(tmp_path: Path) -> None:
    """Each fills in what is missing, whoever stored it; afterwards all have a vector."""
    path = tmp_path / "m.db"
    context = processes()
    barrier = context.Barrier(PROCESSES)
    workers = [context.Process(target=work, args=(str(path), i, barrier)) for i in range(PROCESSES)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * PROCESSES

    with MemStackClient.local(path, embedder=meanings, embedding_model="toy") as client:
        assert client.search_memory("feline", limit=100).total == 100
    found = stats(path)
    assert found.vectors == found.episodes.rows == PROCESSES * EPISODES * 14 // 15
    assert held(path).faults == []


def test_fork_while_a_model_works_hangs_nobody(tmp_path: Path) -> None:
    """The child has a lock of its own: the thread that holds the parent's is not in it."""
    begun, go_on = threading.Event(), threading.Event()

    def slow(texts: list[str]) -> list[list[float]]:
        if not begun.is_set():
            begun.set()
            assert go_on.wait(20)
        return meanings(texts)

    path = tmp_path / "m.db"
    with MemStackClient.local(path, embedder=slow, embedding_model="toy") as client:
        client.create_episode("pet", "a kitten")
        found: list[int] = []
        thread = threading.Thread(target=lambda: found.append(client.search_memory("feline").total))
        thread.start()
        assert begun.wait(20)
        in_child = in_a_child(lambda: client.search_memory("feline").total)
        go_on.set()
        thread.join(20)

    assert (in_child, found) == (1, [1])
