"""How long a call lasts when no answer ever comes."""

from __future__ import annotations

import httpx
import pytest

import memstack

from ..colours import FakeTime, outcomes
from ..conftest import Make, only_httpx
from ..scripted import ScriptedServer

pytestmark = only_httpx  # a real server would take all that time


class Never(ScriptedServer):
    """Lets each attempt wait until its limit."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.time.clock += request.extensions["timeout"]["read"]
        raise httpx.ReadTimeout("never")


@pytest.fixture
def server(time: FakeTime) -> ScriptedServer:
    return Never(time)


@pytest.mark.parametrize(
    ("delay", "limits", "pauses"),
    [(1.0, [2, 2], [1.0]), (0.5, [2, 2], [0.5]), (0.25, [2, 2, 0.25], [0.25, 0.5])],
)
def test_a_call_lasts_no_longer_than_its_deadline(
    make: Make,
    server: ScriptedServer,
    time: FakeTime,
    delay: float,
    limits: list[float],
    pauses: list[float],
) -> None:
    """Ten retries of two seconds are cut to five seconds in all."""
    with pytest.raises(memstack.RequestTimeoutError) as caught:
        make(timeout=2, deadline=5, max_retries=10, retry_delay=delay).search_memory("hiking")

    assert [request.extensions["timeout"]["read"] for request in server.requests] == limits
    assert time.pauses == pauses
    assert time.clock - 1000.0 == sum(limits) + sum(pauses) <= 5
    assert outcomes(caught.value.attempts) == [(None, "unknown")] * len(limits)


def test_without_a_deadline_each_attempt_has_its_whole_time(
    make: Make, server: ScriptedServer, time: FakeTime
) -> None:
    """Eleven timeouts and no pause are 22 seconds."""
    with pytest.raises(memstack.RequestTimeoutError):
        make(timeout=2, max_retries=10, retry_delay=0).search_memory("hiking")

    assert time.clock - 1000.0 == 22
    assert len(server.requests) == 11
