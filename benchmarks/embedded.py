"""`make bench-embedded`: what the embedded MemStack costs beside SQLite itself and a peer.

Writes the tables in docs/performance.md anew. Costs are CPU time of this process, the least of
several rounds in which all variants take turns. `python -m benchmarks.embedded 10000` only prints,
and stops at that many episodes.
"""

from __future__ import annotations

import platform
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import date
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from statistics import quantiles

from memstack import MemStackClient
from memstack.local import EmbeddedServer
from memstack.models import EpisodeCreate

from .embedded_peers import BareSQLite, Chroma, Rows, rows_of
from .texts import KNOWN, Text, questions, texts

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- bench-embedded -->\n", "<!-- end of bench-embedded -->\n"

SIZES = (1_000, 10_000, 100_000, 1_000_000)
BATCH = 1_000
LARGEST_PEER = 100_000
"""Most episodes that the peer gets: it takes several times as long to store them."""
COMPARED = 100_000
"""Episodes where a search is compared with the query under it."""
ASKED = 100

PLAIN = KNOWN[:60]
"""The most frequent words, but for those that every text has."""
COMMON = [" ".join(random.Random(n).sample(PLAIN, 3)) for n in range(20)]

Lines = Iterator[str]


def spent(work: Callable[[], object]) -> float:
    """CPU seconds of *work*."""
    started = time.process_time()
    work()
    return time.process_time() - started


def create_each(client: MemStackClient, some: Sequence[Text]) -> None:
    for text in some:
        client.create_episode(text.name, text.content, group_id=text.group_id)


def create_batches(server: EmbeddedServer, some: Sequence[Text]) -> None:
    for i in range(0, len(some), BATCH):
        server.create_episodes(
            [
                EpisodeCreate(name=text.name, content=text.content, group_id=text.group_id)
                for text in some[i : i + BATCH]
            ]
        )


def insert_rows(sqlite: BareSQLite, rows: Rows, size: int) -> None:
    """Insert *rows*, so many of each table in a transaction."""
    for i in range(0, len(rows["episodes"]), size):
        sqlite.insert({table: some[i : i + size] for table, some in rows.items()})


def add_each(peer: Chroma, first: int, some: Sequence[Text]) -> None:
    for i, text in enumerate(some, first):
        peer.insert(i, [text])


def writing(folder: Path, rounds: int = 3) -> Lines:
    """The table of what it costs to store an episode."""
    one_by_one, many = list(texts(1_000)), list(texts(20_000))
    seconds: dict[str, list[float]] = {}

    def note(name: str, count: int, work: Callable[[], object]) -> None:
        seconds.setdefault(name, []).append(spent(work) / count)

    for n in range(rounds):
        single, bulk = str(folder / f"single-{n}"), str(folder / f"bulk-{n}")
        with MemStackClient.local(single) as client:
            note("create", len(one_by_one), partial(create_each, client, one_by_one))
        with EmbeddedServer(bulk) as server:
            note("batches", len(many), partial(create_batches, server, many))
        for name, path, size in (("bare create", single, 1), ("bare batches", bulk, BATCH)):
            rows = rows_of(path)
            with closing(BareSQLite(f"{path}-bare")) as sqlite:
                note(name, len(rows["episodes"]), partial(insert_rows, sqlite, rows, size))
        if find_spec("chromadb"):
            with closing(Chroma(folder / f"chroma-{n}")) as peer:
                note("peer batches", len(one_by_one), partial(peer.insert, 0, one_by_one))
                note("peer create", 100, partial(add_each, peer, len(one_by_one), many[:100]))
    yield "| storing | episodes a second | cost, over bare sqlite3 |"
    yield "|---|---|---|"
    for title, name, bare in (
        ("bare sqlite3, a transaction each", "bare create", "bare create"),
        ("`create_episode`", "create", "bare create"),
        ("chromadb, one `add` each", "peer create", "bare create"),
        (f"bare sqlite3, {BATCH:,} in a transaction", "bare batches", "bare batches"),
        (f"embedded server, {BATCH:,} in a transaction", "batches", "bare batches"),
        (f"chromadb, {BATCH:,} in an `add`", "peer batches", "bare batches"),
    ):
        if name in seconds:
            cost = min(seconds[name])
            yield f"| {title} | {1 / cost:,.0f} | {cost / min(seconds[bare]):.2f} |"


