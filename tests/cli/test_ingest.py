"""`memstack ingest` stores each episode once, and the same command goes on where one stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from memstack import MemStackClient

from ..served import Served
from .binary import BINARY, environment
from .conftest import Cli

LINES = [{"name": f"n{n}", "content": f"content {n}"} for n in range(5)]


def write(path: str, items: list[Any]) -> str:
    Path(path).write_text("".join(f"{json.dumps(item)}\n" for item in items), "utf-8")
    return path


def names(path: str) -> list[str]:
    with MemStackClient.local(path) as client:
        return sorted(episode.name for episode in client.list_episodes(200).episodes)


def test_a_file_is_stored_once(cli: Cli) -> None:
    """The second run of the same command stores nothing."""
    line = ("ingest", write("e.jsonl", LINES), "--local", "new.db", "--json")
    first, second = cli(*line), cli(*line)

    assert (first.code, second.code) == (0, 0)
    assert (first.json["created"], first.json["is_whole"]) == (5, True)
    assert (second.json["created"], second.json["duplicate"]) == (0, 5)
    assert names("new.db") == [item["name"] for item in LINES]


@pytest.mark.parametrize(
    ("source", "goes_on"), [("e.jsonl", True), ("-", False), ("- --ledger own.sqlite", True)]
)
def test_ctrl_c_says_whether_the_same_command_goes_on(
    source: str, goes_on: bool, served: Served, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For what is sent again from stdin, a server has to be told what it has."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for name, value in served.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(MemStackClient, "ingest", interrupted)
    write("e.jsonl", LINES)
    ran = cli("ingest", *source.split())

    assert ran.code == 130
    more = "; the same command again goes on from here" if goes_on else ""
    assert ran.err == f"memstack: stopped{more}\n"


def test_a_server_has_a_ledger_for_each_source(
    served: Served, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the file of profiles, and it is told; stdin has none of its own."""
    for name, value in served.environment.items():
        monkeypatch.setenv(name, value)
    write("a.jsonl", [{"name": "ledger", "content": "of a"}])
    write("b.jsonl", [{"name": "ledger", "content": "of b"}])

    first = cli("ingest", "a.jsonl", "--json").json
    other = cli("ingest", "b.jsonl", "--json").json
    again = cli("ingest", "a.jsonl")
    own = cli("ingest", "a.jsonl", "--ledger", "own.sqlite", "--json").json

    assert first["ledger"] != other["ledger"]
    assert Path(first["ledger"]).parent == Path(os.environ["MEMSTACK_CONFIG"]).parent / "ingest"
    assert "1 duplicate" in again.out
    assert first["ledger"] in again.err
    assert own["ledger"] == "own.sqlite"
    assert Path("own.sqlite").exists()


def test_what_is_wrong_is_told_by_line_and_can_be_ingested_again(cli: Cli) -> None:
    """Exit code 1; the rest is stored."""
    write("e.jsonl", [LINES[0], {"name": "bad"}, LINES[1]])
    with open("e.jsonl", "a", encoding="utf-8") as file:
        file.write("oops\n")
    ran = cli("ingest", "e.jsonl", "--local", "new.db", "--failed", "failed.jsonl")
    (failed,) = [json.loads(line) for line in Path("failed.jsonl").read_text().splitlines()]
    failed["item"]["content"] = "mended"
    write("failed.jsonl", [failed])

    assert ran.code == 1
    assert "e.jsonl:2: failed: item: content" in ran.err
    assert "e.jsonl:4: is not JSON" in ran.err
    assert "3 read: 2 created, 1 failed" in ran.out
    assert "1 could not be read" in ran.out
    assert cli("ingest", "failed.jsonl", "--local", "new.db").code == 0
    assert names("new.db") == ["bad", "n0", "n1"]


def test_only_the_first_of_many_faults_are_told(cli: Cli) -> None:
    """The others are counted."""
    ran = cli("ingest", write("e.jsonl", [{}] * 50), "--local", "new.db")

    assert len(ran.err.splitlines()) == 21
    assert ran.err.endswith("... and others\n")
    assert "50 failed" in ran.out


def test_a_dry_run_makes_nothing(cli: Cli) -> None:
    """But tells what there is."""
    MemStackClient.local("new.db").close()
    ran = cli("ingest", write("e.jsonl", LINES), "--local", "new.db", "--dry-run")

    assert ran.code == 0
    assert "5 to create" in ran.out
    assert names("new.db") == []
    assert cli("ingest", "e.jsonl", "--local", "none.db", "--dry-run").code == 2


def test_a_bad_option_is_a_usage_error(cli: Cli) -> None:
    """Before anything is read."""
    write("e.jsonl", LINES)
    for options in (["--concurrency", "0"], ["--order-by", "name"], ["--format", "xml"]):
        assert cli("ingest", "e.jsonl", "--local", "new.db", *options).code == 2
    assert not Path("new.db").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals work in another way there")
def test_a_run_that_is_killed_is_gone_on_with(served: Served) -> None:
    """By the same command, and nothing is stored twice."""
    items = [{"name": f"killed {n}", "content": f"c {n}", "user_id": "k"} for n in range(600)]
    write("e.jsonl", items)
    settings = environment(**served.environment)
    line = [str(BINARY), "ingest", "e.jsonl", "--concurrency", "2"]

    with MemStackClient(served.api_key, served.base_url) as client:
        process = subprocess.Popen(line, env=settings, stdout=subprocess.PIPE)
        while client.list_episodes(1, user_id="k").total < 50 and process.poll() is None:
            pass
        process.send_signal(signal.SIGKILL)
        process.communicate()
        stored = client.list_episodes(1, user_id="k").total
        done = subprocess.run([*line, "--json"], env=settings, capture_output=True, timeout=120)

        assert process.returncode == -signal.SIGKILL
        assert 50 <= stored < 600
        assert done.returncode == 0, done.stderr
        assert client.list_episodes(1, user_id="k").total == 600


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such terminal")
def test_a_terminal_shows_how_far_it_is() -> None:
    """And nothing of it stays when it is done."""
    from .test_terminal import Terminal

    write("e.jsonl", [{"name": f"n{n}", "content": f"c {n}"} for n in range(2000)])
    terminal = Terminal("ingest", "e.jsonl", "--local", "new.db")

    assert terminal.ends() == 0
    assert "read, " in terminal.shown
    assert "\x1b[2K" in terminal.shown
    assert "2,000 read: 2,000 created" in terminal.shown
