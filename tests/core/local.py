"""The embedded server, asked by the tests of this folder: one request, or a search."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from memstack._wire import WireRequest, WireResponse
from memstack.local import EmbeddedServer, Embedder

EPISODES = "/api/v1/episodes/"
SEARCH = "/api/v1/memory/search"
KEYS = "/api/v1/auth/keys"
MEMOS = "/api/v1/memos"

EPISODE = {"name": "Alice", "content": "Alice loves hiking."}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def ask(
    server: EmbeddedServer,
    method: str,
    target: str,
    body: object = None,
    key: str | None = None,
    **headers: str,
) -> WireResponse:
    """The answer to one request; *body* is sent as it is if it is bytes, else as JSON."""
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
    sent = {
        "Authorization": f"Bearer {key or server.owner_key}",
        "Content-Type": "application/json",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return server.handle(WireRequest(method, target, sent, body, None))


def told(response: WireResponse) -> Any:
    """What an answer says."""
    return json.loads(response.body)


def made(server: EmbeddedServer, target: str, body: object, **headers: str) -> Any:
    """What became of something made."""
    response = ask(server, "POST", target, body, **headers)
    assert response.status in (200, 202), response.body
    return told(response)


def key_with(server: EmbeddedServer, *permissions: str) -> str:
    key: str = made(server, KEYS, {"name": "k", "permissions": permissions})["key"]
    return key


def _sql(path: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(statement).fetchall()


class Memory:
    """An embedded server, asked in a few words."""

    def __init__(self, embedder: Embedder | None = None) -> None:
        self.server = EmbeddedServer(embedder=embedder)

    def ask(self, method: str, target: str, body: object = None) -> Any:
        response = self.server.handle(
            WireRequest(
                method,
                target,
                {"Authorization": f"Bearer {self.server.owner_key}"},
                None if body is None else json.dumps(body).encode(),
                None,
            )
        )
        content = json.loads(response.body)
        assert response.status in (200, 202), content
        return content

    def remember(self, name: str, content: str = "tea time", **fields: object) -> None:
        self.ask("POST", "/api/v1/episodes/", {"name": name, "content": content, **fields})

    def forget(self, name: str) -> None:
        self.ask("DELETE", f"/api/v1/episodes/{name}")

    def search(self, query: str, **fields: object) -> list[dict[str, Any]]:
        body = {"query": query, "limit": 100, **fields}
        results: list[dict[str, Any]] = self.ask("POST", "/api/v1/memory/search", body)["results"]
        return results

    def names(self, query: str, **fields: object) -> list[str]:
        return [result["metadata"]["name"] for result in self.search(query, **fields)]
