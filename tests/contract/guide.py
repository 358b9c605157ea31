"""docs/adding-an-endpoint.md as steps that can be done on a copy of the repository.

A diff block names its file in the first line, after `+++`; lines that begin with `@@` part its
hunks, and tell a reader where they are. What a hunk keeps and removes stands in the file once.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .spec import ROOT

GUIDE = ROOT / "docs" / "adding-an-endpoint.md"
COMMANDS = {
    "make generate": [".ci/generate"],
    "python .ci/spec_diff.py --update docs/servers.md": [
        sys.executable,
        ".ci/spec_diff.py",
        "--update",
        "docs/servers.md",
    ],
    # These run every test, so no test runs these.
    "make format": [],
    "make check": [],
}
_NOT_COPIED = (
    ".git",
    ".venv*",
    ".hypothesis",
    ".*_cache",
    "node_modules",
    "build",
    "dist",
)
_FENCE = re.compile(r"^```(diff|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Edit:
    """What a diff block says."""

    path: str
    hunks: tuple[tuple[str, str], ...]
    """What stands there, and what shall."""

    def apply(self, tree: Path) -> None:
        file = tree / self.path
        text = "\n" + file.read_text("utf-8")
        for old, new in self.hunks:
            assert text.count(f"\n{old}") == 1, (
                f"{self.path} has not once what {GUIDE.name} has:\n{old}"
            )
            text = text.replace(f"\n{old}", f"\n{new}")
        file.write_text(text[1:], "utf-8")


@dataclass(frozen=True)
class Step:
    """A section of the guide."""

    title: str
    failing: tuple[str, ...]
    """The tests that it says fail until it is done."""
    edits: tuple[Edit, ...]
    commands: tuple[str, ...]

    def do(self, tree: Path) -> None:
        for edit in self.edits:
            edit.apply(tree)
        for command in self.commands:
            if COMMANDS[command]:
                run(tree, *COMMANDS[command]).check_returncode()


def steps() -> list[Step]:
    sections = re.split(r"^## ", GUIDE.read_text("utf-8"), flags=re.MULTILINE)[1:]
    return [_step(section) for section in sections]


def _step(section: str) -> Step:
    blocks = _FENCE.findall(section)
    return Step(
        title=section.partition("\n")[0],
        failing=tuple(re.findall(r"^- `(tests/\S+::\S+)`$", section, re.MULTILINE)),
        edits=tuple(_edit(text) for kind, text in blocks if kind == "diff"),
        commands=tuple(line for kind, text in blocks if kind == "sh" for line in text.splitlines()),
    )


def _edit(block: str) -> Edit:
    first, _, rest = block.partition("\n")
    hunks = [hunk for hunk in re.split(r"^@@.*\n", rest, flags=re.MULTILINE) if hunk]
    return Edit(first.removeprefix("+++ "), tuple((_side(h, "-"), _side(h, "+")) for h in hunks))


def _side(hunk: str, sign: str) -> str:
    lines = hunk.splitlines(keepends=True)
    return "".join(line[1:] or "\n" for line in lines if line[0] in (" ", sign, "\n"))


def copy(source: Path, target: Path) -> Path:
    """*target*, which is then a copy of the repository in *source*."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*_NOT_COPIED))
    return target


def run(tree: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """What *command* does in *tree*, whose packages come before those that are installed."""
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": os.pathsep.join([str(tree), str(tree / "generated")]),
        # What none of these tests needs takes longer to load than they take to run.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_ADDOPTS": "-p no:cacheprovider",
    }
    return subprocess.run(
        command, cwd=tree, env=environment, capture_output=True, encoding="utf-8", check=False
    )


def outcomes(tree: Path, *tests: str) -> dict[str, str]:
    """PASSED, FAILED or ERROR, of each test that ran in *tree*."""
    done = run(tree, sys.executable, "-m", "pytest", "-q", "-rA", "--tb=no", *tests)
    found = re.findall(r"^(PASSED|FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    assert found, done.stdout + done.stderr
    return {name: outcome for outcome, name in found}
