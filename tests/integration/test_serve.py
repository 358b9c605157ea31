"""`python -m memstack serve` as a real process on a real socket, and the command around it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from memstack.__main__ import main
from memstack._version import __version__
from memstack._wire import WireRequest
from memstack.local import EmbeddedServer
from memstack.local.http import create_app

ROOT = Path(__file__).parents[2]
EPISODES = "/api/v1/episodes/"


class Served:
    """A running server process, and what it printed."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "memstack", "serve", "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=_environment(**environment),
        )
        assert self.process.stdout is not None
        self.lines = [self.process.stdout.readline() for _ in range(3)]
        url = re.search(r"http://\S+:\d+", self.lines[0])
        if url is None:
            self.process.kill()
            raise AssertionError(self.process.communicate())
        self.url = url[0]
        self.key = self.lines[1].removeprefix("API key: ").strip()

    def client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=10, trust_env=False)

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """The exit code after a signal, and all it printed to stderr."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=10)
        return self.process.returncode, errors


def _environment(**changes: str) -> dict[str, str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MEMSTACK_")}
    paths = [str(ROOT), str(ROOT / "generated"), os.environ.get("PYTHONPATH", "")]
    return {**environment, "PYTHONPATH": os.pathsep.join(filter(None, paths)), **changes}


@contextmanager
def serving(*arguments: str, **environment: str) -> Iterator[Served]:
    served = Served(*arguments, **environment)
    try:
        yield served
    finally:
        if served.process.poll() is None:
            served.process.kill()
            served.process.communicate()


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as served:
        yield served


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "memstack", *arguments],
        capture_output=True,
        text=True,
        env=_environment(**environment),
        timeout=20,
    )


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


@pytest.mark.skipif(sys.platform == "win32", reason="signals work in another way there")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_stops_it_cleanly(tmp_path: Path, number: int) -> None:
    """Exit code 0, nothing on stderr, and a whole file without a write-ahead log."""
    path = tmp_path / "memory.db"
    with serving("--db", str(path)) as served, served.client() as client:
        client.post("/api/v1/memos", json={"content": "kept"}).raise_for_status()

        assert served.stop(number) == (0, "")

    assert str(path) in served.lines[0]
    assert [item.name for item in tmp_path.iterdir()] == ["memory.db"]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT content FROM memos").fetchall() == [("kept",)]


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


def test_key_of_the_environment_is_used_and_not_printed() -> None:
    """A key in MEMSTACK_API_KEY stays off the screen."""
    with serving(MEMSTACK_API_KEY="ms_sk_mine") as served:
        printed = "".join(served.lines)
        served.key = "ms_sk_mine"
        with served.client() as client:
            status = client.get("/api/v1/memos").status_code

    assert status == 200
    assert "ms_sk_mine" not in printed
    assert "MEMSTACK_API_KEY" in printed


def test_key_of_the_environment_that_is_none_is_replaced() -> None:
    """A key that could not work is not used; that is said without quoting it."""
    with serving(MEMSTACK_API_KEY="oops") as served:
        _, errors = served.stop()

    assert served.key.startswith("ms_sk_")
    assert "MEMSTACK_API_KEY" in errors
    assert "oops" not in errors


def test_taken_port_is_a_clear_error() -> None:
    """Exit code 1 and one line, no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("serve", "--port", str(port))

    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert f"port {port}" in result.stderr


@pytest.mark.parametrize("host", ["192.0.2.1", "x" * 70])
def test_host_that_is_none_is_a_clear_error(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1 and one line that names it."""
    assert main(["serve", "--port", "0", "--host", host]) == 1
    assert host in capsys.readouterr().err


def test_bad_file_is_a_clear_error(tmp_path: Path) -> None:
    """Exit code 1 and one line, no traceback."""
    result = run("serve", "--port", "0", "--db", str(tmp_path))

    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert "folder" in result.stderr


def test_missing_extra_is_a_clear_error(tmp_path: Path) -> None:
    """The message says what to install."""
    (tmp_path / "starlette.py").write_text("raise ImportError('no starlette here')")
    path = os.pathsep.join([str(tmp_path), str(ROOT), str(ROOT / "generated")])

    result = run("serve", PYTHONPATH=path)

    assert result.returncode == 1
    assert "pip install 'memstack-sdk[server]'" in result.stderr
    assert "Traceback" not in result.stderr


def test_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """`memstack --version`."""
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])

    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"memstack {__version__}\n"


def test_without_arguments_it_helps(capsys: pytest.CaptureFixture[str]) -> None:
    """`memstack` alone shows what there is."""
    assert main([]) == 0
    assert "serve" in capsys.readouterr().out


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_port_out_of_range_is_a_usage_error(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, as argparse has it, and a message that names the option."""
    with pytest.raises(SystemExit) as stopped:
        main(["serve", f"--port={port}"])

    assert stopped.value.code == 2
    assert "--port" in capsys.readouterr().err
