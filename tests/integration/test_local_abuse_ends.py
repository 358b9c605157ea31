"""A database in use when the process forks, when it is closed, and when the interpreter ends."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from memstack import MemStackAsyncClient, MemStackClient, NetworkError
from memstack.local import EmbeddedServer, lifetime
from memstack.local.database import Database

from .abuse_ends import SECONDS, forked, run_exit, run_forks, status_of
from .abuse_file import held

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
# From 3.12 Python warns of a fork beside threads.
may_fork = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
# Fork


@needs_fork
@may_fork
def test_child_and_parent_go_on_with_one_file_at_once(tmp_path: Path) -> None:
    """With connections of their own; what both write is there."""
    path = tmp_path / "memory.db"
    with MemStackClient.local(path) as client:
        client.create_memo("before")

        def write() -> None:
            for n in range(10):
                client.create_memo(f"child {n}")
            client.close()

        child = forked(write)
        for n in range(10):
            client.create_memo(f"parent {n}")
        status = status_of(child)
        client.create_memo("after")

    now = held(path)
    assert status == 0
    expected = {f"{who} {n}" for who in ("child", "parent") for n in range(10)}
    assert set(now.memos) == {"before", "after", *expected}
    assert (now.memos.total(), now.faults) == (22, [])


@needs_fork
@may_fork
def test_memory_is_the_parents_alone(tmp_path: Path) -> None:
    """A child is told so at once, before anything is sent; it can have one of its own."""
    with MemStackClient.local() as client:
        client.create_memo("before")

        def use() -> None:
            for call in (client.list_memos, lambda: client.create_memo("child")):
                with pytest.raises(NetworkError, match="belongs to the process") as caught:
                    call()
                error = caught.value
                assert (error.reason, error.outcome, len(error.attempts)) == (
                    "closed",
                    "not_sent",
                    1,
                )
            client.close()
            with MemStackClient.local() as own:
                own.create_memo("own")

        status = status_of(forked(use))

        assert status == 0
        assert [memo.content for memo in client.list_memos()] == ["before"]


@needs_fork
@may_fork
@pytest.mark.parametrize("kind", ["memory", "file"])
def test_fork_beside_threads_at_work_never_hangs(tmp_path: Path, kind: str) -> None:
    """The locks within SQLite are free in the child, too."""
    own = tmp_path / "memory.db"
    path = own if kind == "file" else None

    written, statuses = run_forks(path, own, forks=8, threads=2)

    assert written > 0
    assert statuses == {0: 8}
    now = held(own)
    assert (now.memos, now.faults) == ({"child": 8}, [])


@needs_fork
@may_fork
def test_fork_waits_for_a_transaction_and_holds_up_the_next(tmp_path: Path) -> None:
    """The child sees what the transaction wrote; no thread comes in between."""
    with EmbeddedServer(tmp_path / "memory.db") as server, ThreadPoolExecutor(2) as pool:
        database = server._database
        begun, late = threading.Event(), threading.Event()

        def write() -> None:
            with database.writing() as connection:
                begun.set()
                while database._forking is None:
                    pass
                reading = pool.submit(read)
                assert not late.wait(0.05)
                connection.execute("INSERT INTO settings VALUES ('written', 'amid a fork')")
            reading.result(SECONDS)

        def read() -> None:
            with database.reading():
                late.set()

        writing = pool.submit(write)
        assert begun.wait(SECONDS)
        status = status_of(forked(lambda: check_written(database)))
        writing.result(SECONDS)

        check_written(database)
        assert late.is_set()
    assert status == 0


def check_written(database: Database) -> None:
    with database.reading() as connection:
        query = "SELECT value FROM settings WHERE name = 'written'"
        assert connection.execute(query).fetchone()[0] == "amid a fork"


@needs_fork
@may_fork
def test_fork_does_not_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for a transaction that takes too long, nor for one of the thread that forks."""
    monkeypatch.setattr(lifetime, "PATIENCE", 0.05)
    with EmbeddedServer(tmp_path / "memory.db") as server, ThreadPoolExecutor(1) as pool:
        database = server._database
        begun, done = threading.Event(), threading.Event()

        def hold() -> None:
            with database.writing():
                begun.set()
                assert done.wait(SECONDS)

        def read() -> None:
            with database.reading():
                pass

        holding = pool.submit(hold)
        assert begun.wait(SECONDS)
        beside = status_of(forked(read))
        done.set()
        holding.result()
        monkeypatch.setattr(lifetime, "PATIENCE", 1000.0)
        with database.writing():
            within = status_of(forked(read))
        with database.writing():
            pass

    assert (beside, within) == (0, 0)


# Close


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_closing_ends_the_calls_of_other_threads_at_once(tmp_path: Path, kind: str) -> None:
    """With an error that says that nothing was sent; what returned is there."""
    path = tmp_path / "memory.db"
    client = MemStackClient.local(path if kind == "file" else None)
    under_way = threading.Barrier(5)

    def write(thread: int) -> tuple[int, NetworkError]:
        n = 0
        while True:
            try:
                client.create_memo(f"{thread}-{n}")
            except NetworkError as error:
                return n, error
            n += 1
            if n == 2:
                under_way.wait(SECONDS)

    with ThreadPoolExecutor(4) as pool:
        threads = [pool.submit(write, n) for n in range(4)]
        under_way.wait(SECONDS)
        client.close()
        ended = [thread.result(SECONDS) for thread in threads]

    for _, error in ended:
        assert (error.reason, error.outcome) == ("closed", "not_sent")
        assert len(error.attempts) <= 1
    if kind == "file":
        now = held(path)
        assert set(now.memos) == {f"{t}-{n}" for t in range(4) for n in range(ended[t][0])}
        assert now.faults == []
        assert [item.name for item in tmp_path.iterdir()] == ["memory.db"]


def test_closing_beside_awaited_calls_ends_them(tmp_path: Path) -> None:
    """Each has its result, or the same error; none is lost and none hangs."""
    path = tmp_path / "memory.db"

    async def work() -> list[object]:
        client = MemStackAsyncClient.local(path)
        calls = [asyncio.create_task(client.create_memo(f"{n}")) for n in range(30)]
        await calls[0]
        await client.close()
        return await asyncio.gather(*calls, return_exceptions=True)

    ended = asyncio.run(work())

    errors = [end for end in ended if isinstance(end, BaseException)]
    assert all(isinstance(error, NetworkError) and error.reason == "closed" for error in errors)
    assert held(path).memos.total() == len(ended) - len(errors)


# The end of the interpreter


def test_only_what_nobody_uses_is_closed_at_exit(tmp_path: Path) -> None:
    """A thread at work goes on, and what is used after that is opened anew."""
    with EmbeddedServer(tmp_path / "memory.db") as server:
        database = server._database
        with database.writing() as connection:
            database.close_if_idle()
            connection.execute("INSERT INTO settings VALUES ('written', 'amid a fork')")
        database.close_if_idle()
        closed = [item.name for item in tmp_path.iterdir()]

        check_written(database)

        assert closed == ["memory.db"]


def test_interpreter_ends_beside_threads_at_work(tmp_path: Path) -> None:
    """Without a word and without waiting for them; what returned is there.

    What nobody uses is closed, and a child never closes a connection of its parent.
    """
    acknowledged, wrong = run_exit(tmp_path / "memory.db")

    assert acknowledged >= 2
    assert wrong == []
