"""The commands export, import, copy, backup, compact and stats."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from memstack import MemStackClient
from memstack.__main__ import main

from ..served import Served
from .command import ROOT, run

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def full(tmp_path: Path) -> Path:
    path = tmp_path / "memories.db"
    with MemStackClient.local(path) as client:
        client.create_episode("Alice", "Alice loves hiking.", group_id="g1")
        client.create_memo("Ask Bob.", tags=["hiking"])
    return path


def test_export_and_import(full: Path, tmp_path: Path, capsys: Captured) -> None:
    """With what was done on stdout; a file that is there is replaced only by force."""
    export, target = str(tmp_path / "x.jsonl.gz"), str(tmp_path / "new.db")

    assert main(["export", str(full), export]) == 0
    assert main(["export", str(full), export]) == 2
    assert "is there already" in capsys.readouterr().err
    assert main(["export", str(full), export, "--force"]) == 0
    assert main(["import", export, target]) == 0
    told = capsys.readouterr().out
    assert f"{full} -> {export}\nepisodes: 1 read, 1 stored\nmemos: 1 read, 1 stored\n" in told
    assert f"{export} -> {target}\n" in told
    assert main(["import", export, target]) == 0
    assert "memos: 1 read, 0 stored, 1 there already" in capsys.readouterr().out


def test_copy_to_a_server_and_back(
    full: Path, tmp_path: Path, served: Served, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    """The key comes from the environment, and is not printed."""
    for name, value in served.environment.items():
        monkeypatch.setenv(name, value)

    assert main(["copy", str(full), served.base_url]) == 0
    assert main(["copy", str(full), served.base_url]) == 0
    assert main(["export", served.base_url, str(tmp_path / "x")]) == 0
    assert main(["copy", served.base_url, str(tmp_path / "new.db")]) == 0

    captured = capsys.readouterr()
    assert "0 stored, 1 there already" in captured.out
    assert served.api_key not in captured.out + captured.err
    with MemStackClient.local(tmp_path / "new.db") as client, MemStackClient.local(full) as old:
        assert client.get_episode("Alice") == old.get_episode("Alice")


def test_copy_between_servers_takes_a_key_for_each(
    served: Served, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    """The key of one is never sent to the other."""
    monkeypatch.setenv("MEMSTACK_API_KEY", served.api_key)

    assert main(["copy", served.base_url, "http://localhost:1"]) == 3
    assert "set MEMSTACK_SOURCE_API_KEY" in capsys.readouterr().err

    monkeypatch.setenv("MEMSTACK_SOURCE_API_KEY", served.api_key)
    assert main(["copy", served.base_url, "http://localhost:1"]) == 3
    assert "set MEMSTACK_TARGET_API_KEY" in capsys.readouterr().err

    monkeypatch.setenv("MEMSTACK_TARGET_API_KEY", served.api_key)
    assert main(["copy", served.base_url, served.base_url]) == 2
    assert "same MemStack" in capsys.readouterr().err


def test_what_is_not_carried_over_is_exit_code_1(
    full: Path, tmp_path: Path, capsys: Captured
) -> None:
    """So that a script sees it."""
    target = tmp_path / "new.db"
    assert main(["copy", str(full), str(target)]) == 0
    with MemStackClient.local(target) as client:
        client.update_memo(client.list_memos()[0].id, "changed")

    assert main(["copy", str(full), str(target)]) == 1
    assert "1 different there" in capsys.readouterr().out


def test_stats_name_the_model_of_the_vectors(full: Path, capsys: Captured) -> None:
    """Of those that a search has had made."""
    with MemStackClient.local(
        full, embedder=lambda texts: [[1.0, 2.0] for _ in texts], embedding_model="toy 1"
    ) as client:
        client.search_memory("hiking")

    assert main(["stats", str(full)]) == 0
    assert "vectors: 1, of toy 1\n" in capsys.readouterr().out


def test_backup_compact_and_stats(full: Path, tmp_path: Path, capsys: Captured) -> None:
    """The backup can be used in place of the file."""
    backup = tmp_path / "backup.db"

    assert main(["backup", str(full), str(backup)]) == 0
    assert main(["compact", str(backup)]) == 0
    capsys.readouterr()
    assert main(["stats", str(backup)]) == 0
    told = capsys.readouterr().out
    assert main(["stats", str(backup), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)

    assert "episodes: 1, 19 bytes of content" in told
    assert re.search(r"g1: 1 episode, the newest \d{4}-\d\d-\d\d \d\d:\d\dZ$", told, re.M)
    assert "vectors: 0\n" in told
    assert "answers kept: 2\n" in told
    assert found["answers"] == 2
    assert found["memos"]["rows"] == 1
    assert found["largest_groups"][0]["group_id"] == "g1"


@pytest.mark.parametrize(
    "command", ["export no.db x", "copy no.db new.db", "backup no.db x", "compact no.db"]
)
def test_a_file_that_is_not_there_is_an_error_and_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured, command: str
) -> None:
    """A typing error is no empty memory."""
    monkeypatch.chdir(tmp_path)

    assert main(command.split()) == 2
    assert "there is no file 'no.db'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command",
    ["export a {} ", "import {} a", "copy {} a", "copy a {}", "backup a {}", "stats {}"],
)
def test_a_key_among_the_arguments_is_refused_and_not_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured, command: str
) -> None:
    """Other users can read arguments; and it would be the name of a file."""
    monkeypatch.chdir(tmp_path)
    MemStackClient.local("a").close()

    assert main(command.format("ms_sk_secret").split()) == 2
    captured = capsys.readouterr()
    assert "in the environment" in captured.err
    assert "ms_sk_secret" not in captured.err + captured.out
    assert [item.name for item in tmp_path.iterdir()] == ["a"]


def test_bad_lines_are_told_by_number(tmp_path: Path) -> None:
    """Exit code 2, no traceback."""
    (tmp_path / "x").write_text("hello\n")

    result = run("import", str(tmp_path / "x"), str(tmp_path / "new.db"))

    assert result.returncode == 2
    assert "line 1: Invalid JSON" in result.stderr
    assert "Traceback" not in result.stderr


def test_commands_of_the_docs_work(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    """One after the other, with a server of the tests for the one that they name."""
    monkeypatch.chdir(tmp_path)
    for name, value in served.environment.items():
        monkeypatch.setenv(name, value)
    with MemStackClient.local("memories.db") as client:
        client.create_memo("of the docs")
    page = (ROOT / "docs" / "data.md").read_text("utf-8")
    commands = re.findall("^memstack (.*)$", page, re.MULTILINE)

    assert {command.split()[0] for command in commands} == {
        "export",
        "import",
        "copy",
        "backup",
        "compact",
        "stats",
    }
    for command in commands:
        line = command.replace("https://memstack.example.com", served.base_url)
        assert main(shlex.split(line, comments=True)) == 0, capsys.readouterr().err


def test_url_without_a_key_is_a_clear_error(capsys: Captured, tmp_path: Path) -> None:
    """The message names the variable."""
    assert main(["export", "http://localhost:1", str(tmp_path / "x")]) == 3
    assert "MEMSTACK_API_KEY" in capsys.readouterr().err
