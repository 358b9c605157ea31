"""`memstack serve`: the embedded MemStack as a server."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from memstack.exceptions import ValidationError

from .commands import command
from .places import Place

__all__ = ["MOST_A_MINUTE", "add_to"]

# As in local.limits, whose import costs that of sqlite3: a test compares them.
MOST_A_MINUTE = 100_000


def add_to(app: typer.Typer) -> None:
    """Add the command to *app*."""
    command(
        app,
        "serve",
        "memstack serve --db memories.db",
        "memstack serve --port 0 --rate-limit 600 --access-log",
    )(_serve)


def _serve(
    place_of_file: Place,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Address to listen on; one that other machines reach needs MEMSTACK_API_KEY.",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="N", help="Port; 0 for any that is free.", min=0, max=65535)
    ] = 8000,
    db: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="The same as --local; without any file all is kept in memory."
        ),
    ] = None,
    rate_limit: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Most requests of one key a minute; more are answered 429.",
            min=1,
            max=MOST_A_MINUTE,
        ),
    ] = None,
    access_log: Annotated[
        bool,
        typer.Option(
            "--access-log", help="Write a line to stderr for each request, without what it says."
        ),
    ] = False,
) -> None:
    """Serve the embedded MemStack over HTTP until Ctrl-C.

    It needs the extra [server]. The API key is taken from MEMSTACK_API_KEY; if that is not set, one
    is made for this run and printed.
    """
    from memstack.local.serving import Settings, serve

    if place_of_file.is_given():
        if db is not None:
            raise ValidationError("--db and another option name a MemStack each: give one")
        db = place_of_file.chosen().file()
    key = os.environ.get("MEMSTACK_API_KEY") or None
    code = serve(Settings(host, port, db, key, rate_limit, access_log))
    if code:
        raise typer.Exit(code)
