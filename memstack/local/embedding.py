"""Decides when an embedder is called, and what of its answer is taken; what is kept is `vectors`'.

Rules:
- To store an episode never calls it: nothing that it does can lose or delay one. A search has the
  vectors made that are missing, then that of its question.
- It is called by one thread at a time, and never within a transaction: it may take long.
- What it gives is all taken, or nothing.
"""

from __future__ import annotations

import inspect
import math
import os
import threading
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from memstack.exceptions import MemStackError, ValidationError
from memstack.local import vectors
from memstack.local.database import Database
from memstack.local.vectors import Asked

__all__ = ["Embed", "Embedder", "Embedding"]

Embed = Callable[[list[str]], Iterable[Iterable[float]]]

_AT_ONCE = 100
"""Texts of one call: a model is faster with many, and what a call has made is kept."""


@dataclass(frozen=True)
class Embedder:
    """A model that makes vectors of texts.

    Args:
        texts: Takes a list of texts and gives as many vectors, all of one length: lists of
            numbers, or an array.
        model: What to call the model in the file; another one needs another name.
        questions: The same for questions, where the model tells them from texts.

    Raises:
        ValidationError: One of the functions is none, or the name is no text or empty.
    """

    texts: Embed
    model: str
    questions: Embed | None = None

    def __post_init__(self) -> None:
        for name, given in (("embedder", self.texts), ("query_embedder", self.questions)):
            if not callable(given) and (given is not None or name == "embedder"):
                raise ValidationError(
                    f"{name}: must be a function of a list of texts, not {type(given).__name__}"
                )
        if not isinstance(self.model, str) or not self.model:
            raise ValidationError(
                "embedding_model: must be the name of the embedder's model, which the file keeps "
                "so that vectors of two models are never mixed"
            )


class Embedding:
    """The vectors of *database*, made by *embedder* as searches need them.

    Raises:
        ValidationError: The vectors that are there are of another model.
    """

    def __init__(self, database: Database, embedder: Embedder) -> None:
        self._database = database
        self._embedder = embedder
        self._renew()
        with database.reading() as connection:
            vectors.require(connection, embedder.model)

    def of_question(self, text: str) -> Asked | None:
        """What the question *text* is to the model, once all episodes have their vectors.

        None where there are no episodes.

        Raises:
            ValidationError: The embedder gave what is no vectors, or the file has vectors of
                another model or length.
            MemStackError: The embedder raised an error, which is the cause of this one.
            Closed, Unusable: As of the database.
        """
        if self._pid != os.getpid():
            self._renew()
        model, questions = self._embedder.model, self._embedder.questions or self._embedder.texts
        with self._turn:
            self._complete()
            with self._database.reading() as connection:
                numbers = vectors.require(connection, model)
            if numbers is None:
                return None
            is_own = self._embedder.questions is not None
            name = "query_embedder" if is_own else "embedder"
            return Asked(model, _called(name, questions, [text], numbers)[0])

    def _renew(self) -> None:
        # A fork may have copied a lock that another thread held.
        self._pid = os.getpid()
        self._turn = threading.RLock()

    def _complete(self) -> None:
        """Have the vectors made that are missing now; those of a batch are kept together."""
        model = self._embedder.model
        until: int | None = None
        while True:
            with self._database.reading() as connection:
                numbers = vectors.require(connection, model)
                last, texts = vectors.pending(connection, _AT_ONCE)
                if until is None and texts:
                    until = vectors.newest(connection)
            if not texts or until is None or texts[0].seq > until:
                return
            made = _called("embedder", self._embedder.texts, [t.text for t in texts], numbers)
            rows = list(zip((text.seq for text in texts), made, strict=True))
            with self._database.writing() as connection:
                vectors.put(connection, model, last, rows)


def _called(name: str, embed: Embed, texts: list[str], numbers: int | None) -> list[array[float]]:
    """The vectors that *embed* gives for *texts*, each of length 1, or of zeros.

    Raises:
        ValidationError: They are not one of *numbers* numbers for each; of as many as the first
            has, if that is None.
        MemStackError: It raised an error.
    """
    try:
        given = embed(texts)
        rows = list(given) if isinstance(given, Iterable) else None
    except Exception as error:
        # Its message may quote a text, or hold a key.
        raise MemStackError(
            f"{name}: it raised {type(error).__name__}, so nothing was searched; nothing is lost, "
            "and a client without an embedder goes on searching by words"
        ) from error
    if inspect.iscoroutine(given):
        given.close()
        raise ValidationError(f"{name}: gives a coroutine; give a function that is not async")
    made = _floats(rows)
    if made is None:
        raise ValidationError(
            f"{name}: gives something else than a list of vectors, each a list of numbers"
        )
    if len(made) != len(texts):
        raise ValidationError(f"{name}: gives {len(made)} vectors for {len(texts)} texts")
    numbers = len(made[0]) if numbers is None else numbers
    if numbers == 0:
        raise ValidationError(f"{name}: gives vectors of no numbers")
    for vector in made:
        if len(vector) != numbers:
            raise ValidationError(
                f"{name}: gives a vector of {len(vector)} numbers where others have {numbers}; "
                "a file that has those of another model needs memstack.local.forget_vectors(path)"
            )
    return [_unit(name, vector) for vector in made]


def _floats(rows: list[Iterable[float]] | None) -> list[list[float]] | None:
    try:
        return None if rows is None else [[float(number) for number in row] for row in rows]
    except (TypeError, ValueError, OverflowError):
        return None


def _unit(name: str, vector: list[float]) -> array[float]:
    norm = math.hypot(*vector)
    if not math.isfinite(norm):
        raise ValidationError(f"{name}: gives a vector with NaN or an infinite number in it")
    return array("f", (number / norm for number in vector) if norm else vector)
