"""Keeps API keys out of what an error shows: a server may quote the key that it was sent."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from ._rules import KEY_PREFIX
from ._wire import WireResponse

__all__ = ["MASK", "masked", "quotable"]

MASK = f"{KEY_PREFIX}***"


def masked(text: str, keys: Iterable[str]) -> str:
    """*text* without any of *keys*, however it writes them."""
    for key in keys:
        text = _forms(key).sub(MASK, text)
    return text


def quotable(response: WireResponse, keys: Iterable[str]) -> WireResponse:
    """*response* without any of *keys*, also where it is cut within one."""
    body = masked(response.body.decode("utf-8", "surrogateescape"), keys)
    if response.is_cut:
        for key in keys:
            begun = range(len(key), len(KEY_PREFIX), -1)
            rest = next((length for length in begun if body.endswith(key[:length])), 0)
            body = body[: len(body) - rest]
    return replace(
        response,
        headers={name: masked(value, keys) for name, value in response.headers.items()},
        body=body.encode("utf-8", "surrogateescape"),
    )


@lru_cache(maxsize=64)  # keys may change
def _forms(key: str) -> re.Pattern[str]:
    """A key as it is, and as JSON, HTML and URLs may write it."""
    import html  # with a table of all its entities, and only errors need it

    def forms(one: str) -> str:
        code = ord(one)
        ways = {one, f"\\{one}", html.escape(one), f"\\u{code:04x}", f"%{code:02x}", f"&#{code};"}
        return f"(?:{'|'.join(map(re.escape, sorted(ways, key=len, reverse=True)))})"

    return re.compile("".join(map(forms, key)), re.IGNORECASE)
