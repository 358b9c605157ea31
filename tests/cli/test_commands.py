"""What the commands do, in tables and in JSON, on an embedded MemStack."""

from __future__ import annotations

import io
import os
import re
import sys
import uuid
from pathlib import Path

import pytest

from memstack import MemStackClient

from .conftest import Cli

GOLDEN = Path(__file__).parent / "golden"


def settled(text: str) -> str:
    """*text* without what is different each time, in the same width."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", str(uuid.UUID(int=0)), text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\dZ", "2026-01-01 00:00Z", text)
    return re.sub(r"[\d,]+ bytes", "N bytes", text)


@pytest.mark.parametrize(
    "line",
    [
        "--help",
        "episode list",
        "episode list --all",
        "episode get Trip",
        "memo list",
        "memo list --all",
        "search Yosemite",
        "key list",
        "health",
        "doctor",
    ],
)
def test_what_people_see(line: str, notes: str, cli: Cli) -> None:
    """As in the files of tests/cli/golden; MEMSTACK_GOLDEN=write writes them anew."""
    with MemStackClient.local(notes) as client:
        client.create_api_key("laptop", ["read", "write"], expires_in_days=30)
    ran = cli("--local", notes, *line.split())
    shown = settled(f"$ memstack {line}\n{ran.out}--- stderr\n{ran.err}--- exit code {ran.code}\n")

    path = GOLDEN / f"{line.replace('--', '').replace(' ', '_')}.txt"
    if os.environ.get("MEMSTACK_GOLDEN") == "write":
        path.write_text(shown, "utf-8")
    assert shown == path.read_text("utf-8")


def test_an_episode_is_added_listed_got_and_deleted(cli: Cli) -> None:
    """With all its fields, in JSON."""
    options = (
        "--source-type document --source-description scan --group-id g --project-id p "
        "--tenant-id t --user-id u --valid-at 2026-05-01T09:30:00Z --json"
    ).split()
    made = cli(
        "episode", "add", "N", "text", *options, "--metadata", '{"n": [1]}', "--local", "new.db"
    ).json
    got = cli("episode", "get", "N", "--local", "new.db", "--json").json
    page = cli("episode", "list", "--user-id", "u", "--json", "--local", "new.db").json

    assert got["id"] == made["id"]
    assert page["episodes"] == [got]
    assert (page["total"], page["has_more"]) == (1, False)
    assert {**got, "id": 0, "created_at": 0, "status": 0} == {
        "id": 0,
        "created_at": 0,
        "status": 0,
        "name": "N",
        "content": "text",
        "source_type": "document",
        "source_description": "scan",
        "group_id": "g",
        "metadata": {"n": [1]},
        "project_id": "p",
        "tenant_id": "t",
        "user_id": "u",
        "valid_at": "2026-05-01T09:30:00Z",
    }
    assert cli("episode", "delete", "N", "--yes", "--local", "new.db").code == 0
    assert cli("episode", "get", "N", "--local", "new.db").code == 4


def test_an_idempotency_key_makes_a_repeated_command_store_once(notes: str, cli: Cli) -> None:
    """So that a script may be run again."""
    line = ("episode", "add", "N", "text", "--idempotency-key", "k1", "--local", notes, "--json")

    assert cli(*line).json == cli(*line).json


def test_a_memo_is_added_edited_and_deleted(notes: str, cli: Cli) -> None:
    """What is not given stays as it is."""
    local = ("--local", notes)
    id = cli("memo", "add", "note", "--tag", "a", "--tag", "b", *local).out.strip()

    one = cli("memo", "edit", id, "--content", "new", "--json", *local).json
    two = cli("memo", "edit", id, "--no-tags", "--visibility", "public", "--json", *local).json

    assert (one["content"], one["tags"], one["visibility"]) == ("new", ["a", "b"], "PRIVATE")
    assert (two["content"], two["tags"], two["visibility"]) == ("new", [], "PUBLIC")
    assert cli("memo", "get", id, "--json", *local).json == two
    assert cli("memo", "delete", id, "-y", *local).code == 0
    assert cli("memo", "delete", id, "-y", *local).code == 4


@pytest.mark.parametrize("options", [[], ["--tag", "a", "--no-tags"]])
def test_an_edit_of_nothing_is_a_usage_error(options: list[str], notes: str, cli: Cli) -> None:
    """Before anything is asked."""
    assert cli("memo", "edit", "x", *options, "--local", notes).code == 2


def test_text_comes_from_stdin(notes: str, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of any length, and without being seen among the arguments."""

    def given(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    given("ms_sk_text of a note, 王芳".encode())
    made = cli("memo", "add", "-", "--local", notes, "--json")
    given(b"Yosemite")
    found = cli("search", "-", "--local", notes, "--json")
    given(b"\xff")
    bad = cli("episode", "add", "N", "-", "--local", notes)

    assert made.json["content"] == "ms_sk_text of a note, 王芳"
    assert found.json["results"][0]["metadata"]["name"] == "Trip"
    assert (bad.code, bad.err) == (2, "memstack: stdin is not UTF-8\n")


def test_search_takes_filters_of_text_and_of_json(notes: str, cli: Cli) -> None:
    """`=` for a text, `:=` for anything else."""

    def total(*options: str) -> int:
        found: int = cli("search", "hiked 王芳", *options, "--json", "--local", notes).json["total"]
        return found

    assert total() == 2
    assert total("--filter", "group_id=holidays") == 1
    assert total("--filter", "metadata.n:=1") == 1
    assert total("--filter", "metadata.n=1", "--limit", "1") == 0


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("search x --filter group_id", "--filter"),
        ("search x --filter a:=oops", "--filter: is not JSON"),
        ("search x --filter colour=red", "colour"),
        ("search x --limit 101", "'--limit'"),
        ("episode list --limit 201", "'--limit'"),
        ("memo list --limit 1001", "'--limit'"),
        ("episode add N x --metadata []", "--metadata: must be a JSON object"),
        ("episode add N x --metadata {", "--metadata: is not JSON"),
        ("episode add N x --valid-at today", "--valid-at: must be a time with its zone"),
        ("episode add N x --valid-at 2026-05-01T09:30:00", "--valid-at: must be a time with"),
        ("episode add N x --source-type poem", "--source-type"),
        ("episode add N x --timeout 5", "--timeout is for --wait"),
        ("episode wait N --timeout -1", "'--timeout'"),
        ("key create k --permission fly", "permissions"),
        ("key create k", "--permission"),
        ("episode get a/b", "name"),
        ("export a b c", "takes [SRC] and FILE"),
        ("backup a b c", "takes [DB] and FILE"),
        ("stats notes.db", "give one"),
        ("serve --db new.db", "give one"),
        ("export -", "is no file"),
        ("export notes.db", "FILE: 'notes.db' is there already; give another name"),
        ("export no/x.jsonl", "No such file or directory; see that its folder is there"),
        ("import no.jsonl", "there is no file 'no.jsonl'"),
        ("export notes.db x.jsonl", "give one"),
        ("copy notes.db new.db", "takes no --local"),
    ],
)
def test_a_bad_argument_is_told(line: str, says: str, notes: str, cli: Cli) -> None:
    """Exit code 2, what is wrong, no traceback."""
    ran = cli("--local", notes, *line.split())

    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err


