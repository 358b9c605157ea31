"""A fork takes the threads of pyreqwest from the child, which is told so and never hangs."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
from collections.abc import Callable
from typing import Any

import pytest

import memstack

from ..colours import CLASSES, AnyClient, Colour, Driven
from ..conftest import KEY
from .connecting import bare as bare
from .faulty import answer, in_turn, site

if tuple(sys.version_info) < (3, 11):
    pytest.skip("pyreqwest needs Python 3.11", allow_module_level=True)

HEALTHY = {"status": "ok"}


def _in_child(act: Callable[[], Any], results: Any) -> None:
    try:
        results.put(repr(act()))
    except memstack.MemStackError as error:
        results.put((type(error).__name__, getattr(error, "reason", ""), error.outcome, str(error)))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
# From 3.12 Python warns of a fork beside threads.
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("what", ["calls", "makes", "closes"])
def test_a_forked_child_is_told_at_once(colour: Colour, bare: None, what: str) -> None:
    """Nothing hangs, also not its end; the parent goes on with its connection."""
    fork = multiprocessing.get_context("fork")
    results = fork.SimpleQueue()
    with site(in_turn(answer(keep=True), answer(keep=True))) as running:
        loop = asyncio.new_event_loop()

        def made() -> Driven:
            client: AnyClient = CLASSES[colour](KEY, running.url, transport="pyreqwest")
            return Driven(client, loop)

        client = made()
        client.health_check()
        acts = {"calls": client.health_check, "makes": made, "closes": client.close}
        child = fork.Process(target=_in_child, args=(acts[what], results))
        child.start()
        child.join(5)
        child.kill()
        child.join()
        assert child.exitcode == 0
        told = results.get()
        assert client.health_check() == HEALTHY
        client.close()
        loop.close()

    if what == "closes":
        assert told == "None"
    else:
        kind, reason, outcome, text = told
        assert (kind, reason, outcome) == {
            "calls": ("NetworkError", "closed", "not_sent"),
            "makes": ("ValidationError", "", "not_sent"),
        }[what]
        assert "fork" in text
        assert "transport='httpx'" in text
