"""Decides how a JSON Schema of openapi.yaml is put into words, for the API reference."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from memstack.local.markup import Html, element, joined, sentence

__all__ = ["properties", "row", "table", "type_of"]

Schema = Mapping[str, Any]

# In words, with the value of the keyword.
_RULES = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "pattern": "matches {}",
    "default": "default {}",
}


def type_of(schema: Schema) -> Html:
    """What a value of *schema* is, with links to the schemas that are named."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return element("a", name, href=f"#schema-{name}")
    for word in ("allOf", "anyOf", "oneOf"):
        if word in schema:
            return joined(*(type_of(part) for part in schema[word]), by=" or ")
    if "enum" in schema:
        return joined(*(element("code", _compact(value)) for value in schema["enum"]), by=" or ")
    kinds = schema.get("type", "anything")
    if kinds == "array":
        return joined("array of ", type_of(schema.get("items", {})))
    words = [kinds] if isinstance(kinds, str) else kinds
    if "items" in schema and "array" in words:
        items = joined("array of ", type_of(schema["items"]))
        return joined(*(items if word == "array" else word for word in words), by=" or ")
    return joined(" or ".join(words), f", {schema['format']}" if "format" in schema else None)


def properties(schema: Schema) -> Html | None:
    """The table of the properties of an object."""
    if "properties" not in schema:
        return None
    required = schema.get("required", [])
    rows = (
        row(name, part, name in required, part.get("description"))
        for name, part in schema["properties"].items()
    )
    return table(("name", "type", "meaning"), rows)


def table(heads: tuple[str, ...], rows: Iterable[Html]) -> Html:
    """A table that scrolls by itself where there is little room, with the keyboard too."""
    head = element("tr", *(element("th", text, scope="col") for text in heads))
    inner = element("table", element("thead", head), element("tbody", *rows))
    return element(
        "div", inner, class_="scroll", tabindex="0", role="region", aria_label=", ".join(heads)
    )


def row(name: str, schema: Schema, required: bool, description: str | None) -> Html:
    """One property or parameter, its rules after what it means."""
    rules = joined(*_rules(schema), by=", ")
    return element(
        "tr",
        element("th", element("code", name), " required" if required else None, scope="row"),
        element("td", type_of(schema)),
        element(
            "td",
            sentence(" ".join((description or "").split())),
            element("div", rules, class_="rules") if rules else None,
        ),
    )


def _compact(value: object) -> str:
    """*value* as JSON; a string that needs no quotes, without."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _rules(schema: Schema) -> Iterator[Html]:
    for keyword, words in _RULES.items():
        if keyword in schema:
            before, _, after = words.partition("{}")
            if schema[keyword] == 1:
                after = after.rstrip("s")
            yield joined(before, element("code", _compact(schema[keyword])), after)
