"""`make bench`: how well search answers the questions of tests/retrieval, in docs/search.md.

`python -m benchmarks.retrieval misses` prints which questions of the tuning part have no answer
among the first results. It never does so for those held out, which are there to be counted alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timezone
from pathlib import Path
from typing import Any, Literal

import yaml

from memstack import MemStackClient

ROOT = Path(__file__).parents[1]
SET = ROOT / "tests" / "retrieval"
PAGE = ROOT / "docs" / "search.md"
BEGIN, END = "<!-- retrieval -->\n", "<!-- end of retrieval -->\n"
DEPTH = 10

Part = Literal["tuning", "held_out"]
PARTS: tuple[Part, ...] = ("tuning", "held_out")


@dataclass(frozen=True)
class Question:
    """A question of the set, and the episode that answers it."""

    part: Part
    language: str
    kind: str
    text: str
    answer: str


@dataclass(frozen=True)
class Score:
    """How far up the answers stood; each value is from 0 to 1."""

    questions: int
    recall_at_1: float
    recall_at_5: float
    recall_at_10: float
    mrr: float
    """Mean of 1 / rank, and of 0 for an answer below the tenth place."""


def episodes() -> Iterator[dict[str, Any]]:
    """The arguments of `create_episode` for each episode; `metadata` has its id in the set."""
    for file in sorted((SET / "episodes").glob("*.yaml")):
        for block in _read(file):
            for key, content in block["episodes"].items():
                yield {
                    "name": block["name"],
                    "content": content,
                    "group_id": block.get("group"),
                    "valid_at": datetime.combine(block["date"], time(12), timezone.utc),
                    "metadata": {"id": key},
                }


def questions() -> Iterator[Question]:
    """Both parts of the set."""
    for part in PARTS:
        for language, kinds in _read(SET / "questions" / f"{part}.yaml").items():
            for kind, answers in kinds.items():
                for text, answer in answers.items():
                    yield Question(part, language, kind, text, answer)


def ranks(asked: Iterable[Question], **options: Any) -> dict[Question, int | None]:
    """At which place, counted from 1, each has its answer; None if not among the first ten.

    Args:
        options: Of `MemStackClient.local`.
    """
    with MemStackClient.local(**options) as client:
        for episode in episodes():
            client.create_episode(**episode)
        found = {}
        for question in asked:
            results = client.search_memory(question.text, limit=DEPTH).results
            ids = [result.metadata["id"] for result in results]
            found[question] = ids.index(question.answer) + 1 if question.answer in ids else None
    return found


def score(places: Iterable[int | None]) -> Score:
    """The means over these questions, of which there is at least one."""
    inverse = [1 / place if place else 0.0 for place in places]
    within = {k: sum(value >= 1 / k for value in inverse) / len(inverse) for k in (1, 5, 10)}
    return Score(len(inverse), within[1], within[5], within[10], sum(inverse) / len(inverse))


def scores(found: dict[Question, int | None]) -> dict[Part, dict[str, Score]]:
    """By part and row: each language, then each kind of question, then all."""
    table: dict[Part, dict[str, Score]] = {}
    for part in PARTS:
        rows: dict[str, list[int | None]] = {}
        own = {question: place for question, place in found.items() if question.part == part}
        for heading in ("language", "kind"):
            for question, place in own.items():
                rows.setdefault(f"{heading} {getattr(question, heading)}", []).append(place)
        rows["all"] = list(own.values())
        table[part] = {name: score(places) for name, places in rows.items()}
    return table


def lines(table: dict[Part, dict[str, Score]]) -> Iterator[str]:
    """The scores as Markdown."""
    for part, rows in table.items():
        title = part.replace("_", " ")
        yield f"| {title} | questions | recall@1 | recall@5 | recall@10 | MRR |"
        yield "|---" * 6 + "|"
        for name, row in rows.items():
            values = (row.recall_at_1, row.recall_at_5, row.recall_at_10, row.mrr)
            yield f"| {name} | {row.questions} | {' | '.join(f'{v:.2f}' for v in values)} |"
        yield ""


def _read(file: Path) -> Any:
    return yaml.safe_load(file.read_text("utf-8"))


def main(arguments: list[str]) -> int:
    found = ranks(questions())
    if arguments == ["misses"]:
        for question, place in found.items():
            if question.part == "tuning" and place != 1:
                print(f"{place or '-':>2} {question.language} {question.kind}: {question.text}")
        return 0
    text = "\n".join(lines(scores(found)))
    print(text)
    before, rest = PAGE.read_text("utf-8").split(BEGIN)
    PAGE.write_text(before + BEGIN + text + END + rest.split(END)[1], "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
