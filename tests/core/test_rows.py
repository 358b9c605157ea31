"""Results where somebody reads them: short in a repr, a table in a notebook, dicts for pandas."""

from __future__ import annotations

import json
import pickle
from datetime import datetime, timezone
from html.parser import HTMLParser
from typing import Any

import pytest
from pydantic import TypeAdapter

from memstack.models import APIKey, Episode, EpisodePage, Memo, MemoryResponse, MemoryResult
from memstack.response import Rows

MOMENT = datetime(2026, 5, 1, 9, 30, 2, tzinfo=timezone.utc)
HOSTILE = [
    "<script>alert(1)</script>",
    "</td></table><img src=x onerror=alert(1)>",
    "\"><svg onload='alert(1)'>",
    "&lt;b&gt;",
]
ALLOWED = {"table", "caption", "thead", "tbody", "tr", "th", "td"}


class Page(HTMLParser):
    """The elements of some HTML, and the texts of its cells, as a browser has them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.rows: list[list[str]] = []
        self.caption = ""
        self._stack: list[str] = []
        self.feed(html)
        self.close()
        assert self._stack == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self._stack.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._stack.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._stack[-1] in ("td", "th"):
            self.rows[-1][-1] += data
        else:
            self.caption += data


def memo(content: str = "note", **more: Any) -> Memo:
    facts = {"id": "m1", "visibility": "PRIVATE", "created_at": MOMENT, "tags": [], **more}
    return Memo(content=content, **facts)


def key(number: int = 1) -> APIKey:
    facts: dict[str, Any] = {"permissions": ["read"], "created_at": MOMENT}
    facts["secret"] = "ms_sk_canary-too"
    return APIKey(key_id=f"k{number}", key="ms_sk_canary", name="reader", **facts)


def result(content: str = "text", score: float | None = 0.25) -> MemoryResult:
    return MemoryResult(id="e1", content=content, score=score, type="episode", metadata={"n": 1})


def found(*results: MemoryResult, total: int | None = None, query: str = "q") -> MemoryResponse:
    return MemoryResponse(results=list(results), total=total or len(results), query=query)


def memos(count: int) -> Rows[Memo]:
    return Rows([memo(f"note {number}") for number in range(count)])


def html(shown: Any) -> Page:
    return Page(shown._repr_html_())


def test_a_repr_says_what_is_there_in_one_line() -> None:
    """Without what is None, and with times as one writes them."""
    assert repr(memo(tags=["a"])) == (
        "Memo(id='m1', content='note', visibility='PRIVATE', "
        "created_at=2026-05-01T09:30:02+00:00, tags=['a'])"
    )
    assert str(memo()).startswith("id='m1' content='note'")


def test_a_repr_is_short_however_much_there_is() -> None:
    """Of texts, lists and what a server added."""
    long = result("x" * 100_000)
    long.metadata["more"] = ["y" * 100_000]
    response = found(*[long] * 100, query="z" * 100_000)
    added: dict[str, Any] = {"added": "y" * 9999}
    episodes = [Episode(name="n", content="x" * 9999)] * 50
    page = EpisodePage(episodes=episodes, total=213, **added)

    assert "… and 97 more]" in repr(response)
    assert "… and 47 more], total=213" in repr(page)
    assert max(len(repr(response)), len(repr(page)), len(repr(Rows([long] * 100)))) < 1000


def test_a_list_shows_its_first_items() -> None:
    """And how many follow."""
    assert repr(memos(0)) == "[]"
    assert repr(memos(3)) == repr(list(memos(3)))
    assert repr(memos(1004)) == f"{repr(memos(3))[:-1]}, … and 1,001 more]"


def test_a_table_has_a_row_for_each() -> None:
    """Scores are rounded; a column that is empty everywhere is left out."""
    page = html(found(result(score=1 / 3), result("other", None), total=7, query="it's"))

    assert page.caption == '2 of 7 found for "it\'s"'
    assert page.rows == [
        ["score", "type", "content", "metadata"],
        ["0.333", "episode", "text", "{'n': 1}"],
        ["", "episode", "other", "{'n': 1}"],
    ]
    assert html(memos(1)).rows == [
        ["content", "visibility", "created_at", "id"],
        ["note 0", "PRIVATE", "2026-05-01 09:30 UTC", "m1"],
    ]


def test_a_table_is_cut() -> None:
    """In its length and in its cells."""
    page = html(EpisodePage(episodes=[Episode(name="n", content="x" * 999)] * 50, total=1213))

    assert page.caption == "50 of 1,213 episodes"
    assert len(page.rows) == 1 + 20 + 1
    assert page.rows[-1] == ["… and 30 more"]
    assert page.rows[1][1] == "x" * 79 + "…"


def test_an_empty_table_is_a_table() -> None:
    """Of nothing."""
    assert html(found()).caption == "0 of 0 found for 'q'"
    assert html(memos(0)).rows == [[]]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_table_shows_hostile_text_as_text(text: str) -> None:
    """Wherever it stands."""
    shown = [
        found(result(text), query=text),
        found(result().model_copy(update={"type": text, "metadata": {text: text}})),
        EpisodePage(episodes=[Episode(name=text, content=text, status=text)], total=1),
        Rows([memo(text, tags=[text], id=text, visibility=text)]),
        Rows([key().model_copy(update={"name": text, "permissions": [text]})]),
    ]

    for page in map(html, shown):
        assert page.elements <= ALLOWED
        assert page.attributes <= {"style", "colspan"}
        assert any(text in cell for cell in page.rows[1])


def test_dicts_have_all_fields() -> None:
    """With what a newer server added, as pandas.DataFrame takes them."""
    (row,) = Rows([memo(added=1)]).to_dicts()

    assert row == {**memo().model_dump(), "added": 1}
    assert found(result()).to_dicts() == [result().model_dump()]
    page = EpisodePage(episodes=[Episode(name="n", content="c")], total=1)
    assert page.to_dicts() == [Episode(name="n", content="c").model_dump()]


def test_a_key_is_shown_nowhere() -> None:
    """Nor what a newer server might have called it."""
    keys = Rows([key(), key(2)])

    for shown in (repr(keys), str(keys[0]), keys._repr_html_(), str(keys.to_dicts())):
        assert "canary" not in shown
    assert keys.to_dicts()[0] == {
        "key_id": "k1",
        "name": "reader",
        "created_at": MOMENT,
        "expires_at": None,
        "permissions": ["read"],
    }


def test_rows_are_a_list() -> None:
    """To json, to pickle, to whoever compares, and to pydantic; a part of them shows as they do."""
    rows = TypeAdapter(Rows[Memo]).validate_python([memo().model_dump()])

    assert isinstance(rows, Rows)
    assert rows == [memo()]
    assert isinstance(rows[:1], Rows)
    assert rows[:1] == rows
    assert rows[0] == memo()
    thawed = pickle.loads(pickle.dumps(rows))
    assert (type(thawed), thawed) == (Rows, rows)
    assert json.dumps(Rows[Any]([1, 2])) == "[1, 2]"
    adapter = TypeAdapter(Rows[Memo])
    assert adapter.validate_json(adapter.dump_json(rows)) == rows
    assert TypeAdapter(list[Memo]).validate_python(rows, strict=True) == rows


def test_models_are_equal_dumped_and_pickled_as_ever() -> None:
    """How they look changes nothing in them."""
    response = found(result("x" * 500))

    assert response == found(result("x" * 500))
    assert response != found(result("x" * 500 + "y"))
    assert MemoryResponse.model_validate_json(response.model_dump_json()) == response
    assert pickle.loads(pickle.dumps(response)) == response
