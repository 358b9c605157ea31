"""Search answers the questions of the set at least as well as this, and as the docs say."""

from __future__ import annotations

import pytest

from benchmarks.retrieval import (
    BEGIN,
    DEPTH,
    END,
    PAGE,
    PARTS,
    Part,
    Question,
    Score,
    episodes,
    lines,
    questions,
    ranks,
    score,
    scores,
)

EPISODES = list(episodes())
QUESTIONS = list(questions())


@pytest.fixture(scope="module")
def found() -> dict[Question, int | None]:
    return ranks(QUESTIONS)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    ("row", "recall_at_5", "recall_at_10", "mrr"),
    [
        ("all", 0.90, 0.92, 0.83),
        ("language en", 0.86, 0.88, 0.80),
        ("language zh", 0.92, 0.95, 0.85),
        ("language ja", 0.98, 0.98, 0.90),
        ("language ko", 0.98, 0.98, 0.90),
        ("language mixed", 0.98, 0.98, 0.98),
        ("kind plain", 0.96, 0.98, 0.92),
        ("kind forms", 0.95, 0.98, 0.94),
        ("kind spelling", 0.98, 0.98, 0.94),
        ("kind distractor", 0.95, 0.96, 0.87),
        ("kind context", 0.80, 0.82, 0.38),
        ("kind identifier", 0.98, 0.98, 0.98),
        ("kind symbols", 0.98, 0.98, 0.98),
        ("kind long", 0.98, 0.98, 0.98),
        # No word in common: what is found is found by chance.
        ("kind meaning", 0.25, 0.35, 0.20),
    ],
)
def test_search_finds_as_much_as_it_did(
    found: dict[Question, int | None],
    part: Part,
    row: str,
    recall_at_5: float,
    recall_at_10: float,
    mrr: float,
) -> None:
    """For each language and kind of question; a floor lies about a question below what is found."""
    measured = scores(found)[part][row]

    assert measured.recall_at_5 >= recall_at_5
    assert measured.recall_at_10 >= recall_at_10
    assert measured.mrr >= mrr


def test_the_docs_have_what_is_measured(found: dict[Question, int | None]) -> None:
    """`make bench` writes the page; so does `python -m benchmarks.retrieval`."""
    written = PAGE.read_text("utf-8").split(BEGIN)[1].split(END)[0]

    assert written == "\n".join(lines(scores(found)))


def test_set_is_large_and_many_tongued() -> None:
    """Enough that a floor means something, in each part."""
    assert len(EPISODES) >= 300
    for part in PARTS:
        own = [question.language for question in QUESTIONS if question.part == part]
        assert len(own) >= 150
        assert own.count("en") >= 100
        assert own.count("zh") >= 45
        assert set(own) == {"en", "zh", "ja", "ko", "mixed"}


def test_every_question_has_an_answer_of_its_part_alone() -> None:
    """An episode that was looked at for tuning answers no question that was held out."""
    ids = [episode["metadata"]["id"] for episode in EPISODES]
    answers = [{q.answer for q in QUESTIONS if q.part == part} for part in PARTS]

    assert len(set(ids)) == len(ids)
    assert set.union(*answers) <= set(ids)
    assert not set.intersection(*answers)
    assert len({question.text for question in QUESTIONS}) == len(QUESTIONS)


def test_score_counts_by_place() -> None:
    """Recall is a share of the questions, MRR the mean of 1 / place."""
    assert score([1, 2, DEPTH, None]) == Score(4, 0.25, 0.5, 0.75, (1 + 0.5 + 0.1) / 4)
