"""Decides what `memstack serve` shows to people: the page, the API reference, and their files.

They are not of the API: they need no key and hold nothing that is stored. The page asks the API
for that, with the key that is typed into it.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import PurePath

from memstack._wire import WireResponse
from memstack.local import reference
from memstack.local.answers import Answer, encoded

__all__ = ["PATHS", "is_page", "page"]

_FILES = (
    "api.js",
    "app.js",
    "elements.js",
    "episodes.js",
    "highlights.js",
    "icon.svg",
    "keys.js",
    "memos.js",
    "search.js",
    "style.css",
)
_MADE = {"/docs": (reference.html, ".html"), "/openapi.json": (reference.spec_json, ".json")}
_KINDS = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
_NAMES = {"/": "index.html", **{f"/page/{name}": name for name in _FILES}}
PATHS = frozenset({*_NAMES, *_MADE})

# Nothing from elsewhere, nothing inline, and no string that becomes code or markup: what is
# stored is shown as text even if the page had a fault. https://www.w3.org/TR/CSP3/
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
_HEADERS = {
    "cache-control": "no-cache",
    "content-security-policy": _POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def is_page(target: str) -> bool:
    """Whether *target* is one of these, and not of the API."""
    return target.partition("?")[0] in PATHS


def page(method: str, target: str, request_id: str) -> WireResponse:
    """The answer to a request for *target*, which `is_page`."""
    if method not in ("GET", "HEAD"):
        refused = Answer(405, {"detail": "Method Not Allowed"}, {"allow": "GET, HEAD"})
        return encoded(refused, request_id)
    body, kind = _content(target.partition("?")[0])
    headers = {"content-type": f"{kind}; charset=utf-8", "x-request-id": request_id, **_HEADERS}
    return WireResponse(200, headers, body)


@cache
def _content(path: str) -> tuple[bytes, str]:
    if path in _MADE:
        make, suffix = _MADE[path]
        return make().encode(), _KINDS[suffix]
    name = _NAMES[path]
    content = (resources.files("memstack.local") / "page" / name).read_bytes()
    return content, _KINDS[PurePath(name).suffix]
