"""What a user would take instead; each is left out where it is not installed."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from importlib.util import find_spec
from typing import Any

from memstack_api import AuthenticatedClient
from memstack_api.api.episodes import create_episode
from memstack_api.api.memory import search_memory
from memstack_api.api.memos import get_memo
from memstack_api.models import EpisodeCreate, MemoryQuery

from .requests import HEADERS, KEY, episode, memo_id, query, request

# Not needed to work on the package, so the checks of types may not find them.
# mypy: disable-error-code="import-not-found,misc"


class RawSocket:
    """The limit: the bytes of the request written, those of the answer read, and its JSON."""

    def __init__(self, url: str) -> None:
        host, port = url.removeprefix("http://").split(":")
        self._socket = socket.create_connection((host, int(port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> RawSocket:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def call(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n\r\n"
        self._socket.sendall(head.encode() + content)
        received = self._socket.recv(65536)
        start = received.index(b"\r\n\r\n") + 4
        length = int(received[:start].lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        while len(received) < start + length:
            received += self._socket.recv(65536)
        return json.loads(received[start:])


def blocking(url: str, case: str, until: ExitStack) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Name and call of each; what they open is closed with *until*."""
    raw = until.enter_context(RawSocket(url))
    yield "raw socket", lambda: raw.call(*request(case))
    generated = until.enter_context(AuthenticatedClient(base_url=url, token=KEY))
    yield "generated client alone", _generated(generated, case)
    if find_spec("openai"):
        from . import openai_python

        client = until.enter_context(openai_python.client(url))
        yield "openai-python", openai_python.call_of(client, case)
    if find_spec("pyreqwest"):
        yield "pyreqwest", _pyreqwest(url, case, until)


def _generated(client: AuthenticatedClient, case: str) -> Callable[[], Any]:
    if case == "get_memo":
        return lambda: get_memo.sync(memo_id(), client=client)
    if case == "create_episode":
        return lambda: create_episode.sync(client=client, body=EpisodeCreate.from_dict(episode()))
    return lambda: search_memory.sync(client=client, body=MemoryQuery.from_dict(query(case)))


def _pyreqwest(url: str, case: str, until: ExitStack) -> Callable[[], Any]:
    from pyreqwest.client import SyncClientBuilder

    client = until.enter_context(SyncClientBuilder().base_url(url).default_headers(HEADERS).build())

    def call() -> Any:
        method, path, body = request(case)
        if body is None:
            return client.get(path).build().send().json()
        return client.request(method, path).body_json(body).build().send().json()

    return call


AsyncCall = Callable[[], Awaitable[Any]]


async def awaited(
    url: str, case: str, at_once: int, until: AsyncExitStack
) -> AsyncIterator[tuple[str, AsyncCall]]:
    """The same, awaited."""
    if at_once == 1:  # it is bare httpx where there are more
        generated = await until.enter_async_context(AuthenticatedClient(base_url=url, token=KEY))
        yield "generated client alone", lambda: get_memo.asyncio(memo_id(), client=generated)
    if find_spec("aiohttp"):
        yield "aiohttp", await _aiohttp(url, case, at_once, until)
    if find_spec("pyreqwest"):
        yield "pyreqwest", await _async_pyreqwest(url, case, until)
    if find_spec("openai"):
        from . import openai_python

        client = await until.enter_async_context(openai_python.async_client(url))
        yield "openai-python", openai_python.call_of(client, case)


async def _aiohttp(url: str, case: str, at_once: int, until: AsyncExitStack) -> AsyncCall:
    import aiohttp

    connector = aiohttp.TCPConnector(limit=at_once)
    session = await until.enter_async_context(
        aiohttp.ClientSession(base_url=url, headers=HEADERS, connector=connector)
    )

    async def call() -> Any:
        method, path, body = request(case)
        async with session.request(method, path, json=body) as answer:
            return await answer.json()

    return call


async def _async_pyreqwest(url: str, case: str, until: AsyncExitStack) -> AsyncCall:
    from pyreqwest.client import ClientBuilder

    client = await until.enter_async_context(
        ClientBuilder().base_url(url).default_headers(HEADERS).build()
    )

    async def call() -> Any:
        answer = await client.get(request(case)[1]).build().send()
        return await answer.json()

    return call