def comparing(path: str, rounds: int = 5) -> Lines:
    """The table of what a search costs over the query under it."""
    yield f"| search of {COMPARED:,}, 10 results | bare FTS5, ms | cost, over bare FTS5 |"
    yield "|---|---|---|"
    with MemStackClient.local(path) as client, closing(BareSQLite(path)) as sqlite:
        for title, asked in (
            ("three words, as often as in the texts", questions(ASKED)),
            ("three words, all of them common", COMMON),
            ("one word, in nearly all episodes", ["the"]),
        ):
            ours = bare = 0.0
            for question in asked:
                turns = [
                    (
                        spent(partial(client.search_memory, question)),
                        spent(partial(sqlite.search, question)),
                    )
                    for _ in range(rounds)
                ]
                ours += min(turn[0] for turn in turns)
                bare += min(turn[1] for turn in turns)
            yield f"| {title} | {bare / len(asked) * 1000:.1f} | {ours / bare:.2f} |"


def growing(folder: Path, sizes: Sequence[int]) -> Lines:
    """The table of searches by the number of episodes; then `comparing`, where they are so many."""
    comparison: list[str] = []
    variants = ["embedded", "bare FTS5", *["chromadb"] * bool(find_spec("chromadb"))]
    yield f"| episodes | loaded a second | {' | '.join(f'{v}, ms' for v in variants)} |"
    yield "|---" * (len(variants) + 2) + "|"
    path, stream, stored = str(folder / "grown"), texts(max(sizes)), 0
    asked = questions(ASKED)
    with ExitStack() as until:
        server = until.enter_context(EmbeddedServer(path))
        client = until.enter_context(MemStackClient.local(path))
        sqlite = until.enter_context(closing(BareSQLite(path)))
        searches: dict[str, Callable[[str], object]] = {
            "embedded": client.search_memory,
            "bare FTS5": sqlite.search,
        }
        peer = None
        if find_spec("chromadb"):
            peer = until.enter_context(closing(Chroma(folder / "peer")))
            searches["chromadb"] = peer.search
        for size in sizes:
            loading = 0.0
            while stored < size:
                some = list(islice(stream, min(BATCH, size - stored)))
                loading += spent(partial(create_batches, server, some))
                if peer and size <= LARGEST_PEER:
                    peer.insert(stored, some)
                stored += len(some)
            if size > LARGEST_PEER:
                searches.pop("chromadb", None)
            rate = (size - max((s for s in sizes if s < size), default=0)) / loading
            cells = [_percentiles(searches[v], asked) if v in searches else "" for v in variants]
            yield f"| {size:,} | {rate:,.0f} | {' | '.join(cells)} |"
            if size == COMPARED:
                comparison = list(comparing(path))
    yield ""
    yield from comparison


def _percentiles(search: Callable[[str], object], asked: Sequence[str], rounds: int = 2) -> str:
    each = [min(spent(partial(search, text)) for _ in range(rounds)) for text in asked]
    parts = quantiles(each, n=20)
    return f"{parts[9] * 1000:.2f} / {parts[18] * 1000:.2f}"


def table(sizes: Sequence[int]) -> Lines:
    """All tables as Markdown."""
    peer = f", chromadb {version('chromadb')}" if find_spec("chromadb") else ""
    yield (
        f"{date.today().isoformat()}, Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}, memstack {version('memstack-sdk')}{peer}."
    )
    with tempfile.TemporaryDirectory() as folder:
        yield ""
        yield from writing(Path(folder))
        yield ""
        yield from growing(Path(folder), sizes)


def main(arguments: Sequence[str]) -> int:
    most = int(arguments[0]) if arguments else max(SIZES)
    lines = []
    for line in table([size for size in SIZES if size <= most]):
        print(line, flush=True)
        lines.append(line)
    if not arguments:
        before, rest = PAGE.read_text("utf-8").split(BEGIN)
        text = "\n".join(lines) + "\n"
        PAGE.write_text(before + BEGIN + text + END + rest.split(END)[1], "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
