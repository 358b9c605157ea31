"""Takes every secret out of what vcrpy records."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote, urlsplit

from memstack._rules import KEY_PREFIX

__all__ = ["HOST", "Scrubber", "vcr_config"]

HOST = "http://memstack.test"
"""Where every recorded server seems to be."""
REDACTED = f"{KEY_PREFIX}REDACTED"

# Other headers tell of the machine and the moment, or hold secrets that nobody thought of.
_KEPT_OF_REQUEST = {"authorization", "content-type"}
_KEPT_OF_ANSWER = {
    "allow",
    "content-length",
    "content-type",
    "location",
    "retry-after",
    "server",
    "www-authenticate",
}
_KEY = re.compile(rf"{KEY_PREFIX}[^\s\"'\\<>,;&]*".encode())


def vcr_config() -> dict[str, Any]:
    """Options for `vcr.VCR`, of vcrpy 8 or later; no key and no host gets into a cassette.

    What is recorded is played to the same request: method, path, query and JSON body, whatever the
    host. The bodies themselves are recorded as they are.
    """
    scrubber = Scrubber()
    return {
        "match_on": ["method", "path", "query", "body"],
        "before_record_request": scrubber.request,
        "before_record_response": scrubber.answer,
        "decode_compressed_response": True,
    }


class Scrubber:
    """Puts something harmless for each key and host that it knows, and it learns of each request.

    Args:
        api_key: A key that is known beforehand, of whatever shape.
        base_url: The place of a server that is known beforehand.
    """

    def __init__(self, api_key: str | None = None, base_url: str | None = None) -> None:
        self._keys: set[bytes] = set()
        self._places: set[bytes] = set()
        if api_key:
            self._learn_key(api_key)
        if base_url:
            self._places.add(base_url.encode())

    def scrub(self, content: bytes) -> bytes:
        """*content* without any key, and without the place of a server."""
        for key in _longest_first(self._keys):
            content = content.replace(key, REDACTED.encode())
        content = _KEY.sub(REDACTED.encode(), content)
        for place in _longest_first(self._places):
            content = content.replace(place, HOST.encode())
        return content

    def text(self, text: str) -> str:
        """The same of a text."""
        return self.scrub(text.encode()).decode()

    def request(self, request: Any) -> Any:
        """vcrpy's `before_record_request`; the request is vcrpy's own, not the one that is sent."""
        self._learn(request)
        request.uri = self.text(request.uri)
        request.body = self.scrub(request.body or b"")
        request.headers = {
            name.lower(): self.text(value)
            for name, value in request.headers.items()
            if name.lower() in _KEPT_OF_REQUEST
        }
        return request

    def answer(self, answer: Any) -> Any:
        """vcrpy's `before_record_response`."""
        content = self.scrub(answer["body"]["string"])
        headers = {
            name.lower(): [self.text(value) for value in values]
            for name, values in answer["headers"].items()
            if name.lower() in _KEPT_OF_ANSWER
        }
        if "content-length" in headers:
            headers["content-length"] = [str(len(content))]
        return {**answer, "headers": headers, "body": {"string": content}}

    def _learn(self, request: Any) -> None:
        parts = urlsplit(request.uri)
        self._places.add(f"{parts.scheme}://{parts.netloc}".encode())
        for name, value in request.headers.items():
            if name.lower() == "authorization":
                self._learn_key(value.rpartition(" ")[2])

    def _learn_key(self, key: str) -> None:
        # As it is, and as it looks within JSON and within a URL.
        in_json = {json.dumps(key, ensure_ascii=escaped)[1:-1] for escaped in (True, False)}
        self._keys |= {form.encode() for form in (key, quote(key, safe=""), *in_json) if form}


def _longest_first(texts: set[bytes]) -> list[bytes]:
    return sorted(texts, key=len, reverse=True)
