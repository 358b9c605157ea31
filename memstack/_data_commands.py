"""The commands for data in and out: read their arguments, and print what was done."""

from __future__ import annotations

import argparse
import json
import os
import sys
from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING

from memstack._rules import KEY_PREFIX
from memstack.exceptions import ValidationError

if TYPE_CHECKING:
    from memstack.client import MemStackClient
    from memstack.local import Stats
    from memstack.transfer import Report

__all__ = ["add_data_commands"]

_RETRIES = 8
"""More than a program needs: a server may be down for minutes while a copy goes on."""

_KEY = "MEMSTACK_API_KEY"
_PLACE = "a MemStack file, or the http(s) URL of a server"
_KEYS = (
    f"The key of a server is taken from {_KEY}; of two servers, from MEMSTACK_SOURCE_API_KEY and "
    "MEMSTACK_TARGET_API_KEY."
)
_AGAIN = "It may be stopped at any time; the same command again goes on from there."


def add_data_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands for data to *commands*."""

    def command(name: str, what: str, more: str = "") -> argparse.ArgumentParser:
        parser = commands.add_parser(name, help=what, description=f"{what}.", epilog=more)
        parser.set_defaults(run=_run)
        return parser

    exporting = command("export", "write all episodes and memos into a file", _KEYS)
    exporting.add_argument("source", metavar="SRC", help=_PLACE)
    exporting.add_argument("path", metavar="FILE", help="JSON Lines; *.gz is compressed")
    exporting.add_argument("--force", action="store_true", help="replace FILE if it is there")

    importing = command("import", "store what a file holds", f"{_AGAIN} {_KEYS}")
    importing.add_argument("path", metavar="FILE", help="what `memstack export` has written")
    importing.add_argument("target", metavar="DST", help=_PLACE)

    copying = command("copy", "store what another MemStack has", f"{_AGAIN} {_KEYS}")
    copying.add_argument("source", metavar="SRC", help=_PLACE)
    copying.add_argument("target", metavar="DST", help=_PLACE)

    backing = command("backup", "copy a MemStack file that may be in use")
    backing.add_argument("path", metavar="DB", help="a MemStack file")
    backing.add_argument("target", metavar="FILE", help="a new file")

    compacting = command("compact", "give back the space of what was deleted")
    compacting.add_argument("path", metavar="DB", help="a MemStack file")

    counting = command("stats", "count what a MemStack file holds")
    counting.add_argument("path", metavar="DB", help="a MemStack file")
    counting.add_argument("--json", action="store_true", help="print JSON")


def _run(arguments: argparse.Namespace) -> int:
    """Do what *arguments* ask for; 1 if the target now lacks something of the source.

    Raises:
        MemStackError: It could not be done.
    """
    try:
        return _COMMANDS[arguments.command](arguments)
    except KeyboardInterrupt:
        print("memstack: stopped", file=sys.stderr)
        return 130


def _export(arguments: argparse.Namespace) -> int:
    from memstack.transfer import export_file

    _refuse_key(arguments.path)
    with _client(arguments.source, _KEY) as source:
        return _told(export_file(source, arguments.path, overwrite=arguments.force))


def _import(arguments: argparse.Namespace) -> int:
    from memstack.transfer import import_file

    _refuse_key(arguments.path)
    with _client(arguments.target, _KEY, may_be_new=True) as target:
        return _told(import_file(arguments.path, target))


def _copy(arguments: argparse.Namespace) -> int:
    from memstack.transfer import copy

    keys = (_KEY, _KEY)
    if _is_url(arguments.source) and _is_url(arguments.target):
        # One key for both might send it to a server that it is not for.
        keys = ("MEMSTACK_SOURCE_API_KEY", "MEMSTACK_TARGET_API_KEY")
    with ExitStack() as stack:
        source = stack.enter_context(_client(arguments.source, keys[0]))
        target = stack.enter_context(_client(arguments.target, keys[1], may_be_new=True))
        return _told(copy(source, target))


def _backup(arguments: argparse.Namespace) -> int:
    from memstack.local import backup

    _refuse_key(arguments.path, arguments.target)
    size = backup(arguments.path, arguments.target)
    print(f"{arguments.path} -> {arguments.target}: {size:,} bytes")
    return 0


def _compact(arguments: argparse.Namespace) -> int:
    from memstack.local import compact

    _refuse_key(arguments.path)
    done = compact(arguments.path)
    print(f"{arguments.path}: {done.bytes_before:,} -> {done.bytes_after:,} bytes")
    return 0


def _stats(arguments: argparse.Namespace) -> int:
    from memstack.local import stats

    _refuse_key(arguments.path)
    found = stats(arguments.path)
    print(json.dumps(asdict(found), default=str, indent=2) if arguments.json else _shown(found))
    return 0


_COMMANDS = {
    "export": _export,
    "import": _import,
    "copy": _copy,
    "backup": _backup,
    "compact": _compact,
    "stats": _stats,
}


def _client(place: str, variable: str, *, may_be_new: bool = False) -> MemStackClient:
    """A client of the MemStack at *place*, a file or a URL.

    Raises:
        ValidationError: There is no such file, or *variable* has no key.
        MemStackError: It cannot be used.
    """
    from memstack.client import MemStackClient

    _refuse_key(place)
    if _is_url(place):
        key = os.environ.get(variable)
        if not key:  # The client would take another variable.
            raise ValidationError(f"no API key for {place}: set {variable}")
        return MemStackClient(key, place, max_retries=_RETRIES)
    if not may_be_new and not os.path.isfile(place):
        raise ValidationError(f"there is no file {place!r}; a server's URL begins with https://")
    return MemStackClient.local(place)


def _is_url(place: str) -> bool:
    return place.lower().startswith(("http://", "https://"))


def _refuse_key(*places: str) -> None:
    """Nothing, if none of *places* is an API key.

    Raises:
        ValidationError: One is; it is not quoted.
    """
    if any(KEY_PREFIX in place for place in places):
        raise ValidationError(
            "an argument holds an API key, which other users of this machine can read there; "
            f"give keys in the environment, as {_KEY}"
        )


def _told(report: Report) -> int:
    print(report)
    return 0 if report.is_whole else 1


def _shown(found: Stats) -> str:
    lines = [
        f"file: {found.path}, {found.file_bytes:,} bytes, {found.free_bytes:,} of them free, "
        f"schema {found.schema_version}"
    ]
    for name, table in (("episodes", found.episodes), ("memos", found.memos)):
        span = f", from {table.oldest} to {table.newest}" if table.rows else ""
        lines.append(f"{name}: {table.rows:,}, {table.content_bytes:,} bytes of content{span}")
    lines.append(f"API keys: {found.api_keys:,}")
    lines.append(
        f"groups: {found.groups:,}, tenants: {found.tenants:,}, projects: {found.projects:,}, "
        f"users: {found.users:,}"
    )
    lines += [
        f"  {group.group_id}: {group.episodes:,} episodes, the newest {group.newest}"
        for group in found.largest_groups
    ]
    return "\n".join(lines)
