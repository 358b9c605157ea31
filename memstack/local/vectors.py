"""Decides how vectors of episodes are kept, and which episodes are near a question; makes none.

Rules:
- All vectors of a file are of one model and one length, which stand in its settings; whoever comes
  with others is refused, within the same transaction.
- Episodes get their vectors in the order of `seq`, so those that have none yet are the newest.
- A vector is kept with length 1, as float32, little-endian: the product of two is their cosine.
  One of zeros, of a text that a model can make nothing of, is near to nothing.
"""

from __future__ import annotations

import heapq
import math
import sqlite3
import sys
from array import array
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from importlib import import_module
from operator import mul
from typing import Any, NamedTuple

from memstack.exceptions import ValidationError
from memstack.local.filters import Conditions

__all__ = ["Asked", "Kept", "forget", "kept", "nearest", "newest", "pending", "put", "require"]

_AT_ONCE = 1000
"""Vectors that are read into memory while all are compared."""


_LEAST = 1e-6
"""How near is near at all; less is what rounding makes of the average."""


class Kept(NamedTuple):
    """What the vectors of a file are."""

    model: str
    numbers: int
    """In each."""
    rows: int


class Asked(NamedTuple):
    """A question, as its model sees it."""

    model: str
    vector: array[float]


class Text(NamedTuple):
    """An episode without a vector, and what its vector is made of."""

    seq: int
    text: str


def kept(connection: sqlite3.Connection) -> Kept | None:
    """What vectors there are; None without any."""
    (count,) = connection.execute("SELECT count(*) FROM episode_vectors").fetchone()
    return Kept(*_settings(connection), count) if count else None


def require(connection: sqlite3.Connection, model: str, numbers: int | None = None) -> int | None:
    """How many numbers a vector has; None where there are none yet, and any will do.

    Raises:
        ValidationError: The vectors are of another model, or not of *numbers* numbers.
    """
    if connection.execute("SELECT 1 FROM episode_vectors LIMIT 1").fetchone() is None:
        return None
    stored, size = _settings(connection)
    if stored != model:
        told = f"embedding_model: the vectors here are of {stored!r}, not of {model!r}"
    elif numbers not in (None, size):
        told = f"embedder: the vectors here have {size} numbers, not {numbers}"
    else:
        return size
    raise ValidationError(
        f"{told}; give the model that made them, or drop them with "
        "memstack.local.forget_vectors(path), and the next search makes all anew"
    )


def _settings(connection: sqlite3.Connection) -> tuple[str, int]:
    query = "SELECT value FROM settings WHERE name = ?"
    (model,) = connection.execute(query, ("vector_model",)).fetchone()
    (numbers,) = connection.execute(query, ("vector_numbers",)).fetchone()
    return model, numbers


def newest(connection: sqlite3.Connection) -> int:
    """The `seq` of the newest episode; 0 without any."""
    (seq,) = connection.execute("SELECT coalesce(max(seq), 0) FROM episodes").fetchone()
    return int(seq)


def pending(connection: sqlite3.Connection, most: int) -> tuple[int, list[Text]]:
    """After which `seq` there are no vectors, and the oldest *most* episodes there."""
    (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM episode_vectors").fetchone()
    rows = connection.execute(
        "SELECT seq, name, content FROM episodes WHERE seq > ? ORDER BY seq LIMIT ?", (last, most)
    )
    return last, [Text(row["seq"], f"{row['name']}: {row['content']}") for row in rows]


def put(
    connection: sqlite3.Connection,
    model: str,
    last: int,
    made: Sequence[tuple[int, array[float]]],
) -> None:
    """Keep what was *made* of the episodes after *last*, by their `seq`.

    Nothing is kept where *last* is no longer the last that has one: another process was faster,
    or has dropped them. An episode that was deleted meanwhile is passed over.

    Raises:
        ValidationError: There are vectors of another model or length.
    """
    numbers = len(made[0][1])
    if require(connection, model, numbers) is None:
        connection.executemany(
            "INSERT OR REPLACE INTO settings VALUES (?, ?)",
            [("vector_model", model), ("vector_numbers", numbers)],
        )
    (now,) = connection.execute("SELECT coalesce(max(seq), 0) FROM episode_vectors").fetchone()
    if now == last:
        connection.executemany(
            "INSERT INTO episode_vectors SELECT seq, ? FROM episodes WHERE seq = ?",
            [(_swapped(vector).tobytes(), seq) for seq, vector in made],
        )


def forget(connection: sqlite3.Connection) -> int:
    """Delete all vectors, and what is known of them; how many there were."""
    count = connection.execute("DELETE FROM episode_vectors").rowcount
    connection.execute("DELETE FROM settings WHERE name IN ('vector_model', 'vector_numbers')")
    return count


def nearest(
    connection: sqlite3.Connection,
    asked: Asked,
    within: Conditions,
    most: int,
    also: Collection[int],
) -> dict[int, float]:
    """How near the *most* nearest of the episodes are that *within* lets through, by `seq`.

    Those of *also* are told of besides. The nearest has 1, and what is no nearer than all of
    them on average is left out: what cosines of two texts mean differs from model to model.

    Raises:
        ValidationError: The vectors are of another model than *asked*, or of another length.
    """
    if require(connection, asked.model, len(asked.vector)) is None:
        return {}
    query = "SELECT episode_vectors.seq, vector FROM episode_vectors"
    if within.sql:
        query += f" JOIN episodes ON episodes.seq = episode_vectors.seq WHERE {within.sql}"
    rows = connection.execute(query, within.values)
    cosines: dict[int, float] = {}
    while some := rows.fetchmany(_AT_ONCE):
        blobs = [row["vector"] for row in some]
        products = _products(blobs, asked.vector)
        cosines.update(zip((row["seq"] for row in some), products, strict=True))
    best = max(cosines.values(), default=0.0)
    if best <= 0:
        return {}
    mean = math.fsum(cosines.values()) / len(cosines)
    # Of vectors that are all alike, the mean is not quite what each of them is.
    spread = best - mean if best - mean > 1e-9 else best
    near = heapq.nlargest(most, ((cosine, seq) for seq, cosine in cosines.items()))
    found = {seq: cosine for cosine, seq in near}
    found |= {seq: cosines[seq] for seq in also if seq in cosines}
    floor = best - spread
    shares = {seq: (cosine - floor) / spread for seq, cosine in found.items()}
    return {seq: share for seq, share in shares.items() if share > _LEAST}


def _products(blobs: Iterable[bytes], vector: array[float]) -> list[float]:
    """The scalar products of *vector* with each, in double precision, so that all agree."""
    numpy = _numpy()
    if numpy is not None:
        rows = numpy.frombuffer(b"".join(blobs), "<f4").reshape(-1, len(vector))
        products: list[float] = (rows.astype(float) @ numpy.asarray(vector, float)).tolist()
        return products
    numbers = list(vector)
    return [sum(map(mul, _swapped(array("f", blob)), numbers)) for blob in blobs]


@cache
def _numpy() -> Any:
    """The module, if it is installed; imported only by whoever searches by meaning."""
    try:
        return import_module("numpy")
    except ImportError:
        return None


def _swapped(vector: array[float]) -> array[float]:
    """*vector* from or to little-endian."""
    if sys.byteorder == "big":
        vector = array("f", vector)
        vector.byteswap()
    return vector
