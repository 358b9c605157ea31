"""The commands of docs/command-line.md work, one after the other, as they stand there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

from memstack import MemStackClient

from .conftest import Cli
from .test_commands import settled
from .test_tree import ROOT as TREE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "command-line.md").read_text("utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?", PAGE, re.M | re.S)


def test_its_commands_work_and_print_what_it_says(
    cli: Cli,
) -> None:
    """Plain lines in this process, those of a shell by a shell."""
    for commands, prints in BLOCKS:
        printed = ""
        for line in commands.splitlines():
            if line.startswith("pip "):
                continue
            if re.search(r"[|<>]", line) or not line.startswith("memstack "):
                shell = line.replace("memstack", f"{shlex.quote(sys.executable)} -m memstack")
                done = subprocess.run(shell, shell=True, capture_output=True, text=True, timeout=60)
                assert done.returncode == 0, done.stderr
                printed += done.stdout
            else:
                ran = cli(*shlex.split(line)[1:])
                assert ran.code == 0, (line, ran.err)
                printed += ran.out
        if prints:
            assert settled(printed) == prints
    with MemStackClient.local("notes.db") as client:
        assert {e.name for e in client.list_episodes().episodes} == {"Trip", "Summit", "Plan"}
        assert client.get_episode("Plan").metadata == {"place": "Rome"}


def test_it_names_each_command() -> None:
    """In its table."""
    table = PAGE.partition("| command |")[2].partition("\n\n")[0]

    assert set(TREE.commands) <= set(re.findall(r"`([a-z-]+)`", table))
