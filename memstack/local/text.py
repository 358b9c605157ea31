"""Decides what the words of a text are, for the index and for a query; touches no database.

Rules:
- Text is compared after NFKC and casefold, and katakana as hiragana. Accents and English endings
  are left to FTS5, whose tokeniser (see `TOKENIZER`) removes both; letters with a stroke, which
  it keeps, become those without.
- Scripts written without spaces have no words to split at. A run of them becomes its overlapping
  pairs of characters, then its last character alone: so every character begins exactly one token,
  and a question of one character finds it anywhere as a prefix.
- A compound (`user_id`, `OAuth2Token`, `2026-05-01`) is its parts, then what stands between its
  marks and numbers, then the whole without the marks.
- A number is without the commas between its thousands; an emoji is a word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import groupby, pairwise

from memstack.local.dates import days_in
from memstack.local.words import ASKING, ENGLISH, PARTICLES, forms_of

__all__ = [
    "MAX_TERMS",
    "TOKENIZER",
    "index_text",
    "marks",
    "normal",
    "query_terms",
    "readable",
    "spans",
]

TOKENIZER = "porter unicode61 remove_diacritics 2 categories 'L* N* Co M*'"
"""Marks count as letters: in Hindi or Thai they are the vowels."""

MAX_TERMS = 128
"""Most different terms of one query; of a longer one the middle is not looked at."""

_MAX_END = 4000
"""Characters of a question that are looked at, at either of its ends."""

_ALONE = 0.4
"""What a Chinese character of a longer word counts, beside the pairs that it is part of."""

_DAY = 3.0
"""What a day of the year counts: more than a text that merely holds its number."""

_MAX_COMPOUND = 64  # A longer one is a data URL or a checksum, which nobody types.

# What joins the parts of a compound; 1,250,000 is one number.
_MARK = r"(?:[-_.]|(?<=\d),(?=\d{3}(?!\d)))"

# A compound of ASCII that is more than one part: not only small letters, a capital and small
# letters, only capitals, or only digits.
_ASCII_COMPOUND = re.compile(
    rf"(?a)(?<![A-Za-z\d])(?!(?:[a-z]+|[A-Z][a-z]*|[A-Z]+|\d+)(?!{_MARK}?[A-Za-z\d]))"
    rf"[A-Za-z\d]+(?:{_MARK}[A-Za-z\d]+)*"
)
_ASCII_LETTERS = {i: chr(i).lower() if chr(i).isalnum() else " " for i in range(128)}

# Thai, Lao, Myanmar, jamo, Khmer; kana, Bopomofo and Han; Hangul; Han beyond the basic plane.
_UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff"
    r"\u3005-\u3007\u3031-\u3035\u303b\u3041-\u30fa\u30fc-\u30ff\u3105-\u318e\u31a0-\u31bf"
    r"\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97c\uac00-\ud7fb\uf900-\ufaff"
    r"\U00020000-\U0003ffff"
)
# A flag is a pair; the colour of a skin is left out.
_EMOJI = (
    r"[\U0001f1e6-\U0001f1ff]{2}|[\u231a\u231b\u23e9-\u23fa\u25aa-\u25fe\u2600-\u27bf"
    r"\u2b05-\u2b55\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff]"
)
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")

# Letters that have no decomposition, so that no normalisation makes them plain.
_PLAIN = {
    **str.maketrans("øØłŁđĐðÐħĦıŧŦ", "oOlLdDdDhHitT"),
    **str.maketrans({"æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "þ": "th", "Þ": "Th"}),
    # Katakana from small a to ke, and the two iteration marks.
    **{c: c - 0x60 for c in (*range(0x30A1, 0x30F7), 0x30FD, 0x30FE)},
}


def index_text(text: str) -> str:
    """The tokens of *text*, joined by spaces, ready to be stored in the index."""
    if text.isascii():
        return _ascii_tokens(text)
    # No token goes over a space, so what is ASCII between two spaces can take the short way.
    pieces = groupby(normal(text).split(), str.isascii)
    tokens = (
        _ascii_tokens(" ".join(words)) if is_ascii else " ".join(_all_tokens(" ".join(words)))
        for is_ascii, words in pieces
    )
    return " ".join(filter(None, tokens))


def query_terms(text: str) -> dict[str, float]:
    """The terms of *text*, each a quoted FTS5 phrase, and what it counts; at most `MAX_TERMS`.

    Words that say nothing by themselves are left out, unless there are no others.
    """
    if len(text) > 2 * _MAX_END:
        # Then there is a document in it. What is asked of that stands before or behind it.
        text = f"{text[:_MAX_END]} {text[-_MAX_END:]}"
    chunks = _chunks().findall(normal(text))
    terms = _weighed(chunks, everything=False) or _weighed(chunks, everything=True)
    terms |= {f'"{word}"': _DAY for word in days_in(text)}
    if len(terms) > MAX_TERMS:
        in_order = list(terms)
        kept = in_order[: MAX_TERMS // 2] + in_order[-MAX_TERMS // 2 :]
        terms = {term: terms[term] for term in kept}
    return terms


def normal(text: str) -> str:
    """*text* as `spans` counts its characters."""
    return unicodedata.normalize("NFKC", text)


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Where in *text*, which is `normal`, each of the tokens of `index_text` stands, in order."""
    for match in _chunks().finditer(text):
        start, end = match.span()
        if match[1]:
            yield from ((i, min(i + 2, end)) for i in range(start, end))
        else:
            yield from ((start, end) for _ in _tokens(*match.groups()))


