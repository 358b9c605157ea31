"""The embedded server answers as the deployed ones do, but for what is known."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ..cassettes.files import GENERATIONS, recorded
from ..colours import CLASSES, AnyClient, Colour, Driven
from . import closures
from .closures import CLOSURES
from .congruence import NOT_RECORDED, RECORDED, SERVERS, Closure, client_of, differ, outcome
from .replay import KNOWN


@pytest.mark.parametrize("closure", CLOSURES, ids=lambda closure: closure.name)
def test_only_known_differences(
    closure: Closure, colour: Colour, drive: Callable[[AnyClient], Driven]
) -> None:
    """Those that say why; and none says why that is not one."""
    found = {
        server: outcome(closure, server, drive(client_of(CLASSES[colour], server)))
        for server in SERVERS
    }

    assert differ(found) == bool(closure.why), found
    assert {found["v0.1"], found["v0.2"]} != {NOT_RECORDED}


def test_the_page_is_what_these_tests_find() -> None:
    """docs/congruence.md; `make congruence` writes it."""
    assert closures.PAGE.read_text(encoding="utf-8") == closures.compare()


def test_every_operation_is_compared() -> None:
    """With a recording of one generation at least."""
    there = RECORDED["v0.1"]
    compared = {act(there).id for closure in CLOSURES for act in closure.acts if closure.cases}

    assert compared == set(KNOWN)


def test_no_closure_is_there_twice() -> None:
    """Neither by name nor by recording."""
    names = [closure.name for closure in CLOSURES]

    assert len(set(names)) == len(names)


def test_every_recording_that_is_named_is_there() -> None:
    """A generation without one is left out, and not misspelled."""
    for closure in CLOSURES:
        assert closure.cases.keys() <= set(GENERATIONS)
        for generation, cases in closure.cases.items():
            assert [recorded(generation, *case).case for case in cases] == [c for _, c in cases]
