"""`make bench` says what it measured, and `make bench-check` tells what has become worse."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast
from xml.etree import ElementTree

import pytest

from benchmarks import __main__ as bench, calls, memory, picture, server, tables
from benchmarks.requests import CASES
from benchmarks.server import Wave, serving

KEPT = json.loads(bench.RATIOS.read_text("utf-8"))
RATIOS = [
    (title, row, name)
    for title, table in KEPT["tables"].items()
    for row, ratios in table.items()
    for name in tables.OURS
    if name in ratios
]


def test_the_page_has_the_figures_that_are_kept() -> None:
    """Goals and tables, line by line."""
    lines = "\n".join(tables.markdown(KEPT["tables"]))

    assert lines in bench.PAGE.read_text("utf-8")


def test_the_picture_is_of_the_figures_that_are_kept() -> None:
    """They are in its description."""
    root = ElementTree.parse(bench.PICTURE).getroot()
    description = root.find(".//{http://purl.org/dc/elements/1.1/}description")

    assert description is not None
    assert json.loads(description.text or "") == KEPT["drawn"]
    assert {name for series in KEPT["drawn"].values() for name in series} <= set(picture.STYLES)


def test_equal_figures_give_an_equal_picture(tmp_path: Path) -> None:
    """To the byte, without a date or a chance number."""
    pytest.importorskip("matplotlib", reason="only `make bench` installs matplotlib")
    files = [tmp_path / "1.svg", tmp_path / "2.svg"]

    for file in files:
        picture.draw(KEPT["drawn"], file)

    assert files[0].read_bytes() == files[1].read_bytes()


def _with(place: tuple[str, str, str], factor: float) -> tables.Tables:
    title, row, name = place
    changed: tables.Tables = copy.deepcopy(KEPT["tables"])
    changed[title][row][name] = changed[title][row][name] * factor + 2 * tables.LEAST
    return changed


@pytest.mark.parametrize("place", RATIOS, ids=": ".join)
def test_each_ratio_of_this_client_is_checked(place: tuple[str, str, str]) -> None:
    """Of both transports, in every table."""
    told = tables.worse(_with(place, 1.25), KEPT["tables"])

    assert list(told) == [", ".join(place)]


@pytest.mark.parametrize(
    "place", [RATIOS[0], ("one call after the other", "get_memo", "pyreqwest")]
)
def test_what_is_hardly_worse_or_a_peers_is_not_told(place: tuple[str, str, str]) -> None:
    """Up to a quarter may be chance, and a peer may cost what it likes."""
    factor = 1.2 if place in RATIOS else 9

    assert tables.worse(_with(place, factor), KEPT["tables"]) == {}


def test_a_ratio_next_to_nothing_may_become_another() -> None:
    """A second client costs a hundredth of the first: half as much again is chance."""
    before: tables.Tables = {"ready": {"second": {"memstack": 0.01}}}

    assert tables.worse({"ready": {"second": {"memstack": 0.015}}}, before) == {}


@pytest.mark.parametrize(("worse", "code"), [([], 0), ([0], 0), ([0, 1], 1)])
def test_the_check_fails_where_a_ratio_is_worse_twice(
    worse: list[int], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once may be chance. It names the ratio, and writes nothing."""
    bad, good = _with(RATIOS[0], 1.25), KEPT["tables"]
    runs = iter([(bad if run in worse else good, KEPT["drawn"]) for run in range(2)])
    monkeypatch.setattr(bench, "measured", lambda: next(runs))
    kept = bench.PAGE.read_bytes(), bench.RATIOS.read_bytes()

    assert bench.check() == code

    assert (f"\n{', '.join(RATIOS[0])}: " in capsys.readouterr().err) == bool(code)
    assert (bench.PAGE.read_bytes(), bench.RATIOS.read_bytes()) == kept


def test_a_goal_that_is_missed_is_bold() -> None:
    """As it is printed: 0.904 is 0.90."""
    changed = copy.deepcopy(KEPT["tables"])
    row = changed[tables.BLOCKING]["get_memo"]

    row.update({"memstack": 0.904, "memstack, pyreqwest": 0.36})

    expected = f"| {tables.BLOCKING}: get_memo | 0.90 ≤ 0.90 | **0.36** > 0.35 |"
    assert expected in tables.markdown(changed)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving() as url:
        yield url


@pytest.mark.parametrize("case", CASES)
def test_every_variant_of_a_case_works(url: str, case: str) -> None:
    """A few calls of each; what is not installed is left out."""
    seconds = calls.blocking(url, case, 0)

    assert {"httpx", "memstack", "generated client alone", "raw socket"} <= set(seconds)
    assert all(spent > 0 for spent in seconds.values())


@pytest.mark.parametrize("at_once", [1, 8])
def test_every_variant_works_at_once(url: str, at_once: int) -> None:
    """The same, awaited."""
    seconds = asyncio.run(calls.awaited(url, at_once, 0))

    assert {"httpx", calls.KEPT, "memstack"} <= set(seconds)
    assert all(spent > 0 for spent in seconds.values())


class _Sent(list[bytes]):
    """Stands in for a connection."""

    write = list[bytes].append


def test_the_server_answers_when_enough_requests_wait() -> None:
    """Not before, and all at the same time."""

    async def waves() -> list[list[bytes]]:
        wave, sent = Wave(), _Sent()
        wave.size = 2
        seen = []
        for answer in (b"1", b"2", b"3"):
            wave.add(cast(asyncio.Transport, sent), answer)
            seen.append(sent[:])
        return seen

    assert asyncio.run(waves()) == [[], [b"1", b"2"], [b"1", b"2"]]


def test_the_server_answers_when_no_more_requests_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client may have fewer connections than calls."""
    monkeypatch.setattr(server, "QUIET", 0)

    async def waits() -> list[bytes]:
        wave, sent = Wave(), _Sent()
        wave.size = 2
        wave.add(cast(asyncio.Transport, sent), b"1")
        while not sent:
            await asyncio.sleep(0)
        return sent

    assert asyncio.run(asyncio.wait_for(waits(), 5)) == [b"1"]


@pytest.mark.slow
@pytest.mark.skipif(not memory.ROLLUP.exists(), reason="this system does not tell what is held")
@pytest.mark.parametrize("colour", ["blocking", "awaited"])
def test_memory_is_that_of_a_client_with_all_its_connections(url: str, colour: str) -> None:
    """Fewer would raise; bare httpx keeps as many as this client."""
    held = memory.held(url, colour, rounds=1)

    assert {"httpx", "memstack"} <= set(held)
    assert min(held.values()) > 100_000
