"""Files that an older version wrote."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from memstack.local import EmbeddedServer, Embedder, schema, stats

from ..toy_embedder import meanings
from .local import EPISODES, SEARCH, made

_EPISODE = """
    INSERT INTO episodes (seq, id, name, content, source_type, group_id, created_at, valid_at)
    VALUES (?, ?, 'note', ?, 'text', 'g', '2026-05-03T10:00:00.000000Z',
        '2026-05-03T10:00:00.000000Z')
"""


def _of_version(version: int, path: Path) -> None:
    """A file with the words that version 1 knew of two episodes."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for statements in schema._MIGRATIONS[:version]:
            for statement in statements:
                connection.execute(statement)
        connection.execute("INSERT INTO settings VALUES ('user_id', 'u'), ('secret', x'00')")
        connection.execute(_EPISODE, (1, "a", "Łódź 🎂"))
        connection.execute(_EPISODE, (2, "b", "zeppelin"))
        connection.executemany(
            "INSERT INTO episode_words (rowid, name, content, context, dates) "
            "VALUES (?, ?, ?, ?, ?)",
            [(1, "note", "łódź", "zeppelin", "2026 may"), (2, "note", "zeppelin", "łódź", "2026")],
        )
        connection.execute("PRAGMA application_id = 1298492755")
        connection.execute(f"PRAGMA user_version = {version}")


def test_file_of_version_1_is_found_by_the_words_of_today(tmp_path: Path) -> None:
    """Its index is written anew when it is opened, once."""
    _of_version(1, tmp_path / "m.db")

    for _ in range(2):
        with EmbeddedServer(tmp_path / "m.db") as server:
            for query in ("lodz", "🎂", "3 May"):
                results = made(server, SEARCH, {"query": query})["results"]
                assert {result["id"] for result in results} == {"a", "b"}, query
                assert query == "3 May" or results[0]["id"] == "a"

    with closing(sqlite3.connect(tmp_path / "m.db")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (schema.SCHEMA_VERSION,)
        assert connection.execute("SELECT count(*) FROM episode_words").fetchone() == (2,)


def test_file_of_version_2_gets_vectors_and_keeps_its_index(tmp_path: Path) -> None:
    """To index a large file anew takes minutes, and its words are those of today."""
    _of_version(2, tmp_path / "m.db")
    toy = Embedder(meanings, "toy")

    with EmbeddedServer(tmp_path / "m.db") as server:
        assert made(server, SEARCH, {"query": "lodz"})["results"] == []
        assert made(server, SEARCH, {"query": "zeppelin"})["total"] == 2
    with EmbeddedServer(tmp_path / "m.db", embedder=toy) as server:
        made(server, EPISODES, {"name": "n", "content": "kitten"})
        assert made(server, SEARCH, {"query": "feline"})["total"] == 1

    assert (stats(tmp_path / "m.db").schema_version, stats(tmp_path / "m.db").vectors) == (3, 3)
