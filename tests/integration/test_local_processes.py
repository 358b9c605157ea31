"""Several processes and threads that use one file of the embedded server at once."""

from __future__ import annotations

import json
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest

from memstack._wire import WireRequest, WireResponse
from memstack.local import EmbeddedServer

from .abuse_file import held, processes

MEMOS = "/api/v1/memos"
EPISODES = "/api/v1/episodes/"
KEYS = "/api/v1/auth/keys"

PROCESSES = 4
THREADS = 3
WRITES = 10


def send(
    server: EmbeddedServer, method: str, target: str, body: object = None, **headers: str
) -> WireResponse:
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    headers["authorization"] = f"Bearer {server.owner_key}"
    sent = None if body is None else json.dumps(body).encode()
    return server.handle(WireRequest(method, target, headers, sent, None))


def told(response: WireResponse) -> Any:
    assert response.status in (200, 202), response.body
    return json.loads(response.body)


def write_many(path: str, process: int, barrier: Barrier) -> None:
    """Open *path* at the same moment as the others, then write from several threads."""
    barrier.wait(20)
    with EmbeddedServer(path) as server, ThreadPoolExecutor(THREADS) as pool:

        def write(thread: int) -> None:
            for i in range(WRITES):
                name = f"{process}-{thread}-{i}"
                body = {"name": name, "content": f"writing {name}", "group_id": "g"}
                told(send(server, "POST", EPISODES, body))

        list(pool.map(write, range(THREADS)))


def write_once(path: str, process: int, barrier: Barrier) -> None:
    """Send the one creation that all others send too, from several threads."""
    barrier.wait(20)
    with EmbeddedServer(path) as server, ThreadPoolExecutor(THREADS) as pool:

        def write(_: int) -> Any:
            body = {"name": "k", "permissions": ["read"]}
            return told(send(server, "POST", KEYS, body, Idempotency_Key="one"))

        answers = list(pool.map(write, range(THREADS)))
        Path(f"{path}.{process}").write_text(json.dumps(answers))


def run(target: Any, path: Path) -> None:
    context = processes()
    barrier = context.Barrier(PROCESSES)
    workers = [
        context.Process(target=target, args=(str(path), i, barrier)) for i in range(PROCESSES)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert [worker.exitcode for worker in workers] == [0] * PROCESSES


def test_processes_and_threads_lose_and_double_nothing(tmp_path: Path) -> None:
    """Four processes make one new file together; all that they write is there once."""
    path = tmp_path / "memory.db"

    run(write_many, path)

    expected = {
        f"{process}-{thread}-{i}"
        for process in range(PROCESSES)
        for thread in range(THREADS)
        for i in range(WRITES)
    }
    with EmbeddedServer(path) as server:
        page = told(send(server, "GET", EPISODES + "?limit=200"))
        found = told(send(server, "POST", "/api/v1/memory/search", {"query": "writing"}))
    assert Counter(episode["name"] for episode in page["episodes"]) == Counter(expected)
    assert found["total"] == 10
    assert held(path).faults == []


def test_same_idempotency_key_from_several_processes_stores_one(tmp_path: Path) -> None:
    """One of them makes the key, and all get the same answer, the key itself included."""
    path = tmp_path / "memory.db"

    run(write_once, path)

    answers = [
        answer
        for process in range(PROCESSES)
        for answer in json.loads(Path(f"{path}.{process}").read_text())
    ]
    assert len(answers) == PROCESSES * THREADS
    assert all(answer == answers[0] for answer in answers)
    with EmbeddedServer(path) as server:
        assert len(told(send(server, "GET", KEYS))) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="a file in use cannot be deleted there")
def test_last_process_leaves_one_file(tmp_path: Path) -> None:
    """Closing the last connection folds the write-ahead log into the file."""
    path = tmp_path / "memory.db"
    with EmbeddedServer(path) as one, EmbeddedServer(path) as two:
        told(send(one, "POST", MEMOS, {"content": "x"}))
        assert len(told(send(two, "GET", MEMOS))) == 1

    assert [item.name for item in tmp_path.iterdir()] == ["memory.db"]
