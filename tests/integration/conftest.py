"""The server that the examples talk to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..echo import Echoing, echoing
from ..served import Served, serving


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    with serving() as server:
        yield server


@pytest.fixture
def echo() -> Iterator[Echoing]:
    with echoing() as server:
        yield server
