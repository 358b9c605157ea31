"""An ingest that is killed in the middle; `make ingest-figures` does the same for longer."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ..colours import Colour
from ..integration.ingest_kills import run_kills

pytestmark = pytest.mark.slow


@pytest.mark.skipif(sys.platform == "win32", reason="has no such kill")
@pytest.mark.parametrize("idempotency", [True, False])
def test_each_item_is_stored_once_whatever_is_killed(
    tmp_path: Path, colour: Colour, idempotency: bool
) -> None:
    """With idempotency keys and without."""
    fate = run_kills(tmp_path, 3, 150, colour=colour, idempotency=idempotency)

    assert (fate.kills, fate.stored, fate.doubled, fate.again) == (3, 150, 0, 0)
