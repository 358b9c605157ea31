"""Forks and ends of the interpreter while threads are at work on a database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from memstack import MemStackClient

from .abuse_file import held

SECONDS = 20
"""After which a child that hangs is ended by a signal, which its status tells."""


def forked(work: Callable[[], None]) -> int:
    """The id of a child that does *work*; its status is 0 if that raises nothing."""
    child = os.fork()
    if child:
        return child
    signal.alarm(SECONDS)
    status = 1
    try:
        work()
        status = 0
    finally:
        if status:
            sys.excepthook(*sys.exc_info())
        os._exit(status)


def status_of(child: int) -> int:
    """How *child* ended; 0 if well."""
    return os.waitpid(child, 0)[1]


def run_forks(
    path: Path | None, own: Path, *, forks: int, threads: int
) -> tuple[int, Counter[int]]:
    """How many writes *threads* threads did to *path* beside the forks, and how the children ended.

    Args:
        path: None for a database in memory.
        own: A file that each child writes to.
    """
    stop = threading.Event()

    def work(client: MemStackClient, thread: int) -> int:
        n = 0
        while not stop.is_set():
            client.create_episode(f"{thread}-{n}", "hiking")
            client.search_memory("hiking", limit=1)
            client.delete_episode(f"{thread}-{n}")
            n += 1
        return 2 * n

    def use() -> None:
        with MemStackClient.local(own) as client:
            client.create_memo("child")
            client.search_memory("hiking")

    with MemStackClient.local(path) as client, ThreadPoolExecutor(threads) as pool:
        working = [pool.submit(work, client, n) for n in range(threads)]
        try:
            statuses = Counter(status_of(forked(use)) for _ in range(forks))
        finally:
            stop.set()
        return sum(thread.result() for thread in working), statuses


# Of its threads two go on until the interpreter ends them, two are stopped as late as can be, and
# one waits for ever with what it has open.
_SCRIPT = """
import atexit, os, sqlite3, sys, threading
from memstack import MemStackClient

more = threading.Semaphore(0)

def late():
    while more.acquire(blocking=False):
        pass
    for _ in range(3):
        if not more.acquire(timeout=10):
            os.write(2, b"a thread did not go on")

# Runs after what the package does at exit, for it is registered before.
atexit.register(late)

owner = os.getpid()
real = sqlite3.connect

class Told(sqlite3.Connection):
    made_in = owner
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.made_in = os.getpid()
    def __del__(self, getpid=os.getpid, write=os.write):  # When this module is gone, too.
        if self.made_in != getpid():
            write(2, b"a connection of the parent was closed in the child")

sqlite3.connect = lambda *args, **kwargs: real(*args, factory=Told, **kwargs)
file, memory = MemStackClient.local(sys.argv[1]), MemStackClient.local()

if hasattr(os, "fork"):
    child = os.fork()
    if child == 0:
        atexit.unregister(late)
        file.create_memo("child")
        sys.exit()
    if os.waitpid(child, 0)[1]:
        sys.exit("the child failed")

def wait(client, done):
    client.create_memo("folded")
    done.set()
    never.wait()

stop, never, done = threading.Event(), threading.Event(), threading.Event()
idle = MemStackClient.local(sys.argv[1] + ".idle")
threading.Thread(target=wait, args=(idle, done), daemon=True).start()
done.wait()
under_way = threading.Barrier(5)

def write(client, thread, stop):
    n = 0
    while not stop.is_set():
        client.create_memo(f"{thread}-{n}")
        client.search_memory("hiking")
        n += 1
        if thread == 0:
            os.write(1, b"%d\\n" % n)
            more.release()
        if n == 2:
            under_way.wait()

threads = [
    threading.Thread(target=write, args=(client, n, never if n < 2 else stop), daemon=True)
    for n, client in enumerate((file, memory, file, memory))
]
for thread in threads:
    thread.start()

def end():
    stop.set()
    for thread in threads[2:]:
        thread.join()

under_way.wait()
atexit.register(end)
"""


def run_exit(path: Path) -> tuple[int, list[str]]:
    """How many writes were acknowledged before an interpreter ended, and what was wrong with it."""
    ended = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(path)], capture_output=True, text=True, timeout=60
    )
    wrong = [ended.stderr] if ended.stderr or ended.returncode else []
    # The last line may be half written.
    acknowledged = int(ended.stdout[: ended.stdout.rindex("\n")].splitlines()[-1])
    now = held(path)
    if not {f"0-{n}" for n in range(acknowledged)} <= set(now.memos):
        wrong.append("an acknowledged write is missing")
    folded = [item.name for item in path.parent.iterdir() if f"{path.name}.idle" in item.name]
    if folded != [f"{path.name}.idle"]:
        wrong.append("a database that nobody used was not closed")
    return acknowledged, wrong + now.faults
