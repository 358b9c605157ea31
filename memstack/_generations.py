"""What deployed servers lack or pass over, and which of their answers gives them away.

Source: exchanges recorded from both generations in use; tests/cassettes has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from .models import EpisodePage, EpisodeResponse, MemoryResponse
from .operations import Operation

_KEYS = "has no idempotency keys, so a repeated create is stored again"
_FILTERS = "does not apply filters: results are not restricted"
_TENANT = "does not keep tenants apart in every search"


@dataclass(frozen=True)
class Generation:
    """A kind of server in use."""

    name: str
    missing: tuple[str, ...] = ()
    """Operations it has no route for."""
    broken: Mapping[str, str] = field(default_factory=dict)
    """Operations it answers wrongly, and how."""
    ignored: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By operation, the arguments it passes over, and what that means."""


V0_1 = Generation(
    "v0.1",
    missing=("get_episode", "delete_episode"),
    ignored={
        "create_episode": {
            "group_id": "does not store group_id; its own scope is project_id",
            "source_description": "does not store source_description",
            "idempotency_key": _KEYS,
        },
        "create_memo": {"idempotency_key": _KEYS},
        "create_api_key": {"idempotency_key": _KEYS},
        "search_memory": {"filters": _FILTERS, "tenant_id": _TENANT},
        "list_episodes": {"offset": "lists from the newest, whatever the offset"},
    },
)
V0_2 = Generation(
    "v0.2",
    broken={
        "create_memo": "answers 500 to valid input",
        "get_episode": "answers 500 where its graph database hands back times of its own kind",
        "create_api_key": "answers with a key that is never stored and does not work",
        "update_memo": "answers with the change, but does not store it",
        "delete_memo": "answers as if it were done, but the memo stays",
    },
    ignored={
        "create_episode": {
            "group_id": "does not store group_id; its own scope is project_id",
            "source_type": "does not store source_type",
            "valid_at": "does not store valid_at",
            "idempotency_key": _KEYS,
        },
        "create_memo": {"idempotency_key": _KEYS},
        "create_api_key": {"idempotency_key": _KEYS},
        "search_memory": {
            "filters": _FILTERS,
            "tenant_id": "takes tenant_id for a project: what has both is not found",
            "user_id": "does not restrict results to a user",
        },
    },
)
CURRENT = Generation("current")
"""A server of this version's openapi.yaml, such as the embedded one."""

# What the client sends without being asked.
_DEFAULTS = {"source_type": "text", "offset": "0"}


def recognised(operation: Operation[Any], moved: bool, result: Any) -> Generation | None:
    """The generation that a successful answer gives away; None if it tells nothing.

    Args:
        operation: What was sent.
        moved: Whether it was answered at its alternative path.
        result: What the answer was read as.
    """
    if operation.id == "health_check":
        return _by_health(moved, result)
    if operation.moves is not None:
        return V0_2 if moved else None  # only memos are left, which only v0.2 has elsewhere
    if isinstance(result, MemoryResponse):
        extra = result.model_extra or {}
        if "search_metadata" in extra:
            return V0_2
        # One is enough: they are all alike.
        if any("uuid" in r.metadata and r.metadata["uuid"] == r.id for r in result.results[:1]):
            return V0_1
    if isinstance(result, EpisodeResponse) and "content" in (result.model_extra or {}):
        return V0_2
    if isinstance(result, EpisodePage) and result.has_more is None:
        return V0_1
    return None


def _by_health(moved: bool, health: Mapping[str, Any]) -> Generation | None:
    if "capabilities" in health:
        return CURRENT
    if moved and health.get("status") == "healthy":
        return V0_1
    return V0_2 if str(health.get("version", "")).startswith("0.2.") else None


def passed_over(operation: Operation[Any], generation: Generation) -> Iterator[tuple[str, str]]:
    """The arguments of *operation* that *generation* passes over, and what that means."""
    ignored = generation.ignored.get(operation.id)
    if not ignored:
        return
    given: dict[str, Any] = {**dict(parse_qsl(operation.query)), **operation.fields()}
    if operation.idempotency_key is not None:
        given["idempotency_key"] = operation.idempotency_key
    for argument, meaning in ignored.items():
        if argument in given and given[argument] != _DEFAULTS.get(argument):
            yield argument, meaning


def may_be_passed_over(operation: Operation[Any]) -> bool:
    """Whether some generation passes over an argument of *operation*."""
    return any(
        next(passed_over(operation, generation), None) is not None for generation in (V0_1, V0_2)
    )
