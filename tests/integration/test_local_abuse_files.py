"""Files that are full, read-only or gone: each is told, and nothing is half done."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from memstack import MemStackClient, MemStackError, ServerError, ValidationError
from memstack.local import LocalTransport

from .abuse_file import held, processes


def database_of(client: MemStackClient) -> sqlite3.Connection:
    """This thread's own connection."""
    transport = client._transport
    assert isinstance(transport, LocalTransport)
    return transport.server._database._connection()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with a memo."""
    path = tmp_path / "memory.db"
    with MemStackClient.local(path) as client:
        client.create_memo("first")
    return path


# Full


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_a_write_that_finds_no_space_is_refused_once(path: Path, kind: str) -> None:
    """507, sent once, and undone as a whole; it works when there is space."""
    with MemStackClient.local(path if kind == "file" else None) as client:
        client.create_memo("before")
        database = database_of(client)
        (pages,) = database.execute("PRAGMA page_count").fetchone()
        database.execute(f"PRAGMA max_page_count = {pages + 2}")

        with pytest.raises(ServerError, match=r"disk is full.*free some space") as caught:
            client.create_episode("new", "word " * 5000, group_id="g")
        database.execute("PRAGMA max_page_count = 1000000")

        assert (caught.value.status_code, caught.value.outcome) == (507, "rejected")
        assert len(caught.value.attempts) == 1
        assert "new" not in [episode.name for episode in client.list_episodes().episodes]
        assert client.search_memory("word").results == []
        client.create_episode("new", "word " * 5000, group_id="g")
        assert client.search_memory("word").results[0].metadata["name"] == "new"
    assert kind == "memory" or held(path).faults == []


def write_beyond_limit(path: str, pipe: Connection) -> None:
    """Write to *path* with a limit on the size of files, then without."""
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    told: list[object] = []
    with MemStackClient.local(path) as client:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, most))
        try:
            for n in range(1000):
                client.create_memo(f"{n} " * 1000)
        except MemStackError as error:
            told = [type(error).__name__, error.message, len(error.attempts), n]
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        client.create_memo("after")
    pipe.send(told)


@pytest.mark.skipif(sys.platform == "win32", reason="files have no such limit there")
def test_a_write_that_the_system_stops_is_told(path: Path) -> None:
    """As a quota or a broken disk does; what came before it is kept, and what comes after."""
    context = processes()
    here, there = context.Pipe()

    child = context.Process(target=write_beyond_limit, args=(str(path), there))
    child.start()
    kind, message, attempts, written = here.recv()
    child.join()

    assert (kind, attempts, child.exitcode) == ("ServerError", 1, 0)
    assert "check the disk, its quota" in message
    now = held(path)
    assert now.memos.total() == 1 + written + 1
    assert now.faults == []


# Read-only


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A folder that a user without rights may use."""
    place = Path(tempfile.mkdtemp())
    if os.geteuid() == 0:
        os.chown(place, 65534, 65534)
    yield place
    place.chmod(0o755)
    shutil.rmtree(place)


def unprivileged(work: Callable[[], None]) -> None:
    """Do *work* in a fork that permissions stop, which they do not if it is root."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            if os.geteuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            work()
            status = 0
        finally:
            if status:
                sys.excepthook(*sys.exc_info())
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert status == 0


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
# From 3.12 Python warns of a fork beside threads, which other tests may have left.
may_fork = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


@needs_fork
@may_fork
@pytest.mark.parametrize(("file_mode", "folder_mode"), [(0o444, 0o755), (0o644, 0o555)])
def test_read_only_file_or_folder_is_refused(
    open_place: Path, file_mode: int, folder_mode: int
) -> None:
    """At opening; the log of SQLite needs the folder."""
    path = open_place / "memory.db"

    def work() -> None:
        with MemStackClient.local(path) as client:
            client.create_memo("kept")
        path.chmod(file_mode)
        open_place.chmod(folder_mode)
        with pytest.raises(ValidationError, match=r"cannot be written .*check its permissions"):
            MemStackClient.local(path)
        path.chmod(0o644)
        open_place.chmod(0o755)
        with MemStackClient.local(path) as client:
            assert [memo.content for memo in client.list_memos()] == ["kept"]

    unprivileged(work)


@needs_fork
@may_fork
def test_file_that_becomes_read_only_is_read_but_not_written(open_place: Path) -> None:
    """A thread that comes later is told; one that has it open already goes on."""
    path = open_place / "memory.db"

    def work() -> None:
        with MemStackClient.local(path) as client:
            client.create_memo("before")
            path.chmod(0o444)
            with ThreadPoolExecutor(1) as pool:
                with pytest.raises(ServerError, match="read-only, so nothing was stored") as caught:
                    pool.submit(client.create_memo, "refused").result()
                assert (caught.value.status_code, len(caught.value.attempts)) == (507, 1)
                assert len(pool.submit(client.list_memos).result()) == 1
            client.create_memo("same thread")
            path.chmod(0o644)
            with ThreadPoolExecutor(1) as pool:
                pool.submit(client.create_memo, "after").result()
            contents = [memo.content for memo in client.list_memos()]
            assert contents == ["after", "same thread", "before"]

    unprivileged(work)


# Gone


@pytest.mark.skipif(sys.platform == "win32", reason="a file in use cannot be deleted there")
@pytest.mark.parametrize("replaced", [False, True])
def test_file_that_is_no_longer_there_takes_no_writes(path: Path, replaced: bool) -> None:
    """They would go to what nobody can open any more; and no empty file is made in its place."""
    with MemStackClient.local(path) as client, ThreadPoolExecutor(1) as pool:
        client.create_memo("before")
        path.unlink()
        if replaced:
            path.write_bytes(b"something else")

        for write in (
            client.create_memo,
            lambda text: pool.submit(client.create_memo, text).result(),
        ):
            with pytest.raises(ServerError, match=r"cannot be opened.* where it was") as caught:
                write("lost")
            assert len(caught.value.attempts) == 1

        assert path.exists() == replaced
