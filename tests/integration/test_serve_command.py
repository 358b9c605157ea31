"""The command `memstack serve`: its key, its end, and what it says when it cannot start."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from memstack.__main__ import main
from memstack._version import __version__

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
