"""The clients as their users call them, on what both server generations were recorded to answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from types import NoneType
from typing import Any, NamedTuple

import pytest

import memstack
from memstack import (
    APIKey,
    Episode,
    EpisodePage,
    EpisodeResponse,
    Memo,
    MemoryResponse,
    operations,
)
from memstack.response import Rows

from ..cassettes.files import GENERATIONS, HOST, Exchange, playing_chosen, recorded
from ..cassettes.routes import UNRECORDED, asked_before
from ..colours import CLASSES, AnyClient, Colour, Driven
from .closures import EPISODE
from .congruence import RECORDED


class Step(NamedTuple):
    """A call, the recording of it, and what comes of it."""

    method: str
    arguments: tuple[Any, ...]
    group: str
    case: str
    result: type

    def recorded(self, generation: str) -> Exchange:
        return recorded(generation, self.group, self.case)

    def take(self, client: Driven) -> Any:
        if self.result is memstack.ServerError:
            # Without a look for what became of a create that failed, which was not recorded.
            operation = getattr(operations, self.method)(*self.arguments)
            return client.send(replace(operation, sends_idempotency_key=False))
        return getattr(client, self.method)(*self.arguments)


KEY = ("k-30", ["read"], 30)
MEMO = ("second memo", "PUBLIC", ["a", "b"])
MEMO_METHODS = ["create_memo", "list_memos", "get_memo", "update_memo", "delete_memo"]
REVOKED = {
    "v0.1": "delete that key (k-none)",
    "v0.2": "revoke it through the API",
}
# Where a generation fails, or lacks something, on its own account.
FAILS: dict[tuple[str, str], type] = {
    ("v0.1", "get_episode"): memstack.UnsupportedOperationError,
    ("v0.1", "delete_episode"): memstack.UnsupportedOperationError,
    ("v0.2", "get_episode"): memstack.ServerError,
    ("v0.2", "create_memo"): memstack.ServerError,
}


def steps(generation: str) -> list[Step]:
    """Each method once, in the order that fits the recording."""
    there = RECORDED[generation]
    health = "health under /api/v1, no auth" if generation == "v0.1" else "health at root, no auth"
    works = [
        Step("health_check", (), "health", health, dict),
        Step("create_episode", EPISODE, "episodes-create", "full SDK body", EpisodeResponse),
        Step("list_episodes", (1, 1), "dates-as-iso", "list limit=1 offset=1", EpisodePage),
        Step("get_episode", ("Scoped",), "episodes-list-get-delete", "get by name", Episode),
        Step("delete_episode", ("Scoped",), "episodes-list-get-delete", "delete by name", NoneType),
        Step("search_memory", ("hiking",), "memory-search", "hits", MemoryResponse),
        Step("create_api_key", KEY, "api-keys", "create, expires_in_days 30", APIKey),
        Step("list_api_keys", (), "api-keys", "list", Rows),
        Step("revoke_api_key", (there.key,), "api-keys", REVOKED[generation], NoneType),
        Step("create_memo", MEMO, "memos", "create, all fields", Memo),
        Step("list_memos", (1, 1), "memos", "list limit=1 offset=1", Rows),
        Step("get_memo", (there.memo,), "memos", "get", Memo),
        Step(
            "update_memo", (there.memo, "first memo, edited"), "memos", "patch content only", Memo
        ),
        Step("delete_memo", (there.memo,), "memos", "delete", NoneType),
    ]
    return [s._replace(result=FAILS.get((generation, s.method), s.result)) for s in works]


def memo_step(method: str) -> Step:
    """The step of *method* on v0.2."""
    (found,) = [step for step in steps("v0.2") if step.method == method]
    return found


MOVED = {"v0.1": "health_check", "v0.2": "create_memo"}
"""The first step of each generation whose path is elsewhere."""


@pytest.fixture
def make_client(colour: Colour, drive: Callable[[AnyClient], Driven]) -> Callable[[], Driven]:
    return lambda: drive(
        CLASSES[colour]("ms_sk_test", HOST, max_retries=0, on_unsupported="ignore")
    )


def result_of(client: Driven, step: Step) -> type:
    try:
        return type(step.take(client))
    except memstack.MemStackError as error:
        return type(error)


def test_every_method_is_called() -> None:
    """None is forgotten below."""
    for generation in GENERATIONS:
        called = {step.method for step in steps(generation)}

        assert called == set(operations.__all__) - {"Operation"} - UNRECORDED


@pytest.mark.parametrize("generation", GENERATIONS)
def test_every_method_works_where_the_server_does(
    generation: str, make_client: Callable[[], Driven]
) -> None:
    """One client, each method once, and one request more than that for the path elsewhere."""
    calls = steps(generation)
    chosen = []
    for step in calls:
        if step.method == MOVED[generation]:
            chosen += asked_before(step.recorded(generation))
        chosen.append(step.recorded(generation))

    with playing_chosen(*chosen) as cassette:
        client = make_client()
        found = {step.method: result_of(client, step) for step in calls}

    assert found == {step.method: step.result for step in calls}
    assert cassette.all_played
    assert cassette.play_count == len(found) + 1


@pytest.mark.parametrize("first", MEMO_METHODS)
def test_whichever_memo_method_is_first_finds_the_path(
    first: str, make_client: Callable[[], Driven]
) -> None:
    """With one request more."""
    step = memo_step(first)
    answer = step.recorded("v0.2")

    with playing_chosen(*asked_before(answer), answer) as cassette:
        found = result_of(make_client(), step)

    assert found is step.result
    assert cassette.all_played
    assert cassette.play_count == 2


def test_siblings_share_what_was_found(make_client: Callable[[], Driven]) -> None:
    """What one of them has paid for, the others have."""
    list_, get = memo_step("list_memos"), memo_step("get_memo")
    chosen = [step.recorded("v0.2") for step in (list_, get)]

    with playing_chosen(*asked_before(chosen[0]), *chosen) as cassette:
        client = make_client()
        listed = client.with_options(timeout=5).list_memos(*list_.arguments)
        memo = client.get_memo(*get.arguments)

    assert (listed, memo.content) == ([], "seed, updated_at set")
    assert cassette.play_count == 3


@pytest.mark.parametrize("generation", GENERATIONS)
def test_what_a_search_finds_has_id_and_type(
    generation: str, make_client: Callable[[], Driven]
) -> None:
    """In the words of this package, whatever the server calls them."""
    case = "hits of all kinds (episode, entity, relationship)"
    chosen = recorded(generation, "memory-search", case)

    with playing_chosen(chosen):
        found = make_client().search_memory("Alice Yosemite")

    kinds = {"episode", "entity", "relation"} if generation == "v0.1" else {"episode", "entity"}
    assert {result.type for result in found.results} == kinds
    for result in found.results:
        assert f'"uuid":{json.dumps(result.id)}'.encode() in chosen.content


@pytest.mark.parametrize("generation", GENERATIONS)
def test_episodes_are_listed(generation: str, make_client: Callable[[], Driven]) -> None:
    """With name, content and time; v0.1 tells neither ids nor whether more follow."""
    with playing_chosen(recorded(generation, "dates-as-iso", "list limit=1 offset=1")):
        page = make_client().list_episodes(1, 1)

    (episode,) = page.episodes
    assert episode.created_at.tzinfo is not None
    if generation == "v0.1":
        assert (episode.name, episode.content) == ("Two words", "Bob likes tea")
        assert (episode.id, page.limit, page.offset, page.has_more) == (None, None, None, None)
    else:
        assert (episode.name, episode.content) == ("One", "Alice loves hiking")
        assert (page.limit, page.offset, page.has_more) == (1, 1, False)
        assert episode.id is not None
