"""The tree of commands, and how a run of it begins and ends."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import Annotated, Any

import typer
from typer.main import get_command

from memstack._version import __version__

from . import config, data, episodes, ingest, keys, memos, search, serving, state
from .commands import SUBCOMMAND, Group, Local, Profile, Url, ends_well
from .output import tell
from .places import Place

__all__ = ["app", "main"]

# As in _rules, whose import costs that of pydantic: a test compares them.
KEY = re.compile(r"ms_sk_[\x21-\x7e]+")

_HELP = """Work with a MemStack: a server, or an embedded one in a file.

Which one is told by --local FILE, --profile NAME or --url URL, before or after the command;
else by MEMSTACK_BASE_URL, or by the default profile. The key of a server is taken from
MEMSTACK_API_KEY, or from where its profile says; it is never an argument."""

_EXAMPLES = """\b
Examples:
  memstack --local notes.db episode add Trip "We hiked in Yosemite."
  memstack --local notes.db search "Where did we hike?"
  memstack config set work --url https://memstack.example.com
  memstack --profile work doctor"""

_ORDER: Sequence[str] = (
    "health doctor search episode memo key ingest export import copy backup compact stats serve "
    "config"
).split()


class _Ordered(Group):
    """Shows its commands as a new user looks for them."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        return sorted(self.commands, key=_ORDER.index)


app = typer.Typer(
    name="memstack",
    cls=_Ordered,
    help=_HELP,
    epilog=_EXAMPLES,
    subcommand_metavar=SUBCOMMAND,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 100},
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"memstack {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    local: Local = None,
    profile: Profile = None,
    url: Url = None,
    version: Annotated[  # noqa: ARG001
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    with ends_well():
        context.obj = Place(local, profile, url).checked()
    if context.invoked_subcommand is None:
        print(context.get_help())


for _module in (state, search, ingest, data, serving):
    _module.add_to(app)
for _name, _group in (
    ("episode", episodes.app),
    ("memo", memos.app),
    ("key", keys.app),
    ("config", config.app),
):
    app.add_typer(_group, name=_name)


def main(argv: list[str] | None = None) -> int:
    """Run the command with *argv*, the arguments of this process if None; its exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    if any(KEY.search(argument) for argument in arguments):
        tell(
            "memstack: an argument holds an API key, which other users of this machine can read "
            "there; give keys in the environment, as MEMSTACK_API_KEY, and other text that holds "
            "one on stdin, with - in its place"
        )
        return 2
    if arguments[:1] == ["help"]:  # as many other commands have it
        arguments = [*arguments[1:], "--help"]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # rather than fail in the middle
    try:
        get_command(app).main(args=list(arguments), prog_name="memstack")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0
