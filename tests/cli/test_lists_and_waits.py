"""Whole lists, and waiting for an episode, on the command line."""

from __future__ import annotations

import json
import re
import weakref
from collections.abc import Iterator

import pytest

from memstack import MemStackClient
from memstack.cli.output import print_rows
from memstack.testing import MemStackServer

from .conftest import Cli


@pytest.mark.parametrize("kind", ["episode", "memo"])
def test_a_whole_list_is_printed_as_it_comes(kind: str, cli: Cli) -> None:
    """A JSON object a line for programs; for people a table for each 200 rows."""
    with MemStackClient.local("many.db") as client:
        for n in range(450):
            client.create_memo(f"text-{n}")
            client.create_episode(f"name-{n}", f"text-{n}")

    lines = cli(kind, "list", "--all", "--json", "--local", "many.db")
    tables = cli(kind, "list", "--all", "--local", "many.db")

    newest_first = [f"text-{n}" for n in reversed(range(450))]
    assert [json.loads(line)["content"] for line in lines.out.splitlines()] == newest_first
    assert re.findall(r"text-\d+$", tables.out, re.MULTILINE) == newest_first
    assert len(re.findall(r"created .* content$", tables.out, re.MULTILINE)) == 3
    assert tables.err == lines.err == f"450 {kind}s\n"


@pytest.mark.parametrize("as_json", [False, True])
def test_no_more_rows_are_held_than_two_tables_have(
    as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """However long the list is."""

    class Row:
        pass

    def rows() -> Iterator[Row]:
        for _ in range(1000):
            row = Row()
            alive.add(row)
            counts.append(len(alive))
            yield row

    alive: weakref.WeakSet[Row] = weakref.WeakSet()
    counts: list[int] = []

    print_rows(rows(), [("row", "id")], lambda row: [str(row)], "row", json=as_json)

    printed = capsys.readouterr()
    assert max(counts) <= 400
    assert (printed.out.count("Row"), printed.err) == (1000, "1,000 rows\n")


@pytest.mark.parametrize("line", ["episode list", "memo list"])
@pytest.mark.parametrize("page", ["--limit 5", "--offset 5"])
def test_all_of_a_list_is_no_page(line: str, page: str, notes: str, cli: Cli) -> None:
    """One of them is an error."""
    ran = cli(*line.split(), "--all", *page.split(), "--local", notes)

    assert (ran.code, ran.out) == (2, "")
    assert "leave out --limit and --offset" in ran.err


def test_an_episode_is_waited_for(notes: str, cli: Cli) -> None:
    """As it is added, or later; in JSON it is what it is without."""
    local = ("--local", notes)
    made = cli("episode", "add", "N", "text", "--wait", "--timeout", "5", "--json", *local).json
    waited = cli("episode", "wait", "N", "--id", made["id"], "--json", *local).json

    assert made["status"] == "completed"
    assert waited == cli("episode", "get", "N", "--json", *local).json
    assert cli("episode", "wait", "N", *local).out == "completed\n"
    assert cli("episode", "wait", "nobody", *local).code == 4


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_what_is_not_processed_in_time_is_stored_all_the_same(
    as_json: list[str], cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its id is printed, and the exit code tells it from a failure."""
    accepted = {"id": "e1", "name": "N", "content": "text", "status": "processing"}
    accepted |= {"created_at": "2026-05-01T09:30:00Z"}
    with MemStackServer() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        server.next(202, accepted, on="create_episode")
        server.next(200, accepted, on="get_episode", times=None)
        added = cli("episode", "add", "N", "text", "--wait", "--timeout", "0", *as_json)
        waited = cli("episode", "wait", "N", "--id", "e1", "--timeout", "0", *as_json)

    assert (added.code, waited.code, waited.out) == (10, 10, "")
    for ran in (added, waited):
        assert "still processing after 0 s" in ran.err
    assert (added.json["id"] if as_json else added.out) == ("e1" if as_json else "e1  processing\n")
