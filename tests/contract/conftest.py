"""The contract is of what every transport shares, so one is enough here."""

from __future__ import annotations

import pytest

from memstack._connecting import TransportName


@pytest.fixture
def transport() -> TransportName:
    return "httpx"
