"""Decides which rows of two places are the same, and how a row keeps its identity on a server.

A server gives ids and times itself. So an episode that is copied to one has those it had before in
its metadata, under ORIGIN, and gets them back when it is copied from there to an embedded MemStack.
A memo has no metadata. Where nothing tells an id, rows of the same content are the same, each of
them once: three here and two there make one to be copied.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping, Set
from datetime import datetime
from typing import Any

from memstack.local.rows import Kind

__all__ = [
    "ORIGIN",
    "alike",
    "canonical",
    "content_of",
    "idempotency_key",
    "ids_of",
    "origin_for",
]

ORIGIN = "memstack_origin"
"""The name in the metadata of an episode under which it keeps what a server cannot take."""

_CONTENT: Mapping[Kind, tuple[str, ...]] = {
    # Those fields that every server's list shows.
    "episode": ("name", "content", "project_id", "tenant_id", "user_id"),
    "memo": ("content", "visibility", "tags"),
}
_NAMESPACE = uuid.UUID("7f0c6f4e-6f5e-5c1d-9a53-3d3a2f6e8b11")
_RESTORED = ("id", "created_at", "valid_at", "source_type", "source_description", "group_id")


def alike(is_embedded: bool, is_exact: bool) -> Set[Kind]:
    """The kinds whose rows are compared by content where their ids tell nothing.

    Args:
        is_embedded: Whether each side takes rows with the ids that they have.
        is_exact: Whether each side shows the id and the metadata of every episode.
    """
    found: set[Kind] = set() if is_embedded else {"memo"}
    return found if is_exact else {*found, "episode"}


def origin_for(row: Mapping[str, Any], passed_over: Iterable[str]) -> dict[str, Any]:
    """The ORIGIN of the episode *row*: all of it that a server does not take.

    Args:
        passed_over: Fields that the server takes and does not store.
    """
    names = ("id", "created_at", *(name for name in _RESTORED[2:] if name in passed_over))
    origin = {name: row[name] for name in names if row.get(name) is not None}
    metadata = row.get("metadata")
    if metadata is not None and (not metadata or ORIGIN in metadata):
        # That it was {} and not None, or what someone else has kept under this name.
        origin["metadata"] = {name: value for name, value in metadata.items() if name == ORIGIN}
    return origin


def canonical(kind: Kind, row: Mapping[str, Any]) -> dict[str, Any]:
    """*row* as it was before it was first copied to a server, with an id in any case."""
    origin = _origin_of(row) if kind == "episode" else {}
    fields = {**row, **origin}
    if origin:
        own = {name: value for name, value in row["metadata"].items() if name != ORIGIN}
        displaced = row["metadata"][ORIGIN].get("metadata")
        had_some = bool(own) or displaced is not None
        fields["metadata"] = {**own, **(displaced or {})} if had_some else None
    if fields.get("id") is None:
        told = {name: value for name, value in fields.items() if name != "status"}
        fields["id"] = str(uuid.uuid5(_NAMESPACE, _text([kind, told])))
    return fields


def ids_of(kind: Kind, row: Mapping[str, Any]) -> set[str]:
    """The ids that *row* has: its own, and the one it had before it was copied."""
    own = {row["id"]} if row.get("id") is not None else set()
    return own | {canonical(kind, row)["id"]}


def content_of(kind: Kind, row: Mapping[str, Any]) -> bytes:
    """What rows of the same content have in common, 32 bytes."""
    return hashlib.sha256(_text([row.get(name) for name in _CONTENT[kind]]).encode()).digest()


def idempotency_key(kind: Kind, row: Mapping[str, Any], body: bytes) -> str:
    """The same for every copy of *row* that sends the same *body*."""
    told = f"{kind}\n{row['id']}\n".encode() + body
    return f"memstack-copy-{hashlib.sha256(told).hexdigest()}"


def _origin_of(row: Mapping[str, Any]) -> dict[str, str]:
    """What ORIGIN tells; nothing of it that cannot be what this package wrote."""
    metadata = row.get("metadata")
    origin = metadata.get(ORIGIN) if isinstance(metadata, dict) else None
    if not isinstance(origin, dict) or not isinstance(origin.get("metadata", {}), dict):
        return {}
    told = {name: origin[name] for name in _RESTORED if isinstance(origin.get(name), str)}
    for name in ("created_at", "valid_at"):
        if name in told and not _is_moment(told[name]):
            return {}
    return told if told.get("id") else {}


def _is_moment(text: str) -> bool:
    """Whether *text* is a time as the embedded MemStack writes it."""
    try:
        datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")
    except ValueError:
        return False
    return len(text) == len("2026-11-23T02:55:21.670135Z")


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
