"""`memstack export`, `import`, `copy`, `backup`, `compact` and `stats`: data in and out."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from memstack.exceptions import ValidationError

from .commands import AsJson, command, resumable
from .output import counted, moment, print_json, say
from .places import Chosen, Place, is_url, place_of
from .profiles import KEY_VARIABLE

if TYPE_CHECKING:
    from memstack.local import Stats
    from memstack.transfer import Report

__all__ = ["add_to"]

_RETRIES = 8
"""More than a program needs: a server may be down for minutes while a copy goes on."""

_ANY = "a MemStack file, a server's URL, or @NAME for a profile"

Source = Annotated[str, typer.Argument(metavar="SRC", help=f"From: {_ANY}.")]
Target = Annotated[str, typer.Argument(metavar="DST", help=f"To: {_ANY}.")]
_FILE = "a MemStack file, or @NAME for a profile of one"
Db = Annotated[
    str | None,
    typer.Argument(metavar="[DB]", help=f"Which: {_FILE}; or what an option names."),
]


def add_to(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    command(
        app,
        "export",
        "memstack export memories.db memories.jsonl.gz",
        "memstack export --profile work memories.jsonl",
    )(_export)
    command(
        app,
        "import",
        "memstack import memories.jsonl.gz restored.db",
        "memstack import --profile work memories.jsonl.gz",
    )(_import)
    command(
        app,
        "copy",
        "memstack copy memories.db https://memstack.example.com",
        "memstack copy @work offline.db",
    )(_copy)
    command(
        app,
        "backup",
        "memstack backup memories.db backup.db",
        "memstack backup --profile notes backup.db",
    )(_backup)
    command(
        app, "compact", "memstack compact memories.db", "memstack compact --profile notes --json"
    )(_compact)
    command(app, "stats", "memstack stats memories.db", "memstack stats memories.db --json")(_stats)


def _export(
    place: Place,
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="[SRC] FILE",
            help=f"From SRC, {_ANY}, or from what an option names; to FILE, JSON Lines, "
            "compressed if its name ends in .gz.",
        ),
    ],
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it is there.")] = False,
    json: AsJson = False,
) -> None:
    """Write all episodes and memos into a file."""
    from memstack.transfer import export_file

    whence, path = _two(names, "[SRC] and FILE")
    if path == "-":
        raise ValidationError("FILE: - is no file; an export is there once it is whole: name it")
    if not force and os.path.lexists(path):
        raise ValidationError(
            f"FILE: {path!r} is there already; give another name, or --force to replace it"
        )
    with _one(place, whence).client(max_retries=_RETRIES) as source:
        _told(export_file(source, path, overwrite=force), json)


def _import(
    place: Place,
    path: Annotated[
        str, typer.Argument(metavar="FILE", help="What `memstack export` has written.")
    ],
    target: Annotated[
        str | None, typer.Argument(metavar="[DST]", help=f"To: {_ANY}; or what an option names.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Store what an export holds.

    It may be stopped at any time; the same command again goes on from there.
    """
    from memstack.transfer import import_file

    if not os.path.isfile(path):
        raise ValidationError(f"there is no file {path!r}; an export is read from a file only")
    chosen = _one(place, target)
    with chosen.client(may_be_new=True, max_retries=_RETRIES) as client, resumable():
        _told(import_file(path, client), json)


def _copy(source: Source, target: Target, json: AsJson = False) -> None:
    """Store what another MemStack has.

    It may be stopped at any time; the same command again goes on from there. Of two URLs, the keys
    are taken from MEMSTACK_SOURCE_API_KEY and MEMSTACK_TARGET_API_KEY.
    """
    from memstack.transfer import copy

    keys = (KEY_VARIABLE, KEY_VARIABLE)
    if is_url(source) and is_url(target):
        # One key for both might send it to a server that it is not for.
        keys = ("MEMSTACK_SOURCE_API_KEY", "MEMSTACK_TARGET_API_KEY")
    with resumable(), ExitStack() as stack:
        whence = stack.enter_context(place_of(source, keys[0]).client(max_retries=_RETRIES))
        whither = stack.enter_context(
            place_of(target, keys[1]).client(may_be_new=True, max_retries=_RETRIES)
        )
        _told(copy(whence, whither), json)


def _backup(
    place_of_file: Place,
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="[DB] FILE",
            help=f"Of DB, {_FILE}, or of what an option names; to FILE, a new one.",
        ),
    ],
    json: AsJson = False,
) -> None:
    """Copy a MemStack file that may be in use."""
    from memstack.local import backup

    whence, target = _two(names, "[DB] and FILE")
    path = _one(place_of_file, whence).file()
    size = backup(path, target)
    if json:
        print_json({"path": target, "bytes": size})
    else:
        say(f"{path} -> {target}: {size:,} bytes")


def _compact(place_of_file: Place, name: Db = None, json: AsJson = False) -> None:
    """Give back the space of what was deleted."""
    from memstack.local import compact

    path = _one(place_of_file, name).file()
    done = compact(path)
    if json:
        print_json({"path": path, **asdict(done)})
    else:
        say(f"{path}: {done.bytes_before:,} -> {done.bytes_after:,} bytes")


def _stats(place_of_file: Place, name: Db = None, json: AsJson = False) -> None:
    """Count what a MemStack file holds."""
    from memstack.local import stats

    found = stats(_one(place_of_file, name).file())
    if json:
        print_json(asdict(found))
    else:
        say(_shown(found))


def _two(names: list[str], what: str) -> tuple[str | None, str]:
    """What two arguments say, of which the first may be left out.

    Raises:
        ValidationError: There are more.
    """
    if len(names) > 2:
        raise ValidationError(f"takes {what}, and no more")
    return (names[0] if len(names) == 2 else None), names[-1]


def _one(place: Place, name: str | None) -> Chosen:
    """The MemStack that an argument names, or else the options.

    Raises:
        ValidationError: Both do.
    """
    if name is None:
        return place.chosen()
    if place.is_given():
        raise ValidationError("an argument and an option name a MemStack each: give one")
    return place_of(name)


def _told(report: Report, json: bool) -> None:
    if json:
        print_json({**asdict(report), "is_whole": report.is_whole})
    else:
        say(str(report))
    if not report.is_whole:
        raise typer.Exit(1)


def _shown(found: Stats) -> str:
    lines = [
        f"file: {found.path}, {found.file_bytes:,} bytes, {found.free_bytes:,} of them free, "
        f"schema {found.schema_version}"
    ]
    for name, table in (("episodes", found.episodes), ("memos", found.memos)):
        span = f", from {moment(table.oldest)} to {moment(table.newest)}" if table.rows else ""
        lines.append(f"{name}: {table.rows:,}, {table.content_bytes:,} bytes of content{span}")
    of_model = f", of {found.embedding_model}" if found.vectors else ""
    lines.append(f"vectors: {found.vectors:,}{of_model}")
    lines.append(f"API keys: {found.api_keys:,}, answers kept: {found.answers:,}")
    lines.append(
        f"groups: {found.groups:,}, tenants: {found.tenants:,}, projects: {found.projects:,}, "
        f"users: {found.users:,}"
    )
    lines += [
        f"  {group.group_id}: {counted(group.episodes, 'episode')}, "
        f"the newest {moment(group.newest)}"
        for group in found.largest_groups
    ]
    return "\n".join(lines)
