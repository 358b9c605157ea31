"""Iterators over whole lists, on both clients; tests/core/test_walking.py has lists that change."""

from __future__ import annotations

import base64
import itertools
import json
from typing import Any

import httpx
import pytest

import memstack

from ..colours import Driven
from ..conftest import Make
from ..scripted import MEMO, Answer, ScriptedServer


def memos(*numbers: int) -> Answer:
    """A page of memos; the newest has the highest number."""
    rows = [{**MEMO, "id": f"m{n}", "created_at": f"2026-05-01T09:{n:02}:00Z"} for n in numbers]
    return Answer(body=rows)


def older(count: int) -> Answer:
    """What v0.1 answers to a list of episodes."""
    rows = [
        {"content": "x", "score": 1.0, "metadata": {"name": f"n{n}"}, "source": "episode"}
        for n in range(count)
    ]
    return Answer(body={"results": rows, "total": count})


def ids(rows: Any) -> list[str]:
    return [row.id for row in rows]


def offsets(server: ScriptedServer) -> list[tuple[str, str]]:
    return [(r.url.params["limit"], r.url.params["offset"]) for r in server.requests]


def test_goes_through_all_pages(client: Driven, server: ScriptedServer) -> None:
    """Each overlaps the one before; where nothing follows it is the end."""
    server.answer(memos(9, 8, 7, 6), memos(7, 6, 5, 4), memos(5, 4, 3), memos(4, 3))

    assert ids(client.iter_memos(page_size=4)) == ["m9", "m8", "m7", "m6", "m5", "m4", "m3"]
    assert offsets(server) == [("4", "0"), ("4", "2"), ("4", "4"), ("4", "5")]


def test_passes_over_rows_that_new_ones_pushed_on(client: Driven, server: ScriptedServer) -> None:
    """By what they are, and not by how many there should be."""
    server.answer(memos(9, 8, 7, 6), memos(9, 8, 7, 6), memos(7, 6, 5, 4), memos(5, 4))

    assert ids(client.iter_memos(page_size=4)) == ["m9", "m8", "m7", "m6", "m5", "m4"]


def test_sends_nothing_before_the_first_row_is_due(client: Driven, server: ScriptedServer) -> None:
    """And nothing more than what is wanted."""
    pager = client.iter_memos(page_size=4)
    assert server.requests == []
    assert pager.token is None

    server.answer(memos(9, 8, 7, 6))

    assert next(pager).id == "m9"
    assert repr(pager) in (
        "<Pager iter_memos, 1 given>",
        "<AsyncPager iter_memos, 1 given>",
    )


def test_asks_within_a_scope(client: Driven, server: ScriptedServer) -> None:
    """The filters of list_episodes."""
    server.answer(Answer(body={"episodes": [], "total": 0, "has_more": False}))

    assert list(client.iter_episodes(project_id="p", tenant_id="t", user_id="u")) == []
    assert dict(server.last.url.params) == {
        "limit": "200",
        "offset": "0",
        "project_id": "p",
        "tenant_id": "t",
        "user_id": "u",
    }


def test_goes_on_after_an_error(make: Make, server: ScriptedServer) -> None:
    """Where it was: nothing is lost and nothing comes twice."""
    pager = make(max_retries=0).iter_memos(page_size=4)
    server.answer(memos(9, 8, 7, 6), Answer(503), memos(7, 6, 5))

    found = ids(itertools.islice(pager, 2))
    with pytest.raises(memstack.ServerError):
        next(pager)
    server.answer(memos(6, 5))

    assert found + ids(pager) == ["m9", "m8", "m7", "m6", "m5"]


def test_a_token_goes_on_elsewhere(make: Make, server: ScriptedServer) -> None:
    """Another client, after rows came and the row of the token itself has gone."""
    pager = make().iter_memos(page_size=4)
    server.answer(memos(9, 8, 7, 6))
    assert ids(itertools.islice(pager, 2)) == ["m9", "m8"]

    server.answer(memos(11, 10, 9, 7), memos(9, 7, 6, 5), memos(6, 5))
    later = make().iter_memos(page_size=4, after=pager.token)

    assert ids(later) == ["m7", "m6", "m5"]


def test_a_token_of_nothing_begins_at_the_beginning(client: Driven, server: ScriptedServer) -> None:
    """As a pager has it that was not used yet."""
    server.answer(memos(9, 8))
    server.answer(memos(8))

    assert ids(client.iter_memos(page_size=2, after=client.iter_memos().token)) == ["m9", "m8"]


def test_a_token_says_nothing_of_rows_and_filters(client: Driven, server: ScriptedServer) -> None:
    """It may be kept where memories may not."""
    row = {"id": "e1", "name": "secret-name", "content": "secret-content"}
    server.answer(Answer(body={"episodes": [row], "total": 1, "has_more": False}))
    pager = client.iter_episodes(tenant_id="secret-tenant")
    next(pager)

    read = base64.urlsafe_b64decode(pager.token + "=" * (-len(pager.token) % 4))

    assert b"secret" not in read
    assert b"e1" not in read


def token_of(client: Driven, server: ScriptedServer) -> str:
    server.answer(memos(9, 8, 7, 6))
    pager = client.iter_memos(page_size=4)
    next(pager)
    token: str = pager.token
    return token


def test_refuses_a_token_of_another_list(client: Driven, server: ScriptedServer) -> None:
    """Before anything is sent."""
    token = token_of(client, server)

    with pytest.raises(memstack.ValidationError, match="after: is a token of iter_memos"):
        client.iter_episodes(after=token)


