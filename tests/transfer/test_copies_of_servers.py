"""Copies to and from servers that lack something, fail, or change meanwhile."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from memstack import MemStackClient, NetworkError, ServerError, ValidationError
from memstack.local import rows
from memstack.testing import MemStackServer
from memstack.transfer import TransferError

from ..colours import CLASSES, Colour, Driven
from .conftest import Mover, fill
from .older import Generation, Older

KEYED_OR_NOT = pytest.mark.parametrize("generation", ["current", "unknown"])


@pytest.mark.parametrize("failure", ["refused", "lost request", "lost answer", "503", "429"])
def test_failures_on_the_way_store_nothing_twice(
    colour: Colour, mover: Mover, failure: str
) -> None:
    """A server with idempotency keys."""
    source = mover.local()
    fill(source)
    with MemStackServer() as server:
        remote = mover._drive(CLASSES[colour]())
        if failure == "refused":
            server.refuse(on="create_episode", times=2)
        elif failure == "lost request":
            server.lose_request(on="create_episode", times=2)
        elif failure == "lost answer":
            server.lose_answer(on="create_episode", times=2)
            server.lose_answer(on="create_memo", times=2)
        else:
            server.next(int(failure), on="create_memo", times=2)

        report = mover.copy(source, remote)

        assert server.pending == []
        assert (report.episodes.stored, report.memos.stored) == (5, 3)
        assert (report.episodes.replayed, report.memos.replayed) == (0, 0)
        assert remote.list_episodes().total == 5
        assert len(remote.list_memos()) == 3
        remote.close()


def test_lost_answers_of_a_server_without_keys_store_nothing_twice(mover: Mover) -> None:
    """The client looks for what it created; here all contents differ."""
    source, older = mover.local(), mover.older("unknown")
    for n in range(4):
        source.create_episode(f"e{n}", f"content {n}")
        source.create_memo(f"memo {n}")
    lost: list[httpx.Request] = []

    def lose(request: httpx.Request) -> None:
        if request.method == "POST" and len(lost) < 5:
            lost.append(request)
            raise httpx.ReadError("reset by peer")

    older.after = lose
    remote = mover.remote(older)
    report = mover.copy(source, remote)

    assert len(lost) == 5
    assert (report.episodes.stored, report.memos.stored) == (4, 4)
    assert remote.list_episodes().total == 4
    assert len(remote.list_memos()) == 4


@KEYED_OR_NOT
def test_end_in_the_middle_tells_what_was_done_and_goes_on(
    mover: Mover, generation: Generation
) -> None:
    """The error is that of the call, with the report; the same call again does the rest."""
    source, older = mover.local(), mover.older(generation)
    remote = mover.remote(older, max_retries=0)
    fill(source)
    posts: list[httpx.Request] = []

    def fail(request: httpx.Request) -> None:
        posts.append(request)
        if request.method == "POST" and len([p for p in posts if p.method == "POST"]) == 3:
            raise httpx.ConnectError("refused")

    older.before = fail
    with pytest.raises(TransferError, match="2 rows were stored before that") as caught:
        mover.copy(source, remote)
    report = mover.copy(source, remote)

    assert caught.value.report is not None
    assert caught.value.report.episodes.stored == 2
    assert (report.episodes.there, report.episodes.stored) == (2, 3)
    assert remote.list_episodes().total == 5


def test_error_before_anything_is_the_error_itself(mover: Mover) -> None:
    """Such as a server that fails when it is asked what it has."""
    source, older = mover.local(), mover.older()
    fill(source)

    def fail(request: httpx.Request) -> None:
        if request.method == "GET" and "memos" in request.url.path:
            raise httpx.ReadError("reset by peer")

    older.before = fail
    with pytest.raises(NetworkError) as caught:
        mover.copy(source, mover.remote(older, max_retries=0))

    assert not isinstance(caught.value, TransferError)
    assert ("POST", "/api/v1/episodes/") not in older.requests


def test_memos_that_a_server_cannot_take_are_refused_and_told(mover: Mover) -> None:
    """v0.2 fails on every memo; the episodes come all the same."""
    source, older = mover.local(), mover.older("v0.2")
    fill(source)

    report = mover.copy(source, mover.remote(older))

    assert (report.episodes.stored, report.memos.refused) == (5, 3)
    assert "answers 500 to valid input" in report.problems[0]
    assert not report.is_whole
    assert ("POST", "/memos") not in older.requests


@pytest.mark.parametrize("status", [400, 413, 422])
def test_rows_that_a_server_refuses_are_told_and_the_others_copied(
    colour: Colour, mover: Mover, status: int
) -> None:
    """For what they are, such as too large."""
    source = mover.local()
    fill(source)
    with MemStackServer() as server:
        remote = mover._drive(CLASSES[colour]())
        server.next(status, on="create_episode", times=2)

        report = mover.copy(source, remote)
        again = mover.copy(source, remote)
        remote.close()

    assert (report.episodes.refused, report.episodes.stored, report.memos.stored) == (2, 3, 3)
    assert len(report.problems) == 2
    assert not report.is_whole
    assert (again.episodes.stored, again.is_whole) == (2, True)


@pytest.mark.parametrize("generation", ["v0.1", "v0.2"])
def test_fields_that_a_generation_passes_over_go_into_the_metadata(
    mover: Mover, generation: Generation
) -> None:
    """And no warning tells of them, since the report does."""
    source, older = mover.local(), mover.older(generation)
    fill(source, memos=0)

    report = mover.copy(source, mover.remote(older))

    stored = mover.remote(Older(older.server, "current")).list_episodes().episodes
    fields = "source_description" if generation == "v0.1" else "source_type"
    assert {"id", "created_at", "group_id", fields} <= set(stored[1].metadata["memstack_origin"])
    assert report.in_metadata["episode.group_id"] == 5


def test_a_server_whose_list_is_cut_is_not_copied_to(mover: Mover) -> None:
    """v0.1 lists its newest 200: nobody could tell what it has already."""
    source, older = mover.local(), mover.older("v0.1")
    fill(source, memos=0)
    fill_server(older, 200)

    with pytest.raises(ValidationError, match="newest 200 episodes and no others"):
        mover.copy(source, mover.remote(older))

    assert ("POST", "/api/v1/episodes/") not in older.requests


def test_what_a_server_does_not_list_is_told(mover: Mover, tmp_path: Path) -> None:
    """In the report and in the file."""
    older, target = mover.older("v0.1"), mover.local()
    fill_server(older, 201)

    report = mover.export(mover.remote(older), tmp_path / "x")

    assert report.episodes.read == 200
    assert "newest 200 episodes and no others" in report.incomplete[0]
    assert "metadata" in report.incomplete[1]
    assert mover.load(tmp_path / "x", target).incomplete == report.incomplete
    assert not mover.load(tmp_path / "x", target).is_whole


@pytest.mark.parametrize("generation", ["current", "unknown", "v0.2"])
def test_long_lists_are_followed_while_rows_come_and_go(
    mover: Mover, tmp_path: Path, generation: Generation
) -> None:
    """What is there from beginning to end is copied, each once, oldest first."""
    older, target = mover.older(generation, tmp_path / "m.db"), mover.local()
    fill_server(older, 700)
    pages: list[httpx.Request] = []

    def disturb(request: httpx.Request) -> None:
        if request.method == "GET" and request.url.path.endswith("/episodes/"):
            pages.append(request)
            for n in range(30):
                other.create_episode(f"late {n}", "late")
            if len(pages) == 2:
                for n in range(550, 700):
                    other.delete_episode(f"r{n}")

    with MemStackClient.local(tmp_path / "m.db") as other:
        older.after = disturb
        report = mover.copy(mover.remote(older), target)

    names = [name for name in reversed(names_of(target)) if name.startswith("r")]
    assert names[:550] == [f"r{n}" for n in range(550)]
    assert len(names) == len(set(names))
    assert report.episodes.stored == report.episodes.read


def test_a_server_error_is_told_with_what_was_done(mover: Mover) -> None:
    """`__cause__` has the error itself."""
    source, older = mover.local(), mover.older()
    fill(source)
    remote = mover.remote(older, max_retries=0)
    server = older.server
    count: list[str] = []

    def close(request: httpx.Request) -> None:
        count.append(request.method)
        if count.count("POST") == 2:
            server.close()

    older.after = close
    with pytest.raises(TransferError) as caught:
        mover.copy(source, remote)

    assert isinstance(caught.value.__cause__, ServerError)
    assert caught.value.report is not None
    assert caught.value.report.episodes.stored == 2


def fill_server(older: Older, count: int) -> None:
    with older.server.direct(writes=True) as connection:
        moment = "2026-05-01T09:30:02.120000Z"
        told = [
            {"id": f"id-{n}", "name": f"r{n}", "content": f"row {n}", "created_at": moment}
            for n in range(count)
        ]
        rows.put(connection, "episode", told)


def names_of(client: Driven) -> list[str]:
    found: list[str] = []
    while page := client.list_episodes(200, len(found)).episodes:
        found += [row.name for row in page]
    return found
