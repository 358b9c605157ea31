"""The command `memstack serve`: its key, its end, and what it says when it cannot start."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from memstack.__main__ import main
from memstack._version import __version__
from memstack.local.keys import is_key
from memstack.local.listening import HOW_TO_MAKE_A_KEY

from .command import ROOT, run, serving


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


def test_key_of_the_environment_that_is_none_is_a_clear_error() -> None:
    """Exit code 2, and what to do, without quoting it; another key would only fail later."""
    result = run("serve", "--port", "0", MEMSTACK_API_KEY="oops")

    assert (result.returncode, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert "MEMSTACK_API_KEY is no API key: it must begin with 'ms_sk_'" in result.stderr
    assert "oops" not in result.stderr


def test_the_key_that_an_error_says_how_to_make_is_one() -> None:
    """What it prints is a key, each time another."""
    made = [
        subprocess.run(shlex.split(HOW_TO_MAKE_A_KEY), capture_output=True, text=True, check=True)
        for _ in range(2)
    ]

    keys = {process.stdout.strip() for process in made}
    assert len(keys) == 2
    assert all(is_key(key) for key in keys)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_other_machines_are_not_let_in_without_a_chosen_key(host: str) -> None:
    """Exit code 2, before anything listens, and how to make a key."""
    result = run("serve", "--port", "0", f"--host={host}")

    assert (result.returncode, result.stdout) == (2, "")
    assert f"--host {host} lets other machines in" in result.stderr
    assert HOW_TO_MAKE_A_KEY in result.stderr


@pytest.mark.parametrize("key", ["ms_sk_short", "ms_sk_" + "0" * 64])
def test_other_machines_are_let_in_with_a_chosen_key(key: str) -> None:
    """It says how they reach it, that plain HTTP shows the key, and if that can be guessed."""
    with serving("--host", "0.0.0.0", MEMSTACK_API_KEY=key) as served:
        port = served.url.rpartition(":")[2]
        with httpx.Client(trust_env=False, headers={"Authorization": f"Bearer {key}"}) as client:
            status = client.get(f"http://127.0.0.1:{port}/api/v1/memos").status_code
        served.stop()
        printed = "".join([*served.lines, served.rest])

    assert status == 200
    assert f"MEMSTACK_BASE_URL=http://localhost:{port}\n" in printed
    assert f"In a browser: http://localhost:{port}/, and" in printed
    assert "plain HTTP" in printed
    assert ("guessed" in printed) == (len(key) < 32)
    assert key not in printed


@pytest.mark.parametrize("chosen", ["", "ms_sk_mine"])
def test_key_that_changed_since_the_last_run_is_told(tmp_path: Path, chosen: str) -> None:
    """A file has no owner's key: that of an earlier run is refused, and a made one stays good."""
    file = str(tmp_path / "memory.db")
    with serving("--db", file) as first, first.client() as client:
        body = {"name": "k", "permissions": ["read"]}
        made = client.post("/api/v1/auth/keys", json=body).json()["key"]
        first.stop()
    with serving("--db", file, MEMSTACK_API_KEY=chosen) as second:
        statuses = []
        for key in (first.key, made):
            second.key = key
            with second.client() as client:
                statuses.append(client.get("/api/v1/memos").status_code)
        second.stop()

    assert statuses == [401, 200]
    assert "earlier run no longer works" in first.rest
    assert "no longer works" in second.rest
    assert "memstack key create" in second.rest
    assert ("set MEMSTACK_API_KEY before" in second.rest) == (not chosen)


def test_taken_port_is_a_clear_error() -> None:
    """Exit code 1 and one line, no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("serve", "--port", str(port))

    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert f"port {port}" in result.stderr


@pytest.mark.parametrize("host", ["192.0.2.1", "x" * 70])
def test_host_that_is_none_is_a_clear_error(
    host: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 1 and one line that names it."""
    monkeypatch.setenv("MEMSTACK_API_KEY", "ms_sk_mine")

    assert main(["serve", "--port", "0", "--host", host]) == 1
    assert host in capsys.readouterr().err


def test_bad_file_is_a_clear_error(tmp_path: Path) -> None:
    """Exit code 2 and one line, no traceback."""
    result = run("serve", "--port", "0", "--db", str(tmp_path))

    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert "folder" in result.stderr


@pytest.mark.parametrize("package", ["starlette", "uvicorn", "yaml"])
def test_missing_extra_is_a_clear_error(package: str, tmp_path: Path) -> None:
    """The message says what to install, whatever of it is not there."""
    (tmp_path / f"{package}.py").write_text("raise ImportError('it is not here')")
    path = os.pathsep.join([str(tmp_path), str(ROOT), str(ROOT / "generated")])

    result = run("serve", PYTHONPATH=path)

    assert result.returncode == 1
    assert "pip install 'memstack-sdk[server]'" in result.stderr
    assert "Traceback" not in result.stderr


def test_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """`memstack --version`."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"memstack {__version__}\n"


def test_without_arguments_it_helps(capsys: pytest.CaptureFixture[str]) -> None:
    """`memstack` alone shows what there is."""
    assert main([]) == 0
    assert "serve" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "value", "rule"),
    [
        ("--port", "-1", "not in the range 0<=x<=65535"),
        ("--port", "65536", "not in the range 0<=x<=65535"),
        ("--port", "http", "not a valid integer"),
        ("--rate-limit", "0", "not in the range 1<=x<=100000"),
        ("--rate-limit", "100001", "not in the range 1<=x<=100000"),
        ("--rate-limit", "1.5", "not a valid integer"),
    ],
)
def test_number_out_of_range_is_a_usage_error(
    option: str, value: str, rule: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and a message that says what the option takes."""
    assert main(["serve", f"{option}={value}"]) == 2

    error = capsys.readouterr().err
    assert f"'{option}'" in error
    assert value in error
    assert rule in error
