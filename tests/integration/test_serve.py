"""`python -m memstack serve` as a real process on a real socket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from memstack._version import __version__
from memstack._wire import WireRequest
from memstack.local import EmbeddedServer
from memstack.local.http import create_app

from .command import Served, serving

EPISODES = "/api/v1/episodes/"


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as served:
        yield served


def test_prints_where_it_is_and_how_to_use_it(served: Served) -> None:
    """The URL, that all is in memory, the key, and a line to paste."""
    assert "in memory" in served.lines[0]
    assert served.key.startswith("ms_sk_")
    assert f"MEMSTACK_BASE_URL={served.url}" in served.lines[2]
    assert f"MEMSTACK_API_KEY={served.key}" in served.lines[2]


def test_answers_over_http(served: Served) -> None:
    """An episode that was created is found."""
    with served.client() as client:
        assert client.get("/health").json()["version"] == __version__
        created = client.post(EPISODES, json={"name": "王芳 ü", "content": "Wang Fang hikes"})
        found = client.post("/api/v1/memory/search", json={"query": "hiking"})
        deleted = client.delete(EPISODES + "王芳 ü")

    assert created.status_code == 202
    assert [result["id"] for result in found.json()["results"]] == [created.json()["id"]]
    assert deleted.status_code == 200
    assert created.headers["x-request-id"]


def test_answer_without_a_body_is_empty(served: Served) -> None:
    """204 has neither body nor length, and the connection goes on."""
    with served.client() as client:
        memo = client.post("/api/v1/memos", json={"content": "x"}).json()
        response = client.delete(f"/api/v1/memos/{memo['id']}")
        again = client.get("/api/v1/memos")

    assert (response.status_code, response.content) == (204, b"")
    assert again.json() == []


def test_key_is_needed(served: Served) -> None:
    """Being on the same machine is not enough."""
    response = httpx.get(f"{served.url}/api/v1/memos", trust_env=False)

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"


def test_encoded_slash_reaches_no_other_route(served: Served) -> None:
    """%2F stays within its segment."""
    with served.client() as client:
        client.post(EPISODES, json={"name": "x", "content": "y"})
        for path, status in (
            ("/api/v1%2Fmemos", 404),
            ("/api/v1/memos%2F", 404),
            ("/api/v1/episodes%2Fx", 404),
            ("/api/v1/episodes/a%2Fb", 422),
            ("/api/v1/memos/..%2Fepisodes%2F", 422),
        ):
            assert client.get(path).status_code == status, path


def test_newline_in_a_path_is_answered_like_any_other(served: Served) -> None:
    """Errors have one shape, whatever the path."""
    with served.client() as client:
        response = client.get("/a%0Ab")

    assert (response.status_code, response.json()) == (404, {"detail": "Not Found"})


def test_head_is_not_allowed(served: Served) -> None:
    """405 with the methods that are, and no body."""
    with served.client() as client:
        response = client.head("/health")

    assert (response.status_code, response.headers["allow"]) == (405, "GET")


def test_header_that_comes_twice_is_not_guessed_at(served: Served) -> None:
    """Of two keys none is chosen."""
    header = ("Authorization", f"Bearer {served.key}")
    with httpx.Client(headers=[header, header], trust_env=False) as client:
        assert client.get(f"{served.url}/api/v1/memos").status_code == 401


@pytest.mark.parametrize("declared", [True, False])
def test_body_that_is_too_large_is_refused(served: Served, declared: bool) -> None:
    """413 in JSON, with or without a Content-Length; what just fits is read."""

    def chunks(size: int) -> Iterator[bytes]:
        yield from [b" " * 65536] * (size // 65536)
        yield b" " * (size % 65536)

    def send(client: httpx.Client, size: int) -> httpx.Response:
        content: Any = b" " * size if declared else chunks(size)
        return client.post("/api/v1/memos", content=content)

    limit = 10 * 1024 * 1024
    with served.client() as client:
        refused = [send(client, size) for size in (limit + 1, 3 * limit)]
        accepted = send(client, limit)

    for response in refused:
        assert response.status_code == 413
        assert isinstance(response.json()["detail"], str)
        assert response.headers["x-request-id"]
    assert accepted.status_code == 422  # It is no JSON.


def test_client_that_sends_all_before_it_listens_sees_the_413(served: Served) -> None:
    """The connection is not reset under a large body."""
    host, port = served.url.removeprefix("http://").split(":")
    size = 30 * 1024 * 1024
    head = f"POST /api/v1/memos HTTP/1.1\r\nHost: {host}\r\nContent-Length: {size}\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head.encode() + b" " * size)
        answer = connection.recv(64)

    assert answer.startswith(b"HTTP/1.1 413 ")


def test_end_of_the_application_closes_its_server() -> None:
    """Whatever ASGI server runs it."""
    server = EmbeddedServer()
    app = create_app(server)

    async def live() -> None:
        async with app.router.lifespan_context(app):
            pass

    asyncio.run(live())

    assert server.handle(WireRequest("GET", "/health", {}, None, None)).status == 503
