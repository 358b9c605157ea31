"""What an ingested episode costs beside one that a bare loop creates, in the same process.

The loop is the shortest there is: so many threads or tasks take items from one iterator and call
`create_episode`. Both have the same client, the same items and a server on loopback that answers
at once. Costs are processor time, which counts the ledger and all threads.

Each round has a turn of each, and what counts is the median of the rounds' ratios. Not the least
of all rounds, as elsewhere: with two busy processes a round may cost half of the next one, so the
ratio of two leasts went from 0.75 to 1.10 in one variant, where the median stayed within 0.93 to
1.03.
"""

from __future__ import annotations

import asyncio
import itertools
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from importlib.util import find_spec
from statistics import median
from typing import Any

from memstack import MemStackAsyncClient, MemStackClient

from .server import MEMORY, serving

KEY = "ms_sk_of_the_benchmark"
FLOOR = 0.9
"""Least share of the throughput of the bare loop, by processor time."""
_numbers = itertools.count()


def items(count: int) -> Iterator[dict[str, Any]]:
    """Episodes of middle length, none of them twice in a process."""
    for n in itertools.islice(_numbers, count):
        yield {"name": f"Alice on hiking {n}", "content": MEMORY, "group_id": f"chat-{n % 50}"}


def bare(client: MemStackClient, count: int, at_once: int) -> None:
    given, lock = items(count), threading.Lock()

    def work() -> None:
        while True:
            with lock:
                item = next(given, None)
            if item is None:
                return
            client.create_episode(**item)

    with ThreadPoolExecutor(at_once) as pool:
        for done in [pool.submit(work) for _ in range(at_once)]:
            done.result()


async def bare_async(client: MemStackAsyncClient, count: int, at_once: int) -> None:
    given = items(count)

    async def work() -> None:
        for item in given:
            await client.create_episode(**item)

    await asyncio.gather(*(work() for _ in range(at_once)))


def ingested(client: MemStackClient, count: int, at_once: int, ledger: str | None) -> None:
    report = client.ingest(items(count), concurrency=at_once, ledger=ledger)
    assert report.created == count, report


async def ingested_async(
    client: MemStackAsyncClient, count: int, at_once: int, ledger: str | None
) -> None:
    report = await client.ingest(items(count), concurrency=at_once, ledger=ledger)
    assert report.created == count, report


def costs(
    url: str, colour: str, transport: Any, at_once: int, count: int, rounds: int
) -> dict[str, list[tuple[float, float]]]:
    """Microseconds of processor time, and of time, for each episode, a pair for each round."""
    spent: dict[str, list[tuple[float, float]]] = {"bare": [], "memory": [], "ledger": []}

    def timed(name: str, work: Callable[[], object]) -> None:
        cpu, wall = time.process_time(), time.perf_counter()
        work()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        spent[name].append((cpu / count * 1e6, wall / count * 1e6))

    loop = asyncio.new_event_loop()
    with tempfile.TemporaryDirectory() as folder, closing(loop):
        client: Any
        if colour == "blocking":
            client = MemStackClient(KEY, url, transport=transport)
            run: Callable[[Any], object] = lambda result: result  # noqa: E731
            kinds: dict[str, Any] = {"bare": bare, "ingest": ingested}
        else:
            client = MemStackAsyncClient(KEY, url, transport=transport)
            run = loop.run_until_complete
            kinds = {"bare": bare_async, "ingest": ingested_async}
        run(kinds["bare"](client, at_once * 4, at_once))
        for turn in range(rounds):
            ledger = f"{folder}/{turn}.sqlite"
            timed("bare", lambda: run(kinds["bare"](client, count, at_once)))
            timed("memory", lambda: run(kinds["ingest"](client, count, at_once, None)))
            timed("ledger", lambda: run(kinds["ingest"](client, count, at_once, ledger)))  # noqa: B023
        run(client.close())
        loop.run_until_complete(loop.shutdown_default_executor())
    return spent


def variants() -> Iterator[tuple[str, str, int]]:
    transports = ["httpx", "pyreqwest"] if find_spec("pyreqwest") else ["httpx"]
    for colour in ("blocking", "awaited"):
        for transport in transports:
            for at_once in (16, 64):
                yield colour, transport, at_once


def table(count: int, rounds: int, wrong: list[str]) -> Iterator[str]:
    """The table as Markdown; puts rows below FLOOR into *wrong*."""
    yield (
        f"Processor time for each of {count:,} episodes, and in brackets time, in microseconds; "
        f"the median of {rounds} rounds in turn."
    )
    yield (
        "*As fast* is the bare loop's processor time in parts of the ingest's, the median of the "
        "rounds' ratios."
    )
    yield ""
    yield "| client | transport | at once | bare loop | no ledger | as fast | ledger | as fast |"
    yield "|---|---|---|---|---|---|---|---|"
    with serving() as url:
        for colour, transport, at_once in variants():
            spent = costs(url, colour, transport, at_once, count, rounds)
            cells = [
                f"{median(cpu):.0f} ({median(wall):.0f})"
                for cpu, wall in (zip(*pairs, strict=True) for pairs in spent.values())
            ]
            ratios = [
                median(
                    bare[0] / ours[0] for bare, ours in zip(spent["bare"], spent[kind], strict=True)
                )
                for kind in ("memory", "ledger")
            ]
            row = (
                f"| {colour} | {transport} | {at_once} | {cells[0]} | {cells[1]} "
                f"| {ratios[0]:.2f} | {cells[2]} | {ratios[1]:.2f} |"
            )
            if min(ratios) < FLOOR:
                wrong.append(row)
            yield row
