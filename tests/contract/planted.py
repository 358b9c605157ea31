"""Small OpenAPI documents to plant a difference in, and the tool that has to find it."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from .spec import ROOT

sys.path.append(str(ROOT / ".ci"))
tool: Any = importlib.import_module("spec_diff")

Schema = Any
TEXT = {"type": "string"}
NUMBER = {"type": "integer"}
QUERY = {"name": "q", "in": "query", "schema": TEXT}
HEADER = {"name": "X-Key", "in": "header", "schema": TEXT}


def document(**operation: Any) -> dict[str, Any]:
    """A document of one operation, POST /things/{id}."""
    path = operation.pop("path", "/things/{id}")
    item = {operation.pop("method", "post"): {"operationId": "act", **operation}}
    return {"openapi": "3.1.0", "paths": {path: item}, "components": {"schemas": SCHEMAS}}


def sending(schema: Schema) -> dict[str, Any]:
    return document(requestBody={"required": True, "content": media(schema)})


def answering(schema: Schema) -> dict[str, Any]:
    return document(responses={"200": {"content": media(schema)}})


def taking(*parameters: dict[str, Any], **more: Any) -> dict[str, Any]:
    return document(parameters=parameters, **more)


def media(schema: Schema) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def fields(*required: str, **properties: Schema) -> Schema:
    return {"type": "object", "required": [*required], "properties": properties}


SCHEMAS: dict[str, Schema] = {
    "Text": TEXT,
    "Tree": fields(children={"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}),
    "Wood": fields(children={"type": "array", "items": {"$ref": "#/components/schemas/Wood"}}),
}
