"""No create is lost or doubled when one answer in seven never comes."""

from __future__ import annotations

import pytest

from memstack._connecting import TransportName

from ..colours import Colour
from ..served import Served
from .exactly_once import Kind, run

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("idempotency", [True, False])
@pytest.mark.parametrize("kind", ["episodes", "memos", "keys"])
def test_stores_each_create_once(
    served: Served, kind: Kind, colour: Colour, transport: TransportName, idempotency: bool
) -> None:
    """With idempotency keys and without, on both clients, eight at once."""
    tally = run(served, kind, colour, creates=60, idempotency=idempotency, transport=transport)

    assert tally.faults > 5
    assert (tally.duplicates, tally.lost, tally.untrue) == (0, 0, 0)
    assert tally.returned + sum(tally.raised.values()) == tally.creates
    assert tally.returned > 0
