"""Decides what the words of a text are, for the index and for a query; touches no database.

Rules:
- Text is compared after NFKC and casefold. Accents and English endings are left to FTS5, whose
  tokeniser (see `TOKENIZER`) removes both.
- Scripts written without spaces have no words to split at. A run of them becomes its overlapping
  pairs of characters, then its last character alone: so every character begins exactly one token,
  and a question of one character finds it anywhere as a prefix.
- A compound (`user_id`, `HTTPServer`, `2026-05-01`) is its parts, then the whole without the
  marks between.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import islice, pairwise

__all__ = ["MAX_TERMS", "TOKENIZER", "index_text", "query_terms"]

TOKENIZER = "porter unicode61 remove_diacritics 2 categories 'L* N* Co M*'"
"""Marks count as letters: in Hindi or Thai they are the vowels."""

MAX_TERMS = 128
"""Most different terms of one query; the rest of a longer one is not looked at."""

_MAX_COMPOUND = 64  # A longer one is a data URL or a checksum, which nobody types.

# Thai, Lao, Myanmar, jamo, Khmer; kana, Bopomofo and Han; Hangul; Han beyond the basic plane.
_UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff"
    r"\u3005-\u3007\u3031-\u3035\u303b\u3041-\u30fa\u30fc-\u30ff\u3105-\u318e\u31a0-\u31bf"
    r"\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97c\uac00-\ud7fb\uf900-\ufaff"
    r"\U00020000-\U0003ffff"
)

_ENGLISH = frozenset(
    """
    a about am an and any are as at be been being but by can could d did do does doesn don for from
    had has have having he her here him his how i if in into is isn it its just ll m me my of on or
    our re s shall she should so some t than that the their them then there these they this those
    to too us ve very was wasn we were what when where which while who whom whose why will with
    would you your
    """.split()
)

# Words that questions hold and answers do not; longest first, so that none hides in another.
_ASKING = re.compile(
    "|".join(
        sorted(
            """
            什么时候 为什么 什么 怎么样 怎么 怎样 如何 哪里 哪儿 哪个 哪些 哪 谁 多少 几个 是不是
            有没有 什麼 為什麼 怎麼 哪裡 誰 多少
            でしょうか ですか ますか ましたか どこ だれ いつ なに なぜ どうして どの 何 誰
            어디에서 어디서 어디에 어디 누구 무엇 뭐 언제 왜 어떻게 입니까 습니까
            """.split(),
            key=len,
            reverse=True,
        )
    )
)
_PARTICLES = re.compile("[我你他她的了吗呢吧啊嗎在是和有はがをにのともかでへ은는이가을를에의도]")


def index_text(text: str) -> str:
    """The tokens of *text*, joined by spaces, ready to be stored in the index."""
    return " ".join(_tokens(text))


def query_terms(text: str) -> list[str]:
    """The terms of *text*, each a quoted FTS5 expression, at most `MAX_TERMS`; no two alike.

    Words that say nothing by themselves are left out, unless there are no others.
    """
    terms = list(islice(dict.fromkeys(_terms(text, everything=False)), MAX_TERMS))
    return terms or list(islice(dict.fromkeys(_terms(text, everything=True)), MAX_TERMS))


def _tokens(text: str) -> Iterator[str]:
    for run, compound in _chunks().findall(unicodedata.normalize("NFKC", text)):
        if run:
            yield from _pairs(run)
            yield run[-1]
        else:
            yield from _parts(compound)


def _terms(text: str, *, everything: bool) -> Iterator[str]:
    for run, compound in _chunks().findall(unicodedata.normalize("NFKC", text)):
        if compound:
            for word in _parts(compound):
                if everything or word not in _ENGLISH:
                    yield f'"{word}"'
        elif everything:
            yield from _run_terms(run)
        else:
            for piece in _ASKING.split(run):
                yield from _telling_terms(piece)


def _run_terms(run: str) -> Iterator[str]:
    if len(run) == 1:
        yield f'"{run}"*'
    for pair in _pairs(run):
        yield f'"{pair}"'


def _telling_terms(run: str) -> Iterator[str]:
    """Terms of *run* that say something: not only particles, and nouns of one character too."""
    for pair in _pairs(run):
        if not all(map(_PARTICLES.match, pair)):
            yield f'"{pair}"'
    # 猫在哪里 asks for 猫, which none of its pairs may share with the text that answers.
    for piece in _PARTICLES.split(run):
        if len(piece) == 1:
            yield f'"{piece}"*'


def _pairs(run: str) -> Iterator[str]:
    return map("".join, pairwise(run))


def _parts(compound: str) -> Iterator[str]:
    if compound.islower() and compound.isalpha():  # Most words are.
        yield compound.casefold()
        return
    words = re.split("[-_.]", compound)
    parts = [part for word in words for part in _humps(word)]
    yield from (part.casefold() for part in parts)
    if len(parts) > 1 and len(compound) <= _MAX_COMPOUND:
        yield "".join(words).casefold()


def _humps(word: str) -> list[str]:
    """*word* cut where camel case or a number begins: `HTTPServer2` is `HTTP`, `Server`, `2`."""
    cuts = [0]
    for i in range(1, len(word)):
        before, here = word[i - 1], word[i]
        following = word[i + 1 : i + 2]
        if (
            before.isdecimal() != here.isdecimal()
            or (before.islower() and here.isupper())
            or (before.isupper() and here.isupper() and following.islower())
        ):
            cuts.append(i)
    return [word[start:end] for start, end in zip(cuts, [*cuts[1:], len(word)], strict=True)]


@cache
def _chunks() -> re.Pattern[str]:
    """Finds runs of an unspaced script (first group) and compounds of other words (second)."""
    # `\w` leaves out the combining marks, and `re` cannot name them: no script's lie beyond these.
    marks = "".join(c for c in map(chr, range(0x300, 0xFE30)) if unicodedata.category(c)[0] == "M")
    letter = rf"(?:(?![{_UNSPACED}_])[\w{marks}])"
    return re.compile(rf"([{_UNSPACED}]+)|({letter}+(?:[-_.]{letter}+)*)")
