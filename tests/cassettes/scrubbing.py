"""Takes every secret out of what is recorded: hooks for vcrpy."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

from .files import HOST

REDACTED = "ms_sk_REDACTED"
# Other headers tell of the machine and the moment, or hold secrets that nobody thought of.
KEPT_OF_REQUEST = {"authorization", "content-type"}
KEPT_OF_ANSWER = {
    "allow",
    "content-length",
    "content-type",
    "location",
    "retry-after",
    "server",
    "www-authenticate",
}
_KEY = re.compile(rb"ms_sk_[^\s\"'\\<>,;&]*")


class Scrubber:
    """Knows the key and the place of the server, and puts something harmless instead."""

    def __init__(self, api_key: str, base_url: str) -> None:
        # As it is, and as it looks within JSON and within a URL.
        in_json = {json.dumps(api_key, ensure_ascii=escaped)[1:-1] for escaped in (True, False)}
        forms = {api_key, quote(api_key, safe=""), *in_json}
        self._keys = sorted((form.encode() for form in forms), key=len, reverse=True)
        self._base_url = base_url.encode()

    def scrub(self, content: bytes) -> bytes:
        """*content* without any key, and without the place of the server."""
        for key in self._keys:
            content = content.replace(key, REDACTED.encode())
        content = _KEY.sub(REDACTED.encode(), content)
        return content.replace(self._base_url, HOST.encode())

    def text(self, text: str) -> str:
        return self.scrub(text.encode()).decode()

    def request(self, request: Any) -> Any:
        """vcrpy's `before_record_request`; the request is vcrpy's own, not the one that is sent."""
        request.uri = self.text(request.uri)
        request.body = self.scrub(request.body or b"")
        request.headers = {
            name.lower(): self.text(value)
            for name, value in request.headers.items()
            if name.lower() in KEPT_OF_REQUEST
        }
        return request

    def answer(self, answer: Any) -> Any:
        """vcrpy's `before_record_response`."""
        content = self.scrub(answer["body"]["string"])
        headers = {
            name.lower(): [self.text(value) for value in values]
            for name, values in answer["headers"].items()
            if name.lower() in KEPT_OF_ANSWER
        }
        if "content-length" in headers:
            headers["content-length"] = [str(len(content))]
        return {**answer, "headers": headers, "body": {"string": content}}
