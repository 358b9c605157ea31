"""Decides which episodes answer a question, and in which order.

Three steps: how much each term of the question tells; the candidates, which FTS5 itself ranks; and
the score of each candidate. To score a row costs far more than to see that it matches, so what
cannot be among the best is not scored.

With vectors, what is nearest to the question is a candidate too, and how near each is adds to its
score. The best by words counts 1 and the nearest counts `_MEANING`, so whatever shares no word
comes after all that come within that share of the best by words.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

from memstack.local import filters, index, vectors
from memstack.local.answers import Answer
from memstack.local.filters import Conditions
from memstack.local.highlights import highlights
from memstack.local.text import query_terms
from memstack.local.vectors import Asked
from memstack.models import MemoryQuery

__all__ = ["search"]

# Of name, content, context, dates; what stands in the episode itself counts most.
_BM25 = "bm25(episode_words, 2.0, 1.0, 0.5, 0.2)"

_MOST = 2.2
"""What bm25 comes to at most, over the inverse document frequency: k1 + 1, and FTS5's k1 is 1.2."""

_SPARE = 500
"""Candidates beyond the results wanted, as FTS5 does not rank quite as `_scores` does: all of a
small memory, and of a large one so many that 99 of 100 results are the same as without a bound."""

_ALIKE = 0.02
"""A difference of two weights that no order depends on."""

_MEANING = 0.4
"""What being the nearest counts, of what being the best by words does. Of those that were tried,
0.1 to 0.5, the one that ranks best on the tuning part of tests/retrieval with two models; between
them all, three of a hundred answers come first or do not."""

_DEEPER = 100
"""Results beyond those wanted that words and vectors give each, before both are counted."""

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


@dataclass(frozen=True)
class _Term:
    """A term of the question that occurs."""

    text: str
    """As FTS5 takes it."""
    telling: float
    """Its inverse document frequency, times what it counts in the question."""
    given: float
    """The inverse document frequency that FTS5 takes."""


class _Candidates(NamedTuple):
    """Episodes that may be among the best."""

    scores: dict[int, float]
    """By `seq`, what FTS5 gives them."""
    missing: dict[str, float]
    """The terms that this does not do justice to, and how much of their bm25 is missing in it."""


def search(
    connection: sqlite3.Connection, query: MemoryQuery, asked: Asked | None = None
) -> Answer:
    """The episodes that share a word with *query*, best first, the newer of two equals first.

    Where it is *asked* by its meaning too, also those that are near to it.
    """
    within = filters.conditions(query)
    filters.install(connection)
    terms = _terms(connection, query_terms(query.query))
    if asked is None:
        scores = _scores(connection, _candidates(connection, terms, query.limit, within))
    else:
        scores = _fused(connection, terms, query.limit, within, asked)
    if not scores:
        return Answer(200, {"results": [], "total": 0, "query": query.query})
    rows = _best(connection, scores, query.limit)
    reasons = highlights(connection, [term.text for term in terms], [row["seq"] for row in rows])
    results = [_result(row, scores[row["seq"]], reasons.get(row["seq"], [])) for row in rows]
    return Answer(200, {"results": results, "total": len(results), "query": query.query})


def _terms(connection: sqlite3.Connection, texts: dict[str, float]) -> list[_Term]:
    """The terms that occur, the most telling first.

    SQLite takes a term that stands in half of all rows for worthless (an inverse document
    frequency of 0.000001). In a memory of a dozen episodes that is the subject of the talk, so
    its frequency is replaced by the one that Lucene uses, which is never zero.
    https://www.sqlite.org/fts5.html#the_bm25_function
    """
    rows = index.size(connection)
    terms = []
    for text, share in texts.items():
        (hits,) = connection.execute(
            "SELECT count(*) FROM episode_words WHERE episode_words MATCH ?", (text,)
        ).fetchone()
        if hits:
            odds = (rows - hits + 0.5) / (hits + 0.5)
            telling = share * math.log1p(odds)
            terms.append(_Term(text, telling, max(math.log(odds), 1e-6)))
    return sorted(terms, key=lambda term: -term.telling)


def _candidates(
    connection: sqlite3.Connection, terms: list[_Term], limit: int, within: Conditions
) -> _Candidates:
    """The episodes that may be among the best *limit*.

    Looks for the most telling terms first. Where these find enough that scores more than the
    other terms could ever give, no episode without one of them can be among the best.
    """
    for count in range(1, len(terms)):
        others = _MOST * sum(term.telling for term in terms[count:])
        # Not tried where it would hardly succeed.
        if sum(term.telling for term in terms[:count]) >= others:
            found = _ranked(connection, terms[:count], limit, within)
            excess = _MOST * sum(max(0.0, term.given - term.telling) for term in terms[:count])
            if len(found) >= limit and found[limit - 1][1] - excess >= others:
                return _within_reach(found, limit, terms, count)
            break
    found = _ranked(connection, terms, limit, within) if terms else []
    return _within_reach(found, limit, terms, len(terms))


