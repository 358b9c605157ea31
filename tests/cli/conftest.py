"""Fixtures of the command line: each test has its own profiles, keyring and folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend

from memstack import MemStackClient
from memstack.__main__ import main

from ..served import Served, serving
from .keyring_of_a_file import KeyringOfAFile


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Cli = Callable[..., Ran]


@pytest.fixture(autouse=True)
def _own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("MEMSTACK_CONFIG", str(tmp_path / "config" / "config.toml"))
    monkeypatch.setenv("KEYRING_FILE", str(tmp_path / "keyring.json"))
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "NO_COLOR", "TERMINAL_WIDTH"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _own_keyring() -> Iterator[KeyringBackend]:
    before = keyring.get_keyring()
    own = KeyringOfAFile()  # type: ignore[no-untyped-call]
    keyring.set_keyring(own)
    yield own
    keyring.set_keyring(before)


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    with serving() as server:
        yield server


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Runs a command in this process, which costs no start of one."""

    def cli(*arguments: str) -> Ran:
        capsys.readouterr()
        code = main(list(arguments))
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return cli


@pytest.fixture
def notes() -> str:
    """A file with two episodes and a memo."""
    with MemStackClient.local("notes.db") as client:
        client.create_episode("Trip", "We hiked in Yosemite with Bob.", group_id="holidays")
        client.create_episode("王芳的偏好", "王芳喜欢在周末去西湖边骑自行车。", metadata={"n": 1})
        client.create_memo("Ask Alice about the trail map.", tags=["hiking", "alice"])
    return "notes.db"
