"""Both clients on an embedded server: every operation, for real."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

import memstack

from ..colours import CLASSES, AnyClient, Colour, Driven

Drive = Callable[[AnyClient], Driven]


def test_stores_and_finds_an_episode(local: Driven) -> None:
    """In a language with spaces and in one without."""
    stored = local.create_episode("Alice", "Alice loves hiking in Yosemite with Bob.")
    local.create_episode("王芳", "王芳喜欢在周末去西湖边骑自行车。")
    local.create_episode("Carol", "Carol prefers tea to coffee.")

    english = local.search_memory("Where does Alice like to hike?")
    chinese = local.search_memory("王芳周末喜欢做什么？", limit=1)

    assert isinstance(english, memstack.MemoryResponse)
    assert english.results[0].id == stored.id
    assert english.results[0].type == "episode"
    assert chinese.results[0].metadata["name"] == "王芳"
    assert chinese.total == 1


def test_gives_back_every_field_of_an_episode(local: Driven) -> None:
    """As it was given, with id, times and status added."""
    happened = datetime(2026, 5, 1, 17, 30, tzinfo=timezone(timedelta(hours=8)))

    made = local.create_episode(
        "a? b#c%41 名",
        "content",
        "conversation",
        "chat",
        "g1",
        {"n": [1, None, {"ü": 2.5}]},
        project_id="p1",
        tenant_id="t1",
        user_id="u1",
        valid_at=happened,
    )
    episode = local.get_episode("a? b#c%41 名")

    assert episode.id == made.id
    assert episode.model_dump(exclude={"id", "created_at", "status"}) == {
        "name": "a? b#c%41 名",
        "content": "content",
        "source_type": "conversation",
        "source_description": "chat",
        "group_id": "g1",
        "metadata": {"n": [1, None, {"ü": 2.5}]},
        "project_id": "p1",
        "tenant_id": "t1",
        "user_id": "u1",
        "valid_at": happened,
    }
    assert made.created_at == episode.created_at
    assert episode.created_at.tzinfo is not None


def test_lists_pages_of_episodes_newest_first(local: Driven) -> None:
    """Within a scope, with a total, and whether more follow."""
    for number in range(3):
        local.create_episode(f"e{number}", "text", tenant_id="t1")
    local.create_episode("other", "text", tenant_id="t2")

    first = local.list_episodes(2, tenant_id="t1")
    rest = local.list_episodes(2, 2, tenant_id="t1")

    assert [e.name for e in first.episodes] == ["e2", "e1"]
    assert (first.total, first.limit, first.offset, first.has_more) == (3, 2, 0, True)
    assert ([e.name for e in rest.episodes], rest.has_more) == (["e0"], False)


def test_deletes_every_episode_of_a_name(local: Driven) -> None:
    """And says so when there is none."""
    for text in ("first", "second"):
        local.create_episode("twice", text)

    assert local.get_episode("twice").content == "second"
    assert local.delete_episode("twice") is None

    with pytest.raises(memstack.NotFoundError, match="Episode not found"):
        local.delete_episode("twice")
    assert local.search_memory("second").results == []


def test_keeps_memos(local: Driven) -> None:
    """Made, read, changed, listed and deleted."""
    made = local.create_memo("Ask Alice about the map.", tags=["hiking"])
    changed = local.update_memo(made.id, visibility="PUBLIC", tags=[])

    assert (made.visibility, made.tags, made.updated_at) == ("PRIVATE", ["hiking"], None)
    assert (changed.content, changed.visibility, changed.tags) == (made.content, "PUBLIC", [])
    assert changed.updated_at is not None
    assert local.get_memo(made.id) == changed
    assert local.list_memos() == [changed]
    assert local.delete_memo(made.id) is None
    with pytest.raises(memstack.NotFoundError, match="Memo not found"):
        local.get_memo(made.id)


def test_makes_keys_that_work_until_revoked(local: Driven) -> None:
    """With no more than their permissions."""
    made = local.create_api_key("reader", ["read"], expires_in_days=1)
    reader = local.with_options(api_key=made.key)

    (listed,) = local.list_api_keys()
    assert (listed.key_id, listed.permissions) == (made.key_id, ["read"])
    assert set(listed.key) == {"*"}
    assert made.expires_at - made.created_at == timedelta(days=1)
    assert reader.list_memos() == []
    with pytest.raises(memstack.PermissionDeniedError, match="'write' permission"):
        reader.create_memo("note")

    assert local.revoke_api_key(made.key_id) is None
    with pytest.raises(memstack.AuthenticationError) as caught:
        reader.list_memos()
    assert caught.value.status_code == 401
    assert local.list_api_keys() == []


def test_stores_once_what_has_one_idempotency_key(local: Driven) -> None:
    """The same answer again; with another content it is refused."""
    first = local.create_memo("note", idempotency_key="job-1")
    again = local.create_memo("note", idempotency_key="job-1")

    assert again == first
    assert local.list_memos() == [first]
    with pytest.raises(memstack.UnprocessableEntityError):
        local.create_memo("other", idempotency_key="job-1")


def test_refuses_an_unknown_filter(local: Driven) -> None:
    """A filter that is passed over would show what it should hide."""
    local.create_episode("n", "x", group_id="g1")

    assert local.search_memory("x", filters={"group_id": "g2"}).results == []
    with pytest.raises(memstack.ValidationError, match="colour"):
        local.search_memory("x", filters={"colour": "red"})


def test_tells_what_it_can_do(local: Driven) -> None:
    """Status, version and capabilities."""
    health = local.health_check()

    assert health["status"] == "ok"
    assert health["version"] == memstack.__version__
    assert "idempotency-key" in health["capabilities"]


def test_keeps_a_file_between_clients(colour: Colour, drive: Drive, tmp_path: Path) -> None:
    """What one client stored, the next one finds."""
    path = tmp_path / "memory.db"
    first = drive(CLASSES[colour].local(path))
    made = first.create_memo("note")
    first.close()

    second = drive(CLASSES[colour].local(path))

    assert second.get_memo(made.id) == made
    assert second.base_url == f"local:{path}"


def test_refuses_a_file_of_another_kind(colour: Colour, tmp_path: Path) -> None:
    """And leaves it as it is."""
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but dear to someone")

    with pytest.raises(memstack.ValidationError, match="path"):
        CLASSES[colour].local(path)

    assert path.read_text() == "not a database, but dear to someone"
