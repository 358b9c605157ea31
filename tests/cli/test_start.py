"""How the command starts: quickly, and with a clear word where something is not installed."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from importlib.metadata import requires

import pytest

from .binary import BINARY, environment, ran
from .conftest import Cli

LATER = {"httpx", "sqlite3", "pydantic", "rich", "tomlkit", "keyring", "memstack_api"}
# Newer versions of typer read options with pydantic.
OF_TYPER = {re.split(r"\W", needed)[0] for needed in requires("typer") or []}


@pytest.mark.parametrize("words", [["--help"], ["ingest", "--help"], ["config", "path"]])
def test_what_takes_long_is_imported_when_it_is_used(words: list[str]) -> None:
    """So that help, and completion, are quick."""
    program = (
        "import sys; from memstack.__main__ import main; "
        f"assert main({words!r}) == 0; print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=environment(),
        check=True,
        timeout=60,
    )

    assert "typer" in done.stderr.split()
    assert (LATER - (OF_TYPER & {"pydantic"})) & set(done.stderr.split()) == set()


@pytest.mark.parametrize("package", ["typer", "rich", "tomlkit"])
def test_without_the_extra_it_says_what_to_install(
    package: str, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2 and one line, whatever of it is not there."""
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == package else found(name)
    )
    ran = cli("--help")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "memstack: the command line needs typer, rich and tomlkit: "
        "pip install 'memstack-sdk[cli]'\n"
    )


def test_the_binary_and_the_module_are_the_same() -> None:
    """`memstack` and `python -m memstack`."""
    module = subprocess.run(
        [sys.executable, "-m", "memstack", "--help"],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
    )

    assert ran("--help").stdout == module.stdout


def test_a_reader_that_goes_ends_it_quietly(notes: str) -> None:
    """As in `memstack memo list | head -0`."""
    process = subprocess.Popen(
        [str(BINARY), "memo", "list", "--json", "--local", notes],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()

    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
    assert process.wait(60) in (0, 1)
