"""Which operation of openapi.yaml a recorded request belongs to, and where else it may be."""

from __future__ import annotations

import re

from tests.cassettes.files import Exchange, recorded
from tests.contract.spec import described, load_spec

UNRECORDED: frozenset[str] = frozenset()
"""Operations that no recorded server had; the tests that look for all of them pass over these."""

# Where a path that a generation has elsewhere was recorded as a 404.
_NO_ROUTE = {
    "v0.1": ("health", "health at root, no auth"),
    "v0.2": ("memos", "SDK path GET /api/v1/memos"),
}


def operation_of(method: str, path: str) -> str | None:
    """The id of the operation at *path*, with *method* if there is such a one; None for none.

    A slash too many or too few at the end, and a method that the path does not have, still belong
    to an operation: servers answer those with a redirect and a 405.
    """
    at_path = [
        operation
        for operation in described().values()
        if any(_pattern(p).fullmatch(path) for p in (operation.path, _alternative(operation.path)))
    ]
    best = [operation for operation in at_path if operation.method == method] or at_path
    return best[0].id if best else None


def asked_before(exchange: Exchange) -> list[Exchange]:
    """What a client of *exchange* gets first: the 404 of the path that openapi.yaml has.

    Nothing where that is the path. Routes are looked at before queries and bodies, so the one
    404 that was recorded stands for all.
    """
    request = exchange.raw["request"]
    target = f"{exchange.path}?{exchange.query}" if exchange.query else exchange.path
    for path in load_spec()["paths"]:
        alternative = _alternative(path)
        if alternative != path and _pattern(alternative).fullmatch(exchange.path):
            fixed, moved = path.partition("{")[0], alternative.partition("{")[0]
            there = fixed + target.removeprefix(moved)
            answer = recorded(exchange.generation, *_NO_ROUTE[exchange.generation])
            return [answer.asked_as(exchange.method, there, request["body"])]
    return []


def _alternative(path: str) -> str:
    return str(load_spec()["paths"][path].get("x-memstack-alternative-path", path))


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{\w+\}", "[^/]+", path.rstrip("/")) + "/?")
