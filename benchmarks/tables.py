"""Decides what is said of the figures: ratios, goals, and which ratio has become worse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .calls import KEPT
from .measure import Seconds
from .requests import search_for

Table = dict[str, dict[str, float]]
"""By row and column, what something costs over what bare httpx does."""
Tables = dict[str, Table]

OURS = ("memstack", "memstack, pyreqwest")
WORSE = 1.25
LEAST = 0.01
"""A ratio that is worse by less than that is not: a second client costs next to nothing."""

BLOCKING = "one call after the other"
AWAITED = "get_memo, awaited"
GROWTH = "growth"
READY = "getting ready"
MEMORY = "memory held"
WHERE = "where the time goes"

GOALS = (
    (BLOCKING, "get_memo", 0.90, 0.35),
    (BLOCKING, "create_episode", 0.90, 0.35),
    (BLOCKING, search_for(10), 0.90, 0.35),
    (BLOCKING, search_for(100), 1.00, 0.60),
    (AWAITED, "1 at once", 0.90, 0.35),
    (AWAITED, "64 at once", 0.45, 0.10),
    (AWAITED, "256 at once", 0.35, 0.07),
    (GROWTH, "256 at once, over 1 at once", 1.30, 1.30),
    (READY, "import memstack", 0.25, None),
    (READY, "first client ready", 1.15, 1.15),
    (READY, "a second client, over the first", 0.05, 0.05),
    (MEMORY, "blocking", 1.00, None),
    (MEMORY, "awaited", 1.00, None),
)
"""Table, row, and the most that either transport may cost."""


def blocking(seconds: Mapping[str, Seconds]) -> Table:
    """By case."""
    return {case: _over(spent, spent["httpx"]) for case, spent in seconds.items()}


def awaited(seconds: Mapping[int, Seconds]) -> Table:
    """By how many at once; against the better of two ways to set httpx."""
    return {
        f"{at_once} at once": _over(spent, min(spent["httpx"], spent.get(KEPT, spent["httpx"])))
        for at_once, spent in seconds.items()
    }


def growth(seconds: Mapping[int, Seconds], many: int = 256) -> Table:
    """What a call of each costs among many, over what it costs alone."""
    alone, among = seconds[1], seconds[many]
    return {
        f"{many} at once, over 1 at once": {
            name: among[name] / alone[name] for name in among if name in alone
        }
    }


def _over(spent: Mapping[str, float], bare: float) -> dict[str, float]:
    return {name: value / bare for name, value in spent.items()}


def markdown(tables: Tables) -> Iterator[str]:
    """The goals and all tables, a line at a time."""
    yield "| goal | memstack | memstack, pyreqwest |"
    yield "|---|---|---|"
    for title, row, *most in GOALS:
        ratios = tables[title].get(row, {})
        cells = (_met(ratios.get(name), goal) for name, goal in zip(OURS, most, strict=True))
        yield f"| {title}: {row} | {' | '.join(cells)} |"
    for title, table in tables.items():
        columns = list(dict.fromkeys(name for row in table.values() for name in row))
        yield ""
        yield f"| {title} | {' | '.join(columns)} |"
        yield "|---" * (len(columns) + 1) + "|"
        for row, ratios in table.items():
            cells = (f"{ratios[name]:.2f}" if name in ratios else "" for name in columns)
            yield f"| {row} | {' | '.join(cells)} |"


def _met(ratio: float | None, goal: float | None) -> str:
    if ratio is None or goal is None:
        return ""
    # As it is printed, or a figure would be above a goal that looks the same.
    return (
        f"{ratio:.2f} ≤ {goal:.2f}" if round(ratio, 2) <= goal else f"**{ratio:.2f}** > {goal:.2f}"
    )


def worse(now: Tables, before: Tables) -> dict[str, str]:
    """How much it is now and was, of each ratio of this client that is a quarter worse."""
    found = {}
    for title, table in now.items():
        for row, ratios in table.items():
            for name in OURS:
                was, ratio = before.get(title, {}).get(row, {}).get(name), ratios.get(name)
                if was is not None and ratio is not None and ratio > max(was * WORSE, was + LEAST):
                    found[f"{title}, {row}, {name}"] = f"{ratio:.2f}, was {was:.2f}"
    return found