def _within_reach(
    found: list[tuple[int, float]], limit: int, terms: list[_Term], count: int
) -> _Candidates:
    """Those of *found*, by the first *count* of *terms*, that what is missing could bring up."""
    missing = {term.text: term.telling / term.given for term in terms[count:]}
    reach = _MOST * sum(term.telling for term in terms[count:])
    for term in terms[:count]:
        share = term.telling / term.given - 1  # below 0 where FTS5 gives too much
        if abs(share) > _ALIKE:
            missing[term.text] = share
            reach += _MOST * abs(term.telling - term.given)
    least = found[limit - 1][1] - reach if len(found) > limit else 0.0
    return _Candidates(
        {seq: score for seq, score in found if score >= least},
        missing,
    )


def _ranked(
    connection: sqlite3.Connection,
    terms: list[_Term],
    limit: int,
    within: Conditions,
) -> list[tuple[int, float]]:
    """`seq` and bm25 of the best with any of *terms*, best first; more than *limit*."""
    table, where = "episode_words", "episode_words MATCH :terms"
    if within.sql:
        # CROSS: the index must lead, whatever SQLite thinks that the conditions are worth.
        table += " CROSS JOIN episodes ON seq = episode_words.rowid"
        where += f" AND {within.sql}"
    return connection.execute(
        f"""
        SELECT episode_words.rowid, -{_BM25} FROM {table} WHERE {where}
        ORDER BY 2 DESC, 1 DESC LIMIT :candidates
        """,
        {
            **within.values,
            "terms": " OR ".join(term.text for term in terms),
            "candidates": _SPARE + 5 * limit,
        },
    ).fetchall()


def _scores(connection: sqlite3.Connection, candidates: _Candidates) -> dict[int, float]:
    """How relevant each of *candidates* is, by its `seq`."""
    scores = dict(candidates.scores)
    # The plus keeps FTS5 from being asked anew for each row; bm25 is worked out for these alone.
    query = f"""
        SELECT rowid, -{_BM25} FROM episode_words
        WHERE episode_words MATCH ? AND +rowid IN ({", ".join(map(str, scores))})
    """
    for term, share in candidates.missing.items():
        for seq, gain in connection.execute(query, (term,)):
            scores[seq] += gain * share
    # So that two equal episodes do not differ by the order their terms were added in.
    return {seq: round(score, 9) for seq, score in scores.items()}


def _fused(
    connection: sqlite3.Connection,
    terms: list[_Term],
    limit: int,
    within: Conditions,
    asked: Asked,
) -> dict[int, float]:
    """How relevant episodes are by their words and by how near they are, by `seq`."""
    depth = limit + _DEEPER
    words = _scores(connection, _candidates(connection, terms, depth, within))
    near = vectors.nearest(connection, asked, within, depth, words.keys())
    if not near:
        return words
    words |= _scores(connection, _of(connection, terms, near.keys() - words.keys()))
    best = max(words.values(), default=0.0) or 1.0
    return {
        seq: round(words.get(seq, 0.0) / best + _MEANING * near.get(seq, 0.0), 9)
        for seq in words.keys() | near.keys()
    }


def _of(connection: sqlite3.Connection, terms: list[_Term], seqs: Collection[int]) -> _Candidates:
    """Those of *seqs* that have any of *terms*."""
    found = (
        connection.execute(
            f"SELECT rowid, -{_BM25} FROM episode_words "
            "WHERE episode_words MATCH ? AND +rowid IN (SELECT value FROM json_each(?))",
            (" OR ".join(term.text for term in terms), json.dumps(list(seqs))),
        ).fetchall()
        if terms
        else []
    )
    return _within_reach(found, len(found), terms, len(terms))


def _best(
    connection: sqlite3.Connection, scores: dict[int, float], limit: int
) -> list[sqlite3.Row]:
    """The rows of the best *limit*, best first, the newer of two equals first."""
    least = sorted(scores.values(), reverse=True)[:limit][-1:]
    found = [seq for seq, score in scores.items() if score >= least[0]]
    query = """
        SELECT seq, valid_at FROM episodes WHERE seq IN (SELECT value FROM json_each(?))
    """
    order = sorted(
        connection.execute(query, (json.dumps(found),)),
        key=lambda row: (scores[row["seq"]], row["valid_at"], row["seq"]),
        reverse=True,
    )
    return [
        connection.execute("SELECT * FROM episodes WHERE seq = ?", (row["seq"],)).fetchone()
        for row in order[:limit]
    ]


def _result(row: sqlite3.Row, relevance: float, reasons: list[dict[str, Any]]) -> dict[str, Any]:
    facts = {name: row[name] for name in _FACTS if row[name] is not None}
    own = json.loads(row["metadata"]) if row["metadata"] is not None else {}
    return {
        "id": row["id"],
        "content": row["content"],
        "score": relevance / (1 + relevance),
        "type": "episode",
        "metadata": {**own, **facts, "highlights": reasons},
    }
