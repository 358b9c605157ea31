"""What the search index of the embedded server holds, and what a search of it may pass over."""

from __future__ import annotations

import math
import random
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from memstack.local import EmbeddedServer, index
from memstack.local.answers import Refusal
from memstack.local.text import query_terms
from memstack.models import EpisodeCreate

from .local import EPISODES, SEARCH, ask, told

WORDS = [f"word{n}" for n in range(400)]


def _episodes(count: int, **fields: Any) -> list[EpisodeCreate]:
    """Episodes of ten words each, the first words far more often, in six groups by turns."""
    chance = random.Random(1)
    weights = [1 / (rank + 3) for rank in range(len(WORDS))]
    return [
        EpisodeCreate(
            name=f"n{chance.randrange(count)}",
            content=" ".join(chance.choices(WORDS, weights, k=10)),
            group_id=chance.choice((None, "a", "b", "c")),
            tenant_id=chance.choice((None, "t")),
            **fields,
        )
        for _ in range(count)
    ]


def _indexed(path: Path) -> list[tuple[Any, ...]]:
    """What stands in the index, oldest first, but for the dates; the index is checked too."""
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO episode_words (episode_words) VALUES ('integrity-check')")
    rows = connection.execute("SELECT name, content, context FROM episode_words ORDER BY rowid")
    found = rows.fetchall()
    connection.close()
    return found


def _one_by_one(server: EmbeddedServer, episodes: list[EpisodeCreate]) -> None:
    for episode in episodes:
        assert ask(server, "POST", EPISODES, episode.model_dump(exclude_none=True)).status == 202


def _in_batches(server: EmbeddedServer, episodes: list[EpisodeCreate]) -> None:
    for start in range(0, len(episodes), 7):
        server.create_episodes(episodes[start : start + 7])


def _at_once(server: EmbeddedServer, episodes: list[EpisodeCreate]) -> None:
    server.create_episodes(episodes)


@pytest.mark.parametrize("store", [_in_batches, _at_once])
def test_many_at_once_are_indexed_as_one_by_one(
    tmp_path: Path, store: Callable[[EmbeddedServer, list[EpisodeCreate]], None]
) -> None:
    """Each has the same words, and the same context of the episodes around it."""
    episodes = _episodes(60)
    for name, way in (("single", _one_by_one), ("many", store)):
        with EmbeddedServer(tmp_path / name) as server:
            way(server, episodes)

    assert _indexed(tmp_path / "many") == _indexed(tmp_path / "single")


def test_deleting_leaves_the_index_as_if_they_had_never_been(tmp_path: Path) -> None:
    """The episodes around them get each other as context."""
    episodes = _episodes(60)
    gone = {episode.name for episode in episodes[::3]}
    with EmbeddedServer(tmp_path / "all") as server:
        server.create_episodes(episodes)
        for name in gone:
            assert ask(server, "DELETE", f"{EPISODES}{name}").status == 200
    with EmbeddedServer(tmp_path / "rest") as server:
        server.create_episodes([episode for episode in episodes if episode.name not in gone])

    assert _indexed(tmp_path / "all") == _indexed(tmp_path / "rest")
    assert len(_indexed(tmp_path / "rest")) > 10


@pytest.mark.parametrize("count", [0, 1, 127, 128, 300])
def test_size_of_the_index_is_known_without_counting(count: int) -> None:
    """It is that of the table, also after some were deleted."""
    with EmbeddedServer() as server:
        server.create_episodes(_episodes(count))
        for number in range(count // 2):
            ask(server, "DELETE", f"{EPISODES}n{number}")
        with server._database.reading() as connection:
            (stored,) = connection.execute("SELECT count(*) FROM episodes").fetchone()

            assert index.size(connection) == stored


def test_of_many_at_once_all_are_stored_or_none() -> None:
    """One whose time cannot be written keeps the others out; the ids of all come back if none."""
    early = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))
    bad = EpisodeCreate(name="bad", content="x", valid_at=early)
    with EmbeddedServer() as server:
        with pytest.raises(Refusal):
            server.create_episodes([*_episodes(3), bad])
        ids = server.create_episodes(_episodes(3))

        page = told(ask(server, "GET", EPISODES))["episodes"]

    assert [episode["id"] for episode in page] == ids[::-1]


@pytest.fixture(scope="module")
def large() -> Any:
    """So many episodes that a search does not look at all of them."""
    with EmbeddedServer() as server:
        server.create_episodes(_episodes(6_000))
        yield server


QUESTIONS = [
    "word399 word0",
    "word399 word1 word0",
    "word300 word20 word0",
    "word100 word101 word102",
    "word0",
    "word0 word1",
    "word0 word1 word2 word3 word399",
    " ".join(WORDS[::4]),
]


@pytest.mark.parametrize("limit", [1, 10, 100])
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question[:30])
def test_what_is_passed_over_would_not_have_been_among_the_best(
    large: EmbeddedServer, question: str, limit: int
) -> None:
    """No result scores less than those that a search of everything finds, but for 3 %."""
    body = {"query": question, "limit": limit}
    scores = [result["score"] for result in told(ask(large, "POST", SEARCH, body))["results"]]
    with large._database.reading() as connection:
        best = sorted(_relevance(connection, question).values(), reverse=True)[:limit]

    assert [score / (1 - score) for score in scores] == pytest.approx(best, rel=0.03)


def _relevance(connection: sqlite3.Connection, question: str) -> dict[int, float]:
    """Of every episode that has a word of *question*, the sum of all its terms."""
    found: dict[int, float] = {}
    (rows,) = connection.execute("SELECT count(*) FROM episodes").fetchone()
    for term, share in query_terms(question).items():
        gains = connection.execute(
            "SELECT rowid, -bm25(episode_words, 2.0, 1.0, 0.5, 0.2) FROM episode_words "
            "WHERE episode_words MATCH ?",
            (term,),
        ).fetchall()
        odds = (rows - len(gains) + 0.5) / (len(gains) + 0.5)
        for seq, gain in gains:
            weight = share * math.log1p(odds) / max(math.log(odds), 1e-6)
            found[seq] = found.get(seq, 0.0) + gain * weight
    return found


def test_search_within_a_tenant_is_as_full_as_without(large: EmbeddedServer) -> None:
    """Episodes of others do not take the place of candidates."""
    with EmbeddedServer() as server:
        server.create_episodes(_episodes(3_000, metadata={"mine": False}))
        server.create_episodes(
            [EpisodeCreate(name="mine", content="long " * 50 + "word0", tenant_id="me")] * 20
        )

        body = {"query": "word0 word1", "limit": 10, "tenant_id": "me"}

        assert told(ask(server, "POST", SEARCH, body))["total"] == 10
