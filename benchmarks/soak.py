"""`make soak`: many thousand calls of each kind, and by how much the process grows meanwhile.

Writes the table in docs/reliability.md anew, and fails where a kind grows by more than its limit.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from memstack import MemStackAsyncClient, MemStackClient, NotFoundError
from tests.integration import cancelling

PAGE = Path(__file__).parents[1] / "docs" / "reliability.md"
BEGIN, END = "<!-- soak -->\n", "<!-- end of soak -->\n"
KEY = "ms_sk_of_the_soak"
CALLS = 20_000
AT_ONCE = 64
LIMIT = 5.0
"""Most MB that a kind may grow by."""

Kind = Callable[[str, int], Iterator[None]]
"""Makes so many calls of a server, after a tenth as many that warm up; stops after either."""


def resident() -> float:
    """MB of memory that this process holds."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def blocking(call: Callable[[MemStackClient, int], object]) -> Kind:
    """Calls one after the other."""

    def kind(url: str, calls: int) -> Iterator[None]:
        with MemStackClient(KEY, url, retry_delay=0) as client:
            for part in (range(calls // 10), range(calls // 10, calls + calls // 10)):
                for number in part:
                    call(client, number)
                yield

    return kind


def awaited(call: Callable[[MemStackAsyncClient, int], Awaitable[object]]) -> Kind:
    """Calls in one event loop, *AT_ONCE* at a time; none may leave its connection behind."""

    async def some(client: MemStackAsyncClient, numbers: Iterator[int]) -> None:
        for number in numbers:
            await call(client, number)

    async def work(client: MemStackAsyncClient, calls: int) -> None:
        numbers = iter(range(calls))
        await asyncio.gather(*(some(client, numbers) for _ in range(AT_ONCE)))

    def kind(url: str, calls: int) -> Iterator[None]:
        loop, client = asyncio.new_event_loop(), MemStackAsyncClient(KEY, url, retry_delay=0)
        try:
            for part in (calls // 10, calls):
                loop.run_until_complete(work(client, part))
                yield
            left = cancelling.Left()
            loop.run_until_complete(cancelling.look(client, left))
            if left.used or set(left.states) - {"idle"} or left.served != 100:
                raise AssertionError(f"the calls left {left}")
        finally:
            loop.run_until_complete(client.close())
            loop.close()

    return kind


def embedded(_: str, calls: int) -> Iterator[None]:
    """Nine gets and a search in turn."""
    with tempfile.TemporaryDirectory() as folder, MemStackClient.local(f"{folder}/db") as client:
        ids = [client.create_memo(f"note {number}").id for number in range(100)]
        client.create_episode("hiking", "Alice loves hiking in Yosemite.")
        for part in (calls // 10, calls):
            for number in range(part):
                if number % 10:
                    client.get_memo(ids[number % 100])
                else:
                    client.search_memory("Who loves hiking?")
            yield


def not_found(client: MemStackClient, number: int) -> None:
    with suppress(NotFoundError):
        client.get_memo(f"gone-{number}")


async def in_turn(client: MemStackAsyncClient, number: int) -> None:
    match number % 3:
        case 0:
            await client.get_memo(f"m{number}")
        case 1:
            await client.create_memo(f"note {number}")
        case _:
            await client.search_memory(f"note {number}")


_chance = random.Random(1)


async def cancelled(client: MemStackAsyncClient, number: int) -> None:
    """Anywhere from its first step to its last."""
    name = f"{_chance.choice(['m', 'hold-', 'half-'])}{number}"
    task = asyncio.ensure_future(client.get_memo(name))
    for _ in range(_chance.randrange(cancelling.STEPS // 2)):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def of_a_sibling(client: MemStackClient, number: int) -> None:
    client.with_options(timeout=5 + number, headers={"x-number": f"{number}"}).get_memo("m1")


KINDS: Mapping[str, Kind] = {
    "get, blocking": blocking(lambda client, n: client.get_memo(f"m{n}")),
    "create, blocking": blocking(lambda client, n: client.create_memo(f"note {n}")),
    "search, blocking": blocking(lambda client, n: client.search_memory(f"note {n}")),
    f"get, create and search, {AT_ONCE} at once": awaited(in_turn),
    f"get, {AT_ONCE} at once, cancelled": awaited(cancelled),
    "get and search, embedded": embedded,
    "get of what is not there": blocking(not_found),
    "get, each with a sibling of its own": blocking(of_a_sibling),
    "create, its answer lost and its row found": blocking(
        lambda client, n: client.create_memo(f"lost-{n}")
    ),
}


@contextmanager
def serving() -> Iterator[str]:
    """The URL of a quick server in another process."""
    command = [sys.executable, "-m", "tests.echo"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="ascii") as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def table(kinds: Mapping[str, Kind], calls: int, grown: dict[str, float]) -> Iterator[str]:
    """The table as Markdown, a row for each of *kinds*; puts their MB into *grown*."""
    yield f"{calls:,} calls in each row, after {calls // 10:,} that do not count."
    yield f"A row may grow by {LIMIT:g} MB."
    yield ""
    yield "| calls | the process grew by |"
    yield "|---|---|"
    with serving() as url:
        for name, kind in kinds.items():
            steps = kind(url, calls)
            next(steps)
            before = resident()
            next(steps)
            grown[name] = resident() - before
            for _ in steps:
                pass
            yield f"| {name} | {grown[name]:.1f} MB |"


def main(calls: int = CALLS, kinds: Mapping[str, Kind] = KINDS, page: Path = PAGE) -> int:
    """The exit code: 1 if a kind grew by more than its limit."""
    grown: dict[str, float] = {}
    lines, started = [], time.monotonic()
    for line in table(kinds, calls, grown):
        print(f"{time.monotonic() - started:4.0f} s  {line}", flush=True)
        lines.append(line)
    before, rest = page.read_text("utf-8").split(BEGIN)
    page.write_text(before + BEGIN + "\n".join(lines) + "\n" + END + rest.split(END)[1], "utf-8")
    above = [name for name, size in grown.items() if size > LIMIT]
    if above:
        print(f"grew by more than {LIMIT:g} MB: {'; '.join(above)}", file=sys.stderr)
    return 1 if above else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else CALLS))
