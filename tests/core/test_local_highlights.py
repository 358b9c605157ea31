"""What a result shows as the reason that it was found."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from memstack.local.highlights import MOST

from .local import Memory


def shown(memory: Memory, query: str, field: str, name: str = "it") -> list[str]:
    """The highlighted texts of a field of the episode *name*."""
    (result,) = memory.search(query, filters={"name": name})
    return [item["text"] for item in result["metadata"]["highlights"] if item["field"] == field]


@pytest.mark.parametrize(
    ("content", "query", "texts"),
    [
        ("Alice loves HIKING.", "Who hikes with alice?", ["Alice", "HIKING"]),
        ("She bought it", "What did she buy?", ["bought"]),
        ("Søren's Café", "soren cafe", ["Søren", "Café"]),
        ("the user_id is null", "userId", ["user_id"]),
        ("王芳喜欢骑自行车", "自行车", ["自行车"]),
        ("橘猫睡了", "猫在哪里？", ["猫"]),
        ("橘猫和白猫", "猫", ["猫", "猫"]),
        ("小ﾎﾃﾙ", "ホテル", ["ﾎﾃﾙ"]),
        ("a cafe\u0301 ㍿ here", "café 株式会社", ["cafe\u0301", "㍿"]),
        ("ＡＢＣ航空", "abc", ["ＡＢＣ"]),
        ("I bring the 🎂!", "🎂", ["🎂"]),
        ("\x01cat\x02 tom", "tom", ["tom"]),
    ],
)
def test_what_matched_is_shown_as_it_was_written(
    memory: Memory, content: str, query: str, texts: list[str]
) -> None:
    """With accents, case and width, a compound whole, and where it stands."""
    memory.remember("it", content)

    (result,) = memory.search(query)
    found = result["metadata"]["highlights"]

    assert [item["text"] for item in found] == texts
    assert [content[item["start"] : item["end"]] for item in found] == texts


def test_name_context_and_date_are_reasons_too(memory: Memory) -> None:
    """What stands elsewhere has no place in the content."""
    memory.remember("before", "the zeppelin 🎂", group_id="g")
    memory.remember("it", "yes", group_id="g", valid_at="2026-05-03T10:00:00Z")

    (result,) = memory.search("it zeppelin 🎂 3 May", filters={"name": "it"})

    assert result["metadata"]["highlights"] == [
        {"field": "context", "text": "zeppelin"},
        {"field": "context", "text": "🎂"},
        {"field": "valid_at", "text": "2026-05-03"},
    ]
    assert shown(memory, "it", "name") == ["it"]


def test_highlights_are_bounded(memory: Memory) -> None:
    """A long text that holds the word everywhere does not make a long answer."""
    memory.remember("it", "cat " * 1000)

    assert len(shown(memory, "cat", "content")) == MOST


def test_callers_own_highlights_give_way(memory: Memory) -> None:
    """As all that the server knows does."""
    memory.remember("it", "cat", metadata={"highlights": "mine"})

    assert shown(memory, "cat", "content") == ["cat"]


@pytest.fixture(scope="module")
def fresh() -> Any:
    memory = Memory()
    yield memory
    memory.server.close()


@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_any_text_is_shown_where_it_stands(fresh: Memory, text: str) -> None:
    """Whatever its script: each place holds the text, and none overlap."""
    fresh.remember("it", text)
    for result in fresh.search(text):
        content = result["content"]
        found = [h for h in result["metadata"]["highlights"] if h["field"] == "content"]
        ends = [0, *(item["end"] for item in found)]
        assert all(content[h["start"] : h["end"]] == h["text"] for h in found)
        assert all(h["text"] and h["start"] >= end for h, end in zip(found, ends, strict=False))
    fresh.forget("it")
