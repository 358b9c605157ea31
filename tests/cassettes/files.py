"""Reads and writes cassettes of vcrpy, and plays them or a choice of what is in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import vcr  # type: ignore[import-untyped]
import yaml

from memstack.testing import recording

FOLDER = Path(__file__).parent
GENERATIONS = ("v0.1", "v0.2")
HOST = recording.HOST
"""Where every recorded server seems to be."""


@dataclass(frozen=True)
class Exchange:
    """One recorded request, and what the server answered."""

    generation: str
    group: str
    raw: dict[str, Any]
    """As it is in the file."""

    @property
    def case(self) -> str:
        return str(self.raw["case"])

    @property
    def method(self) -> str:
        return str(self.raw["request"]["method"])

    @property
    def path(self) -> str:
        return str(urlsplit(self.raw["request"]["uri"]).path)

    @property
    def query(self) -> str:
        return str(urlsplit(self.raw["request"]["uri"]).query)

    @property
    def content_type(self) -> str | None:
        found: list[str] = self.raw["request"]["headers"].get("content-type", [])
        return found[0] if found else None

    @property
    def sent(self) -> bytes | None:
        """The body of the request; None for none."""
        return self.raw["request"]["body"].encode() or None

    @property
    def status(self) -> int:
        return int(self.raw["response"]["status"]["code"])

    @property
    def content(self) -> bytes:
        """The body of the answer."""
        content: bytes = self.raw["response"]["body"]["string"].encode()
        return content

    @property
    def answer(self) -> Any:
        """The same as JSON, else as text; None if it is empty."""
        try:
            return json.loads(self.content) if self.content else None
        except ValueError:
            return self.content.decode()

    def asked_as(self, method: str, target: str, body: str = "") -> Exchange:
        """The same answer to another request."""
        request = {**self.raw["request"], "method": method, "uri": HOST + target, "body": body}
        return Exchange(self.generation, self.group, {**self.raw, "request": request})


def write(path: Path, interactions: list[dict[str, Any]]) -> None:
    """Write *interactions* as a cassette, the same text for the same content."""
    data = {"interactions": interactions, "version": 1}
    # In one line each, so that a body can be searched for as it is.
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=10**9)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


@cache
def read(path: Path) -> tuple[Exchange, ...]:
    """What is in the cassette at *path*."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    data = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
    return tuple(Exchange(path.parent.name, path.stem, raw) for raw in data["interactions"])


def cassettes(folder: Path) -> list[Path]:
    """The cassettes in *folder*."""
    return sorted(folder.glob("*.yaml"))


def recorded(generation: str, group: str, case: str) -> Exchange:
    """The one exchange of that name."""
    (found,) = [e for e in read(FOLDER / generation / f"{group}.yaml") if e.case == case]
    return found


@contextmanager
def playing(path: Path) -> Iterator[Any]:
    """Every request is answered from the cassette at *path*, each exchange once; gives vcrpy's."""
    with _alone(), _player().use_cassette(path, allow_playback_repeats=False) as cassette:
        yield cassette


@contextmanager
def playing_chosen(*exchanges: Exchange) -> Iterator[Any]:
    """Every request is answered from *exchanges*, each once."""

    class Chosen:
        @staticmethod
        def load_cassette(path: str, serializer: object) -> tuple[list[Any], list[Any]]:
            return [_request(e) for e in exchanges], [_response(e) for e in exchanges]

        @staticmethod
        def save_cassette(path: str, data: object, serializer: object) -> None:
            raise AssertionError("nothing is recorded here")

    player = _player()
    player.register_persister(Chosen)
    with _alone(), player.use_cassette("chosen", allow_playback_repeats=False) as cassette:
        yield cassette


def _alone() -> AbstractContextManager[Any]:
    """Each exchange stands alone: where a redirect led to was not recorded."""
    return mock.patch("memstack._place.MAX_REDIRECTS", 0)


def _player() -> Any:
    match_on = ("method", "scheme", "host", "port", "path", "query", "body")
    player = vcr.VCR(record_mode="none", match_on=match_on)
    # Before vcrpy 9, its own raises where a body is not the JSON that its headers promise.
    player.register_matcher("body", lambda one, other: _body(one) == _body(other))
    return player


def _body(request: Any) -> Any:
    try:
        return json.loads(request.body)
    except (TypeError, ValueError):
        return request.body


def _request(exchange: Exchange) -> Any:
    raw = exchange.raw["request"]
    return vcr.request.Request(raw["method"], raw["uri"], raw["body"], raw["headers"])


def _response(exchange: Exchange) -> dict[str, Any]:
    return {**exchange.raw["response"], "body": {"string": exchange.content}}
