"""The same server on a port: what other processes and other HTTP clients meet there."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

import httpx
import pytest

import memstack
from memstack import MemStackClient
from memstack.testing import MemStackServer

REMEMBER = """
from memstack import MemStackClient
with MemStackClient() as client:
    print(client.create_memo("note").id)
"""


@pytest.fixture
def http(server: MemStackServer) -> Iterator[httpx.Client]:
    """Any client of HTTP, which knows nothing of MemStack."""
    headers = {"authorization": f"Bearer {server.api_key}"}
    with httpx.Client(base_url=server.url, headers=headers, trust_env=False) as http:
        yield http


@pytest.fixture
def hasty(server: MemStackServer) -> Iterator[MemStackClient]:
    """A client over a real connection, which tries once."""
    with (
        httpx.Client(trust_env=False) as http,
        MemStackClient(http_client=http, max_retries=0) as client,
    ):
        yield client


def test_another_process_reaches_it(server: MemStackServer) -> None:
    """By the environment that it is given."""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", REMEMBER],
        env={**os.environ, **server.environment},
        check=True,
        capture_output=True,
        text=True,
    )

    with MemStackClient() as client:
        assert [memo.id for memo in client.list_memos()] == run.stdout.split()
    assert [request.operation for request in server.requests] == ["create_memo", "list_memos"]


def test_another_http_client_reaches_it(server: MemStackServer, http: httpx.Client) -> None:
    """With every method, more than one request on a connection, and a body or none."""
    made = http.post("/api/v1/memos", json={"content": "note"})
    path = f"/api/v1/memos/{made.json()['id']}"
    changed = http.patch(path, json={"content": "changed"})
    assert http.get(path).json() == changed.json()
    gone = http.delete(path)

    assert (gone.status_code, gone.content) == (204, b"")
    assert "date" in gone.headers
    assert http.put(path).status_code == 405
    assert [r.status for r in server.requests] == [200, 200, 200, 204, 405]


def test_it_answers_as_scripted(server: MemStackServer, http: httpx.Client) -> None:
    """Also with what does not look like an answer."""
    server.next(429, retry_after=0.5)
    server.next(204)
    server.garble()

    refused = http.get("/health")

    assert (refused.status_code, refused.headers["retry-after"]) == (429, "0.5")
    assert http.get("/health").status_code == 204
    assert http.get("/health").text.startswith("<html>")


@pytest.mark.parametrize("fault", ["lose_request", "lose_answer", "refuse"])
def test_a_broken_connection_is_a_reset(
    server: MemStackServer, hasty: MemStackClient, fault: str
) -> None:
    """Of a connection that is there already, which nobody can refuse any more."""
    getattr(server, fault)()

    with pytest.raises(memstack.OutcomeUnknownError) as caught:
        hasty.create_memo("note")

    assert caught.value.reason in ("read", "truncated")
    assert len(hasty.list_memos()) == (fault == "lose_answer")


def test_a_slow_answer_takes_its_time(server: MemStackServer, hasty: MemStackClient) -> None:
    """And ends with the test, whoever still waits."""
    server.slow(3600)

    with pytest.raises(memstack.RequestTimeoutError):
        hasty.with_options(timeout=0.05).list_memos()


def test_it_ends_with_its_server() -> None:
    """Also where connections are open."""
    before = threading.active_count()
    with MemStackServer() as server:
        place = urlsplit(server.url)
        idle = HTTPConnection(place.netloc, timeout=5)
        idle.request("GET", "/health")
        assert idle.getresponse().read()
        assert threading.active_count() > before

    with closing(idle):
        assert idle.sock.recv(1) == b""
    assert threading.active_count() == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", place.port or 0))
