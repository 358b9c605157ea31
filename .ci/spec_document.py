"""An OpenAPI document, its references followed and its schemas brought to one form; reads no files.

A schema says the same thing in many ways: `anyOf: [{type: string}, {type: "null"}]`,
`type: [string, "null"]`, a `$ref` or an `allOf` of one. Folded, it is the JSON types that it
allows, and for each of them the keywords that hold for it:

    {"string": {"minLength": 1}, "null": {}}
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
LOWER = {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"}
UPPER = {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"}

APART = {"properties", "required", "additionalProperties", "items"}
"""Keywords whose values are to be compared part by part; the others are compared as they are."""

Folded = dict[str, dict[str, Any]]

_ANYTHING = ("array", "boolean", "number", "object", "string", "null")
_OF = {
    "string": "minLength maxLength pattern format contentEncoding contentMediaType".split(),
    "number": "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf format".split(),
    "array": "items minItems maxItems uniqueItems contains prefixItems".split(),
    "object": (
        "properties required additionalProperties propertyNames minProperties maxProperties "
        "patternProperties dependentRequired dependentSchemas unevaluatedProperties"
    ).split(),
}
_OF["integer"] = _OF["number"]
_BOUND_TO_A_TYPE = {keyword for keywords in _OF.values() for keyword in keywords}
_TEXTS = set(
    "title description default example examples deprecated readOnly writeOnly externalDocs xml "
    "discriminator $comment $id $schema $anchor $defs definitions".split()
)
_PYTHON = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}


class Unreadable(Exception):
    """A document cannot be had or compared; the message says which and why."""


@dataclass(frozen=True)
class Operation:
    """One method of one path, as a document has it."""

    method: str
    path: str
    raw: dict[str, Any]
    parameters: tuple[dict[str, Any], ...]
    alternative: str | None
    """Another path where it may be."""

    @property
    def success(self) -> str:
        """Status of its first successful answer."""
        statuses = sorted(str(status) for status in self.raw.get("responses", {}))
        return next((status for status in statuses if status.startswith("2")), "none")


class Document:
    """An OpenAPI document of version 3, which errors call *name*."""

    def __init__(self, raw: Any, name: str) -> None:
        if not isinstance(raw, dict) or not isinstance(raw.get("paths"), dict):
            raise Unreadable(f"{name} is no OpenAPI document: it has no paths")
        if not str(raw.get("openapi")).startswith("3."):
            raise Unreadable(f"{name} is no OpenAPI document of version 3")
        self._raw, self._name = raw, name

    def operations(self) -> list[Operation]:
        found = []
        for path, given in self._raw["paths"].items():
            item = self.resolved(given)
            for method in METHODS:
                if method in item:
                    raw = item[method]
                    # Those of the operation take the place of those of the path.
                    both = [*item.get("parameters", []), *raw.get("parameters", [])]
                    named = {(p["in"], p["name"]): p for p in map(self.resolved, both)}
                    other = item.get("x-memstack-alternative-path")
                    found.append(Operation(method.upper(), path, raw, tuple(named.values()), other))
        return found

    def resolved(self, node: Any) -> Any:
        """*node* with its own `$ref` followed."""
        seen = set()
        while isinstance(node, dict) and isinstance(reference := node.get("$ref"), str):
            if reference in seen:
                raise Unreadable(f"{self._name} has a reference to itself: {reference}")
            seen.add(reference)
            node = self._at(reference)
        return node

    def _at(self, reference: str) -> Any:
        place: Any = self._raw
        first, *parts = unquote(reference).split("/")
        try:
            if first != "#":
                raise KeyError(first)  # another file
            for part in parts:
                key = part.replace("~1", "/").replace("~0", "~")
                place = place[int(key) if isinstance(place, list) else key]
        except (LookupError, TypeError, ValueError):
            raise Unreadable(f"{self._name} has a reference to nowhere: {reference}") from None
        return place

    def folded(self, schema: Any) -> Folded:
        """The JSON types that *schema* allows, each with its keywords."""
        keywords = self._merged(schema)
        for choice in ("anyOf", "oneOf"):
            if choice in keywords:
                rest = {name: value for name, value in keywords.items() if name != choice}
                return self._united([{"allOf": [one, rest]} for one in keywords[choice]])
        kinds = keywords.pop("type", None)
        values = keywords.get("enum")
        if kinds is None:
            kinds = _ANYTHING if values is None else sorted({_kind_of(value) for value in values})
        kinds = {kinds} if isinstance(kinds, str) else set(kinds)
        if keywords.pop("nullable", False):  # OpenAPI 3.0
            kinds.add("null")
        for name in keywords.keys() - APART:
            keywords[name] = self._spelled(keywords[name])
        folded = {kind: _for_kind(kind, keywords) for kind in kinds}
        return {kind: own for kind, own in folded.items() if own.get("enum") != []}

    def _merged(self, schema: Any) -> dict[str, Any]:
        """The keywords of *schema*, with those of its `$ref` and `allOf`."""
        if isinstance(schema, bool):
            return {} if schema else {"enum": []}
        own = {
            name: value
            for name, value in schema.items()
            if name not in _TEXTS and not name.startswith("x-")
        }
        parts = own.pop("allOf", [])
        if "$ref" in own:
            own.pop("$ref")
            parts = [*parts, self.resolved(schema)]
        if "const" in own:
            parts = [*parts, {"enum": [own.pop("const")]}]
        for part in parts:
            own = _both(self._merged(part), own)
        return own

    def _united(self, schemas: list[Any]) -> Folded:
        united: Folded = {}
        for schema in schemas:
            for kind, own in self.folded(schema).items():
                if united.setdefault(kind, own) != own:
                    # Two forms of one type: too much to take apart, so it is compared as a whole.
                    united[kind] = {"anyOf": self._spelled([united[kind], own])}
        return united

    def _spelled(self, value: Any, within: tuple[str, ...] = ()) -> Any:
        """*value* without texts, and with what its references lead to; one to itself stays."""
        if isinstance(value, list):
            return [self._spelled(one, within) for one in value]
        if not isinstance(value, dict):
            return value
        reference = value.get("$ref")
        if isinstance(reference, str) and reference not in within:
            return self._spelled(self.resolved(value), (*within, reference))
        return {
            name: self._spelled(one, within)
            for name, one in value.items()
            if not (name in _TEXTS and isinstance(one, str))
        }


def is_anything(folded: Folded) -> bool:
    """Whether it allows whatever JSON can say."""
    return set(_ANYTHING) <= set(folded) and not any(folded.values())


def _kind_of(value: Any) -> str:
    return "null" if value is None else _PYTHON.get(type(value), "object")


def _for_kind(kind: str, keywords: dict[str, Any]) -> dict[str, Any]:
    own = {
        name: value
        for name, value in keywords.items()
        if (name not in _BOUND_TO_A_TYPE or name in _OF.get(kind, ()))
        and not (name in ("minLength", "minItems", "minProperties") and value == 0)
    }
    if "enum" in own:
        fitting = {kind, "integer"} if kind == "number" else {kind}
        own["enum"] = sorted((v for v in own["enum"] if _kind_of(v) in fitting), key=repr)
        if own["enum"] == [None]:
            del own["enum"]  # null is all that null can be
    return own


def _both(one: dict[str, Any], two: dict[str, Any]) -> dict[str, Any]:
    """The keywords of a schema that has to keep to both; the second's where they disagree."""
    both = {**one, **two}
    for name in one.keys() & two.keys():
        a, b = one[name], two[name]
        if name in LOWER or name in UPPER:
            both[name] = max(a, b) if name in LOWER else min(a, b)
        elif name == "enum":
            both[name] = [value for value in a if value in b]
        elif name == "type":
            kinds = [{kind} if isinstance(kind, str) else set(kind) for kind in (a, b)]
            both[name] = sorted(kinds[0] & kinds[1])
        elif name == "required":
            both[name] = [*a, *b]
        elif name == "properties":
            shared = {field: {"allOf": [a[field], b[field]]} for field in a.keys() & b.keys()}
            both[name] = {**a, **b, **shared}
    return both
