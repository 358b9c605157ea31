"""The installed command in a real terminal: questions, secrets, colours, completion, Ctrl-C."""

from __future__ import annotations

import io
import re
import signal
import socket
import sys
from pathlib import Path

import pytest

from memstack import MemStackClient

from ..served import Served
from .binary import BINARY, environment, ran

pexpect = pytest.importorskip("pexpect", reason="Windows has no such terminal")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such terminal")

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def _heeds_ctrl_c() -> None:
    """A shell in the background has its processes ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """The command in a terminal of 100 columns."""

    def __init__(self, *arguments: str, **changes: str) -> None:
        self._log = io.StringIO()
        self.child = pexpect.spawn(
            str(BINARY),
            list(arguments),
            env=environment(**changes),
            dimensions=(40, 100),
            encoding="utf-8",
            timeout=60,
            preexec_fn=_heeds_ctrl_c,
        )
        self.child.logfile_read = self._log

    def ends(self) -> int:
        """The exit code, once it has ended."""
        self.child.expect(pexpect.EOF)
        self.child.close()
        return int(self.child.exitstatus)

    @property
    def shown(self) -> str:
        """All that was on the screen."""
        return self._log.getvalue().replace("\r\n", "\n")


def names() -> set[str]:
    with MemStackClient.local("notes.db") as client:
        return {episode.name for episode in client.list_episodes().episodes}


@pytest.mark.parametrize(("answer", "code", "left"), [("n", 1, 2), ("", 1, 2), ("y", 0, 1)])
def test_a_deletion_is_asked_about(answer: str, code: int, left: int, notes: str) -> None:
    """No answer is no; the question names what and where."""
    terminal = Terminal("episode", "delete", "Trip", "--local", notes)
    terminal.child.expect_exact("Delete every episode named 'Trip' from notes.db? [y/N]")
    terminal.child.sendline(answer)

    assert terminal.ends() == code
    assert len(names()) == left


def test_a_key_is_asked_for_and_never_shown(served: Served) -> None:
    """It works from then on, and is on no screen and in no file of ours."""
    assert ran("config", "set", "work", "--url", served.base_url).returncode == 0
    terminal = Terminal("config", "set-key", "work")
    terminal.child.expect_exact("API key: ")
    terminal.child.sendline(served.api_key)

    assert terminal.ends() == 0
    assert served.api_key not in terminal.shown
    assert ran("memo", "list").returncode == 0
    assert served.api_key not in Path(ran("config", "path").stdout.strip()).read_text()


def test_a_table_has_colours_in_a_terminal_only(notes: str) -> None:
    """And is the same without them; a pipe has none, and neither a terminal that is dumb."""
    line = ("memo", "list", "--local", notes)
    coloured = Terminal(*line)
    assert coloured.ends() == 0
    dumb = Terminal(*line, TERM="dumb")
    assert dumb.ends() == 0
    piped = ran(*line, COLUMNS="100")

    assert "\x1b[1m" in coloured.shown
    lines = [line.rstrip() for line in ESCAPES.sub("", coloured.shown).splitlines()]
    assert lines == (piped.stdout + piped.stderr).splitlines()
    assert "\x1b" not in dumb.shown + piped.stdout
    assert piped.stdout.splitlines()[1].split()[0] in dumb.shown  # the id


def test_ctrl_c_ends_with_130() -> None:
    """With one line, and no traceback; here it waits for a server that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        terminal = Terminal("memo", "list", MEMSTACK_BASE_URL=url, MEMSTACK_API_KEY="ms_sk_x")
        connection = listener.accept()[0]
        with connection:
            connection.recv(1)
            terminal.child.sendintr()

            assert terminal.ends() == 130
    assert terminal.shown == "^Cmemstack: stopped\n"


def test_ctrl_c_at_a_question_is_no_answer(notes: str) -> None:
    """It ends as anywhere else."""
    terminal = Terminal("episode", "delete", "Trip", "--local", notes)
    terminal.child.expect_exact("[y/N]")
    terminal.child.sendintr()

    assert terminal.ends() == 130
    assert terminal.shown.endswith("memstack: stopped\n")
    assert len(names()) == 2


def test_bash_completes_commands_and_options(notes: str) -> None:
    """As it does with what --show-completion prints."""
    ask = {"_MEMSTACK_COMPLETE": "complete_bash"}

    commands = ran(**ask, COMP_WORDS="memstack e", COMP_CWORD="1").stdout.split()
    options = ran(**ask, COMP_WORDS="memstack memo add --t", COMP_CWORD="3").stdout.split()

    assert (commands, options) == (["episode", "export"], ["--tag"])
    # The name of the shell, which typer otherwise takes from the processes above.
    named = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    assert "complete" in ran("--show-completion", "bash", **named).stdout
