"""The server that the examples talk to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..served import Served, serving


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    with serving() as server:
        yield server
