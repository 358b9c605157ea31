"""What a ledger takes for its own, and what it keeps."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from memstack import MemStackClient, MemStackError, ValidationError
from memstack.ingest import IngestError
from memstack.ingest.ledger import Doubt, Ledger

from .conftest import Stage, episodes


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.sqlite"


def test_remembers_what_is_stored_and_what_is_in_doubt(path: Path) -> None:
    ledger = Ledger(path, "https://a")
    fields = frozenset({"group_id", "metadata"})
    sending = [(b"%d" % n, Doubt(b"s", fields, 4.0 + n)) for n in (1, 2, 3)]
    ledger.write(sending=[*sending, (b"4", Doubt(b"s", frozenset(), 8.0))])
    ledger.write(
        stored=[(b"1", "id 1")], dropped=[b"2"], sending=[(b"3", Doubt(b"s", fields, 9.0))]
    )
    ledger.close()

    again = Ledger(path, "https://a")
    assert again.look_up([b"1", b"2", b"3"]) == {b"1": "id 1"}
    assert again.doubts() == {b"3": Doubt(b"s", fields, 7.0), b"4": Doubt(b"s", frozenset(), 8.0)}
    assert again.digests_of({"id 1", "id 9"}) == {"id 1": b"1"}
    again.close()


@pytest.mark.parametrize("is_kept", [True, False])
def test_an_interrupted_write_is_none_and_the_next_one_works(is_kept: bool, path: Path) -> None:
    """Ctrl-C may come at any time; the run then notes down how what was on its way ended."""

    def interrupted() -> Iterator[tuple[bytes, Doubt]]:
        raise KeyboardInterrupt
        yield

    ledger = Ledger(path if is_kept else None, "https://a")
    with pytest.raises(KeyboardInterrupt):
        ledger.write(stored=[(b"1", "id 1")], sending=interrupted())
    ledger.write(stored=[(b"2", "id 2")])

    assert ledger.look_up([b"1", b"2"]) == {b"2": "id 2"}
    ledger.close()


def test_an_interrupt_between_begin_and_write_leaves_nothing_begun(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal is handled when a call returns, so also when BEGIN does."""
    ledger = Ledger(path, "https://a")
    database = ledger._db

    class Interrupted:
        in_transaction = property(lambda _: database.in_transaction)

        def execute(self, sql: str) -> None:
            database.execute(sql)
            if sql.startswith("BEGIN"):
                raise KeyboardInterrupt

    monkeypatch.setattr(ledger, "_db", Interrupted())
    with pytest.raises(KeyboardInterrupt):
        ledger.write(stored=[(b"1", "id 1")])
    monkeypatch.setattr(ledger, "_db", database)
    ledger.write(stored=[(b"2", "id 2")])

    assert ledger.look_up([b"1", b"2"]) == {b"2": "id 2"}
    ledger.close()


def _text(path: Path) -> None:
    path.write_text("not a database at all\n" * 100, "utf-8")


def _other(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE mine (x)")
    db.close()


def _memstack(path: Path) -> None:
    MemStackClient.local(path).close()


def _newer(path: Path) -> None:
    Ledger(path, "https://a").close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 2")
    db.close()


@pytest.mark.parametrize(
    ("make", "kind", "said"),
    [
        (_text, ValidationError, "is no ledger; it was not touched"),
        (_other, ValidationError, "is a database of another kind; it was not touched"),
        (_memstack, ValidationError, "is a database of another kind; it was not touched"),
        (_newer, MemStackError, "has version 2, and this memstack-sdk knows 1; upgrade it"),
        (Path.mkdir, ValidationError, "is a folder"),
        (lambda path: Ledger(path, "https://b").close(), ValidationError, "is about https://b"),
    ],
)
def test_another_file_is_refused_and_stays_as_it_was(
    path: Path, make: Callable[[Path], None], kind: type[Exception], said: str
) -> None:
    make(path)
    before = path.read_bytes() if path.is_file() else b""

    with pytest.raises(kind, match=said):
        Ledger(path, "https://a")

    assert not path.is_file() or path.read_bytes() == before


def test_one_that_is_in_use_is_refused_at_once(path: Path) -> None:
    ledger = Ledger(path, "https://a")

    with pytest.raises(MemStackError, match="is in use by another run"):
        Ledger(path, "https://a")

    ledger.close()
    Ledger(path, "https://a").close()


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="cannot be opened"):
        Ledger(tmp_path / "nowhere" / "run.sqlite", "https://a")


def test_it_holds_no_content_and_no_key(stage: Stage, path: Path) -> None:
    """Whoever reads it learns hashes, ids and where the server is."""
    items = episodes(20, metadata={"who": "canary-metadata"})

    stage.client().ingest(items, ledger=path)

    held = path.read_bytes()
    for secret in (b"content", b"canary", stage.server.owner_key.encode()):
        assert secret not in held
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_is_about_one_memstack(path: Path, tmp_path: Path) -> None:
    """An embedded one is told by the file that it is in, however that is called."""
    one, other = tmp_path / "one.db", tmp_path / "other.db"
    with MemStackClient.local(one) as client:
        client.ingest(episodes(1), ledger=path)
    (tmp_path / "sub").mkdir()
    with MemStackClient.local(tmp_path / "sub" / ".." / "one.db") as client:
        assert client.ingest(episodes(1), ledger=path).duplicate == 1
    with (
        MemStackClient.local(other) as client,
        pytest.raises(ValidationError, match=r"is about local:.*one\.db, not about local:.*other"),
    ):
        client.ingest(episodes(1), ledger=path)


def test_a_ledger_that_cannot_be_written_any_more_ends_the_run(
    stage: Stage, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the report; the same call goes on when there is room again."""
    write = Ledger.write

    def full(self: Ledger, **what: object) -> None:
        if what["stored"]:
            with self._explained():
                raise sqlite3.OperationalError("database or disk is full")
        write(self, **what)  # type: ignore[arg-type]

    stage.knows("unknown")
    client = stage.client()
    monkeypatch.setattr(Ledger, "write", full)
    with pytest.raises(IngestError, match="free some space") as caught:
        client.ingest(episodes(400), ledger=path)
    monkeypatch.setattr(Ledger, "write", write)

    assert caught.value.report is not None
    assert client.ingest(episodes(400), ledger=path).is_whole
    assert len(stage.stored()) == 400


def test_an_interrupt_amid_a_write_leaves_it_usable(path: Path) -> None:
    """Just after the transaction began, where Ctrl-C comes between two lines."""
    ledger = Ledger(path, "https://a")
    database = ledger._db

    class Interrupted:
        in_transaction = True

        def execute(self, statement: str) -> None:
            database.execute(statement)
            if statement.startswith("BEGIN"):
                raise KeyboardInterrupt

    ledger._db = Interrupted()  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        ledger.write(dropped=[b"1"])
    ledger._db = database
    ledger.write(stored=[(b"1", "id 1")])

    assert ledger.look_up([b"1"]) == {b"1": "id 1"}
    ledger.close()
