"""Exports that were cut, changed, or are none: nothing of them is stored."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from memstack import MemStackClient, ValidationError
from memstack.transfer import InvalidFileError, export_file, import_file

from .conftest import Mover, fill

Edit = Callable[[list[bytes]], list[bytes]]

_WRONG: dict[str, tuple[Edit, int, str]] = {
    "empty": (lambda lines: [], 1, "cut short"),
    "not JSON": (lambda lines: [b"hello\n", *lines], 1, "Invalid JSON"),
    "another JSON": (lambda lines: [b'{"a":1}\n', *lines[1:]], 1, "a: Extra inputs"),
    "no header": (lambda lines: lines[1:], 1, "memstack_export must be the first"),
    "two headers": (lambda lines: [lines[0], *lines], 2, "memstack_export must be the first"),
    "no end": (lambda lines: lines[:-1], 10, "the end is missing"),
    "cut line": (lambda lines: [*lines[:3], lines[3][:40]], 4, "cut short"),
    "a line less": (lambda lines: [*lines[:3], *lines[4:]], 9, "counts 5 episodes"),
    "a line more": (lambda lines: [*lines[:3], *lines[2:]], 11, "counts 5 episodes"),
    "lines swapped": (
        lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
        10,
        "checksum",
    ),
    "after the end": (lambda lines: [*lines, lines[1]], 11, "after the end"),
    "two ends": (lambda lines: [*lines, lines[-1]], 11, "after the end"),
    "not UTF-8": (lambda lines: [*lines[:2], b'{"memo":"\xff"}\n', *lines[3:]], 3, "invalid"),
    "two kinds": (
        lambda lines: [*lines[:2], b'{"memo":null,"episode":null}\n', *lines[3:]],
        3,
        "exactly one",
    ),
    "no content": (lambda lines: _changed(lines, 2, content=None), 3, "episode.content"),
    "a number for a name": (lambda lines: _changed(lines, 2, name=5), 3, "episode.name"),
    "a time without zone": (
        lambda lines: _changed(lines, 2, created_at="2026-05-01T00:00:00"),
        3,
        "episode.created_at",
    ),
    "a time before year 1": (
        lambda lines: _changed(lines, 2, valid_at="0001-01-01T00:00:00+09:00"),
        3,
        "years 1 to 9999",
    ),
    "a NUL": (lambda lines: _changed(lines, 2, metadata={"a": "\0"}), 3, "NUL"),
    "of the future": (
        lambda lines: [lines[0].replace(b'"format":1', b'"format":2'), *lines[1:]],
        1,
        "upgrade",
    ),
}


def _changed(lines: list[bytes], at: int, **fields: Any) -> list[bytes]:
    line = json.loads(lines[at])
    line["episode"] |= fields
    return [*lines[:at], json.dumps(line).encode() + b"\n", *lines[at + 1 :]]


@pytest.mark.parametrize("fault", _WRONG)
@pytest.mark.parametrize("name", ["x.jsonl", "x.jsonl.gz"])
def test_file_that_is_not_whole_is_refused_before_anything_is_stored(
    mover: Mover, tmp_path: Path, fault: str, name: str
) -> None:
    """With the number of the line, and what is wrong with it."""
    edit, number, told = _WRONG[fault]
    source, target = mover.local(), mover.local()
    fill(source)
    mover.export(source, tmp_path / "good")
    lines = (tmp_path / "good").read_bytes().splitlines(keepends=True)
    wrong = b"".join(edit(lines))
    (tmp_path / name).write_bytes(gzip.compress(wrong) if name.endswith(".gz") else wrong)

    with pytest.raises(InvalidFileError) as caught:
        mover.load(tmp_path / name, target)

    first = caught.value.problems[0]
    assert (first[0], told in first[1]) == (number, True), first
    assert f"line {number}: " in caught.value.message
    assert "西湖" not in caught.value.message
    assert target.list_episodes().total == 0
    assert target.list_memos() == []


def test_all_wrong_lines_are_told_at_once(mover: Mover, tmp_path: Path) -> None:
    """Up to twenty."""
    source = mover.local()
    fill(source, 30)
    mover.export(source, tmp_path / "good")
    lines = (tmp_path / "good").read_bytes().splitlines(keepends=True)
    (tmp_path / "some").write_bytes(b"".join([*lines[:2], b"{}\n", b"[]\n", *lines[4:]]))
    (tmp_path / "many").write_bytes(b"".join([lines[0], *[b"{}\n"] * 30, lines[-1]]))

    with pytest.raises(InvalidFileError) as some:
        mover.load(tmp_path / "some", source)
    with pytest.raises(InvalidFileError) as many:
        mover.load(tmp_path / "many", source)

    assert [number for number, _ in some.value.problems] == [3, 4]
    assert [number for number, _ in many.value.problems] == list(range(2, 22))


@given(data=st.data())
def test_any_changed_byte_and_any_cut_is_found(data: st.DataObject, tmp_path_factory: Any) -> None:
    """Nothing is stored of a file that is not as it was written."""
    folder = tmp_path_factory.getbasetemp()
    good = folder / "fixed.jsonl"
    if not good.exists():
        with MemStackClient.local() as source:
            source.create_episode("e", "c", metadata={"n": 1})
            source.create_memo("m")
            export_file(source, good)
    whole = good.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1), "at")
    if data.draw(st.booleans(), "cut"):
        wrong = whole[:at]
    else:
        byte = data.draw(st.integers(0, 255).filter(lambda b: b != whole[at]), "byte")
        wrong = whole[:at] + bytes([byte]) + whole[at + 1 :]
    (folder / "wrong.jsonl").write_bytes(wrong)

    with MemStackClient.local() as target:
        with pytest.raises(InvalidFileError):
            import_file(folder / "wrong.jsonl", target)
        assert target.list_episodes().total == 0


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.99])
def test_compressed_file_that_was_cut_is_refused(
    mover: Mover, tmp_path: Path, share: float
) -> None:
    """Also where its beginning is cut off."""
    source, target = mover.local(), mover.local()
    fill(source)
    mover.export(source, tmp_path / "x.gz")
    whole = (tmp_path / "x.gz").read_bytes()
    (tmp_path / "x.gz").write_bytes(whole[: int(len(whole) * share)])

    with pytest.raises(InvalidFileError):
        mover.load(tmp_path / "x.gz", target)


def test_file_that_cannot_be_read_is_a_clear_error(mover: Mover, tmp_path: Path) -> None:
    """It names the file."""
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(ValidationError, match=r"path: .* cannot be read"):
            mover.load(path, mover.local())


def test_errors_can_be_pickled(tmp_path: Path) -> None:
    """With all they tell."""
    import pickle

    (tmp_path / "x").write_text("hello\n")
    with MemStackClient.local() as client, pytest.raises(InvalidFileError) as caught:
        import_file(tmp_path / "x", client)

    again = pickle.loads(pickle.dumps(caught.value))

    assert again.problems == caught.value.problems
    assert str(again) == str(caught.value)
