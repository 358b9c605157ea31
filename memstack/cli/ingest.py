"""`memstack ingest`: many episodes from files, each of them once."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from .commands import AsJson, command, one_of, resumable
from .exits import UNKNOWN
from .output import console, counted, print_json, say, tell
from .places import Chosen, Place
from .profiles import config_path
from .reading import FORMATS, Format, Reader

if TYPE_CHECKING:
    from memstack.ingest import IngestOutcome, IngestReport

__all__ = ["add_to"]

_MOST_TOLD = 20
"""Lines on stderr about items; what else is wrong is counted."""
_RETRIES = 8
"""More than a program needs: a server may be down for minutes while this goes on."""


def add_to(app: typer.Typer) -> None:
    """Add the command to *app*."""
    command(
        app,
        "ingest",
        "memstack ingest episodes.jsonl",
        "memstack ingest notes/ --local notes.db",
        "memstack ingest mails.csv --order-by group_id --failed failed.jsonl",
        "zcat episodes.jsonl.gz | memstack ingest - --ledger run.sqlite",
    )(_ingest)


def _ingest(
    place: Place,
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE|DIR|-", help=f"A file ({', '.join(FORMATS)}), a folder, or - for stdin."
        ),
    ],
    format: Annotated[
        Format | None,
        typer.Option(
            metavar=one_of(Format),
            help="What a file is; by its name if not given, stdin JSONL.",
        ),
    ] = None,
    concurrency: Annotated[
        int,
        typer.Option(metavar="N", help="Most episodes on their way at once.", min=1, max=512),
    ] = 16,
    order_by: Annotated[
        Literal["group_id"] | None,
        typer.Option(
            metavar="group_id",
            help="Store the episodes of a group one after another, in their order.",
        ),
    ] = None,
    ledger: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Where to keep what is stored, so that the same command goes on from there; "
            "without it, a file of this command's own for each source and server.",
        ),
    ] = None,
    failed: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Where to write what was not stored, to be ingested."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read and check everything, and send nothing.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Store many episodes from files, each of them once.

    JSON Lines has an episode a line. CSV has a heading for each field; other columns go into the
    metadata, and `content` is required. A text or Markdown file is one episode.

    It may be stopped at any time; the same command again goes on from there.
    """
    told = _Told()
    reader = Reader(source, format, told.problem)
    chosen = place.chosen()
    keeper = ledger or _ledger_for(source, chosen)
    with (
        resumable(goes_on=chosen.url is None or keeper is not None),
        chosen.client(may_be_new=not dry_run, max_retries=_RETRIES) as client,
        _progress(reader, hidden=json) as on_progress,
    ):

        def on_outcome(outcome: IngestOutcome) -> None:
            where = reader.place_of(outcome.index)
            if outcome.error is not None:
                told.outcome(f"{where}: {outcome.outcome}: {outcome.error.message}")

        report = client.ingest(
            reader,
            concurrency=concurrency,
            ledger=keeper,
            order_by=order_by,
            failed=failed,
            dry_run=dry_run,
            on_outcome=on_outcome,
            on_progress=on_progress,
        )
    if json:
        more = {"is_whole": report.is_whole, "unreadable": told.problems, "ledger": keeper}
        print_json({**asdict(report), **more})
    else:
        _say(report, reader, told, keeper)
    if report.unknown:
        raise typer.Exit(UNKNOWN)
    if told.problems or not report.is_whole:
        raise typer.Exit(1)


class _Told:
    """What was said of items on stderr."""

    def __init__(self) -> None:
        self.problems = 0
        """What could not be read."""
        self._lines = 0

    def problem(self, text: str) -> None:
        self.problems += 1
        self.outcome(text)

    def outcome(self, text: str) -> None:
        self._lines += 1
        if self._lines <= _MOST_TOLD:
            tell(text)
        elif self._lines == _MOST_TOLD + 1:
            tell("... and others")


def _say(report: IngestReport, reader: Reader, told: _Told, ledger: str | None) -> None:
    say(str(report))
    if told.problems:
        say(f"{told.problems:,} could not be read")
    if reader.passed_over:
        say(f"of other kinds, and passed over: {counted(reader.passed_over, 'file')}")
    if report.duplicate and ledger is not None:
        tell(f"duplicates are told by {ledger}; without that file they are sent again")


def _ledger_for(source: str, chosen: Chosen) -> str | None:
    """The path of a ledger that the same command finds again; None where none is needed.

    An embedded MemStack knows by itself what it has. What stdin is, nobody can tell.
    """
    if source == "-" or chosen.url is None:
        return None
    what = f"{chosen.url}\n{os.path.realpath(source)}"
    name = re.sub(r"[^A-Za-z0-9_-]", "-", Path(source).resolve().stem)[:40]
    digest = hashlib.sha256(what.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    folder = config_path().parent / "ingest"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return str(folder / f"{name}-{digest}.sqlite")


@contextmanager
def _progress(reader: Reader, *, hidden: bool) -> Iterator[Callable[[IngestReport], object] | None]:
    output = console(err=True)
    if hidden or not output.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    with Progress(*columns, console=output, transient=True) as progress:
        task = progress.add_task("starting", total=reader.bytes_in_all)

        def show(report: IngestReport) -> None:
            rate = report.created / report.seconds if report.seconds else 0
            trouble = report.failed + report.unknown
            text = f"{report.read:,} read, {report.created:,} created, {rate:,.0f}/s"
            text += f", {trouble:,} not stored" if trouble else ""
            progress.update(task, completed=reader.bytes_read, description=text)

        yield show
