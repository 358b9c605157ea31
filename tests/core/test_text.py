"""What the words of a text are, in the index and in a query."""

from __future__ import annotations

import sqlite3
import string
from collections.abc import Iterator

import pytest
from hypothesis import example, given, strategies as st

from memstack.local.text import (
    MAX_TERMS,
    TOKENIZER,
    _all_tokens,
    index_text,
    normal,
    query_terms,
    readable,
    spans,
)


@pytest.fixture(scope="module")
def table() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.execute(f'CREATE VIRTUAL TABLE words USING fts5 (text, tokenize = "{TOKENIZER}")')
    yield connection
    connection.close()


def finds(connection: sqlite3.Connection, text: str, query: str) -> bool:
    """Whether *query* finds *text* where nothing else is indexed."""
    connection.execute("DELETE FROM words")
    connection.execute("INSERT INTO words VALUES (?)", (index_text(text),))
    return any(
        connection.execute("SELECT 1 FROM words WHERE words MATCH ?", (term,)).fetchone()
        for term in query_terms(query)
    )


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Alice loves HIKING.", "alice loves hiking"),
        ("我的猫", "我的 的猫 猫"),
        ("猫", "猫"),
        ("iPhone手机", "i phone iphone 手机 机"),
        ("user_id", "user id userid"),
        ("HTTPServer2", "http server httpserver 2 httpserver2"),
        ("OAuth2Token", "o auth oauth 2 token oauth2token"),
        ("userIDs", "user ids userids"),
        ("URLs", "urls"),
        ("getUserName", "get user name getusername"),
        ("2026-05-01", "2026 05 01 20260501"),
        ("ｆｕｌｌ　ｗｉｄｔｈ", "full width"),
        ("Straße", "strasse"),
        ("___ -- ...", ""),
        ("😀", "emoji128512"),
        ("👍🏽", "emoji128077"),
        ("🇩🇰", "emoji127465x127472"),
        ("©", ""),
        ("Søren Łódź", "soren lódź"),
        ("Æsir", "aesir"),
        ("リンゴ", "りん んご ご"),
        ("1,250,000 or 1,25", "1250000 or 1 25"),
        ("", ""),
    ],
)
def test_text_becomes_tokens(text: str, tokens: str) -> None:
    """Words, the parts of compounds, and pairs of characters where a script has no spaces."""
    assert index_text(text) == tokens


@given(st.text(alphabet=string.printable + "\0éß猫の\u00a0\u2019", max_size=40))
@example(
    "a.b c__d _e-F fooBar2Baz HTTPServer x.y.-z ABc A1 1A a.B- 1,250 1,2345 9,999,999x ,123 a,123"
)
@example("x" * 40 + "-" + "y" * 40)
def test_short_way_of_ascii_gives_the_same_tokens(text: str) -> None:
    """What is ASCII, or partly so, has the tokens that the rules for all scripts give."""
    assert index_text(text).split() == list(_all_tokens(normal(text)))


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("She was hiking", "hikes"),
        ("Un café à Paris", "CAFE"),
        ("Un cafe\u0301 a\u0300 Paris", "café"),
        ("the field user_id is missing", "user_id"),
        ("the field user_id is missing", "user"),
        ("the field user_id is missing", "userId"),
        ("class HTTPServer fails", "httpserver"),
        ("class HTTPServer fails", "http"),
        ("GPT-4 answered", "gpt4"),
        ("on 2026-05-01 we met", "2026-05-01"),
        ("王芳喜欢在周末骑自行车", "周末"),
        ("王芳喜欢在周末骑自行车", "车"),
        ("王芳喜欢在周末骑自行车", "王"),
        ("小猫睡在沙发上", "猫在哪里？"),
        ("我用iPhone打电话", "iphone"),
        ("我用iPhone打电话", "电话"),
        ("東京タワーに行きました", "東京タワー"),
        ("ﾄｳｷｮｳ", "トウキョウ"),
        ("우리 고양이는 잠을 잔다", "고양이"),
        ("우리 집은 서울에 있다", "집이 어디"),
        ("हिन्दी में लिखा", "हिन्दी"),
        ("ฉันชอบกินข้าว", "ข้าว"),
        ("to be or not to be", "to be"),
        ("谁", "谁"),
        ("什么", "什么"),
        ("𠮷野家で食べた", "𠮷野家"),
        ("她养了一只橘猫", "猫叫什么名字？"),
        ("青森のりんご", "リンゴ"),
        ("she bought a boat", "Did she buy it?"),
        ("they buy boats", "bought"),
        ("we are writing", "Who wrote?"),
        ("who wrote it", "writing"),
        ("the children play", "her child"),
        ("OAuth2TokenProvider", "oauth"),
        ("iPhone15", "iphone"),
        ("see the APIs", "api"),
        ("valued at 1,250,000 kronor", "1250000"),
        ("Łukasz from Łódź", "lukasz"),
        ("Łukasz from Łódź", "LODZ"),
        ("I bring the 🎂", "🎂"),
        ("the flag 🇩🇰", "🇩🇰"),
    ],
)
def test_query_finds_text(table: sqlite3.Connection, text: str, query: str) -> None:
    """A question in other words, another script, or a part of a compound finds the text."""
    assert finds(table, text, query)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("The dog is in the garden", "Where is the cat?"),
        ("हिन्दी", "हान्दा"),
        ("ひらがな", "らひ"),
        ("the flag 🇩🇰", "🇩🇪"),
        ("the dog sat", "Where must we be going from here, please?"),
        ("今天的天气是什么", "你的猫是什么"),
        ("anything", "😀 !!! \"'()"),
    ],
)
def test_query_does_not_find_text(table: sqlite3.Connection, text: str, query: str) -> None:
    """Words that say nothing, other vowels or another order of characters do not match."""
    assert not finds(table, text, query)


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("What does the cat like?", ['"cat"', '"like"']),
        ("What did she buy?", ['"buy"', '"bought"']),
        ("What is it?", ['"what"', '"is"', '"it"']),
        ("猫在哪里", ['"猫在"', '"猫"*']),
        ("我的猫", ['"的猫"', '"猫"*']),
        ('a AND "b" OR NOT c* NEAR(d)', ['"b"', '"not"', '"c"', '"near"']),
        ("cat cat CAT", ['"cat"']),
        ("on 3 May", ['"3"', '"may"', '"day0503"']),
    ],
)
def test_query_keeps_the_words_that_tell(query: str, terms: list[str]) -> None:
    """Stop words go, unless there is nothing else; operators are words; none comes twice."""
    assert list(query_terms(query)) == terms


