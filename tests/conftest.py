"""Fixtures for tests whose one body runs on both clients."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import settings

from memstack import MemStackAsyncClient, MemStackClient
from memstack._claims import Claims
from memstack._connecting import TransportName, is_of_connections

from .colours import CLASSES, AnyClient, Colour, Driven, FakeTime, what_sends
from .loopback import AsyncStaged, Loopback, Staged
from .scripted import ScriptedServer

# No deadlines: another program may have the processor.
settings.register_profile("quick", deadline=None, max_examples=10)
settings.register_profile("thorough", deadline=None, max_examples=100)
settings.load_profile("quick")  # unless --hypothesis-profile=thorough comes after it

KEY = "ms_sk_test"

Make = Callable[..., Driven]

only_httpx = pytest.mark.parametrize("transport", ["httpx"], indirect=True)
"""For what pyreqwest has not, or what no test can see of it."""


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key, URL, proxy or certificate of whoever runs the tests is never used."""
    for name in list(os.environ):
        if name in ("MEMSTACK_API_KEY", "MEMSTACK_BASE_URL") or is_of_connections(name):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _no_claims() -> None:
    """Rows of the same id, and clients that a traceback keeps alive, are another test's."""
    Claims._of.clear()


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> Colour:
    value: Colour = request.param
    return value


@pytest.fixture(params=["httpx", "pyreqwest"])
def transport(request: pytest.FixtureRequest) -> TransportName:
    name: TransportName = request.param
    if name == "pyreqwest" and tuple(sys.version_info) < (3, 11):
        pytest.skip("pyreqwest needs Python 3.11")
    return name


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
    transport: TransportName,
    server: ScriptedServer,
    time: FakeTime,
    drive: Callable[[AnyClient], Driven],
) -> Iterator[Make]:
    """Makes a client of the scripted server, in this test's colour and over its transport."""
    sockets: dict[str, Loopback] = {}

    def make(base_url: str = "https://memstack.test", **options: Any) -> Driven:
        client: AnyClient
        if transport == "pyreqwest":
            parts = urlsplit(base_url)
            origin = f"{parts.scheme}://{parts.netloc}"
            running = sockets.get(origin) or sockets.setdefault(origin, Loopback(server, origin))
            client = CLASSES[colour](KEY, running.url + parts.path, transport=transport, **options)
            if isinstance(client, MemStackClient):
                client._transport = Staged(what_sends(client), running)
            else:
                client._transport = AsyncStaged(what_sends(client), running)
        elif colour == "sync":
            http = httpx.Client(transport=httpx.MockTransport(server))
            client = MemStackClient(KEY, base_url, http_client=http, **options)
        else:
            http_async = httpx.AsyncClient(transport=httpx.MockTransport(server))
            client = MemStackAsyncClient(KEY, base_url, http_client=http_async, **options)
        time.install(client)
        return drive(client)

    yield make
    for running in sockets.values():
        running.close()


@pytest.fixture
def client(make: Make) -> Driven:
    """A client of the scripted server, in this test's colour."""
    return make()


@pytest.fixture
def local(colour: Colour, drive: Callable[[AnyClient], Driven]) -> Driven:
    """A client of an embedded server in memory, in this test's colour."""
    return drive(CLASSES[colour].local())
