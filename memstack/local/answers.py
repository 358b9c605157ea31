"""Decides how an answer looks on the wire; not what is in it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import to_json

from memstack._rules import TOKEN
from memstack._wire import WireResponse

__all__ = ["Answer", "Refusal", "encoded", "invalid", "request_id_of"]


@dataclass(frozen=True)
class Answer:
    """A status, and what to say with it as JSON; None for an empty body."""

    status: int
    content: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""


class Refusal(Exception):
    """An error answer; raised wherever it is found that a request cannot be answered as asked."""

    def __init__(self, status: int, detail: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.answer = Answer(status, {"detail": detail}, headers or {})


def invalid(loc: list[str | int], message: str, kind: str = "value_error") -> Refusal:
    """The 422 that says *message* of the part at *loc*."""
    return Refusal(422, [{"type": kind, "loc": loc, "msg": message}])


def request_id_of(headers: Mapping[str, str]) -> str:
    """What names the request in its answer: the X-Request-ID it came with, or one made for it."""
    given = headers.get("x-request-id", "")
    return given if TOKEN.fullmatch(given) else str(uuid.uuid4())


def encoded(answer: Answer, request_id: str) -> WireResponse:
    """*answer* as it goes over the wire."""
    headers = {"content-type": "application/json", "x-request-id": request_id, **answer.headers}
    if answer.status == 204:
        return WireResponse(204, headers, b"")
    return WireResponse(answer.status, headers, to_json(answer.content))
