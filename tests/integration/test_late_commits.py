"""Servers without idempotency keys that store a create when its client has given up."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import memstack
from memstack import MemStackClient
from memstack._connecting import TransportName

from ..colours import CLASSES, AnyClient, Colour, Driven
from ..served import Served
from .holding_proxy import HoldingProxy, holding_proxy

OPTIONS: dict[str, Any] = {"retry_delay": 0.01, "settle_grace": 0.02}


def stored(served: Served, text: str) -> list[str]:
    """Ids of the memos of that content that the server has."""
    with MemStackClient(served.api_key, served.base_url) as client:
        return [memo.id for memo in client.list_memos(1000) if memo.content == text]


def test_a_create_that_comes_late_is_unknown_and_then_settled(
    served: Served,
    colour: Colour,
    transport: TransportName,
    drive: Callable[[AnyClient], Driven],
) -> None:
    """Long after `settle_grace`; it was not sent again, so there is one."""
    text = f"late {colour} {transport}"
    with holding_proxy(served.base_url) as proxy:
        options = {"timeout": 0.3, "transport": transport, **OPTIONS}
        client = drive(CLASSES[colour](served.api_key, proxy.url, **options))
        with pytest.raises(memstack.OutcomeUnknownError) as caught:
            client.create_memo(text)
        assert stored(served, text) == []
        assert client.settle(caught.value).outcome == "unknown"

        proxy.go.set()
        assert proxy.stored.acquire(timeout=10)
        settlement = client.settle(caught.value)

    assert (settlement.outcome, [settlement.result.id]) == ("applied", stored(served, text))


def both(one: MemStackClient, other: MemStackClient, proxy: HoldingProxy, text: str) -> list[Any]:
    """What becomes of two creates of *text*, stored when both are on their way."""

    def create(client: MemStackClient) -> Any:
        try:
            return client.create_memo(text)
        except memstack.MemStackError as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        results = pool.map(create, (one, other))
        for _ in range(2):
            assert proxy.arrived.acquire(timeout=10)
        proxy.go.set()
        return list(results)


def test_two_workers_with_one_text_claim_nothing_that_may_be_the_others(
    served: Served, transport: TransportName
) -> None:
    """Both answers are lost: each row may be either's, and both ids are told."""
    text = f"one text, two workers, {transport}"
    options = {"transport": transport, **OPTIONS}
    with (
        holding_proxy(served.base_url) as proxy,
        MemStackClient(served.api_key, proxy.url, **options) as one,
        MemStackClient(served.api_key, proxy.url, **options) as other,
    ):
        results = both(one, other, proxy, text)

    ids = set(stored(served, text))
    assert len(ids) == 2
    for result in results:
        assert isinstance(result, memstack.OutcomeUnknownError)
        assert result.outcome == "unknown"
        assert set(result.candidates) <= ids
