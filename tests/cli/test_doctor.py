"""`memstack doctor` finds what is wrong, and says what to do."""

from __future__ import annotations

import json
import sqlite3
import ssl
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from memstack import operations
from memstack._wire import WireRequest, WireResponse
from memstack.cli.spec import every_operation
from memstack.local.schema import SCHEMA_VERSION
from memstack.testing import MemStackServer
from memstack.testing.loopback import listening
from memstack.testing.stage import Played

from ..served import Served
from .conftest import Cli, Ran

KEY = "ms_sk_a_secret_of_the_tests"
needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="modes are of POSIX")


def verdicts(ran: Ran) -> dict[str, str]:
    """The verdict of each check."""
    checks = ran.json["checks"]
    assert ran.json["ok"] == (ran.code == 0)
    assert all(check["todo"] for check in checks if check["verdict"] in ("warn", "fail"))
    return {check["name"]: check["verdict"] for check in checks}


def test_a_good_file_passes_all(notes: str, cli: Cli) -> None:
    """And is not changed."""
    before = Path(notes).read_bytes()
    found = verdicts(cli("doctor", "--local", notes, "--json"))

    assert found == dict.fromkeys(
        "settings file permission disk integrity schema search_index content".split(),
        "ok",
    )
    assert Path(notes).read_bytes() == before


@needs_posix
def test_a_file_that_others_may_read_is_told(notes: str, cli: Cli) -> None:
    """With the command that mends it; it is no failure."""
    Path(notes).chmod(0o644)
    ran = cli("doctor", "--local", notes)

    assert ran.code == 0
    assert "warn  permission" in ran.out
    assert f"chmod 600 {notes}" in ran.out


def test_a_damaged_file_is_told_and_not_touched(notes: str, cli: Cli) -> None:
    """In its middle, and as a whole."""
    content = bytearray(Path(notes).read_bytes())
    content[8192:12288] = b"\xff" * 4096
    Path(notes).write_bytes(content)
    Path("none.db").write_bytes(b"no database at all, " * 100)

    assert verdicts(cli("doctor", "--local", notes, "--json"))["integrity"] == "fail"
    assert Path(notes).read_bytes() == content
    assert verdicts(cli("doctor", "--local", "none.db", "--json"))["integrity"] == "fail"


