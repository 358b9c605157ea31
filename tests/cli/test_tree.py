"""Every command can be found and used by `--help` alone: the whole tree is walked."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from typer.main import get_command

from memstack import models
from memstack._rules import KEY as KEY_RULE, EpisodeListing, MemoListing
from memstack.cli import app as app_module, episodes, keys, memos, reading, serving
from memstack.local.limits import MOST_A_MINUTE

from .conftest import Cli

ROOT: Any = get_command(app_module.app)


def _walk(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield path, command
        return
    for name, child in below.items():
        yield from _walk(child, (*path, name))


COMMANDS = dict(_walk(ROOT))
each_command = pytest.mark.parametrize("path", COMMANDS, ids=" ".join)

SHOW_NO_DATA = {
    ("serve",),
    ("config", "set"),
    ("config", "set-key"),
    ("config", "use"),
    ("config", "remove"),
    ("config", "path"),
    ("episode", "delete"),
    ("memo", "delete"),
    ("key", "revoke"),
}
NAME_NO_PLACE = {("copy",)}
"""Told by its arguments, since it is for two."""
FOR_A_FILE = {("backup",), ("compact",), ("stats",), ("serve",)}


def _options(command: Any) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts}


def test_the_tree_has_the_promised_commands() -> None:
    """These names stay."""
    assert {" ".join(path) for path in COMMANDS} == set(
        """health/doctor/search/ingest/export/import/copy/backup/compact/stats/serve
        /episode add/episode list/episode get/episode delete/episode wait
        /memo add/memo list/memo get/memo edit/memo delete
        /key create/key list/key revoke
        /config set/config set-key/config use/config list/config remove/config path""".replace(
            "\n        ", ""
        ).split("/")
    )


@each_command
def test_a_command_tells_what_it_does_and_takes(path: tuple[str, ...], cli: Cli) -> None:
    """One line that is not cut in the list, a text for each parameter, and examples."""
    command = COMMANDS[path]
    shown = cli(*path, "--help")

    assert shown.code == 0
    assert "..." not in command.get_short_help_str(limit=60)
    for parameter in command.params:
        assert parameter.help, parameter.name
        assert parameter.help.endswith("."), parameter.name
    assert "Examples:" in shown.out


@each_command
def test_the_help_shows_what_to_give(path: tuple[str, ...], cli: Cli) -> None:
    """In the same words in all versions of typer, which name types in ways of their own."""
    parameters = COMMANDS[path].params
    arguments = [p.metavar for p in parameters if p.param_type_name == "argument"]
    shown = cli(*path, "--help").out

    assert shown.splitlines()[0] == " ".join(["Usage: memstack", *path, "[OPTIONS]", *arguments])
    for parameter in parameters:
        if parameter.param_type_name == "argument":
            assert re.search(rf"^  {re.escape(parameter.metavar)}  +\S", shown, re.MULTILINE)
        elif not parameter.is_flag:
            assert f"{parameter.opts[-1]} {parameter.metavar}" in shown


@each_command
def test_help_is_a_word_too(path: tuple[str, ...], cli: Cli) -> None:
    """`memstack help episode add`, as many other commands have it."""
    assert cli("help", *path) == cli(*path, "--help")


@each_command
def test_each_example_can_be_parsed(path: tuple[str, ...]) -> None:
    """It is of this command, and names options that there are."""
    lines = COMMANDS[path].epilog.splitlines()[2:]

    assert lines
    for line in lines:
        own = re.split(r"[|<]", line)[-1 if "|" in line else 0]
        words = shlex.split(re.sub(r"\$\(|\)", " ", own))
        words = shlex.split(" ".join(words)) if path == ("config", "path") else words
        words = words[words.index("memstack") + 1 :]
        assert tuple(words[: len(path)]) == path
        COMMANDS[path].make_context("memstack", words[len(path) :], resilient_parsing=False)


@each_command
def test_data_is_shown_as_json_too(path: tuple[str, ...]) -> None:
    """For programs."""
    assert ("--json" in _options(COMMANDS[path])) == (path not in SHOW_NO_DATA)


@each_command
def test_each_command_can_be_told_which_memstack(path: tuple[str, ...]) -> None:
    """By the same options everywhere."""
    if path[0] == "config" or path in NAME_NO_PLACE:
        return
    wanted = {"--local", "--profile"} if path in FOR_A_FILE else {"--local", "--profile", "--url"}
    assert {"--local", "--profile", "--url"} & _options(COMMANDS[path]) == wanted


def test_what_deletes_asks_unless_told_not_to() -> None:
    """Also what is added later, by its name."""
    words = ("delete", "remove", "revoke")
    deleting = {path for path in COMMANDS if path[-1] in words}

    assert len(deleting) == 4
    for path in deleting:
        assert {"--yes", "-y"} <= _options(COMMANDS[path])


@pytest.mark.parametrize("words", [[], ["--help"], ["episode"], ["memo"], ["key"], ["config"]])
def test_a_group_shows_its_commands(words: list[str], cli: Cli) -> None:
    """Alone, or with --help."""
    shown = cli(*words)
    group = ROOT if words in ([], ["--help"]) else ROOT.commands[words[0]]

    for name in group.commands:
        assert re.search(rf"^  {name} ", shown.out + shown.err, re.MULTILINE)


def _most(listing: type[BaseModel]) -> int:
    limit: int = listing.model_json_schema()["properties"]["limit"]["maximum"]
    return limit


def test_a_narrow_terminal_cuts_nothing_from_the_help(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes more lines."""
    monkeypatch.setattr("shutil.get_terminal_size", lambda *_: os.terminal_size((50, 40)))
    shown = " ".join(cli("--help").out.split())

    for command in ROOT.commands.values():
        assert command.get_short_help_str(limit=1000) in shown
    assert max(map(len, cli("--help").out.split("Examples:")[0].splitlines())) <= 50


def test_words_that_are_written_twice_are_the_same() -> None:
    """The command line has them again, for to import the models takes long."""
    assert get_args(episodes.SourceType) == get_args(models.SourceType)
    assert get_args(memos.Visibility) == get_args(models.Visibility)
    assert "|".join(get_args(models.Permission)) == keys.PERMISSIONS
    assert _most(EpisodeListing) == episodes.MOST
    assert _most(MemoListing) == memos.MOST
    assert list(models.EpisodeCreate.model_fields) == reading.FIELDS
    assert serving.MOST_A_MINUTE == MOST_A_MINUTE
    assert app_module.KEY.pattern == KEY_RULE.pattern


def test_a_typing_error_is_told_with_what_is_near(cli: Cli) -> None:
    """Exit code 2."""
    wrong = cli("serch", "x")

    assert wrong.code == 2
    assert "search" in wrong.err
