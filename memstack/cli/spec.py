"""Compares the operations that a server's OpenAPI document lists with those of this package."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from memstack import operations
from memstack.operations import Operation

if TYPE_CHECKING:
    from memstack.client import MemStackClient

__all__ = ["every_operation", "lacking"]

_ANY = "-"
"""Stands for what a path's parameter may be."""


def lacking(client: MemStackClient) -> list[str]:
    """The operations that the server's document does not list, by their operationId.

    Raises:
        ValueError: What it shows is no such document.
        MemStackError: It shows none.
    """
    document = client.send(
        Operation(
            id="openapi_document",
            answer=dict[str, Any],
            method="GET",
            path="/openapi.json",
            query="",
            body=None,
            headers={},
            effect="read",
        )
    )
    paths = document.get("paths")
    if not isinstance(paths, dict):
        raise ValueError("it has no paths")
    listed = {
        (method.upper(), _general(path))
        for path, item in paths.items()
        if isinstance(item, dict)
        for method in item
    }
    return [
        operation.id
        for operation in every_operation()
        if not any(
            (operation.method, _general(operation.path_at(moved))) in listed
            for moved in (False, True)
        )
    ]


def every_operation() -> Iterator[Operation[Any]]:
    """Each operation, of any arguments."""
    yield operations.health_check()
    yield operations.create_episode(_ANY, _ANY)
    yield operations.list_episodes()
    yield operations.get_episode(_ANY)
    yield operations.delete_episode(_ANY)
    yield operations.search_memory(_ANY)
    yield operations.create_api_key(_ANY, ["read"])
    yield operations.list_api_keys()
    yield operations.revoke_api_key(_ANY)
    yield operations.create_memo(_ANY)
    yield operations.list_memos()
    yield operations.get_memo(_ANY)
    yield operations.update_memo(_ANY, _ANY)
    yield operations.delete_memo(_ANY)


def _general(path: str) -> str:
    return "/".join(_ANY if part.startswith("{") else part for part in path.split("/"))
