"""`memstack health` and `memstack doctor`: whether a MemStack works, and what to do if not."""

from __future__ import annotations

from dataclasses import asdict

import typer

from .commands import AsJson, command
from .output import counted, fields, in_own_words, print_json, say, tell
from .places import Place

__all__ = ["add_to"]

_WORDS = {"ok": "ok  ", "warn": "warn", "fail": "FAIL", "skip": "-   "}


def add_to(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    command(app, "health", "memstack health", "memstack health --local notes.db --json")(_health)
    command(
        app,
        "doctor",
        "memstack doctor",
        "memstack doctor --profile work",
        "memstack doctor --local notes.db --json",
    )(_doctor)


def _health(place: Place, json: AsJson = False) -> None:
    """Ask whether the MemStack is well."""
    chosen = place.chosen()
    with chosen.client() as client:
        said = client.health_check()
    if json:
        print_json(said)
    else:
        fields({"MemStack": str(chosen), **said})


def _doctor(place: Place, json: AsJson = False) -> None:
    """Find out what is wrong, and what to do about it.

    Of a server: settings, key, URL, name, connection, certificate, health, clock, the key once more
    by a call, what the server cannot do, and what its API lacks. Of a file: that it is there,
    permissions, room on the disk, and that SQLite finds it sound. Nothing is changed. The exit code
    is 1 if a check fails.
    """
    from .checks import checks_of

    checks = []
    for check in checks_of(place.chosen()):
        checks.append(check)
        if not json:
            say(f"{_WORDS[check.verdict]}  {check.name}: {in_own_words(check.found)}")
            if check.todo:
                say(f"      -> {check.todo}")
    failed = sum(check.verdict == "fail" for check in checks)
    if json:
        print_json({"ok": not failed, "checks": [asdict(check) for check in checks]})
    else:
        warned = sum(check.verdict == "warn" for check in checks)
        tell(f"{counted(len(checks), 'check')}, {failed} failed, {warned} to look at")
    if failed:
        raise typer.Exit(1)
