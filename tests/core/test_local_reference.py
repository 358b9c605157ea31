"""The API reference of `memstack serve` shows all of openapi.yaml, and nothing from elsewhere."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from memstack.local import reference
from memstack.local.json_schemas import type_of

SPEC: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[2] / "openapi.yaml").read_text("utf-8")
)
VOID = {"meta", "link"}


class Page(HTMLParser):
    """Elements and text of a page; fails where one is not closed as it was opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.names: set[str] = set()
        self.text = ""
        self.code: set[str] = set()
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        if tag not in VOID:
            self._open.append(tag)
        for name, value in attrs:
            assert not name.startswith("on")
            assert name != "style"
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src"):
                self.links.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._open and self._open[-1] == "code":
            self.code.add(data)


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(reference.html())


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in SPEC["paths"].items():
        for method, operation in item.items():
            if isinstance(operation, dict):
                yield path, method, operation


def test_it_renders_the_spec_of_this_clone() -> None:
    """Which is what /openapi.json gives too."""
    assert json.loads(reference.spec_json()) == SPEC
    assert reference.html() == reference.rendered(SPEC)


def test_each_operation_is_shown_once(page: Page) -> None:
    """With its path, and in the contents."""
    found = list(operations())

    assert len(found) == 14
    for path, method, operation in found:
        assert page.ids.count(operation["operationId"]) == 1
        assert f"#{operation['operationId']}" in page.links
        assert f"{method.upper()} {path}" in page.text


def test_each_part_of_the_spec_is_shown(page: Page) -> None:
    """Every parameter, status, property, example and description."""
    shown = " ".join(page.text.split())
    for _, _, operation in operations():
        for status, response in operation["responses"].items():
            assert status in shown
            for example in examples(response):
                assert written(example) in page.text
        for example in examples(operation.get("requestBody", {})):
            assert written(example) in page.text
    for parameter in SPEC["components"]["parameters"].values():
        assert parameter["name"] in shown
    for name, schema in SPEC["components"]["schemas"].items():
        assert page.ids.count(f"schema-{name}") == 1
        assert set(schema.get("properties", {})) <= page.code
    for description in descriptions(SPEC["components"]["schemas"]):
        assert " ".join(description.replace("`", "").split()) in shown


def examples(holder: dict[str, Any]) -> Iterator[Any]:
    for content in holder.get("content", {}).values():
        for example in content["examples"].values():
            if "value" in example:
                yield example["value"]


def written(example: object) -> str:
    return json.dumps(example, ensure_ascii=False, indent=2)


def descriptions(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "description" and isinstance(value, str):
                yield value
            elif key != "$defs":
                yield from descriptions(value)


def test_nothing_is_fetched_from_elsewhere(page: Page) -> None:
    """Links lead to this server, and those within the page to something."""
    assert page.links
    for link in page.links:
        assert link[0] in "/#"
        assert not link.startswith("//")
        if link.startswith("#"):
            assert link[1:] in page.ids


def test_what_the_spec_says_is_text() -> None:
    """No description, name or example can become markup or code."""
    attack = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"
    spec = copy.deepcopy(SPEC)
    spec["info"]["title"] = spec["info"]["description"] = attack
    spec["components"]["schemas"]["Text"]["description"] = f"`{attack}` *{attack}*"
    search = spec["paths"]["/api/v1/memory/search"]["post"]
    search["summary"] = attack
    search["requestBody"]["content"]["application/json"]["examples"] = {
        attack: {"summary": attack, "value": {"query": attack}}
    }

    page = Page(reference.rendered(spec))

    assert not page.names & {"script", "img"}
    assert page.text.count("<script>alert(1)</script>") >= 6


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string", "format": "date-time"}, "string, date-time"),
        ({"type": ["string", "null"], "format": "date-time"}, "string or null, date-time"),
        ({"type": "array", "items": {"type": "integer"}}, "array of integer"),
        ({"type": ["array", "null"], "items": {"type": "integer"}}, "array of integer or null"),
        ({"enum": ["read", 1, None]}, "read or 1 or null"),
        ({"anyOf": [{"$ref": "#/components/schemas/Text"}, {"type": "null"}]}, "Text or null"),
        ({}, "anything"),
    ],
)
def test_types_are_put_into_words(schema: dict[str, Any], words: str) -> None:
    """Whichever way of OpenAPI 3.1 they are written in."""
    assert Page(type_of(schema)).text == words
