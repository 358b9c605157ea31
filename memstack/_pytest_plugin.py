"""The fixtures that pytest finds wherever this package is installed.

pytest loads this module in every project, so it loads nothing itself before a test asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from memstack import MemStackAsyncClient, MemStackClient
    from memstack.testing import MemStackServer


@pytest.fixture
def memstack_server(request: pytest.FixtureRequest) -> Iterator[MemStackServer]:
    """A MemStack in memory for this test, which fails where the test says so.

    MEMSTACK_BASE_URL and MEMSTACK_API_KEY name it, so `MemStackClient()` reaches it. What was
    scripted and did not happen fails the test, unless it failed already.
    """
    from memstack.testing import MemStackServer

    failed = request.session.testsfailed
    with MemStackServer() as server:
        yield server
        pending = server.pending
    if pending and request.session.testsfailed == failed:
        pytest.fail(
            f"memstack_server: scripted, but did not happen: {'; '.join(pending)}", pytrace=False
        )


@pytest.fixture
def memstack_client(memstack_server: MemStackServer) -> Iterator[MemStackClient]:
    """A client of `memstack_server`."""
    from memstack import MemStackClient

    with MemStackClient(memstack_server.api_key) as client:
        yield client


@pytest.fixture
def memstack_async_client(memstack_server: MemStackServer) -> Iterator[MemStackAsyncClient]:
    """The same to be awaited, in whichever event loop the test has."""
    from memstack import MemStackAsyncClient

    client = MemStackAsyncClient(memstack_server.api_key)
    yield client
    client._to_close()  # there is no loop to await `close` in, and no connection to close
