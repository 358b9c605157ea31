"""Episodes of the embedded server: stored, shown, listed and deleted."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from memstack.local import EmbeddedServer

from .local import EPISODE, EPISODES, MEMOS, MOMENT, ask, made, told


def test_episode_is_stored_with_all_its_fields(server: EmbeddedServer) -> None:
    """What was sent comes back, with times in UTC."""
    sent = {
        "name": "Alice / 王芳?",
        "content": "likes hiking",
        "source_type": "conversation",
        "source_description": "chat",
        "group_id": "g",
        "metadata": {"a": [1, {"b": None}], "ü": 2**70},
        "project_id": "p",
        "tenant_id": "t",
        "user_id": "u",
        "valid_at": "2026-05-01T09:30:00+02:00",
        "unknown": "left out",
    }

    answer = made(server, EPISODES, sent)
    (stored,) = told(ask(server, "GET", EPISODES))["episodes"]

    del sent["unknown"]
    assert answer["status"] == "completed"
    assert MOMENT.fullmatch(answer["created_at"])
    assert stored == {
        **sent,
        "id": answer["id"],
        "valid_at": "2026-05-01T07:30:00.000000Z",
        "created_at": answer["created_at"],
        "status": "completed",
    }


def test_episode_without_valid_at_happened_when_it_came(server: EmbeddedServer) -> None:
    """valid_at is created_at then, and what was not given is null."""
    made(server, EPISODES, EPISODE)

    stored = told(ask(server, "GET", EPISODES + "Alice"))

    assert stored["valid_at"] == stored["created_at"]
    assert stored["source_type"] == "text"
    assert stored["metadata"] is stored["group_id"] is None


def test_newest_episode_of_a_name_is_shown(server: EmbeddedServer) -> None:
    """Of several episodes of one name get_episode shows the last."""
    for content in ("first", "second"):
        made(server, EPISODES, {"name": "a b/é".replace("/", "-"), "content": content})

    assert told(ask(server, "GET", EPISODES + "a%20b-%C3%A9"))["content"] == "second"


def test_deleting_a_name_removes_every_episode_of_it(server: EmbeddedServer) -> None:
    """All of the name go, others stay, and a second time is 404."""
    for name in ("Alice", "Bob", "Alice"):
        made(server, EPISODES, {**EPISODE, "name": name})

    response = ask(server, "DELETE", EPISODES + "Alice")

    assert response.status == 200
    assert told(response) == {
        "status": "success",
        "message": "Episode 'Alice' deleted successfully",
    }
    assert [e["name"] for e in told(ask(server, "GET", EPISODES))["episodes"]] == ["Bob"]
    for method in ("GET", "DELETE"):
        again = ask(server, method, EPISODES + "Alice")
        assert (again.status, told(again)) == (404, {"detail": "Episode not found"})


def test_episodes_are_listed_newest_first_in_pages(server: EmbeddedServer) -> None:
    """limit and offset walk through all; has_more says whether more follow."""
    for i in range(5):
        made(server, EPISODES, {**EPISODE, "name": str(i)})

    pages = [told(ask(server, "GET", f"{EPISODES}?limit=2&offset={i}")) for i in (0, 2, 4, 9)]

    assert ["".join(e["name"] for e in page["episodes"]) for page in pages] == ["43", "21", "0", ""]
    assert [page["has_more"] for page in pages] == [True, True, False, False]
    assert {page["total"] for page in pages} == {5}
    assert (pages[1]["limit"], pages[1]["offset"]) == (2, 2)


@pytest.mark.parametrize("field", ["project_id", "tenant_id", "user_id"])
def test_list_of_episodes_keeps_to_its_scope(server: EmbeddedServer, field: str) -> None:
    """A scope shows and counts what equals it."""
    for value in ("one &=é", "two", None):
        made(server, EPISODES, {**EPISODE, field: value})

    page = told(ask(server, "GET", f"{EPISODES}?{field}=one+%26%3D%C3%A9&unknown=1"))

    assert page["total"] == 1
    assert [e[field] for e in page["episodes"]] == ["one &=é"]


def test_times_never_hide_the_order_of_writing(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written within one tick of the clock is still listed newest first."""
    moment = datetime.fromisoformat("2026-05-01T00:00:00+00:00")
    monkeypatch.setattr("memstack.local.episodes.now", lambda: moment)
    monkeypatch.setattr("memstack.local.memos.now", lambda: moment)
    for i in range(20):
        made(server, EPISODES, {**EPISODE, "name": str(i)})
        made(server, MEMOS, {"content": str(i)})

    newest_first = [str(i) for i in reversed(range(20))]
    assert [e["name"] for e in told(ask(server, "GET", EPISODES))["episodes"]] == newest_first
    assert [memo["content"] for memo in told(ask(server, "GET", MEMOS))] == newest_first


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
)
@pytest.mark.parametrize("server", ["memory"], indirect=True)
def test_any_text_is_kept_as_it_is(server: EmbeddedServer, content: str) -> None:
    """What an episode says comes back to the letter."""
    made(server, EPISODES, {"name": "a", "content": content, "metadata": {content: content}})

    stored = told(ask(server, "GET", EPISODES + "a"))

    assert (stored["content"], stored["metadata"]) == (content, {content: content})
