"""Sends a recorded request, and holds what the client makes of the answer against the recording."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from types import NoneType
from typing import Any, get_args, get_origin

from dateutil.parser import isoparse
from pydantic import BaseModel

import memstack
from memstack import operations
from memstack.operations import Operation
from memstack.response import Rows

from ..cassettes.files import Exchange
from ..cassettes.routes import operation_of
from ..colours import Driven

# Each operation once, to take from it all that a recording does not tell.
KNOWN: dict[str, Operation[Any]] = {
    operation.id: operation
    for operation in (
        operations.health_check(),
        operations.create_episode("x", "x"),
        operations.list_episodes(),
        operations.get_episode("x"),
        operations.delete_episode("x"),
        operations.search_memory("x"),
        operations.create_api_key("x", ["read"]),
        operations.list_api_keys(),
        operations.revoke_api_key("x"),
        operations.create_memo("x"),
        operations.list_memos(),
        operations.get_memo("x"),
        operations.update_memo("x", "x"),
        operations.delete_memo("x"),
    )
}
ERRORS = {
    307: memstack.APIError,
    400: memstack.BadRequestError,
    401: memstack.AuthenticationError,
    403: memstack.PermissionDeniedError,
    404: memstack.NotFoundError,
    405: memstack.APIError,
    422: memstack.UnprocessableEntityError,
    500: memstack.ServerError,
}
NO_ROUTE = {"detail": "Not Found"}
# v0.1 has a route of its own where the episode of that name would be.
SHADOWED = ("v0.1", "/api/v1/episodes/health")
TIMES = {"created_at", "updated_at", "expires_at", "valid_at"}
# Fields that servers call by other names than the models do.
OTHER_NAMES = {"uuid": "id"}


def operation_for(exchange: Exchange) -> Operation[Any]:
    """The operation with the recorded request for its own, past every check of arguments.

    It stays where it was recorded, at one request: no look at an alternative path, and none for
    what became of a create that failed.
    """
    id = operation_of(exchange.method, exchange.path)
    assert id is not None, f"no operation has {exchange.method} {exchange.path}"
    content_type = exchange.content_type
    return replace(
        KNOWN[id],
        method=exchange.method,
        path=exchange.path,
        query=exchange.query,
        body=exchange.sent,
        headers={"content-type": content_type} if content_type else {},
        moves=None,
        sends_idempotency_key=False,
    )


def faults(client: Driven, exchange: Exchange) -> list[str]:
    """What the client makes of *exchange* that it should not; nothing if all is well."""
    operation = operation_for(exchange)
    try:
        response = client.send_raw(operation)
    except memstack.MemStackError as error:
        return list(_of_error(error, exchange))
    except Exception as error:
        return [f"{type(error).__name__} came out: {error}"]
    if not 200 <= exchange.status < 300:
        return [f"{exchange.status} was taken for a success"]
    return [
        *_differences("status", response.status_code, exchange.status),
        *_differences("content", response.content, exchange.content),
        *_of_type(response.result, operation.answer),
        *_of_result(operation.id, response.result, exchange.answer),
    ]


def _of_error(error: memstack.MemStackError, exchange: Exchange) -> Iterator[str]:
    expected: type[memstack.MemStackError] = ERRORS.get(exchange.status, memstack.MemStackError)
    if exchange.status == 404 and exchange.answer == NO_ROUTE:
        expected = memstack.UnsupportedOperationError
    outcome = "unknown" if exchange.status == 500 else "rejected"
    if (exchange.generation, exchange.path) == SHADOWED:
        expected, outcome = memstack.ResponseValidationError, "applied"
    yield from _differences("class", type(error), expected)
    yield from _differences("outcome", error.outcome, outcome)
    yield from _differences("attempts", len(error.attempts), 1)
    yield from _differences("method", error.method, exchange.method)
    yield from _differences("path", error.path, exchange.path)
    yield from _differences("status", getattr(error, "status_code", None), exchange.status)
    yield from _differences("content", getattr(error, "content", None), exchange.content)
    if isinstance(error, memstack.APIError):
        yield from _differences("response_body", error.response_body, exchange.answer)


def _of_type(result: Any, answer: Any) -> Iterator[str]:
    if get_origin(answer) is Rows:
        yield from _differences("type", type(result), Rows)
        for item in result:
            yield from _of_type(item, get_args(answer)[0])
    else:
        yield from _differences("type", type(result), get_origin(answer) or answer)


def _of_result(id: str, result: Any, recorded: Any) -> Iterator[str]:
    """Each recorded fact that is not in *result*."""
    if isinstance(result, list):
        yield from _differences("length", len(result), len(recorded))
        for item, fact in zip(result, recorded, strict=False):
            yield from _of_model(item, fact)
    elif isinstance(result, memstack.MemoryResponse):
        yield from _of_model(result, {k: v for k, v in recorded.items() if k != "results"})
        yield from _of_result(id, result.results, [_as_result(r) for r in recorded["results"]])
    elif isinstance(result, memstack.EpisodePage):
        yield from _of_result(id, result.episodes, _as_episodes(recorded))
        rest = {k: v for k, v in recorded.items() if k not in ("episodes", "results")}
        yield from _of_model(result, {"limit": None, "offset": None, "has_more": None, **rest})
    elif isinstance(result, BaseModel):
        yield from _of_model(result, recorded)
    elif not isinstance(result, NoneType):
        yield from _differences("result", result, recorded)


def _as_result(recorded: dict[str, Any]) -> dict[str, Any]:
    """One thing found, with the names that the model has; v0.1 keeps id and type elsewhere."""
    facts = dict(recorded)
    if "source" in facts:
        facts["type"] = facts.pop("source")
        facts["id"] = facts["metadata"]["uuid"]
    if facts["type"] == "relationship":
        facts["type"] = "relation"
    return facts


def _as_episodes(recorded: dict[str, Any]) -> list[dict[str, Any]]:
    """The episodes of a page; v0.1 gives them as things found, each with the same score."""
    if "episodes" in recorded:
        episodes: list[dict[str, Any]] = recorded["episodes"]
        return episodes
    return [{"id": None, **r["metadata"], "content": r["content"]} for r in recorded["results"]]


def _of_model(read: Any, recorded: dict[str, Any]) -> Iterator[str]:
    for name, fact in recorded.items():
        name = OTHER_NAMES.get(name, name)
        value = getattr(read, name, "(missing)")
        known_time = name in TIMES and name in type(read).model_fields
        if not known_time or fact is None:
            yield from _differences(name, value, fact)
        elif isinstance(fact, str):
            yield from _differences(name, value, _moment(fact))
            if not isinstance(value, datetime) or value.tzinfo is None:
                yield f"{name}: {value!r} has no time zone"
        else:  # a database's own internals, which nobody can be expected to read
            yield from _differences(name, value, None)
            yield from _differences(f"unparsed {name}", read.unparsed[name], fact)


def _moment(text: str) -> datetime:
    moment = isoparse(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _differences(what: str, actual: Any, expected: Any) -> Iterator[str]:
    if actual != expected:
        yield f"{what}: {actual!r} is not {expected!r}"
