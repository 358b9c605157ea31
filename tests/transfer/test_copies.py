"""Rows go from one MemStack to another, whatever its generation, each of them once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from memstack import MemStackAsyncClient, MemStackClient, ValidationError
from memstack.transfer import copy

from .conftest import Mover, fill
from .older import Generation

KEYED_OR_NOT = pytest.mark.parametrize("generation", ["current", "unknown"])


def test_embedded_to_embedded_is_exact(mover: Mover, tmp_path: Path) -> None:
    """Every field, with ids and times, in the same order; and it can be found."""
    source, target = mover.local(), mover.local(tmp_path / "m.db")
    fill(source)

    report = mover.copy(source, target)

    assert (report.episodes.stored, report.memos.stored) == (5, 3)
    assert report.is_whole
    assert not report.in_metadata
    assert not report.left_out
    assert mover.rows(target, tmp_path / "t") == mover.rows(source, tmp_path / "s")
    assert len(target.search_memory("西湖").results) == 5


@KEYED_OR_NOT
def test_there_and_back_is_exact_for_episodes(
    mover: Mover, tmp_path: Path, generation: Generation
) -> None:
    """A server gives ids and times of its own; those of the source come along in the metadata."""
    source, again = mover.local(), mover.local()
    remote = mover.remote(mover.older(generation))
    fill(source)

    out = mover.copy(source, remote)
    mover.copy(remote, again)

    assert out.in_metadata == {"episode.id": 5, "episode.created_at": 5}
    assert out.left_out == {"memo.id": 3, "memo.created_at": 3, "memo.updated_at": 1}
    episodes = mover.rows(source, tmp_path / "s")[:5]
    assert mover.rows(again, tmp_path / "t")[:5] == episodes
    memos = [{(m.content, m.visibility, *m.tags) for m in c.list_memos()} for c in (source, again)]
    assert memos[0] == memos[1]


@pytest.mark.parametrize("generation", ["current", "unknown", "v0.1", "v0.2"])
def test_second_copy_stores_nothing(mover: Mover, generation: Generation) -> None:
    """Nor does the way back, nor a third copy after new rows, but for these."""
    source, remote = mover.local(), mover.remote(mover.older(generation))
    fill(source, memos=0 if generation == "v0.2" else 3)
    first = mover.copy(source, remote)

    again, back = mover.copy(source, remote), mover.copy(remote, source)
    source.create_episode("new", "new")
    third = mover.copy(source, remote)

    assert first.episodes.stored == 5
    for report in (again, back):
        assert (report.episodes.stored, report.memos.stored) == (0, 0)
        assert (report.episodes.there, report.memos.there) == (5, first.memos.stored)
        assert not report.left_out
    assert (third.episodes.stored, third.episodes.there) == (1, 5)
    assert remote.list_episodes().total == 6


@KEYED_OR_NOT
def test_rows_that_are_alike_are_each_copied(mover: Mover, generation: Generation) -> None:
    """Three of one content and one there make two."""
    source, remote = mover.local(), mover.remote(mover.older(generation))
    remote.create_memo("same")
    for _ in range(3):
        source.create_memo("same")
        source.create_episode("same", "same")

    report = mover.copy(source, remote)

    assert (report.memos.stored, report.memos.there) == (2, 1)
    assert len(remote.list_memos()) == 3
    assert remote.list_episodes().total == 3


def test_a_row_is_not_taken_for_another_that_is_there_by_its_id(mover: Mover) -> None:
    """Though both have one content and that one comes later."""
    older, target = mover.older("current"), mover.local()
    remote = mover.remote(older)
    mover.copy(mover.local(), remote)
    for _ in range(2):
        remote.create_memo("same")
    mover.copy(remote, target)
    target.delete_memo(remote.list_memos()[1].id)

    report = mover.copy(remote, target)

    assert (report.memos.there, report.memos.stored) == (1, 1)
    assert {m.id for m in target.list_memos()} == {m.id for m in remote.list_memos()}


def test_what_was_deleted_at_the_target_is_told_and_not_made_again(mover: Mover) -> None:
    """A server that has the idempotency key of an earlier copy repeats its answer."""
    source, remote = mover.local(), mover.remote(mover.older("current"))
    fill(source)
    mover.copy(source, remote)
    remote.delete_episode("e1")
    remote.delete_memo(remote.list_memos()[0].id)

    report = mover.copy(source, remote)

    assert (report.episodes.replayed, report.memos.replayed) == (1, 1)
    assert (report.episodes.stored, report.memos.stored) == (0, 0)
    assert not report.is_whole
    assert "not listed since" in str(report)


def test_a_changed_memo_is_told_and_kept(mover: Mover) -> None:
    """The target may have the newer one."""
    source, target = mover.local(), mover.local()
    memo = source.create_memo("old")
    mover.copy(source, target)
    target.update_memo(memo.id, "new")

    report = mover.copy(source, target)

    assert report.memos.different == 1
    assert report.problems == [f"memo {memo.id}: the target has another content"]
    assert not report.is_whole
    assert target.get_memo(memo.id).content == "new"


def test_the_file_of_a_server_goes_to_another_as_it_is_but_not_back(
    mover: Mover, tmp_path: Path
) -> None:
    """Its ids are its own, and what it has of a copy is not stored twice where it came from."""
    source, older = mover.local(), mover.older("current", tmp_path / "server.db")
    fill(source, memos=0)
    mover.copy(source, mover.remote(older))
    of_server, other = mover.local(tmp_path / "server.db"), mover.local()

    mover.copy(of_server, other)
    back = mover.copy(of_server, source)

    assert mover.rows(other, tmp_path / "a") == mover.rows(of_server, tmp_path / "b")
    assert (back.episodes.there, back.episodes.stored) == (5, 0)


def test_the_same_memstack_is_refused(mover: Mover, tmp_path: Path) -> None:
    """By its file, whatever the client; and by its URL."""
    older = mover.older()
    first, second = mover.local(tmp_path / "m.db"), mover.local(tmp_path / "m.db")
    remote = mover.remote(older)

    for source, target in ((first, second), (first, first), (remote, remote)):
        with pytest.raises(ValidationError, match="same MemStack"):
            mover.copy(source, target)


def test_clients_of_two_kinds_are_refused() -> None:
    """One would block the other's loop."""
    with MemStackClient.local() as blocking:
        awaited = MemStackAsyncClient.local()
        with pytest.raises(ValidationError, match="same kind"):
            copy(blocking, awaited)  # type: ignore[call-overload]
        asyncio.run(awaited.close())
