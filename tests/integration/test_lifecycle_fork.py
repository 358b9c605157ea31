"""What a forked process does with the clients of its parent."""

from __future__ import annotations

import asyncio
import multiprocessing
import ssl
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import memstack
from memstack import MemStackAsyncClient, MemStackClient

from ..conftest import KEY
from ..echo import Echoing, echoing
from .forking import NEEDS_FORK, PATIENCE, aport_of, in_a_child, port_of

pytestmark = NEEDS_FORK


def _in_three_threads(client: MemStackClient) -> set[int]:
    ports: set[int] = set()
    started = threading.Barrier(3)

    def call() -> None:
        started.wait(PATIENCE)
        ports.add(port_of(client))

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    return ports


def test_a_child_has_connections_of_its_own(echo: Echoing) -> None:
    """Siblings and threads in it too; those of the parent go on."""
    with MemStackClient(KEY, echo.url) as client:
        own = port_of(client)

        sibling = client.with_options(timeout=5)
        ports = in_a_child(lambda: {port_of(client), port_of(sibling), *_in_three_threads(client)})
        closed = in_a_child(lambda: client.close())
        again = port_of(client)

    assert ports
    assert own not in ports
    assert closed is None
    assert again == own
    assert echo.ports() == set()


def test_a_child_that_does_not_call_leaves_the_connections_alone(echo: Echoing) -> None:
    """Nor is one closed when the child forgets the client."""
    client = MemStackClient(KEY, echo.url)
    own = port_of(client)
    holder = {"client": client}

    def forget() -> None:
        nonlocal client
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            holder.clear()
            del client

    in_a_child(forget)

    assert port_of(client) == own
    client.close()


def _tell(client: MemStackClient, pipe: Any) -> None:
    pipe.send(port_of(client))
    pipe.close()


def test_a_process_of_multiprocessing_has_connections_of_its_own(echo: Echoing) -> None:
    """With the start method `fork`, under which the client is not pickled."""
    context = multiprocessing.get_context("fork")
    with MemStackClient(KEY, echo.url) as client:
        own = port_of(client)
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_tell, args=(client, theirs))
        process.start()
        theirs.close()
        assert ours.poll(PATIENCE)
        other = ours.recv()
        process.join(PATIENCE)
        ours.close()
        again = port_of(client)

    assert (process.exitcode, again) == (0, own)
    assert other != own


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_an_http_client_is_refused_in_a_child(echo: Echoing, colour: str) -> None:
    """At once, since its connections and locks are the parent's."""
    if colour == "sync":
        http = httpx.Client()
        client = MemStackClient(KEY, echo.url, http_client=http)

        def call() -> Any:
            return client.get_memo("m1")

        call()
    else:
        aclient = MemStackAsyncClient(KEY, echo.url, http_client=httpx.AsyncClient())

        def call() -> Any:
            return asyncio.run(aclient.get_memo("m1"))

    def facts() -> tuple[str | None, str, int]:
        with pytest.raises(memstack.NetworkError, match="fork") as caught:
            call()
        return caught.value.reason, caught.value.outcome, len(caught.value.attempts)

    told = in_a_child(facts)

    assert told == ("closed", "not_sent", 1)
    if colour == "sync":
        client.close()
        http.close()
    else:
        asyncio.run(aclient.close())


def test_a_child_uses_an_asyncio_client_in_loops_of_its_own(echo: Echoing) -> None:
    """Also while a loop of the parent runs and has connections."""
    client = MemStackAsyncClient(KEY, echo.url)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    own = asyncio.run_coroutine_threadsafe(aport_of(client), loop).result(PATIENCE)

    def work() -> list[int]:
        ports = [asyncio.run(aport_of(client)) for _ in range(2)]
        asyncio.run(client.close())
        return ports

    ports = in_a_child(work)
    again = asyncio.run_coroutine_threadsafe(aport_of(client), loop).result(PATIENCE)
    asyncio.run_coroutine_threadsafe(client.close(), loop).result(PATIENCE)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(PATIENCE)
    loop.close()

    assert isinstance(ports, list)
    assert own not in ports
    assert again == own
    assert echo.ports() == set()


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[tuple[Echoing, Path]]:
    """A server that speaks TLS, and the authority to trust."""
    trustme = pytest.importorskip("trustme")
    authority, context = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with echoing(context) as server:
        yield server, tmp_path / "ca.pem"


# Of the server in this test, whose TLS Python 3.10 does not end well.
@pytest.mark.filterwarnings("ignore:.*_SSLProtocolTransport")
@pytest.mark.filterwarnings("ignore:.*unclosed transport .*SSLProtocolTransport:ResourceWarning")
def test_a_child_does_not_speak_on_the_tls_connections_of_its_parent(
    tls: tuple[Echoing, Path],
) -> None:
    """A record of another process would break the parent's."""
    server, ca = tls
    with MemStackClient(KEY, server.url, verify=ca) as client:
        own = port_of(client)
        children = [in_a_child(lambda: port_of(client)) for _ in range(3)]
        again = port_of(client)

    assert all(isinstance(port, int) for port in children)
    assert own not in children
    assert again == own


def test_a_child_opens_an_embedded_file_anew(tmp_path: Path) -> None:
    """What one process stores the other finds."""
    with MemStackClient.local(tmp_path / "memories.db") as client:
        made = client.create_memo("of the parent")

        told = in_a_child(
            lambda: (client.get_memo(made.id).content, client.create_memo("of the child").id)
        )

        assert told[0] == "of the parent"
        assert client.get_memo(told[1]).content == "of the child"
