"""A model for tests: it knows a few words, and which of them mean the same."""

from __future__ import annotations

import re
from collections.abc import Callable

MEANINGS = [
    "cat kitten feline",
    "sofa couch settee",
    "car automobile vehicle",
    "doctor physician surgeon",
    "happy glad cheerful",
    "money cash funds",
]
_PLACES = {word: place for place, words in enumerate(MEANINGS) for word in words.split()}


def meanings(texts: list[str]) -> list[list[float]]:
    """How often each meaning is in each text; no text has another length of vector."""
    vectors = []
    for text in texts:
        vector = [0.0] * len(MEANINGS)
        for word in re.findall(r"\w+", text.lower()):
            if word in _PLACES:
                vector[_PLACES[word]] += 1
        vectors.append(vector)
    return vectors


class Recorder:
    """An embedder that keeps the texts of each call, and may do something in it."""

    def __init__(self, during: Callable[[], object] = lambda: None) -> None:
        self.calls: list[list[str]] = []
        self.during = during

    def __call__(self, texts: list[str]) -> list[list[float]]:
        self.calls.append(list(texts))
        self.during()
        return meanings(texts)
