"""Who reaches the server of a test, and who does not."""

from __future__ import annotations

import asyncio
import os
import pickle
import threading
import time
from collections.abc import Callable

import httpx
import pytest

import memstack
from memstack import MemStackAsyncClient, MemStackClient
from memstack._connecting import TransportName
from memstack.testing import MemStackServer

from ..colours import CLASSES, AnyClient, Colour, Driven

Drive = Callable[[AnyClient], Driven]


def test_the_environment_names_it_and_is_as_before_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where a variable was set, and where not."""
    monkeypatch.setenv("MEMSTACK_API_KEY", "ms_sk_of_somebody")

    with MemStackServer() as server:
        assert os.environ["MEMSTACK_API_KEY"] == server.api_key
        assert os.environ["MEMSTACK_BASE_URL"].endswith(".invalid")

    assert os.environ["MEMSTACK_API_KEY"] == "ms_sk_of_somebody"
    assert "MEMSTACK_BASE_URL" not in os.environ


def test_a_client_of_its_url_needs_no_socket(
    server: MemStackServer, colour: Colour, drive: Drive
) -> None:
    """For code that is told where to go, and does not ask the environment."""
    client = drive(CLASSES[colour](server.api_key, server.url))
    server.next(503, retry_after=30)

    assert client.list_memos() == []
    assert server.pauses == [30.0]


def test_a_copy_a_pickle_and_a_sibling_reach_it_too(
    server: MemStackServer, client: Driven, drive: Drive
) -> None:
    """And share its time."""
    memo = client.create_memo("note")

    for other in (
        drive(pickle.loads(pickle.dumps(client.client))),
        client.with_options(max_retries=1),
    ):
        server.next(503)
        assert other.get_memo(memo.id) == memo

    assert server.pauses == [1.0, 1.0]


def test_other_clients_are_left_alone(colour: Colour, server: MemStackServer, drive: Drive) -> None:
    """They really pause, and go where they went."""
    local = drive(CLASSES[colour].local())
    other = drive(CLASSES[colour]("ms_sk_other", "http://127.0.0.1:9"))

    local.create_memo("note")
    for driven in (local, other):
        assert driven.client._sleep is CLASSES[colour]._sleep
        assert driven.client._chance.monotonic is time.monotonic
    with pytest.raises(memstack.NetworkError, match=r"127\.0\.0\.1:9"):
        other.with_options(max_retries=0).list_memos()

    assert server.requests == []


def test_two_servers_are_two(server: MemStackServer, colour: Colour, drive: Drive) -> None:
    """Each has its own clients, memory and script; the inner one has the environment."""
    outer = drive(CLASSES[colour]())
    with MemStackServer() as second:
        inner = drive(CLASSES[colour]())
        second.next(404)
        with pytest.raises(memstack.NotFoundError):
            inner.get_memo("m1")
        inner.create_memo("inner")
        assert outer.list_memos() == []
        late = drive(CLASSES[colour](server.api_key, server.url))
        assert late.list_memos() == []

    assert drive(CLASSES[colour]()).list_memos() == []
    assert [request.operation for request in server.requests] == ["list_memos"] * 3


def test_a_server_is_used_once() -> None:
    """Its memory is gone at the end."""
    server = MemStackServer()
    with pytest.raises(memstack.ValidationError, match="`with` statement"):
        _ = server.url
    with server:
        pass

    with pytest.raises(memstack.ValidationError, match="make another"), server:
        pass


def test_a_client_that_outlives_it_is_told_so(colour: Colour, drive: Drive) -> None:
    """Nothing is sent to anybody else."""
    with MemStackServer():
        client = drive(CLASSES[colour]())

    with pytest.raises(memstack.ServerError, match="closed"):
        client.list_memos()


def test_threads_may_share_it(server: MemStackServer) -> None:
    """No request and no fault is lost or counted twice."""
    server.next(429, times=3)
    with MemStackClient() as client:

        def work() -> None:
            for _ in range(10):
                client.create_memo("note")

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(client.list_memos(1000)) == 40
    assert [request.status for request in server.requests].count(429) == 3
    assert len(server.pauses) == 3


def test_a_brought_http_client_goes_over_its_url(
    server: MemStackServer, colour: Colour, drive: Drive, loop: asyncio.AbstractEventLoop
) -> None:
    """What it has for hooks and transports is used."""
    seen: list[str] = []

    def hook(request: httpx.Request) -> None:
        seen.append(request.url.path)

    async def async_hook(request: httpx.Request) -> None:
        hook(request)

    if colour == "sync":
        with httpx.Client(trust_env=False, event_hooks={"request": [hook]}) as http:
            memo = drive(MemStackClient(http_client=http)).create_memo("note")
    else:
        hooked = httpx.AsyncClient(trust_env=False, event_hooks={"request": [async_hook]})
        memo = drive(MemStackAsyncClient(http_client=hooked)).create_memo("note")
        loop.run_until_complete(hooked.aclose())

    assert seen == ["/api/v1/memos"]
    assert [request.status for request in server.requests] == [200]
    assert drive(CLASSES[colour]()).list_memos() == [memo]


def test_another_transport_goes_over_its_url(
    server: MemStackServer, colour: Colour, drive: Drive, transport: TransportName
) -> None:
    """Where one was asked for; it makes no difference to the answers."""
    client = drive(CLASSES[colour](transport=transport))

    memo = client.create_memo("note")

    assert drive(CLASSES[colour]()).get_memo(memo.id) == memo
    assert (server._stage.listens_at is None) == (transport == "httpx")
