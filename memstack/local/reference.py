"""Decides what the API reference shows: all of openapi.yaml, rendered here, with nothing fetched.

Needs PyYAML. The file is the one in the root of a clone; a wheel carries it beside this module.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from memstack.local.json_schemas import properties, row, table, type_of
from memstack.local.markup import Html, element, joined, prose, sentence

__all__ = ["html", "rendered", "spec_json"]

Node = Mapping[str, Any]

_METHODS = {"get", "post", "put", "patch", "delete"}


def html() -> str:
    """The page."""
    return rendered(_spec())


def rendered(spec: Node) -> str:
    """The page of an OpenAPI document that is written as ours is."""
    return f"<!doctype html>\n{_Reference(spec).page()}\n"


def spec_json() -> str:
    """openapi.yaml as JSON, where servers publish theirs: /openapi.json."""
    return json.dumps(_spec(), ensure_ascii=False)


@cache
def _spec() -> dict[str, Any]:
    here = Path(__file__)
    packed = here.with_name("openapi.yaml")
    path = packed if packed.exists() else here.parents[2] / packed.name
    spec: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return spec


class _Reference:
    def __init__(self, spec: Node) -> None:
        self._spec = spec

    def page(self) -> Html:
        info = self._spec["info"]
        head = element(
            "head",
            Html('<meta charset="utf-8">'),
            Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            element("title", f"{info['title']} {info['version']}"),
            Html('<link rel="icon" href="/page/icon.svg">'),
            Html('<link rel="stylesheet" href="/page/style.css">'),
        )
        header = element(
            "header",
            element("h1", f"{info['title']} ", element("small", info["version"])),
            element("p", element("a", "Memories", href="/"), class_="elsewhere"),
        )
        skip = element("a", "Skip to the operations", class_="skip", href="#main")
        main = element(
            "main",
            self._introduction(),
            *(self._tag(tag) for tag in self._spec["tags"]),
            element("h2", "Schemas", id="schemas"),
            *(self._schema(*item) for item in self._spec["components"]["schemas"].items()),
            id="main",
            tabindex="-1",
        )
        body = element("body", skip, header, self._contents(), main, class_="reference")
        return element("html", head, body, lang="en")

    def _contents(self) -> Html:
        parts = []
        for tag in self._spec["tags"]:
            links = (
                element("li", element("a", name, href=f"#{name}"))
                for name in (operation["operationId"] for *_, operation in self._of(tag["name"]))
            )
            parts += [element("h2", tag["name"]), element("ul", *links)]
        schemas = element("a", "Schemas", href="#schemas")
        return element("nav", *parts, element("h2", schemas), aria_label="Contents")

    def _introduction(self) -> Html:
        info = self._spec["info"]
        servers = (
            element("li", element("code", s["url"]), " ", sentence(s.get("description", "")))
            for s in self._spec["servers"]
        )
        schemes = self._spec["components"]["securitySchemes"].values()
        return element(
            "section",
            prose(info.get("summary")),
            prose(info["description"]),
            *(prose(f"Key: {scheme['description']}") for scheme in schemes),
            element("ul", *servers),
            element("p", element("a", "This as JSON", href="/openapi.json")),
        )

    def _tag(self, tag: Node) -> Html:
        return element(
            "section",
            element("h2", tag["name"]),
            prose(tag.get("description")),
            *(self._operation(*found) for found in self._of(tag["name"])),
        )

    def _of(self, tag: str) -> Iterator[tuple[str, str, Node, Node]]:
        """Path, method, path item and operation of all that have *tag*."""
        for path, item in self._spec["paths"].items():
            for method in item:
                if method in _METHODS and tag in item[method]["tags"]:
                    yield path, method, item, item[method]

    def _operation(self, path: str, method: str, item: Node, operation: Node) -> Html:
        parameters = [
            self._found(parameter)
            for parameter in (*item.get("parameters", ()), *operation.get("parameters", ()))
        ]
        body = self._content(operation.get("requestBody", {}))
        needs_key = {} not in operation.get("security", self._spec["security"])
        name = operation["operationId"]
        command = _curl(path, method, parameters, body, needs_key=needs_key)
        return element(
            "article",
            element("h3", element("a", name, href=f"#{name}")),
            element("p", element("b", method.upper(), class_="method"), " ", element("code", path)),
            prose(f"{operation['summary']}."),
            prose(operation.get("description")),
            prose(f"In Python: `client.{name}(...)`."),
            *_section("Parameters", _parameters(parameters)),
            *_section("Body", element("p", type_of(body["schema"])) if body else None),
            *(self._examples(body) if body else ()),
            element("pre", element("code", command), tabindex="0"),
            *_section("Answers", self._answers(operation["responses"])),
            id=name,
        )

    def _answers(self, responses: Node) -> Html:
        rows = []
        examples = []
        for status, response in responses.items():
            response = self._found(response)
            content = self._content(response)
            rows.append(
                element(
                    "tr",
                    element("th", element("code", status), scope="row"),
                    element("td", type_of(content["schema"]) if content else "nothing"),
                    element(
                        "td",
                        sentence(" ".join(response["description"].split())),
                        element("div", ", ".join(response.get("headers", {})), class_="rules"),
                    ),
                )
            )
            if content and status.startswith("2"):
                examples += self._examples(content)
        return joined(table(("status", "body", "meaning and headers"), rows), *examples)

    def _examples(self, content: Node) -> list[Html]:
        return [
            element(
                "details",
                element("summary", f"Example: {example.get('summary', name)}"),
                element("pre", element("code", _pretty(example["value"])), tabindex="0"),
            )
            for name, example in (
                (name, self._found(example)) for name, example in content["examples"].items()
            )
        ]

    def _schema(self, name: str, schema: Node) -> Html:
        has_type = "properties" not in schema
        return element(
            "article",
            element("h3", element("a", name, href=f"#schema-{name}")),
            prose(schema.get("description")),
            element("p", type_of(schema)) if has_type else properties(schema),
            id=f"schema-{name}",
        )

    def _content(self, holder: Node) -> Node | None:
        content: Node | None = holder.get("content", {}).get("application/json")
        return content

    def _found(self, node: Node) -> Node:
        """*node*, or what it refers to."""
        if "$ref" not in node:
            return node
        found = self._spec
        for key in node["$ref"].removeprefix("#/").split("/"):
            found = found[key]
        return found


def _section(title: str, content: Html | None) -> tuple[Html, ...]:
    return (element("h4", title), content) if content else ()


def _parameters(parameters: list[Node]) -> Html | None:
    if not parameters:
        return None
    rows = (
        row(
            p["name"],
            p["schema"],
            p.get("required", False),
            f"In the {p['in']}. {p['description']}",
        )
        for p in parameters
    )
    return table(("name", "type", "meaning"), rows)


def _curl(
    path: str, method: str, parameters: list[Node], body: Node | None, *, needs_key: bool
) -> str:
    """A command that can be pasted into a shell, with the examples for values."""
    for parameter in parameters:
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", quote(parameter["example"], safe=""))
    parts = [f'curl -X {method.upper()} "$MEMSTACK_BASE_URL{path}"']
    if needs_key:
        parts.append('-H "Authorization: Bearer $MEMSTACK_API_KEY"')
    if body:
        (example, *_) = body["examples"].values()
        data = json.dumps(example["value"], ensure_ascii=False)
        parts += ["-H 'Content-Type: application/json'", f"-d {shlex.quote(data)}"]
    return " \\\n  ".join(parts)


def _pretty(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