@pytest.mark.parametrize(("version", "verdict"), [(SCHEMA_VERSION + 1, "fail"), (1, "warn")])
def test_a_file_of_another_version_is_told(
    version: int, verdict: str, notes: str, cli: Cli
) -> None:
    """And stays of that version."""
    with closing(sqlite3.connect(notes)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")

    assert verdicts(cli("doctor", "--local", notes, "--json"))["schema"] == verdict
    with closing(sqlite3.connect(notes)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (version,)


def test_a_file_that_is_missing_or_empty_is_told(cli: Cli) -> None:
    """And not made."""
    Path("empty.db").touch()

    assert verdicts(cli("doctor", "--local", "no.db", "--json"))["file"] == "fail"
    assert verdicts(cli("doctor", "--local", "empty.db", "--json"))["file"] == "warn"
    assert not Path("no.db").exists()


def test_a_file_on_a_full_disk_is_told(
    notes: str, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before SQLite fails on it."""
    import shutil

    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))

    assert verdicts(cli("doctor", "--local", notes, "--json"))["disk"] == "warn"


def test_a_good_server_passes_all(
    served: Served, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its key is masked."""
    for name, value in served.environment.items():
        monkeypatch.setenv(name, value)
    ran = cli("doctor", "--json")

    assert verdicts(ran) == dict.fromkeys(
        "settings key URL name connection health clock authorization server API".split(),
        "ok",
    )
    assert "ms_sk_***" in ran.out
    assert served.api_key not in ran.out


@pytest.mark.parametrize(
    ("key", "url", "name"),
    [
        ("", "", "key"),
        ("oops", "", "key"),
        (KEY, "", "authorization"),
        (KEY, "http://localhost:1", "connection"),
        (KEY, "http://nowhere.invalid", "name"),
    ],
)
def test_the_check_that_fails_is_told(
    key: str, url: str, name: str, served: Served, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 1; a key is not quoted, though it is none."""
    for variable, value in served.environment.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("MEMSTACK_API_KEY", key)
    if url:
        monkeypatch.setenv("MEMSTACK_BASE_URL", url)
    ran = cli("doctor", "--json")

    assert ran.code == 1
    assert [check for check, verdict in verdicts(ran).items() if verdict == "fail"] == [name]
    assert not key or key not in ran.out + ran.err


Paths = dict[str, Any]


@contextmanager
def a_server(
    monkeypatch: pytest.MonkeyPatch,
    *,
    health: Paths,
    date: str | None = None,
    api: WireResponse | None = None,
) -> Iterator[None]:
    """A server on loopback that is made up."""

    def play(request: WireRequest) -> Played:
        path = request.target.partition("?")[0]
        if path == "/openapi.json":
            return Played(api or WireResponse(404, {}, b"{}", False))
        body: Paths = health if path == "/health" else {"episodes": [], "total": 0}
        headers = {"content-type": "application/json", **({"date": date} if date else {})}
        return Played(WireResponse(200, headers, json.dumps(body).encode(), False))

    with listening(play) as url:
        monkeypatch.setenv("MEMSTACK_BASE_URL", url)
        monkeypatch.setenv("MEMSTACK_API_KEY", KEY)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield


def test_what_an_older_server_cannot_do_is_told(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its generation; that it shows no API is no fault."""
    with a_server(monkeypatch, health={"status": "ok", "version": "0.2.1"}):
        ran = cli("doctor", "--json")

    assert (verdicts(ran)["server"], verdicts(ran)["API"]) == ("warn", "skip")
    assert "generation v0.2" in ran.out
    assert "create_memo answers 500" in ran.out


def test_what_the_document_of_a_server_lacks_is_told(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operation at its alternative path is there."""
    paths: Paths = {"/api/v1/health": {"get": {}}, "/api/v1/memory/search": {"post": {}}}
    document = WireResponse(200, {}, json.dumps({"paths": paths}).encode(), False)
    with a_server(monkeypatch, health={"status": "ok"}, api=document):
        checks = cli("doctor", "--json").json["checks"]

    (api,) = (check for check in checks if check["name"] == "API")
    assert api["verdict"] == "warn"
    assert "lacks create_episode, list_episodes" in api["found"]
    assert "health" not in api["found"]
    assert "search" not in api["found"]


def test_a_document_that_is_none_is_no_failure(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server may keep it to itself."""
    for body in (b"{}", b"[]", b"<html>"):
        document = WireResponse(200, {}, body, False)
        with a_server(monkeypatch, health={"status": "ok"}, api=document):
            assert verdicts(cli("doctor", "--json"))["API"] == "skip"


@pytest.mark.parametrize(
    ("date", "verdict"),
    [("Fri, 01 May 2020 09:30:00 GMT", "warn"), ("yesterday", "skip")],
)
def test_a_clock_that_is_wrong_is_told(
    date: str, verdict: str, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the server, or of this machine."""
    from memstack.testing import loopback

    monkeypatch.setattr(loopback._Handler, "date_time_string", lambda *_: date)
    with a_server(monkeypatch, health={"status": "ok"}):
        assert verdicts(cli("doctor", "--json"))["clock"] == verdict


def test_every_operation_is_looked_for() -> None:
    """Also one that is added later."""
    assert {operation.id for operation in every_operation()} == {
        name for name in operations.__all__ if name != "Operation"
    }


def test_a_certificate_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trusted, not trusted, and of another host."""
    import socket
    import threading

    from memstack.cli.server_checks import _certificate

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))

    def checked(host: str) -> tuple[str, str]:
        ours, theirs = socket.socketpair()

        def answer() -> None:
            try:
                context.wrap_socket(theirs, server_side=True).close()
            except OSError:
                theirs.close()

        thread = threading.Thread(target=answer)
        thread.start()
        with closing(ours):
            check = _certificate(ours, host)
        thread.join()
        return check.verdict, check.found

    assert checked("localhost")[0] == "fail"
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    verdict, found = checked("localhost")
    assert (verdict, found.startswith("TLSv1.3, good for ")) == ("ok", True)
    assert checked("example.com")[0] == "fail"


def test_a_failing_server_is_told_with_the_request(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that who runs it can look for that."""
    with MemStackServer() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        server.next(500, times=None)
        ran = cli("doctor")

    assert ran.code == 1
    assert "FAIL  health: 500" in ran.out
    assert "-> tell who runs the server; the request was " in ran.out
