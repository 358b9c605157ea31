"""A server that answers as a test scripts it, below httpx and above sockets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from .colours import FakeTime

MEMO = {
    "id": "m1",
    "content": "Ask Alice about the trail map.",
    "visibility": "PRIVATE",
    "created_at": "2026-05-01T09:30:02.120000Z",
    "updated_at": None,
    "tags": ["hiking"],
}
SEARCH = {"results": [], "total": 0, "query": "hiking"}


@dataclass
class Answer:
    """What the server answers once."""

    status: int = 200
    body: Any = None
    """bytes as they are, anything else as JSON, None for nothing."""
    headers: Mapping[str, str] = field(default_factory=dict)
    takes: float = 0.0
    """Seconds until it comes."""


@dataclass
class ScriptedServer:
    """Plays its script, one step a request, and keeps what it was sent."""

    time: FakeTime
    script: list[Answer | BaseException] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)

    def answer(self, *steps: Answer | BaseException) -> None:
        self.script.extend(steps)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        step = self.script.pop(0)
        if isinstance(step, BaseException):
            raise step
        self.time.clock += step.takes
        body = step.body if isinstance(step.body, bytes) else json.dumps(step.body).encode()
        return httpx.Response(
            step.status, headers=step.headers, content=b"" if step.body is None else body
        )

    @property
    def last(self) -> httpx.Request:
        return self.requests[-1]

    @property
    def sent(self) -> Any:
        """The JSON body of the last request."""
        return json.loads(self.last.content)
