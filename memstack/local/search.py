"""Decides which episodes answer a question, and in which order."""

from __future__ import annotations

import json
import math
import sqlite3
from typing import Any

from memstack.local import filters
from memstack.local.answers import Answer
from memstack.local.highlights import highlights
from memstack.local.text import query_terms
from memstack.models import MemoryQuery

__all__ = ["search"]

# Of name, content, context, dates; what stands in the episode itself counts most.
_WEIGHTS = "2.0, 1.0, 0.5, 0.2"

_FACTS = (
    "name",
    "source_type",
    "source_description",
    "group_id",
    "project_id",
    "tenant_id",
    "user_id",
    "created_at",
    "valid_at",
)


def search(connection: sqlite3.Connection, query: MemoryQuery) -> Answer:
    """The episodes that share a word with *query*, best first, the newer of two equals first."""
    where, values = filters.conditions(query)
    filters.install(connection)
    weights = _term_weights(connection, query_terms(query.query))
    rows = _best(connection, weights, where, {**values, "limit": query.limit}) if weights else []
    reasons = highlights(connection, weights, [row["seq"] for row in rows]) if rows else {}
    results = [_result(row, reasons[row["seq"]]) for row in rows]
    return Answer(200, {"results": results, "total": len(results), "query": query.query})


def _term_weights(connection: sqlite3.Connection, terms: dict[str, float]) -> dict[str, float]:
    """What the bm25 of each term that occurs is to be multiplied by.

    SQLite takes a term that stands in half of all rows for worthless (an inverse document
    frequency of 0.000001). In a memory of a dozen episodes that is the subject of the talk, so
    its frequency is replaced by the one that Lucene uses, which is never zero.
    https://www.sqlite.org/fts5.html#the_bm25_function
    """
    (rows,) = connection.execute("SELECT count(*) FROM episodes").fetchone()
    weights = {}
    for term, share in terms.items():
        (hits,) = connection.execute(
            "SELECT count(*) FROM episode_words WHERE episode_words MATCH ?", (term,)
        ).fetchone()
        if hits:
            odds = (rows - hits + 0.5) / (hits + 0.5)
            weights[term] = share * math.log1p(odds) / max(math.log(odds), 1e-6)
    return weights


def _best(
    connection: sqlite3.Connection, weights: dict[str, float], where: str, values: dict[str, Any]
) -> list[sqlite3.Row]:
    values = dict(values)
    parts = []
    for i, (term, weight) in enumerate(weights.items()):
        parts.append(
            f"SELECT rowid, -bm25(episode_words, {_WEIGHTS}) * :weight_{i} "
            f"FROM episode_words WHERE episode_words MATCH :term_{i}"
        )
        values |= {f"term_{i}": term, f"weight_{i}": weight}
    # LIMIT -1 limits nothing, but keeps SQLite from merging the two queries, and bm25 works only
    # in one that reads episode_words alone. https://www.sqlite.org/optoverview.html#flattening
    # Rounded, so that two equal episodes do not differ by the order their terms were added in.
    return connection.execute(
        f"""
        WITH hits (hit, gain) AS ({" UNION ALL ".join(parts)} LIMIT -1),
        sums (found, relevance) AS (SELECT hit, round(sum(gain), 9) FROM hits GROUP BY hit)
        SELECT episodes.*, relevance FROM sums JOIN episodes ON seq = found
        WHERE {where}
        ORDER BY relevance DESC, valid_at DESC, seq DESC
        LIMIT :limit
        """,
        values,
    ).fetchall()


def _result(row: sqlite3.Row, reasons: list[dict[str, Any]]) -> dict[str, Any]:
    facts = {name: row[name] for name in _FACTS if row[name] is not None}
    own = json.loads(row["metadata"]) if row["metadata"] is not None else {}
    return {
        "id": row["id"],
        "content": row["content"],
        "score": row["relevance"] / (1 + row["relevance"]),
        "type": "episode",
        "metadata": {**own, **facts, "highlights": reasons},
    }
