"""The table of the docs is what both clients do."""

from __future__ import annotations

import pytest

from ..colours import FakeTime
from ..conftest import Make
from ..scripted import ScriptedServer
from .retry_table import FAULTS, Fault, committed, row


@pytest.mark.parametrize(("what", "fault"), FAULTS, ids=[what for what, _ in FAULTS])
def test_does_what_the_docs_say(
    make: Make, server: ScriptedServer, time: FakeTime, what: str, fault: Fault
) -> None:
    """`python -m tests.client.retry_table` writes the docs anew."""
    assert str(row(make(), server, time, what, fault)) in committed().splitlines()


def test_the_docs_have_no_other_row() -> None:
    """Two lines are the head."""
    assert len(committed().splitlines()) == len(FAULTS) + 2