def test_character_of_a_word_counts_less_than_the_word() -> None:
    """Alone, it may be part of any other word."""
    terms = query_terms("橘猫")

    assert list(terms) == ['"橘猫"', '"橘"*', '"猫"*']
    assert terms['"猫"*'] < terms['"橘猫"'] == query_terms("猫")['"猫"*']


def test_long_query_is_cut_to_its_ends() -> None:
    """A query of any length asks for a bounded number of terms, from where people ask."""
    terms = list(query_terms(" ".join(f"word{i}" for i in range(10_000))))

    assert len(terms) == MAX_TERMS
    assert terms[:2] == ['"word"', '"0"']
    assert terms[-1] == '"word9999"'


def test_middle_of_a_document_is_not_read() -> None:
    """A question before or after it is."""
    page = "page " * 2000

    assert list(query_terms(f"zebra {page} needle {page} yak")) == ['"zebra"', '"page"', '"yak"']


def test_tokens_stand_where_spans_says() -> None:
    """One place for each token, in the same order; a part of a compound is at the whole of it."""
    text = "Hi user_id 我的猫 🎂!"

    places = list(spans(text))

    assert [text[start:end] for start, end in places] == [
        *("Hi", "user_id", "user_id", "user_id"),
        *("我的", "的猫", "猫", "🎂"),
    ]
    assert len(places) == len(index_text(text).split(" "))


@given(st.text())
def test_every_token_has_a_place(text: str) -> None:
    """Whatever the text."""
    text = normal(text)

    assert len(list(spans(text))) == len(index_text(text).split())


@pytest.mark.parametrize("text", ["🎂", "🇩🇰", "cat", "emoji", "emoji12", "emoji999999x1"])
def test_token_can_be_read(text: str) -> None:
    """That of an emoji is the emoji."""
    assert readable(index_text(text).split(" ")[-1]) == text


@given(st.text())
def test_any_query_is_valid_to_fts5(table: sqlite3.Connection, text: str) -> None:
    """No text is a syntax error, alone or as one expression."""
    terms = query_terms(text)

    for expression in [*terms, " OR ".join(terms) or '""']:
        table.execute("SELECT 1 FROM words WHERE words MATCH ?", (expression,)).fetchall()


# Marks alone, and letters that this SQLite does not know, have no token in FTS5.
_LETTERS = st.characters(categories=["Lu", "Ll", "Nd"], max_codepoint=0x24F) | st.characters(
    min_codepoint=0x4E00, max_codepoint=0x9FA5
)


@given(st.text(_LETTERS, min_size=1, max_size=40))
def test_any_text_is_found_by_itself(table: sqlite3.Connection, text: str) -> None:
    """The index and the query cut text at the same places."""
    assert finds(table, text, text)


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=20))
def test_any_character_is_found_alone(table: sqlite3.Connection, text: str) -> None:
    """A question of one Han character finds it anywhere in a run."""
    assert all(finds(table, text, character) for character in text)
