"""Exports: what is in them, what comes out of them, and those that are not whole."""

from __future__ import annotations

import io
import json
import os
import stat
import sys
import tracemalloc
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from memstack import MemStackClient, MemStackError, ValidationError
from memstack.local import EmbeddedServer, rows
from memstack.local.moments import written
from memstack.transfer import copy, export_file, import_file

from ..contract.strategies import JSON, MOMENTS
from .conftest import Mover, fill
from .older import Generation, Older, client_of

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
MAYBE = st.none() | TEXT
STORABLE = JSON.filter(lambda value: "\\u0000" not in json.dumps(value))
TIMES = MOMENTS.map(written)
# What a server has of a copy, and what only has its name.
ORIGINS = st.fixed_dictionaries(
    {"memstack_origin": st.fixed_dictionaries({"id": st.uuids().map(str), "created_at": TIMES})}
)
FALSE_ORIGINS = st.fixed_dictionaries({"memstack_origin": STORABLE})
EPISODE = st.fixed_dictionaries(
    {
        "id": st.uuids().map(str),
        "name": TEXT,
        "content": TEXT,
        "source_type": st.sampled_from(["text", "json", "document", "api", "conversation"]),
        "source_description": MAYBE,
        "group_id": st.none() | st.sampled_from(["g1", "g2"]),
        "metadata": st.none() | st.dictionaries(TEXT, STORABLE, max_size=3) | FALSE_ORIGINS,
        "project_id": MAYBE,
        "tenant_id": MAYBE,
        "user_id": MAYBE,
        "created_at": TIMES,
        "valid_at": TIMES,
    }
)
MEMO = st.fixed_dictionaries(
    {
        "id": st.uuids().map(str),
        "content": TEXT,
        "visibility": st.sampled_from(["PRIVATE", "PUBLIC"]),
        "tags": st.lists(TEXT, max_size=3),
        "created_at": TIMES,
        "updated_at": st.none() | TIMES,
    }
)
COPIED = st.builds(lambda row, metadata: {**row, "metadata": metadata}, EPISODE, ORIGINS)
STORED = st.tuples(st.lists(EPISODE, max_size=4), st.lists(MEMO, max_size=3))
Stored = tuple[list[dict[str, Any]], list[dict[str, Any]]]


def _filled(stored: Stored) -> MemStackClient:
    client = MemStackClient.local()
    for kind, told in zip(("episode", "memo"), stored, strict=True):
        with _server(client).direct(writes=True) as connection:
            rows.put(connection, kind, told)  # type: ignore[arg-type]
    return client


def _server(client: MemStackClient) -> EmbeddedServer:
    server: EmbeddedServer = client._transport.server  # type: ignore[union-attr]
    return server


def _lines(client: MemStackClient, path: Path) -> list[bytes]:
    export_file(client, path, overwrite=True)
    return path.read_bytes().split(b"\n")[1:-2]


@given(
    stored=STORED | st.tuples(st.lists(EPISODE | COPIED, max_size=4), st.just([])),
    end=st.sampled_from(["x.jsonl", "x.jsonl.gz"]),
)
def test_round_trip_is_exact(stored: Stored, end: str, tmp_path_factory: Any) -> None:
    """Whatever the API can store comes out of a file as it went in, byte for byte."""
    folder = tmp_path_factory.mktemp("trip")
    with _filled(stored) as source, MemStackClient.local() as target:
        export_file(source, folder / end)
        report = import_file(folder / end, target)

        lines = _lines(target, folder / "t")
        assert lines == _lines(source, folder / "s")
    found = [next(iter(json.loads(line).values())) for line in lines]
    assert found == [*stored[0], *stored[1]]
    assert (report.episodes.stored, report.memos.stored) == tuple(map(len, stored))
    assert report.is_whole
    assert not report.left_out


@given(stored=STORED, generation=st.sampled_from(["current", "unknown"]))
def test_episodes_come_back_exact_from_a_server(
    stored: Stored, generation: Generation, tmp_path_factory: Any
) -> None:
    """With ids and times that a server does not take; a second copy in between stores nothing."""
    folder = tmp_path_factory.mktemp("trip")
    with (
        EmbeddedServer() as server,
        _filled(stored) as source,
        client_of(Older(server, generation), "sync") as remote,  # type: ignore[union-attr]
        MemStackClient.local() as target,
    ):
        copy(source, remote)
        again = copy(source, remote)
        copy(remote, target)
        back = copy(remote, source)

        assert again.episodes.stored == again.memos.stored == 0
        assert back.episodes.stored == back.memos.stored == 0
        lines = [json.loads(line) for line in _lines(target, folder / "t")]
    count = len(stored[0])
    assert [line["episode"] for line in lines[:count]] == stored[0]
    names = ("content", "visibility", "tags")
    assert [[line["memo"][name] for name in names] for line in lines[count:]] == [
        [memo[name] for name in names] for memo in stored[1]
    ]


