"""Knows words: which say nothing by themselves, and which are forms of one another.

Only questions are read with this; what is stored keeps every word.
"""

from __future__ import annotations

import re
from functools import cache

__all__ = ["ASKING", "ENGLISH", "PARTICLES", "forms_of"]

ENGLISH = frozenset(
    """
    a about after again against also am an and any anybody anyone anything are aren as at be
    been before being between but by can could couldn d did didn do does doesn doing don down
    during each either else every everybody everyone for from had hadn has hasn have haven
    having he her here him his how i if in into is isn it its just ll m many me might more most
    much must my nothing of off on once or other ought our out over own please re s same shall
    she should shouldn so some somebody someone something such t tell than that the their them
    then there these they this those through to too under until up us ve very was wasn we were
    weren what when where which while who whom whose why will with won would wouldn you your
    """.split()
)
"""Words that every text holds; without its apostrophe, a contraction is two of them."""

# Words that questions hold and answers do not; longest first, so that none hides in another.
ASKING = re.compile(
    "|".join(
        sorted(
            """
            什么时候 什么样 为什么 为啥 什么 怎么样 怎么办 怎么 怎样 如何 哪里 哪儿 哪个 哪些 哪位
            哪种 哪天 哪 啥 谁 多少 多久 多长 多大 多高 几个 几点 是不是 有没有 能不能 可不可以
            什麼時候 什麼 為什麼 怎麼 怎樣 哪裡 誰 多久
            でしょうか ですか ますか ましたか どこ だれ いつ なに なぜ どうして どの どれ いくら
            いくつ どう 何 誰 教えて
            어디에서 어디서 어디에 어디 누구 누가 무엇 무슨 뭐 언제 왜 어떻게 어떤 얼마 몇 입니까
            습니까
            """.split(),
            key=len,
            reverse=True,
        )
    )
)

PARTICLES = re.compile(
    "[我你您他她它们的地得了着过吗呢吧啊嗎在是和与或就也都还把被给让到从"
    "はがをにのともかでへや은는이가을를에의도]"
)
"""Characters that join words rather than being one."""

# Verbs first, each in the forms that no rule of spelling leads to, then nouns.
_IRREGULAR = """
    arise arose arisen, awake awoke awoken, bear bore borne born, beat beaten, become became,
    begin began begun, bend bent, bind bound, bite bit bitten, bleed bled, blow blew blown,
    break broke broken, breed bred, bring brought, build built, burn burnt, buy bought,
    catch caught, choose chose chosen, cling clung, come came, creep crept, deal dealt, dig dug,
    draw drew drawn, dream dreamt, drink drank drunk, drive drove driven, eat ate eaten,
    fall fell fallen, feed fed, feel felt, fight fought, find found, flee fled, fly flew flown,
    forbid forbade forbidden, forget forgot forgotten, forgive forgave forgiven,
    freeze froze frozen, get got gotten, give gave given, go went gone, grind ground,
    grow grew grown, hang hung, hear heard, hide hid hidden, hold held, keep kept, kneel knelt,
    know knew known, lay laid, lead led, lean leant, learn learnt, leave left, lend lent,
    lie lay lain, light lit, lose lost, make made, mean meant, meet met, mistake mistook mistaken,
    overcome overcame, overtake overtook overtaken, pay paid, prove proven, ride rode ridden,
    ring rang rung, rise rose risen, run ran, say said, see saw seen, seek sought, sell sold,
    send sent, sew sewn, shake shook shaken, shine shone, shoot shot, show shown,
    shrink shrank shrunk, sing sang sung, sink sank sunk, sit sat, sleep slept, slide slid,
    smell smelt, speak spoke spoken, speed sped, spell spelt, spend spent, spill spilt, spin spun,
    spit spat, spoil spoilt, spring sprang sprung, stand stood, steal stole stolen, stick stuck,
    sting stung, stink stank stunk, strike struck, string strung, swear swore sworn, sweep swept,
    swell swollen, swim swam swum, swing swung, take took taken, teach taught, tear tore torn,
    tell told, think thought, throw threw thrown, undergo underwent undergone,
    understand understood, undertake undertook undertaken, wake woke woken, wear wore worn,
    weave wove woven, weep wept, win won, wind wound, withdraw withdrew withdrawn, wring wrung,
    write wrote written,
    calf calves, child children, foot feet, goose geese, half halves, knife knives, leaf leaves,
    life lives, loaf loaves, man men, mouse mice, person people, scarf scarves, shelf shelves,
    thief thieves, tooth teeth, wife wives, wolf wolves, woman women
"""


def forms_of(word: str) -> tuple[str, ...]:
    """The irregular forms of the English *word* (casefolded) other than itself.

    Those that end as spelling has it are for the stemmer: `buys` has `bought`, `bought` has `buy`.
    """
    return _forms().get(word, ())


@cache
def _forms() -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for entry in _IRREGULAR.split(","):
        forms = entry.split()
        base = forms[0]
        regular = [f"{base}s", f"{base}es", f"{base}ing", f"{base}{base[-1]}ing"]
        if base.endswith("e"):
            regular.append(f"{base[:-1]}ing")
        for form in forms:
            found.setdefault(form, {}).update(dict.fromkeys(f for f in forms if f != form))
        for form in regular:
            found.setdefault(form, {}).update(dict.fromkeys(forms[1:]))
    return {form: tuple(others) for form, others in found.items()}
