"""What a call costs: bare httpx, this client and its peers in turn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack
from importlib.util import find_spec
from typing import Any

import httpx

from memstack import MemStackAsyncClient, MemStackClient

from . import measure, peers
from .requests import HEADERS, KEY, call_of, request
from .server import together

AT_ONCE = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
KEPT = "httpx, all kept alive"
KEPT_FOR = 64
"""A call costs the more the more connections there are; for more it is not worth the minutes."""


def blocking(url: str, case: str, effort: float) -> measure.Seconds:
    """CPU seconds of one call, one after the other."""
    with ExitStack() as until:
        bare = until.enter_context(httpx.Client(base_url=url, headers=HEADERS))
        client = until.enter_context(MemStackClient(KEY, url))

        def with_httpx() -> Any:
            method, path, body = request(case)
            return bare.request(method, path, json=body).json()

        variants = {"httpx": with_httpx, "memstack": call_of(client, case)}
        if find_spec("pyreqwest"):
            fast = until.enter_context(MemStackClient(KEY, url, transport="pyreqwest"))
            variants["memstack, pyreqwest"] = call_of(fast, case)
        variants.update(peers.blocking(url, case, until))
        return measure.of_calls(variants, effort=effort)


async def awaited(url: str, at_once: int, effort: float) -> measure.Seconds:
    """CPU seconds of one get_memo, so many at once."""
    case = "get_memo"
    wide = httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once)
    async with AsyncExitStack() as until:
        enter = until.enter_async_context
        plain = await enter(httpx.AsyncClient(base_url=url, headers=HEADERS, timeout=60))
        client = await enter(MemStackAsyncClient(KEY, url))
        variants = {
            "httpx": _with(plain, case),
            "memstack": call_of(client, case),
        }
        if at_once <= KEPT_FOR:
            kept = httpx.AsyncClient(base_url=url, headers=HEADERS, timeout=60, limits=wide)
            variants[KEPT] = _with(await enter(kept), case)
        if find_spec("pyreqwest"):
            fast = await enter(MemStackAsyncClient(KEY, url, transport="pyreqwest"))
            variants["memstack, pyreqwest"] = call_of(fast, case)
        async for name, call in peers.awaited(url, case, at_once, until):
            variants[name] = call
        with together(url, at_once):
            return await measure.of_async_calls(variants, at_once=at_once, effort=effort)


def _with(http: httpx.AsyncClient, case: str) -> Callable[[], Awaitable[Any]]:
    async def call() -> Any:
        method, path, body = request(case)
        return (await http.request(method, path, json=body)).json()

    return call