def test_export_by_either_client_is_the_same(mover: Mover, tmp_path: Path) -> None:
    """From memory and from a server, into a file that only its owner may read."""
    source = mover.local()
    fill(source)
    remote = mover.remote(mover.older("current"))
    mover.copy(source, remote)

    report = mover.export(source, tmp_path / "a.jsonl")
    mover.export(remote, tmp_path / "b.jsonl.gz")
    other = mover.local()
    mover.load(tmp_path / "b.jsonl.gz", other)

    assert report.episodes.read == report.episodes.stored == 5
    assert str(report).endswith("episodes: 5 read, 5 stored\nmemos: 3 read, 3 stored")
    assert sorted(os.listdir(tmp_path)) == ["a.jsonl", "b.jsonl.gz"]
    if sys.platform != "win32":
        assert stat.S_IMODE((tmp_path / "a.jsonl").stat().st_mode) == 0o600
    assert mover.rows(other, tmp_path / "o")[:5] == mover.rows(source, tmp_path / "s")[:5]
    header = json.loads((tmp_path / "a.jsonl").read_bytes().splitlines()[0])["memstack_export"]
    assert header["kind"] == "embedded"
    assert header["format"] == 1


def test_file_keeps_what_a_server_told_beyond_the_model(mover: Mover, tmp_path: Path) -> None:
    """And an import into an embedded MemStack counts what it has no place for."""
    older, target = mover.older("current"), mover.local()
    remote = mover.remote(older)
    remote.create_memo("note")
    remote.create_episode("e", "c")

    mover.export(remote, tmp_path / "x")
    lines = (tmp_path / "x").read_bytes().splitlines()
    report = mover.load(tmp_path / "x", target)

    assert json.loads(lines[1])["episode"]["status"] == "completed"
    assert "user_id" in json.loads(lines[2])["memo"]
    assert report.left_out == {"memo.user_id": 1}
    assert report.is_whole


def test_no_key_and_no_secret_is_in_an_export(mover: Mover, tmp_path: Path) -> None:
    """Neither a key, nor its hash, nor what keys are derived from."""
    older = mover.older("current", tmp_path / "m.db")
    remote, local = mover.remote(older), mover.local(tmp_path / "m.db")
    key = remote.create_api_key("k", ["read"]).key

    mover.export(remote, tmp_path / "a")
    mover.export(local, tmp_path / "b")

    for name in ("a", "b"):
        text = (tmp_path / name).read_text()
        assert key not in text
        assert "ms_sk_" not in text
        assert "api_key" not in text


def test_old_times_are_kept(tmp_path: Path) -> None:
    """`valid_at` may be of any year."""
    with MemStackClient.local() as source, MemStackClient.local() as target:
        source.create_episode("e", "c", valid_at=datetime(1, 1, 1, tzinfo=timezone.utc))
        export_file(source, tmp_path / "x")
        import_file(tmp_path / "x", target)

        assert target.get_episode("e").valid_at == datetime(1, 1, 1, tzinfo=timezone.utc)


def test_file_that_is_there_stays(mover: Mover, tmp_path: Path) -> None:
    """Unless it may be replaced; and one that cannot be made is an error that names it."""
    (tmp_path / "x").write_text("mine")
    local = mover.local()

    for path, told in (("x", "is there already"), ("no/x", "cannot be written"), (".", "already")):
        with pytest.raises(ValidationError, match=told):
            mover.export(local, tmp_path / path)
    assert (tmp_path / "x").read_text() == "mine"
    mover.export(local, tmp_path / "x", overwrite=True)

    assert mover.load(tmp_path / "x", mover.local()).is_whole
    assert os.listdir(tmp_path) == ["x"]


def test_export_that_fails_leaves_nothing(mover: Mover, tmp_path: Path) -> None:
    """Neither a part under its name nor one beside it; what was there stays."""
    (tmp_path / "x").write_text("mine")
    older = mover.older()
    remote = mover.remote(older, max_retries=0)
    older.server.close()

    with pytest.raises(MemStackError):
        mover.export(remote, tmp_path / "x", overwrite=True)

    assert (tmp_path / "x").read_text() == "mine"
    assert os.listdir(tmp_path) == ["x"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a disk that is full")
@pytest.mark.parametrize("episodes", [1, 300])
def test_full_disk_is_a_clear_error(
    mover: Mover, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, episodes: int
) -> None:
    """And leaves nothing, whether it fills in the middle or at the end."""
    real = io.FileIO
    monkeypatch.setattr("io.FileIO", lambda name, mode: real("/dev/full", mode))
    local = mover.local()
    fill(local, episodes)

    with pytest.raises(MemStackError, match="No space left on device") as caught:
        mover.export(local, tmp_path / "x")

    assert os.listdir(tmp_path) == []
    assert str(tmp_path / "x") in caught.value.message


def _peak(work: Callable[[], object]) -> int:
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    """Three times the rows take about the same, into a file and out of it."""
    peaks: list[tuple[int, int]] = []
    for count in (1000, 1000, 3000):  # once to warm up
        told = [
            {"id": f"{n}", "name": "n", "content": "x" * 2000, "source_type": "text"}
            for n in range(count)
        ]
        path = tmp_path / f"{count}-{len(peaks)}"
        with _filled((told, [])) as source, MemStackClient.local() as target:
            out = _peak(lambda: export_file(source, path))  # noqa: B023
            peaks.append((out, _peak(lambda: import_file(path, target))))  # noqa: B023

    _, few, many = peaks
    assert many[0] < 1.5 * few[0]
    assert many[1] < 1.5 * few[1]
