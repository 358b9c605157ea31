"""Episodes to store and questions to ask of them: made up, always the same, of no real person.

How often a word comes follows Zipf's law, as in any language: a few words stand in every other
text, half of all words in hardly any. The frequent ones are English; the rare ones are coined from
syllables, as are the names of people, places and things that a memory is full of.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from random import Random
from typing import NamedTuple

KNOWN = """
    time work people meeting project week team house friend family school phone money plan trip
    morning evening problem question answer idea book email report garden kitchen weather dinner
    train office customer doctor market music movie coffee water street summer winter birthday
    holiday budget release server database ticket order invoice contract design review test build
    deploy branch error memory search index table report photo recipe bread cheese apple river
    mountain lake forest beach bridge station airport hotel ticket seat luggage passport museum
    concert guitar piano violin painting story novel chapter teacher student lesson exam language
    word sentence letter number letter address neighbour brother sister mother father daughter son
    uncle cousin dog cat horse bird fish tree flower window door roof wall floor chair lamp bed
    think know want need like love hate call ask tell say give take bring send receive buy sell pay
    cost lend borrow find lose keep leave stay arrive move travel visit meet join help start finish
    stop continue change grow learn teach read write sing dance play run walk swim climb hike ride
    drive fly cook bake eat drink sleep wake wash clean fix break paint draw measure count compare
    decide agree refuse promise forget remember hope worry laugh smile cry shout whisper listen
    watch wait hurry rest new old young big small long short high low early late fast slow warm cold
    hot dry wet bright dark quiet loud heavy light easy hard cheap expensive strong weak happy sad
    angry tired busy free full empty open closed clean dirty safe dangerous healthy sick famous
    local foreign public private green blue red yellow white black brown grey wooden golden simple
    strange serious funny polite careful useful ready certain possible similar different important
""".split()
BETWEEN = """
    the the the the of and to a in is it that was for on with as at by her his they we she he this
    had not are but from or have an which one all there when who more about after before
""".split()
SYLLABLES = """
    al an ar bel ber bran cal cor dan del dor el en far fen gal gor han hel il jor kar kel lan lor
    mar mel mor nar nel nor ol or pan per ran rel ros sal sel sor tal tan tor ul van vel wen yor zan
""".split()
ENDINGS = """
    a ia o us er in ton ville berg ford wick dale shire mere stone wood field worth
    ing ed ly ness ment tion able ful ism ist
""".split()
NAMES = """
    Alice Bob Carol Dave Erin Frank Grace Heidi Ivan Judy Karl Laura Mallory Niaj Olivia Peggy
    Quentin Rupert Sybil Trent Ursula Victor Wendy Xavier Yolanda Zoe
""".split()
CODES = ("order_items", "HTTPServer", "user_id", "release-2.4", "parseDate", "README.md")

RARE = 40_000
"""How many words are coined."""

GROUPS = 20
"""Episodes in a conversation, on average."""


class Text(NamedTuple):
    """An episode."""

    name: str
    content: str
    group_id: str


def texts(count: int, seed: int = 1) -> Iterator[Text]:
    """So many episodes of one to four sentences, 32 words on average, in conversations."""
    chance = Random(seed)
    words, weights = _vocabulary()
    for number in range(count):
        length = chance.choice((12, 20, 28, 32, 36, 44, 52))
        drawn = iter(chance.choices(words, cum_weights=weights, k=length))
        small = iter(chance.choices(BETWEEN, k=length))
        who = _name(chance)
        said = [who]
        for place in range(length - 1):
            said.append(next(small) if place % 2 else next(drawn))
            if place % 13 == 12:
                said[-1] += "."
        if number % 5 == 0:
            said.append(f"at {chance.randrange(24):02}:{chance.randrange(60):02}")
        if number % 7 == 0:
            said.append(f"for {chance.randrange(1, 2000)} euros")
        if number % 11 == 0:
            said.append(f"in {chance.choice(CODES)}")
        content = " ".join(said) + "."
        yield Text(f"{who} on {said[1]}", content, f"chat-{number // GROUPS}")


def questions(count: int, seed: int = 2) -> list[str]:
    """So many of three words each, drawn as for the texts; every other one names someone."""
    chance = Random(seed)
    words, weights = _vocabulary()
    asked = [chance.choices(words, cum_weights=weights, k=3) for _ in range(count)]
    for words in asked[::2]:
        words[0] = _name(chance)
    return [" ".join(words) for words in asked]


def _name(chance: Random) -> str:
    return NAMES[min(int(chance.expovariate(0.2)), len(NAMES) - 1)]


def _vocabulary() -> tuple[list[str], list[float]]:
    """All words but the smallest, and how often each comes, summed up."""
    chance = Random(0)
    coined = (
        "".join(chance.choices(SYLLABLES, k=chance.randint(1, 3))) + chance.choice(ENDINGS)
        for _ in range(RARE)
    )
    words = list(dict.fromkeys([*KNOWN, *coined]))
    # Zipf and Mandelbrot: the constant leaves out the small words, which are drawn apart.
    return words, list(accumulate(1 / (rank + 20) for rank in range(len(words))))
