"""Creates through a proxy that loses answers, and counts what the server has in the end."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

from memstack import MemStackAsyncClient, MemStackClient, MemStackError, operations
from memstack._connecting import TransportName
from memstack.operations import Operation

from ..colours import Colour
from ..served import Served
from .fault_proxy import fault_proxy

Kind = Literal["episodes", "memos", "keys"]
AT_ONCE = 16
_OPTIONS: dict[str, Any] = {
    "timeout": 10,
    "max_retries": 6,
    "retry_delay": 0.002,
    "settle_grace": 0.05,
}

CREATE: dict[Kind, Callable[[str], Operation[Any]]] = {
    "episodes": lambda text: operations.create_episode(text, text),
    "memos": operations.create_memo,
    "keys": lambda text: operations.create_api_key(text, ["read"]),
}


@dataclass
class Tally:
    """What became of a number of creates of distinct content."""

    creates: int
    faults: int = 0
    returned: int = 0
    raised: Counter[str] = field(default_factory=Counter)
    """Calls that raised, by outcome."""
    duplicates: int = 0
    """Contents that the server has more than once."""
    lost: int = 0
    """Contents of calls that returned, but that the server has not, or under another id."""
    untrue: int = 0
    """Calls that raised `not_sent` or `rejected` although the server has the content, or `unknown`
    without its id where a list shows it."""


def run(
    served: Served,
    kind: Kind,
    colour: Colour,
    *,
    creates: int,
    idempotency: bool,
    transport: TransportName = "httpx",
) -> Tally:
    """The tally of *creates* creates of *kind* through the proxy."""
    texts = [f"{kind} {colour} {transport} {idempotency} {n}" for n in range(creates)]
    with fault_proxy(served.base_url, seed=creates, idempotency=idempotency) as proxy:
        results = (_blocking if colour == "sync" else _awaited)(
            proxy.url, served.api_key, kind, texts, transport
        )
        tally = Tally(creates, faults=proxy.faults)
    stored = _stored(served, kind)
    for text, result in zip(texts, results, strict=True):
        ids = [id for id, content in stored if content == text]
        tally.duplicates += len(ids) > 1
        if isinstance(result, MemStackError):
            tally.raised[result.outcome] += 1
            tally.untrue += bool(ids) and result.outcome in ("not_sent", "rejected")
        else:
            tally.returned += 1
            tally.lost += (getattr(result, "key_id", None) or result.id) not in ids
    return tally


def _blocking(
    url: str, key: str, kind: Kind, texts: list[str], transport: TransportName
) -> list[Any]:
    client = MemStackClient(key, url, transport=transport, **_OPTIONS)
    with client, ThreadPoolExecutor(AT_ONCE) as pool:

        def create(text: str) -> Any:
            try:
                return client.send(CREATE[kind](text))
            except MemStackError as error:
                return error

        return list(pool.map(create, texts))


def _awaited(
    url: str, key: str, kind: Kind, texts: list[str], transport: TransportName
) -> list[Any]:
    async def create_all() -> list[Any]:
        limit = asyncio.Semaphore(AT_ONCE)
        async with MemStackAsyncClient(key, url, transport=transport, **_OPTIONS) as client:

            async def create(text: str) -> Any:
                async with limit:
                    try:
                        return await client.send(CREATE[kind](text))
                    except MemStackError as error:
                        return error

            return list(await asyncio.gather(*map(create, texts)))

    return asyncio.run(create_all())


def _stored(served: Served, kind: Kind) -> list[tuple[str, str]]:
    """Id and content of everything the server has of *kind*, asked without the proxy."""
    with MemStackClient(served.api_key, served.base_url) as client:
        if kind == "keys":
            return [(row.key_id, row.name) for row in client.list_api_keys()]
        rows: list[tuple[str, str]] = []
        page: list[Any] = [None]
        while page:
            if kind == "memos":
                page = list(client.list_memos(1000, len(rows)))
            else:
                page = list(client.list_episodes(200, len(rows)).episodes)
            rows += [(row.id, row.content) for row in page]
        return rows
