"""An API key is in no output of any command, but the one that makes it."""

from __future__ import annotations

import io
import sys

import pytest

from memstack.cli.profiles import config_path
from memstack.testing import MemStackServer

from ..served import Served
from .conftest import Cli
from .test_tree import COMMANDS

CANARY = "ms_sk_canary_of_the_command_line"

LINES = {
    "health": "health",
    "doctor": "doctor",
    "search": "search x",
    "ingest": "ingest e.jsonl --failed f.jsonl",
    "export": "export x.jsonl",
    "import": "import x.jsonl",
    "copy": "copy @work new.db",
    "backup": "backup new.db backup.db",
    "compact": "compact new.db",
    "stats": "stats new.db --json",
    "serve": "serve --host no.such.host.invalid",
    "episode add": "episode add N text --wait --timeout 0",
    "episode list": "episode list --all --json",
    "episode get": "episode get N",
    "episode wait": "episode wait N --timeout 0",
    "episode delete": "episode delete N -y",
    "memo add": "memo add text",
    "memo list": "memo list",
    "memo get": "memo get x",
    "memo edit": "memo edit x --content y",
    "memo delete": "memo delete x -y",
    "key create": "key create k --permission read",
    "key list": "key list --json",
    "key revoke": "key revoke x -y",
    "config set": "config set work --timeout 5",
    "config set-key": "config set-key work",
    "config use": "config use work",
    "config list": "config list --json",
    "config remove": "config remove work -y",
    "config path": "config path",
}


def test_every_command_is_tried() -> None:
    """Also one that is added later."""
    assert set(LINES) == {" ".join(path) for path in COMMANDS}


@pytest.mark.parametrize("source", ["environment", "keyring"])
def test_no_command_prints_the_key(source: str, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it works, or a server answers with an error that quotes it."""
    monkeypatch.setattr("memstack.MemStackClient._sleep", staticmethod(lambda _: None))
    with open("e.jsonl", "w", encoding="utf-8") as file:
        file.write('{"name": "N", "content": "text"}\n{"name": 1}\noops\n')
    for fails in (False, True):
        with MemStackServer() as server:
            key = server.environment["MEMSTACK_API_KEY"] if not fails else CANARY
            if fails:
                server.next(500, {"detail": f"bad key {key}"}, headers={"x": key}, times=None)
            cli("config", "set", "work", "--url", server.environment["MEMSTACK_BASE_URL"])
            monkeypatch.setenv("MEMSTACK_API_KEY", key)
            if source == "keyring":
                monkeypatch.setattr(sys, "stdin", io.StringIO(key))
                assert cli("config", "set-key", "work").code == 0
                monkeypatch.delenv("MEMSTACK_API_KEY")
            for line in LINES.values():
                monkeypatch.setattr(sys, "stdin", io.StringIO(key))
                ran = cli(*line.split())
                assert key not in ran.out + ran.err, line
                assert key not in (config_path().read_text() if config_path().exists() else "")
            assert cli("key", "create", "k", "--permission", "read", "--url", "x").code == 2


def test_a_key_that_is_made_is_printed_once(
    served: Served, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the command that makes it, and by no list after."""
    for name, value in served.environment.items():
        monkeypatch.setenv(name, value)

    made = cli("key", "create", "k", "--permission", "read", "--json").json
    listed = cli("key", "list", "--json")

    assert made["key"].startswith("ms_sk_")
    assert made["key_id"] in {key["key_id"] for key in listed.json}
    assert made["key"] not in listed.out + cli("key", "list").out
    assert cli("key", "revoke", made["key_id"], "--yes").code == 0


@pytest.mark.parametrize("option", ["--api-key", "--key", "--name", "--profile"])
def test_a_key_among_the_arguments_is_refused_and_not_quoted(option: str, cli: Cli) -> None:
    """Also in a command that takes none, or that there is not."""
    for line in (["memo", "list", option, CANARY], ["memo", "add", CANARY], [f"{option}={CANARY}"]):
        ran = cli(*line)
        assert ran.code == 2
        assert "in the environment" in ran.err
        assert CANARY not in ran.out + ran.err
