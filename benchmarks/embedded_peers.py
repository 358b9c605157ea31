"""What the embedded MemStack is compared with: SQLite by itself, and chromadb."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from memstack.local.opening import open_file
from memstack.local.text import query_terms

from .texts import Text

# Not needed to work on the package, so the checks of types may not find them.
# mypy: disable-error-code="import-not-found"

TABLES = {"episodes": "seq", "episode_words": "rowid", "answers": "request"}
"""What a create writes to, and the order it does so in."""

Rows = dict[str, list[tuple[Any, ...]]]


def rows_of(path: str) -> Rows:
    """All rows of *path* that creates have written."""
    with closing(sqlite3.connect(path)) as connection:
        return {
            table: connection.execute(
                f"SELECT {'rowid, ' * (table == 'episode_words')}* FROM {table} ORDER BY {key}"
            ).fetchall()
            for table, key in TABLES.items()
        }


class BareSQLite:
    """The same tables in the file *path*, written and searched with plain SQL."""

    def __init__(self, path: str) -> None:
        open_file(path).close()
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA synchronous = NORMAL")

    def insert(self, rows: Rows) -> None:
        """Insert *rows* in one transaction."""
        self._connection.execute("BEGIN IMMEDIATE")
        for table, some in rows.items():
            if some:
                columns = "(rowid, name, content, context, dates)" * (table == "episode_words")
                values = ", ".join("?" * len(some[0]))
                self._connection.executemany(
                    f"INSERT INTO {table} {columns} VALUES ({values})", some
                )
        self._connection.execute("COMMIT")

    def search(self, question: str) -> list[tuple[int]]:
        """The row numbers of the best ten: all that FTS5 itself has to do."""
        return self._connection.execute(
            "SELECT rowid FROM episode_words WHERE episode_words MATCH ? "
            "ORDER BY bm25(episode_words, 2.0, 1.0, 0.3, 0.2) LIMIT 10",
            (" OR ".join(query_terms(question)),),
        ).fetchall()

    def close(self) -> None:
        self._connection.close()


class Chroma:
    """A collection of chromadb in the folder *path*, with its defaults but for two.

    Its telemetry is off, and as its own model would be downloaded, a text becomes as many numbers
    as that model gives by hashing its words: this costs next to nothing.
    """

    def __init__(self, path: Path) -> None:
        import chromadb
        from chromadb.config import Settings

        settings = Settings(anonymized_telemetry=False)
        self._client = chromadb.PersistentClient(str(path), settings=settings)
        self._collection = self._client.create_collection("episodes", embedding_function=None)

    def insert(self, first: int, texts: Sequence[Text]) -> None:
        """Add *texts* in one call, under numbers from *first* on."""
        self._collection.add(
            ids=[str(first + i) for i in range(len(texts))],
            documents=[text.content for text in texts],
            metadatas=[{"name": text.name, "group_id": text.group_id} for text in texts],
            embeddings=[_embedded(text.content) for text in texts],
        )

    def search(self, question: str) -> Any:
        """The best ten."""
        return self._collection.query(query_embeddings=[_embedded(question)], n_results=10)

    def close(self) -> None:
        self._client.close()


def _embedded(text: str, numbers: int = 384) -> Any:
    import numpy

    vector = numpy.zeros(numbers, numpy.float32)
    for word in text.lower().split():
        digest = zlib.crc32(word.encode())
        vector[digest % numbers] += 1 if digest >> 31 else -1
    return vector / max(1.0, float(numpy.linalg.norm(vector)))
