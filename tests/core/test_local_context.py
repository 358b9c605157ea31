"""What a search finds by the episodes around it, and where that ends."""

from __future__ import annotations

import pytest

from .local import Memory


def test_neighbour_of_a_match_is_found_below_it(memory: Memory) -> None:
    """In a group the text before and after an episode is its context, which counts less."""
    memory.remember("question", "Shall we visit the zeppelin museum?", group_id="g")
    memory.remember("answer", "Yes, tomorrow.", group_id="g")
    memory.remember("later", "It rained.", group_id="g")

    assert memory.names("zeppelin") == ["question", "answer"]


def test_episodes_without_a_group_have_no_context(memory: Memory) -> None:
    """Two that were stored one after the other need have nothing in common."""
    memory.remember("question", "Shall we visit the zeppelin museum?")
    memory.remember("answer", "Yes, tomorrow.")

    assert memory.names("zeppelin") == ["question"]


@pytest.mark.parametrize("field", ["tenant_id", "project_id", "group_id"])
def test_context_stays_within_its_scope(memory: Memory, field: str) -> None:
    """What another tenant, project or group said is no context."""
    scope = {"tenant_id": "t", "project_id": "p", "group_id": "g"}
    memory.remember("a", "zeppelin", **scope)
    memory.remember("b", "tea", **{**scope, field: "other"})
    memory.remember("c", "coffee", **scope)

    assert memory.names("zeppelin") == ["a", "c"]


def test_deleting_an_episode_mends_its_neighbours(memory: Memory) -> None:
    """Deleted text is found no more, and those around it become neighbours."""
    memory.remember("a", "zeppelin", group_id="g")
    memory.remember("b", "submarine", group_id="g")
    memory.remember("c", "coffee", group_id="g")

    memory.forget("b")

    assert memory.names("submarine") == []
    assert memory.names("zeppelin") == ["a", "c"]
    assert memory.names("coffee") == ["c", "a"]


def test_deleting_several_of_a_name_at_once_mends_all(memory: Memory) -> None:
    """Every episode of the name goes, also where they were neighbours."""
    for name in ("a", "b", "b", "c", "b"):
        memory.remember(name, f"{name}-word", group_id="g")

    memory.forget("b")

    assert memory.names("b-word") == ["c", "a"]  # By "word".
    assert memory.names("bword") == []
