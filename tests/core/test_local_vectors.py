"""What a search by meaning finds beside what it finds by words, and in which order."""

from __future__ import annotations

import random
import subprocess
import sys
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from memstack.local import EmbeddedServer, Embedder, vectors
from memstack.models import EpisodeCreate

from ..toy_embedder import meanings
from .local import EPISODES, SEARCH, Memory, made

TOY = Embedder(meanings, "toy 1")


@pytest.fixture
def clever() -> Iterator[Memory]:
    """A memory with an embedder."""
    memory = Memory(TOY)
    yield memory
    memory.server.close()


def test_question_without_a_common_word_is_answered(memory: Memory, clever: Memory) -> None:
    """Only where there is an embedder."""
    for each in (memory, clever):
        each.remember("pet", "The kitten naps on the settee.")
        each.remember("trip", "The vehicle needs new brakes.")

    assert memory.names("a cat and a couch") == []
    assert clever.names("a cat and a couch") == ["pet"]
    assert clever.search("a cat and a couch")[0]["metadata"]["highlights"] == []


def test_only_what_is_meant_is_in_a_memory_of_one(clever: Memory) -> None:
    """There is no average to be nearer than, and no other to be the nearest."""
    clever.remember("pet", "The kitten naps.")

    assert clever.names("feline") == ["pet"]
    assert clever.names("automobile") == []


def test_what_has_the_words_comes_before_what_has_the_meaning(clever: Memory) -> None:
    """Also where that is newer, and the nearest."""
    clever.remember("words", "Where did we leave the physician's invoice?")
    for number in range(5):
        clever.remember(f"meaning {number}", "doctor surgeon")

    names = clever.names("physician invoice")

    assert names[0] == "words"
    assert sorted(names[1:]) == [f"meaning {number}" for number in range(5)]


def test_meaning_decides_between_equals_by_words(clever: Memory) -> None:
    """The older of two comes first if it is nearer; without an embedder the newer does."""
    plain = Memory()
    for memory in (clever, plain):
        memory.remember("near", "Report on the automobile there")
        memory.remember("far", "Report on the weather there")

    assert clever.names("report: vehicle") == ["near", "far"]
    assert plain.names("report: vehicle") == ["far", "near"]
    plain.server.close()


def test_how_near_a_word_match_is_counts_however_many_are_nearer(clever: Memory) -> None:
    """Two equals by words are told apart, though all others come between them and the question."""
    for number in range(150):
        clever.remember(f"{number}", "kitten")
        clever.remember(f"{number}", "weather")
    clever.remember("near", "Report on a kitten in the car")
    clever.remember("far", "Report on the rain in the town")

    assert clever.names("report: feline", limit=2) == ["near", "far"]


def test_nearest_outweighs_words_that_say_little(clever: Memory) -> None:
    """A word that nearly all have is worth less than being the nearest."""
    clever.remember("near", "The surgeon is glad")
    clever.remember("rare", "Report zeppelin of the harbour")
    for number in range(30):
        clever.remember(f"far {number}", f"Report number {number} of the harbour")

    names = clever.names("zeppelin report for the cheerful doctor")

    assert names[:2] == ["rare", "near"]


def test_equals_in_words_and_meaning_come_newest_first(clever: Memory) -> None:
    """Recency is a tie-break here too."""
    for day in (3, 9, 6):
        clever.remember(f"{day}", "a kitten", valid_at=f"2026-05-0{day}T00:00:00Z")
    clever.remember("other", "a car")

    assert clever.names("feline") == ["9", "6", "3"]


def test_scores_stay_within_their_range_and_in_order(clever: Memory) -> None:
    """Above 0, at most 1, and never rising."""
    for number in range(40):
        words = " ".join(["kitten"] * (number % 4) + ["money"] * (number % 3) + ["report"])
        clever.remember(f"{number}", f"{words} {number}")

    for query in ("feline", "feline report", "cash 17", "zeppelin"):
        scores = [result["score"] for result in clever.search(query)]
        assert all(0 < score <= 1 for score in scores)
        assert scores == sorted(scores, reverse=True)
        assert bool(scores) is (query != "zeppelin")


def test_no_more_results_than_asked_for(clever: Memory) -> None:
    """What is found by meaning counts too."""
    for number in range(9):
        clever.remember(f"{number}", "kitten " * (number + 1))

    assert len(clever.search("feline", limit=3)) == 3


@pytest.mark.parametrize(
    ("fields", "query"),
    [
        ({"tenant_id": "a"}, {"tenant_id": "a"}),
        ({"project_id": "a"}, {"project_id": "a"}),
        ({"user_id": "a"}, {"user_id": "a"}),
        ({"tenant_id": "a"}, {"filters": {"tenant_id": "a"}}),
        ({"group_id": "a"}, {"filters": {"group_id": "a"}}),
        ({"source_type": "json"}, {"filters": {"source_type": "json"}}),
        ({"metadata": {"k": 1}}, {"filters": {"metadata.k": 1}}),
        ({"valid_at": "2020-05-01T00:00:00Z"}, {"filters": {"date_to": "2020-05-01"}}),
    ],
)
@pytest.mark.parametrize("words", ["feline", "kitten"])
def test_filters_hold_for_what_is_found_by_meaning(
    clever: Memory, fields: dict[str, Any], query: dict[str, Any], words: str
) -> None:
    """A neighbour in meaning of another tenant stays hidden, also where it is far nearer."""
    clever.remember("hidden", "kitten kitten kitten")
    clever.remember("hidden", "kitten", tenant_id="A", group_id="b", metadata={"k": True})
    clever.remember("shown", "kitten on a car", **fields)
    clever.remember("mute", "on a car", **fields)

    names = clever.names(words, **query)

    # In one group the mute one is found by what stands before it.
    assert names == ["shown"] or (names == ["shown", "mute"] and words == "kitten")