@cache
def marks() -> str:
    """The combining marks of all scripts, which `re` cannot name."""
    return "".join(c for c in map(chr, range(0x300, 0xFE30)) if unicodedata.category(c)[0] == "M")


def _ascii_tokens(text: str) -> str:
    """What `_all_tokens` gives, a fifth of its cost: only what is cut is looked at by itself."""
    cut = _ASCII_COMPOUND.sub(lambda compound: " ".join(_parts(compound[0])), text)
    return " ".join(cut.translate(_ASCII_LETTERS).split())


def _all_tokens(text: str) -> Iterator[str]:
    for chunk in _chunks().findall(text):
        yield from _tokens(*chunk)


def _tokens(run: str, compound: str, emoji: str) -> list[str]:
    if compound:
        return _parts(compound)
    if run:
        run = run.translate(_PLAIN)
        return [run[i : i + 2] for i in range(len(run))]
    return [_emoji_word(emoji)]


def _weighed(chunks: Iterable[tuple[str, str, str]], *, everything: bool) -> dict[str, float]:
    terms: dict[str, float] = {}
    for run, compound, emoji in chunks:
        if compound:
            for word in _parts(compound):
                if everything or word not in ENGLISH:
                    terms |= {f'"{form}"': 1.0 for form in (word, *forms_of(word))}
        elif emoji:
            terms[f'"{_emoji_word(emoji)}"'] = 1.0
        else:
            for piece in [run] if everything else ASKING.split(run):
                for term, weight in _run_terms(piece, everything=everything):
                    terms[term] = max(weight, terms.get(term, 0.0))
    return terms


def _run_terms(run: str, *, everything: bool) -> Iterator[tuple[str, float]]:
    """Its pairs, but for those of particles alone, and the Chinese characters by themselves.

    A noun of one character (猫叫什么) shares none of the pairs with the text that answers.
    """
    for pair in map("".join, pairwise(run)):
        if everything or not all(map(PARTICLES.match, pair)):
            yield f'"{pair.translate(_PLAIN)}"', 1.0
    for piece in [run] if everything else PARTICLES.split(run):
        alone = len(piece) == 1
        for character in piece:
            if alone or _HAN.match(character):
                yield f'"{character.translate(_PLAIN)}"*', 1.0 if alone else _ALONE


def _parts(compound: str) -> list[str]:
    if not compound.isascii():
        compound = compound.translate(_PLAIN)
    if compound.isalpha() and compound[1:].islower():  # Most words are.
        return [compound.casefold()]
    words = re.split("[-_.]", compound.replace(",", ""))
    runs = [run for word in words for run in re.findall(r"\d+|\D+", word)]
    parts: list[str] = []
    for run in runs:
        humps = _humps(run)
        parts += humps if len(humps) == 1 else [*humps, run]
    if len(runs) > 1 and len(compound) <= _MAX_COMPOUND:
        parts.append("".join(words))
    return [part.casefold() for part in parts]


def _humps(run: str) -> list[str]:
    """*run* cut where camel case begins a word: `HTTPServer` is `HTTP`, `Server`; `URLs` is one."""
    cuts = [0]
    for i in range(1, len(run)):
        before, here, following = run[i - 1], run[i], run[i + 1 : i + 2]
        is_plural = following == "s" and i + 2 == len(run)
        if here.isupper() and (
            before.islower() or (before.isupper() and following.islower() and not is_plural)
        ):
            cuts.append(i)
    return [run[start:end] for start, end in zip(cuts, [*cuts[1:], len(run)], strict=True)]


def _emoji_word(emoji: str) -> str:
    return "emoji" + "x".join(str(ord(character)) for character in emoji)


def readable(token: str) -> str:
    """*token* of the index as it can be shown: an emoji itself."""
    match = re.fullmatch(r"emoji(\d{4,6})(?:x(\d{6}))?", token)
    return "".join(chr(int(code)) for code in match.groups() if code) if match else token


@cache
def _chunks() -> re.Pattern[str]:
    """Finds runs of an unspaced script, compounds of other words, and emoji; a group of each."""
    letter = rf"(?:(?![{_UNSPACED}_])[\w{marks()}])"  # `\w` leaves out the combining marks.
    return re.compile(rf"([{_UNSPACED}]+)|({letter}+(?:{_MARK}{letter}+)*)|({_EMOJI})")
