"""Fixtures for tests whose one body runs on both clients."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from memstack import MemStackAsyncClient, MemStackClient
from memstack._claims import Claims

from .colours import CLASSES, AnyClient, Colour, Driven, FakeTime
from .scripted import ScriptedServer

KEY = "ms_sk_test"

Make = Callable[..., Driven]


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key or URL of whoever runs the tests is never used."""
    monkeypatch.delenv("MEMSTACK_API_KEY", raising=False)
    monkeypatch.delenv("MEMSTACK_BASE_URL", raising=False)


@pytest.fixture(autouse=True)
def _no_claims() -> None:
    """Rows of the same id, and clients that a traceback keeps alive, are another test's."""
    Claims._of.clear()


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> Colour:
    value: Colour = request.param
    return value


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


@pytest.fixture
def drive(loop: asyncio.AbstractEventLoop) -> Iterator[Callable[[AnyClient], Driven]]:
    """Drives clients, and closes them at the end."""
    driven: list[Driven] = []

    def drive(client: AnyClient) -> Driven:
        driven.append(Driven(client, loop))
        return driven[-1]

    yield drive
    for client in driven:
        client.close()


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def server(time: FakeTime) -> ScriptedServer:
    return ScriptedServer(time)


@pytest.fixture
def make(
    colour: Colour,
    server: ScriptedServer,
    time: FakeTime,
    drive: Callable[[AnyClient], Driven],
) -> Make:
    """Makes a client of the scripted server, in this test's colour."""

    def make(base_url: str = "https://memstack.test", **options: Any) -> Driven:
        transport = httpx.MockTransport(server)
        client: AnyClient
        if colour == "sync":
            http = httpx.Client(transport=transport)
            client = MemStackClient(KEY, base_url, http_client=http, **options)
        else:
            http_async = httpx.AsyncClient(transport=transport)
            client = MemStackAsyncClient(KEY, base_url, http_client=http_async, **options)
        time.install(client)
        return drive(client)

    return make


@pytest.fixture
def client(make: Make) -> Driven:
    """A client of the scripted server, in this test's colour."""
    return make()


@pytest.fixture
def local(colour: Colour, drive: Callable[[AnyClient], Driven]) -> Driven:
    """A client of an embedded server in memory, in this test's colour."""
    return drive(CLASSES[colour].local())