def test_what_other_tenants_have_changes_no_score(clever: Memory) -> None:
    """What is near is judged by what the search may see."""
    clever.remember("near", "kitten car", tenant_id="a")
    clever.remember("far", "car kitten cash cash", tenant_id="a")
    before = clever.search("feline", tenant_id="a")

    for _ in range(20):
        clever.remember("other", "kitten", tenant_id="b")

    assert clever.search("feline", tenant_id="a") == before
    assert [result["metadata"]["name"] for result in before] == ["near"]


def test_word_matches_far_down_keep_what_they_are_worth() -> None:
    """A near episode counts its words too, though by words a thousand others come before it."""
    contents = ["harbour report"] * 1200 + ["harbour report on a kitten", "kitten"]
    with EmbeddedServer(embedder=TOY) as server:
        server.create_episodes([EpisodeCreate(name="n", content=text) for text in contents])
        query = {"query": "harbour report feline", "limit": 5}

        found = made(server, SEARCH, query)["results"]

    assert [result["content"] for result in found] == [contents[1200], *contents[:4]]


def test_what_is_no_nearer_than_the_average_is_not_near() -> None:
    """Nor is what only rounding puts above it: no result has a score of 0."""
    places = {"near": [1.0, 0.0], "average": [0.5, 0.75**0.5 * (1 - 1e-7)], "far": [0.0, 1.0]}
    embedder = Embedder(
        lambda texts: [places[text.split(": ")[1]] for text in texts],
        "circle",
        lambda texts: [places["near"]],
    )
    with EmbeddedServer(embedder=embedder) as server:
        server.create_episodes([EpisodeCreate(name="n", content=text) for text in places])
        found = made(server, SEARCH, {"query": "zeppelin"})["results"]

    assert [result["content"] for result in found] == ["near"]


def test_all_kinds_of_zero_are_near_to_nothing(clever: Memory) -> None:
    """A model that knows no word of a text says so with zeros; that is no error."""
    clever.remember("unknown", "zzz")
    clever.remember("known", "kitten")

    assert clever.names("feline") == ["known"]
    assert clever.names("qqq") == []
    assert clever.names("zzz") == ["unknown"]


@pytest.mark.parametrize("numbers", [1, 7, 384])
def test_numpy_and_python_agree(monkeypatch: pytest.MonkeyPatch, numbers: int) -> None:
    """numpy makes it fast, and nothing else."""
    assert vectors._numpy() is not None, "numpy is in the extra [dev]"
    chance = random.Random(numbers)
    rows = [[chance.gauss(0, 1) for _ in range(numbers)] for _ in range(500)]
    texts = {str(number): row for number, row in enumerate(rows)}
    found = []
    for module in (vectors._numpy(), None):
        monkeypatch.setattr(vectors, "_numpy", lambda module=module: module)
        embedder = Embedder(
            lambda given: [texts[text.rpartition(" ")[2]] for text in given], "random"
        )
        with EmbeddedServer(embedder=embedder) as server:
            server.create_episodes([EpisodeCreate(name="n", content=text) for text in texts])
            body = {"query": "zeppelin 3", "limit": 50}
            found.append(made(server, SEARCH, body)["results"])

    contents = [[result["content"] for result in results] for results in found]
    assert contents[0] == contents[1]
    assert contents[0][0] == "3"
    scores = [[result["score"] for result in results] for results in found]
    assert scores[0] == pytest.approx(scores[1], abs=1e-8)


def test_vectors_are_little_endian_floats_of_length_1(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """So a file can be read by a machine of another kind."""
    with EmbeddedServer(tmp_path / "m.db", embedder=TOY) as server:
        made(server, EPISODES, {"name": "n", "content": "kitten kitten kitten car car car car"})
        made(server, SEARCH, {"query": "feline"})
        with server.direct() as connection:
            (blob,) = connection.execute("SELECT vector FROM episode_vectors").fetchone()

    assert blob.hex() == "9a99193f" + "00" * 4 + "cdcc4c3f" + "00" * 12

    vector = array("f", [0.5, 0.25])
    monkeypatch.setattr(sys, "byteorder", "big")
    assert vectors._swapped(vector).tobytes() == vector.tobytes()[3::-1] + vector.tobytes()[:3:-1]


def test_words_alone_import_no_numpy_and_make_no_vectors(tmp_path: Path) -> None:
    """Who does not ask for it pays nothing."""
    program = f"""
import sys
from memstack import MemStackClient
from memstack.local import stats
with MemStackClient.local({str(tmp_path / "m.db")!r}) as client:
    client.create_episode("n", "kitten")
    assert client.search_memory("kitten").total == 1
    assert client.search_memory("feline").total == 0
assert stats({str(tmp_path / "m.db")!r}).vectors == 0
assert "numpy" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