@pytest.mark.parametrize(
    ("function", "line"),
    [("import_file", "import notes.db new.db"), ("copy", "copy notes.db new.db")],
)
def test_what_may_be_stopped_says_so_at_ctrl_c(
    function: str, line: str, notes: str, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the help does."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"memstack.transfer.{function}", interrupted)
    ran = cli(*line.split())

    assert Path(notes).exists()
    assert (ran.code, ran.err) == (
        130,
        "memstack: stopped; the same command again goes on from here\n",
    )


def test_times_are_the_same_in_all_json(notes: str, cli: Cli) -> None:
    """As the API has them."""
    episodes = cli("episode", "list", "--json", "--local", notes).json["episodes"]

    assert cli("stats", notes, "--json").json["episodes"] == {
        "rows": 2,
        "content_bytes": sum(len(episode["content"].encode()) for episode in episodes),
        "oldest": episodes[-1]["created_at"],
        "newest": episodes[0]["created_at"],
    }


def test_an_import_that_cannot_be_read_makes_no_file(cli: Cli) -> None:
    """A typing error leaves nothing to be mistaken for a copy."""
    assert cli("import", "no.jsonl", "new.db").code == 2
    assert list(Path().iterdir()) == []


def test_an_export_takes_its_source_from_an_option(notes: str, cli: Cli) -> None:
    """As all commands do; an argument is as good."""
    assert cli("export", "x.jsonl", "--local", notes).code == 0
    told = cli("import", "x.jsonl", "--local", "new.db", "--json").json

    assert (told["episodes"]["stored"], told["memos"]["stored"]) == (2, 1)
    assert told["is_whole"] is True


def test_nobody_to_ask_is_an_error(notes: str, cli: Cli) -> None:
    """A script says --yes, or nothing is deleted."""
    ran = cli("episode", "delete", "Trip", "--local", notes)

    assert ran.code == 2
    assert "add --yes" in ran.err
    assert cli("episode", "get", "Trip", "--local", notes).code == 0


def test_what_is_stored_cannot_play_with_the_terminal(cli: Cli) -> None:
    """Escape sequences, carriage returns and changes of direction are written out."""
    evil = "\x1b[31mred\x1b]0;title\x07 \rover\u202e \x9b2J"
    with MemStackClient.local("evil.db") as client:
        client.create_episode("evil", evil, source_description=evil)
        id = client.create_memo(evil, tags=[evil]).id

    for line in ("episode list", "episode get evil", "memo list", f"memo get {id}", "search title"):
        for options in ([], ["--json"]):
            out = cli(*line.split(), "--local", "evil.db", *options).out
            assert "red" in out
            assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", out)


def test_markup_and_emoji_codes_stay_as_they_are(cli: Cli) -> None:
    """rich has a language of its own, which no memory speaks."""
    with MemStackClient.local("m.db") as client:
        client.create_memo("[b]x[/b] :smile: [/]")

    assert "[b]x[/b] :smile: [/]" in cli("memo", "list", "--local", "m.db").out


def test_ids_are_whole_in_a_narrow_terminal(
    notes: str, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are there to be copied."""
    monkeypatch.setenv("COLUMNS", "50")
    with MemStackClient.local(notes) as client:
        (memo,) = client.list_memos()

    assert memo.id in cli("memo", "list", "--local", notes).out


def test_an_empty_list_is_no_table(cli: Cli) -> None:
    """stdout stays empty; what is said is on stderr."""
    MemStackClient.local("empty.db").close()

    ran = cli("memo", "list", "--local", "empty.db")
    assert (ran.code, ran.out, ran.err) == (0, "", "0 memos\n")
