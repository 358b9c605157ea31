"""openapi.yaml as tests ask for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}


@cache
def load_spec() -> dict[str, Any]:
    spec: dict[str, Any] = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
    return spec


def resolved(node: Any) -> Any:
    """*node* with its own `$ref` followed."""
    while "$ref" in node:
        place: Any = load_spec()
        for part in node["$ref"].removeprefix("#/").split("/"):
            place = place[part]
        node = place
    return node


def flat(given: Any) -> dict[str, Any]:
    """*given* with `$ref`, `allOf` and "or null" folded in; then `nullable` tells of null."""
    schema: dict[str, Any] = dict(resolved(given))
    for part in schema.pop("allOf", []):
        schema = {**flat(part), **schema}
    kinds = schema.get("type")
    if isinstance(kinds, list) and "null" in kinds:
        (schema["type"],) = [kind for kind in kinds if kind != "null"]
        schema["nullable"] = True
    choices = schema.get("anyOf", [])
    if {"type": "null"} in choices:
        (other,) = [choice for choice in choices if choice != {"type": "null"}]
        del schema["anyOf"]
        schema = {**flat(other), **schema, "nullable": True}
    return schema


@dataclass(frozen=True)
class Described:
    """An operation as the spec has it."""

    id: str
    method: str
    path: str
    raw: dict[str, Any]
    parameters: list[dict[str, Any]]

    @property
    def body(self) -> dict[str, Any] | None:
        if "requestBody" not in self.raw:
            return None
        return flat(self.raw["requestBody"]["content"]["application/json"]["schema"])

    @property
    def tag(self) -> str:
        tag: str = self.raw["tags"][0]
        return tag

    def answers(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Status and description of each answer."""
        for status, answer in self.raw["responses"].items():
            yield int(status), resolved(answer)


@cache
def described() -> dict[str, Described]:
    """Each operation by its id."""
    found = {}
    for path, item in load_spec()["paths"].items():
        for method, raw in item.items():
            if method in METHODS:
                both = [*item.get("parameters", []), *raw.get("parameters", [])]
                found[raw["operationId"]] = Described(
                    raw["operationId"], method.upper(), path, raw, [resolved(p) for p in both]
                )
    return found
