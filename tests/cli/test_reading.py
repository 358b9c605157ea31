"""What `memstack ingest` reads: JSON Lines, CSV, text, and folders of them."""

from __future__ import annotations

import io
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from memstack import EpisodeCreate, ValidationError
from memstack.cli.reading import Format, Reader


def read(source: str, format: Format | None = None) -> tuple[list[dict[str, Any]], list[str]]:
    """The items, and what could not be read."""
    problems: list[str] = []
    return list(Reader(source, format, problems.append)), problems


def test_json_lines_are_objects_one_a_line() -> None:
    """A byte order mark, blank lines and other line ends do no harm."""
    Path("a.jsonl").write_bytes(b'\xef\xbb\xbf{"name": "a"}\r\n\n  \n{"item": {"name": "b"}}')

    assert read("a.jsonl") == ([{"name": "a"}, {"item": {"name": "b"}}], [])


def test_lines_that_are_none_are_told_by_number_and_passed_over() -> None:
    """The others are read."""
    Path("a.jsonl").write_bytes(
        b'oops\n{"name": "a"}\n[]\n\xff\n{"name": "\xff"}\n' + b"[" * 100_000 + b"\n"
    )

    items, problems = read("a.jsonl")
    assert items == [{"name": "a"}]
    assert [problem.split(": ")[0] for problem in problems] == [
        f"a.jsonl:{number}" for number in (1, 3, 4, 5, 6)
    ]
    assert problems[1] == "a.jsonl:3: is no JSON object"


def test_csv_has_fields_and_metadata() -> None:
    """Cells that are empty are not there; a cell may have several lines."""
    Path("mails.csv").write_text(
        "content,place,name,metadata,valid_at\n"
        '"two\nlines",Rome,,"{""place"": ""Bonn"", ""n"": 1}",\n'
        ",,,,\n"
        "c,Rome,N,,2026-05-01T09:30:00Z\n"
        "d\n"
    )

    assert read("mails.csv")[0] == [
        {"content": "two\nlines", "name": "mails 2", "metadata": {"place": "Bonn", "n": 1}},
        {
            "content": "c",
            "name": "N",
            "metadata": {"place": "Rome"},
            "valid_at": "2026-05-01T09:30:00Z",
        },
        {"content": "d", "name": "mails 6"},
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"content,metadata\na,oops\n", "a.csv:2: metadata is no JSON object"),
        (b"content,metadata\na,[]\n", "a.csv:2: metadata is no JSON object"),
        (b"content\na,b\n", "a.csv:2: has 2 cells under 1 headings"),
    ],
)
def test_a_row_that_is_none_is_told_and_passed_over(text: bytes, problem: str) -> None:
    """By the line that it begins at."""
    Path("a.csv").write_bytes(text + b"last\n")

    items, problems = read("a.csv")
    assert ([item["content"] for item in items], problems) == (["last"], [problem])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "a.csv:1: the header"),
        (b"name\na\n", "a.csv:1: the header"),
        (b"name;content\na;b\n", "a.csv:1: the header must name each column once, with commas"),
        (b"content,content\na,b\n", "a.csv:1: the header"),
        (b"content,\na,b\n", "a.csv:1: the header"),
        (b'content\na\n"b\nc\n', "a.csv:4: is no CSV"),
        (b'content\n"a"b\n', "a.csv:2: is no CSV"),
        (b"content\na\n\xff\n", "a.csv:3: is not UTF-8"),
    ],
)
def test_a_csv_that_cannot_be_told_apart_ends_the_run(text: bytes, says: str) -> None:
    """No row is guessed."""
    Path("a.csv").write_bytes(text)

    with pytest.raises(ValidationError) as caught:
        read("a.csv")
    assert str(caught.value).startswith(says)


def test_a_folder_is_read_in_order_with_all_below_it() -> None:
    """Names that begin with a dot, and files of other kinds, are passed over."""
    for name, text in {
        "d/b.md": "# B",
        "d/a.txt": "A",
        "d/z.jsonl": '{"name": "z", "content": "Z"}\n',
        "d/sub/2026/c.markdown": "C",
        "d/.git/x.md": "no",
        "d/.hidden.md": "no",
        "d/picture.png": "no",
    }.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    reader = Reader("d", None, pytest.fail)

    items = list(reader)
    assert [item["name"] for item in items] == ["a", "b", "z", "sub - 2026 - c"]
    assert items[3] == {
        "name": "sub - 2026 - c",
        "content": "C",
        "source_type": "document",
        "source_description": "sub/2026/c.markdown",
    }
    assert reader.passed_over == 1
    assert reader.place_of(3) == str(Path("d/sub/2026/c.markdown"))
    for item in items:
        EpisodeCreate(**item)


def test_a_file_of_a_folder_that_cannot_be_read_is_told() -> None:
    """And the others are read."""
    Path("d").mkdir()
    Path("d/a.md").write_bytes(b"\xff")
    Path("d/b.md").symlink_to("nowhere")
    Path("d/c.md").write_text("C")

    items, problems = read("d")
    assert [item["name"] for item in items] == ["c"]
    assert [problem.split(":")[0] for problem in problems] == ["d/a.md", "d/b.md"]


@pytest.mark.parametrize(
    ("source", "format"),
    [("none.jsonl", None), ("a.bin", None), ("-", "text"), (".", "csv")],
)
def test_a_source_that_cannot_be_read_is_told_at_once(source: str, format: Format | None) -> None:
    """Before anything is sent."""
    Path("a.bin").touch()

    with pytest.raises(ValidationError):
        Reader(source, format, pytest.fail)


def test_a_file_may_be_called_a_format(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also what comes on stdin, which is JSON Lines if not."""
    Path("a.bin").write_text("content\nx\n")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"name": "n"}\n')))

    assert read("a.bin", "csv")[0] == [{"content": "x", "name": "a 2"}]
    assert read("-")[0] == [{"name": "n"}]


def test_the_place_of_an_item_is_kept_until_it_is_asked_for() -> None:
    """By its line; one that is not known has its number."""
    Path("a.jsonl").write_text('\n{"name": "a"}\noops\n{"name": "b"}\n')
    reader = Reader("a.jsonl", None, lambda _: None)
    list(reader)

    assert [reader.place_of(1), reader.place_of(1)] == ["a.jsonl:4", "item 2"]
    assert reader.bytes_read == reader.bytes_in_all == Path("a.jsonl").stat().st_size


def test_a_long_file_is_not_held_in_memory() -> None:
    """One line at a time, whose place is forgotten when it is done."""
    with open("a.jsonl", "w", encoding="utf-8") as file:
        file.writelines(f'{{"name": "n{n}", "content": "{"x" * 500}"}}\n' for n in range(20_000))
    reader = Reader("a.jsonl", None, pytest.fail)

    tracemalloc.start()
    for index, _ in enumerate(reader):
        reader.place_of(index)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert reader.bytes_read > 10_000_000
    assert peak < 500_000
