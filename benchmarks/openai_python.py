"""openai-python's client on MemStack's requests, as its resources use it, with models of ours.

The models have the fields of the answers, as those of openai-python do.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import openai

from .requests import KEY, request

# Not needed to work on the package, so the checks of types may not find it.
# mypy: disable-error-code="import-not-found,misc"


class Memo(openai.BaseModel):
    id: str
    content: str
    visibility: str
    tags: list[str]
    created_at: datetime
    updated_at: datetime | None = None


class Accepted(openai.BaseModel):
    id: str
    status: str
    message: str | None = None
    created_at: datetime | None = None


class Result(openai.BaseModel):
    id: str
    type: str
    content: str
    score: float
    metadata: dict[str, Any]


class Found(openai.BaseModel):
    results: list[Result]
    total: int
    query: str


def client(url: str) -> Any:
    """Blocking."""
    return openai.OpenAI(api_key=KEY, base_url=url)


def async_client(url: str) -> Any:
    """The same, awaited."""
    return openai.AsyncOpenAI(api_key=KEY, base_url=url)


def call_of(client: Any, case: str) -> Callable[[], Any]:
    """A call by either."""
    if case == "get_memo":
        return lambda: client.get(request(case)[1], cast_to=Memo)
    model = Accepted if case == "create_episode" else Found

    def call() -> Any:
        _, path, body = request(case)
        return client.post(path, cast_to=model, body=body)

    return call
