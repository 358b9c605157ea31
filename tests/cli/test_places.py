"""Which MemStack a command is for, and profiles."""

from __future__ import annotations

import io
import json
import stat
import sys
from pathlib import Path

import keyring
import pytest

from memstack import MemStackClient, ValidationError
from memstack.cli.places import Place, place_of
from memstack.cli.profiles import Profile, Profiles, config_path
from memstack.local.serving import Settings

from ..served import Served
from .conftest import Cli

KEY = "ms_sk_a_secret_of_the_tests"
needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="modes are of POSIX")


def test_options_come_first_then_the_environment_then_the_default(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And without any of them the URL that the client has by itself."""
    assert Place().chosen().url == "http://localhost:8000"
    cli("config", "set", "work", "--url", "https://work.example.com", "--timeout", "7")
    assert (Place().chosen().url, Place().chosen().timeout) == ("https://work.example.com", 7.0)
    monkeypatch.setenv("MEMSTACK_BASE_URL", "https://env.example.com")
    assert Place().chosen().url == "https://env.example.com"
    assert Place(profile="work").chosen().url == "https://work.example.com"
    assert Place(url="https://url.example.com").chosen().url == "https://url.example.com"
    assert Place(local="notes.db").chosen().local == "notes.db"


def test_options_may_stand_before_the_command_or_after_it(notes: str, cli: Cli) -> None:
    """What stands after it wins."""
    MemStackClient.local("other.db").close()

    assert "Trip" in cli("--local", notes, "episode", "list").out
    assert "Trip" in cli("episode", "list", "--local", notes).out
    assert "Trip" not in cli("--local", notes, "episode", "list", "--local", "other.db").out


@pytest.mark.parametrize(
    "line", ["--local a --url http://x health", "health --local a --profile b"]
)
def test_two_places_are_a_usage_error(line: str, cli: Cli) -> None:
    """None of them is guessed."""
    assert cli(*line.split()).code == 2


@pytest.mark.parametrize(
    "line",
    [
        "episode list",
        "search x",
        "memo delete x -y",
        "key list",
        "health",
        "key create k --permission read",
    ],
)
def test_a_file_that_is_not_there_is_not_made_by_looking(line: str, cli: Cli) -> None:
    """A typing error is no empty memory."""
    ran = cli(*line.split(), "--local", "no.db")

    assert ran.code == 2
    assert "there is no file 'no.db'" in ran.err
    assert list(Path().iterdir()) == []


def test_a_folder_is_told_from_a_file_that_is_not_there(cli: Cli) -> None:
    """What is wrong is said as it is."""
    ran = cli("memo", "list", "--local", "..")

    assert (ran.code, ran.err) == (2, "memstack: '..' is a folder; give the file in it\n")


def test_a_new_profile_says_what_it_needs(cli: Cli) -> None:
    """The two options, of which it takes one."""
    assert "give --url URL or --local FILE" in cli("config", "set", "p").err


def test_a_profile_is_used_by_name_and_in_arguments(
    notes: str, served: Served, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a file, and of a server with the variable that has its key."""
    monkeypatch.setenv("WORK_KEY", served.api_key)
    cli("config", "set", "notes", "--local", notes)
    cli("config", "set", "work", "--url", served.base_url, "--key-env", "WORK_KEY")

    assert "Trip" in cli("episode", "list", "--profile", "notes").out
    assert cli("copy", "@notes", "@work").code == 0
    assert cli("search", "Yosemite", "--profile", "work", "--json").json["total"] >= 1
    assert cli("doctor", "--profile", "work").code == 0
    monkeypatch.delenv("WORK_KEY")
    ran = cli("health", "--profile", "work")
    assert (ran.code, "set WORK_KEY" in ran.err) == (3, True)


@pytest.mark.parametrize("command", ["stats", "compact", "backup"])
def test_what_looks_after_a_file_is_told_which_in_any_way(
    command: str, notes: str, cli: Cli
) -> None:
    """And says so where that is a server."""
    cli("config", "set", "notes", "--local", notes)
    cli("config", "set", "work", "--url", "https://work.example.com")
    more = ["b.db"] if command == "backup" else []

    for wanted in (["@notes"], [notes], ["--local", notes], ["--profile", "notes"], []):
        assert cli(command, *wanted, *more, "--json").json
        Path("b.db").unlink(missing_ok=True)
    assert cli("--local", notes, command, *more).code == 0
    for server in (["@work"], ["https://work.example.com"], ["--profile", "work"]):
        ran = cli(command, *server, *more)
        assert (ran.code, ran.out) == (2, "")
        assert "https://work.example.com is a server, and this command is for a" in ran.err


@pytest.mark.parametrize(
    ("line", "file"),
    [
        ("serve", None),
        ("serve --db notes.db", "notes.db"),
        ("serve --profile notes", "notes.db"),
        ("serve --local other.db", "other.db"),
        ("--local other.db serve", "other.db"),
    ],
)
def test_serve_is_told_its_file_as_other_commands_are(
    line: str, file: str | None, notes: str, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But without being told it serves memory, and not the default profile."""
    cli("config", "set", "notes", "--local", notes)
    served: list[Settings] = []
    monkeypatch.setattr("memstack.local.serving.serve", lambda settings: served.append(settings))

    assert cli(*line.split()).code == 0
    assert (served[0].db and Path(served[0].db).name) == file


def test_a_key_in_the_keyring_is_asked_for_and_used(
    served: Served, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in no file of ours, and goes with its profile."""
    cli("config", "set", "work", "--url", served.base_url)
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{served.api_key}\n"))
    set_key = cli("config", "set-key", "work")

    assert set_key.code == 0
    assert served.api_key not in set_key.out + set_key.err + config_path().read_text()
    assert cli("memo", "list").code == 0
    assert cli("config", "list", "--json").json["profiles"]["work"]["keyring"] is True
    assert cli("config", "remove", "work", "-y").code == 0
    assert keyring.get_password("memstack", "work") is None


@pytest.mark.parametrize(
    ("name", "key", "code"), [("work", "oops", 3), ("notes", KEY, 2), ("none", KEY, 2)]
)
def test_a_key_that_is_none_or_has_no_place_is_not_kept(
    name: str, key: str, code: int, notes: str, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is not quoted."""
    cli("config", "set", "work", "--url", "https://work.example.com")
    cli("config", "set", "notes", "--local", notes)
    monkeypatch.setattr(sys, "stdin", io.StringIO(key))

    ran = cli("config", "set-key", name)
    assert ran.code == code
    assert key not in ran.err
    assert keyring.get_password("memstack", name) is None


def test_no_key_at_all_is_told_apart(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what this command takes, not by what the client does."""
    cli("config", "set", "work", "--url", "https://work.example.com")
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    ran = cli("config", "set-key", "work")

    assert ran.code == 3
    assert "no key was given: type it, or pipe it in" in ran.err


def test_a_keyring_that_has_no_key_says_how_to_give_it_one(cli: Cli) -> None:
    """Exit code 3."""
    Path(config_path()).parent.mkdir()
    config_path().write_text('[profiles.w]\nurl = "https://x.example.com"\nkeyring = true\n')

    ran = cli("health", "--profile", "w")
    assert ran.code == 3
    assert "memstack config set-key w" in ran.err


@pytest.mark.parametrize(("hides", "code", "says"), [(True, 2, "[keyring]"), (False, 1, "unlock")])
def test_a_keyring_that_cannot_be_used_is_a_clear_error(
    hides: bool, code: int, says: str, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the package or the system lacks."""
    from keyring.backends.fail import Keyring

    if hides:
        monkeypatch.setitem(sys.modules, "keyring", None)
    else:
        keyring.set_keyring(Keyring())  # type: ignore[no-untyped-call]
    cli("config", "set", "work", "--url", "https://work.example.com")
    monkeypatch.setattr(sys, "stdin", io.StringIO(KEY))

    ran = cli("config", "set-key", "work")
    assert ran.code == code
    assert says in ran.err
    assert KEY not in ran.err


@needs_posix
def test_the_file_of_profiles_is_private_and_keeps_its_comments(cli: Cli) -> None:
    """Mode 0600; what a person wrote stays."""
    cli("config", "set", "work", "--url", "https://work.example.com")
    path = config_path()
    path.write_text(f"# mine\n{path.read_text()}")
    path.chmod(0o644)

    cli("config", "set", "work", "--timeout", "5")
    cli("config", "set", "other", "--url", "https://other.example.com")

    assert path.read_text().startswith("# mine\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [item.name for item in path.parent.iterdir()] == ["config.toml"]
    assert Profiles(path).all == {
        "work": Profile("https://work.example.com", timeout=5.0),
        "other": Profile("https://other.example.com"),
    }


def test_profiles_are_listed_chosen_and_removed(notes: str, cli: Cli) -> None:
    """The first is the default, until another is chosen."""
    assert "no profiles" in cli("config", "list").err
    cli("config", "set", "work", "--url", "https://work.example.com")
    cli("config", "set", "notes", "--local", notes)
    first = cli("config", "list").out
    cli("config", "use", "notes")
    second = cli("config", "list", "--json").json

    assert "*  work   https://work.example.com" in first
    assert second["default"] == "notes"
    assert second["profiles"]["notes"]["local"] == str(Path(notes).resolve())
    assert cli("config", "remove", "notes").code == 2
    assert cli("config", "remove", "notes", "--yes").code == 0
    assert cli("config", "list", "--json").json["default"] is None
    assert cli("config", "path").out == f"{config_path()}\n"


def test_a_profile_changes_its_kind_whole(notes: str, cli: Cli) -> None:
    """A file has no key, so that of the server before is forgotten."""
    cli("config", "set", "p", "--url", "https://work.example.com", "--key-env", "K")
    cli("config", "set", "p", "--local", notes)
    assert Profiles(config_path()).all["p"] == Profile(local=str(Path(notes).resolve()))
    cli("config", "set", "p", "--url", "https://work.example.com")
    assert Profiles(config_path()).all["p"] == Profile("https://work.example.com")


@pytest.mark.parametrize(
    "options",
    [
        ["bad name", "--url", "https://x.example.com"],
        ["p"],
        ["p", "--url", "x.example.com"],
        ["p", "--url", "https://x.example.com", "--local", "a.db"],
        ["p", "--local", "a.db", "--key-env", "K"],
        ["p", "--url", "https://x.example.com", "--key-env", "a b"],
        ["p", "--url", "https://x.example.com", "--timeout", "0"],
        ["p", "--url", "https://x.example.com", "--timeout", "nan"],
    ],
)
def test_a_profile_that_cannot_be_is_not_made(options: list[str], cli: Cli) -> None:
    """Exit code 2, and no file."""
    ran = cli("config", "set", *options)

    assert ran.code == 2
    assert ran.err.startswith("memstack: ")
    assert not config_path().exists()


@pytest.mark.parametrize(
    "text",
    [
        "oops",
        "default = 1",
        "colour = 'red'",
        "default = 'none'",
        "profiles = 1",
        "[profiles]\nwork = 1",
        f"[profiles.work]\napi_key = '{KEY}'",
        f"[profiles.work]\nurl = 'https://x.example.com'\nkeyring = '{KEY}'",
        f"[profiles.work]\nurl = 'https://x.example.com'\ntimeout = true # {KEY}",
        f"[profiles.work]\nurl = '{KEY}'",
        f"[profiles.work]\nurl = 'https://x.example.com'\nkey_env = '{KEY} '",
        f"{KEY}",
    ],
)
def test_a_file_of_profiles_that_is_wrong_is_told_and_not_quoted(text: str, cli: Cli) -> None:
    """It may hold what it should not."""
    config_path().parent.mkdir()
    config_path().write_text(text)

    ran = cli("health")
    assert ran.code == 2
    assert str(config_path()) in ran.err
    assert KEY not in ran.err
    assert config_path().read_text() == text


def test_a_file_of_profiles_that_cannot_be_written_is_a_clear_error(cli: Cli) -> None:
    """A file stands where its folder should be."""
    config_path().parent.write_text("")

    ran = cli("config", "set", "p", "--url", "https://x.example.com")
    assert ran.code in (1, 2)
    assert "config.toml cannot be" in ran.err


def test_an_unknown_profile_is_told_with_those_that_are_there(cli: Cli) -> None:
    """And how to make one."""
    cli("config", "set", "work", "--url", "https://x.example.com")

    with pytest.raises(ValidationError, match=r"no profile 'wrok' .*\(there: work\)"):
        place_of("@wrok")


def test_names_of_profiles_are_completed(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """As shells ask for it; a file that is wrong completes nothing and says nothing."""
    for name in ("work", "wiki", "notes"):
        cli("config", "set", name, "--url", "https://x.example.com")
    monkeypatch.setenv("_MEMSTACK_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "memstack health --profile w")
    monkeypatch.setenv("COMP_CWORD", "3")

    assert cli().out.split() == ["wiki", "work"]
    config_path().write_text("oops")
    ran = cli()
    assert (ran.out.split(), ran.err) == ([], "")


def test_the_list_shows_no_key(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where it is."""
    monkeypatch.setenv("MEMSTACK_API_KEY", KEY)
    cli("config", "set", "work", "--url", "https://x.example.com")

    shown = cli("config", "list").out + json.dumps(cli("config", "list", "--json").json)
    assert "MEMSTACK_API_KEY" in shown
    assert KEY not in shown
