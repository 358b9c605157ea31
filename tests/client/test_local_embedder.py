"""Both clients on an embedded MemStack that searches by meaning."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from memstack import MemStackError, ValidationError
from memstack.local import stats

from ..colours import CLASSES, AnyClient, Colour, Driven
from ..toy_embedder import meanings


def fail(texts: list[str]) -> list[list[float]]:
    raise ConnectionError("no route to sk-secret")


async def late(texts: list[str]) -> list[list[float]]:
    return meanings(texts)


@pytest.fixture
def opened(colour: Colour, drive: Callable[[AnyClient], Driven]) -> Callable[..., Driven]:
    """Makes an embedded client with these arguments."""
    return lambda *args, **options: drive(CLASSES[colour].local(*args, **options))


def test_finds_by_meaning_in_memory_and_in_a_file(
    opened: Callable[..., Driven], tmp_path: Path
) -> None:
    """In memory the model needs no name."""
    for client in (
        opened(embedder=meanings),
        opened(tmp_path / "m.db", embedder=meanings, embedding_model="toy"),
    ):
        client.create_episode("pet", "The kitten naps.")
        client.create_episode("trip", "The car is red.")
        assert [found.content for found in client.search_memory("feline").results] == [
            "The kitten naps."
        ]
        assert client.with_options(timeout=5).search_memory("feline").total == 1

    assert stats(tmp_path / "m.db").embedding_model == "toy"


def test_is_off_unless_it_is_asked_for(local: Driven) -> None:
    """And a search is by words."""
    local.create_episode("pet", "The kitten naps.")

    assert local.search_memory("feline").total == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"embedder": "toy"}, "embedder: must be a function of a list of texts, not str"),
        ({"embedder": meanings}, "embedding_model: must be the name"),
        ({"embedder": meanings, "embedding_model": ""}, "embedding_model: must be the name"),
        ({"embedder": meanings, "embedding_model": 1}, "embedding_model: must be the name"),
        (
            {"embedder": meanings, "query_embedder": "toy", "embedding_model": "toy"},
            "query_embedder: must be a function",
        ),
        ({"query_embedder": meanings}, "embedder: is missing"),
        ({"embedding_model": "toy"}, "embedder: is missing"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(
    colour: Colour, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    """Before a file is made."""
    with pytest.raises(ValidationError, match=f"^{message}"):
        CLASSES[colour].local(tmp_path / "m.db", **options)

    assert list(tmp_path.iterdir()) == []


def test_embedder_that_fails_loses_nothing(opened: Callable[..., Driven]) -> None:
    """What it raised is the cause; its message is not repeated, for it may hold a secret."""
    client = opened(embedder=fail)
    client.create_episode("pet", "The kitten naps.")

    with pytest.raises(MemStackError, match=r"^embedder: it raised ConnectionError") as caught:
        client.search_memory("kitten")

    assert "secret" not in str(caught.value)
    assert isinstance(caught.value.__cause__, ConnectionError)
    assert client.get_episode("pet").content == "The kitten naps."


def test_embedder_that_is_async_is_refused(opened: Callable[..., Driven]) -> None:
    """No coroutine is left behind that nobody awaits."""
    client = opened(embedder=late)
    client.create_episode("pet", "The kitten naps.")

    with pytest.raises(ValidationError, match=r"^embedder: gives a coroutine"):
        client.search_memory("kitten")


def test_pickled_client_takes_its_embedder_along(
    opened: Callable[..., Driven], drive: Callable[[AnyClient], Driven], tmp_path: Path
) -> None:
    """A worker process searches as its parent does."""
    client = opened(tmp_path / "m.db", embedder=meanings, embedding_model="toy")
    client.create_episode("pet", "The kitten naps.")

    other = drive(pickle.loads(pickle.dumps(client.client)))

    assert other.search_memory("feline").total == 1