def test_refuses_a_token_of_other_filters(client: Driven, server: ScriptedServer) -> None:
    """The rows that it knows may not be there."""
    row = {"id": "e1", "name": "n", "content": "x"}
    server.answer(Answer(body={"episodes": [row], "total": 1, "has_more": False}))
    pager = client.iter_episodes(tenant_id="a")
    next(pager)

    with pytest.raises(memstack.ValidationError, match="after: is a token of other filters"):
        client.iter_episodes(tenant_id="b", after=pager.token)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: "",
        lambda token: "nonsense",
        lambda token: token[:-9],
        lambda token: token + "é",
        lambda token: 5,
        lambda token: b"x",
        lambda token: _changed(token, at=-1),
        lambda token: _changed(token, v=2),
        lambda token: _changed(token, at=2**40),
        lambda token: _changed(token, before=[["x", 1]] * 101),
        lambda token: _changed(token, more=1),
    ],
)
def test_refuses_what_is_no_token(client: Driven, server: ScriptedServer, spoil: Any) -> None:
    """It says so, and does not quote it."""
    token = spoil(token_of(client, server))

    with pytest.raises(memstack.ValidationError, match=r"^iter_memos: after: must be the `token`"):
        client.iter_memos(after=token)


def _changed(token: str, **changes: Any) -> str:
    facts = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    return base64.urlsafe_b64encode(json.dumps({**facts, **changes}).encode()).decode()


@pytest.mark.parametrize("size", [0, 1, -1, 1001, True, 2.0, "2", None])
def test_refuses_a_page_size_out_of_range(client: Driven, size: Any) -> None:
    """One row a page would show no overlap."""
    with pytest.raises(memstack.ValidationError, match=r"^iter_memos: page_size: .* 2 to 1000"):
        client.iter_memos(page_size=size)


def test_refuses_a_filter_that_breaks_its_rule(client: Driven) -> None:
    """As list_episodes does, under its own name."""
    with pytest.raises(memstack.ValidationError, match=r"^iter_episodes: project_id"):
        client.iter_episodes(project_id="")


def test_warns_where_a_server_lists_one_page_only(client: Driven, server: ScriptedServer) -> None:
    """v0.1: the list is cut, and it says so when all it shows was given."""
    server.answer(older(200))
    pager = client.iter_episodes()

    with pytest.warns(memstack.UnsupportedArgumentWarning, match="newest 200 rows") as caught:
        rows = list(pager)

    assert len(rows) == 200
    assert pager.is_cut
    assert len(server.requests) == len(caught) == 1
    assert list(pager) == []


def test_raises_where_a_server_lists_one_page_only(make: Make, server: ScriptedServer) -> None:
    """With on_unsupported="raise": nobody takes the newest for all."""
    server.answer(older(200))
    pager = make(on_unsupported="raise").iter_episodes()
    assert len(list(itertools.islice(pager, 200))) == 200

    for _ in range(2):
        with pytest.raises(memstack.UnsupportedArgumentError, match=r"iter_episodes.* is cut"):
            next(pager)


def test_keeps_quiet_if_it_is_told_to(make: Make, server: ScriptedServer) -> None:
    """And tells it all the same."""
    server.answer(older(200))
    pager = make(on_unsupported="ignore").iter_episodes()

    assert len(list(pager)) == 200
    assert pager.is_cut


def test_does_not_warn_of_a_list_that_fits_a_page(client: Driven, server: ScriptedServer) -> None:
    """Though the server knows no other."""
    server.answer(older(3))
    pager = client.iter_episodes()

    assert len(list(pager)) == 3
    assert not pager.is_cut


def test_goes_through_an_embedded_memstack(local: Driven) -> None:
    """While rows are stored, and all that was given is deleted."""
    for n in range(45):
        local.create_memo(f"m{n}")
    found = []
    for memo in local.iter_memos(page_size=10):
        found.append(memo.content)
        local.create_memo("new")
        local.delete_memo(memo.id)

    assert found == [f"m{n}" for n in range(44, -1, -1)]


@pytest.mark.parametrize(("limit", "cut"), [(1, True), (2, True), (3, False)])
def test_lists_say_when_they_are_cut(local: Driven, limit: int, cut: bool) -> None:
    """A list of memos may be, if it has as many as were asked for."""
    for name in ("a", "b"):
        local.create_memo("x")
        local.create_episode(name, "x")

    memos = local.list_memos(limit)
    episodes = local.list_episodes(limit)

    assert memos.is_cut is cut
    assert repr(memos).endswith(", …]") is cut
    assert ("more may follow" in memos._repr_html_()) is cut
    assert episodes.is_cut is (limit == 1)


@pytest.mark.parametrize(("count", "cut"), [(49, False), (50, True)])
def test_a_list_of_v0_1_says_when_it_may_be_cut(
    client: Driven, server: ScriptedServer, count: int, cut: bool
) -> None:
    """It has no has_more, and its total is that of the page."""
    server.answer(older(count))

    page = client.list_episodes()

    assert page.is_cut is cut
    assert ("more may follow" in page._repr_html_()) is cut


def test_a_list_of_keys_is_whole(local: Driven) -> None:
    """It has no pages."""
    local.create_api_key("k", ["read"])

    assert not local.list_api_keys().is_cut


def test_a_closed_client_says_so(client: Driven, server: ScriptedServer) -> None:
    """As every call does."""
    pager = client.iter_memos()
    client.close()

    with pytest.raises(memstack.NetworkError, match="closed"):
        next(pager)


def test_a_lost_answer_is_asked_for_again(client: Driven, server: ScriptedServer) -> None:
    """A page is a call like any other."""
    server.answer(httpx.ReadError("reset"), memos(9), memos(9))

    assert ids(client.iter_memos(page_size=4)) == ["m9"]
