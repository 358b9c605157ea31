"""The embedded server as an object: its owner's key, its end, and its transports."""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from memstack._wire import AsyncTransport, Transport, WireRequest, WireResponse
from memstack.exceptions import ValidationError
from memstack.local import AsyncLocalTransport, EmbeddedServer, LocalTransport

from .local import EPISODE, EPISODES, MEMOS, SEARCH, ask, told


def test_owner_key_is_random_or_given() -> None:
    """Without one a key is made; a given one works."""
    with EmbeddedServer() as one, EmbeddedServer() as two, EmbeddedServer(owner_key="ms_sk_x") as x:
        assert one.owner_key.startswith("ms_sk_")
        assert one.owner_key != two.owner_key
        assert ask(x, "GET", MEMOS, key="ms_sk_x").status == 200


@pytest.mark.parametrize("key", ["", "ms_sk_", "sk_1", "ms_sk_a b", "ms_sk_é", " ms_sk_a"])
def test_owner_key_that_is_none_is_refused(key: str) -> None:
    """The error names the argument, and does not quote what may be a secret."""
    with pytest.raises(ValidationError, match="owner_key") as caught:
        EmbeddedServer(owner_key=key)

    assert not key or key not in caught.value.message.replace("'ms_sk_'", "")


def test_repr_shows_the_path_and_no_key(tmp_path: Path) -> None:
    """A repr may go to a log."""
    with EmbeddedServer() as memory, EmbeddedServer(tmp_path / "m.db") as file:
        assert repr(memory) == "<EmbeddedServer in memory>"
        assert repr(file) == f"<EmbeddedServer {tmp_path / 'm.db'}>"
        assert repr(LocalTransport(file)) == f"<LocalTransport to {file!r}>"
        assert repr(AsyncLocalTransport(file)) == f"<AsyncLocalTransport to {file!r}>"


def test_closed_server_answers_503(server: EmbeddedServer) -> None:
    """Closing twice is fine; what comes later is told so."""
    server.close()
    server.close()

    for target in ("/health", MEMOS):
        response = ask(server, "GET", target)
        assert response.status == 503
        assert "closed" in told(response)["detail"]


def test_closing_waits_for_requests_at_work(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that has begun is answered in full."""
    begun, go_on = threading.Event(), threading.Event()

    def slow(*_: object) -> Any:
        begun.set()
        assert go_on.wait(10)
        raise ZeroDivisionError  # Any answer of its own will do.

    monkeypatch.setattr("memstack.local.memos.page", slow)
    with ThreadPoolExecutor(2) as pool:
        answer = pool.submit(ask, server, "GET", MEMOS)
        assert begun.wait(10)
        closed = pool.submit(server.close)
        assert not closed.done()
        go_on.set()

        assert answer.result(10).status == 500
        closed.result(10)


def test_transport_answers_and_closes_the_server() -> None:
    """A client sends through it as over HTTP."""
    transport: Transport = LocalTransport(server := EmbeddedServer())

    assert transport.send(WireRequest("GET", "/health", {}, None, 1.0)).status == 200
    transport.close()
    assert ask(server, "GET", "/health").status == 503


def test_async_transport_works_in_several_loops_and_closes_the_server(tmp_path: Path) -> None:
    """One loop after the other may use it, with many calls at once."""
    server = EmbeddedServer(tmp_path / "m.db")
    transport: AsyncTransport = AsyncLocalTransport(server)
    headers = {"authorization": f"Bearer {server.owner_key}"}
    request = WireRequest("POST", MEMOS, headers, b'{"content": "x"}', None)

    async def twenty() -> list[WireResponse]:
        return await asyncio.gather(*(transport.send(request) for _ in range(20)))

    responses = asyncio.run(twenty()) + asyncio.run(twenty())
    assert {response.status for response in responses} == {200}
    assert len(told(ask(server, "GET", MEMOS + "?limit=100"))) == 40
    asyncio.run(transport.close())
    assert ask(server, "GET", "/health").status == 503


def test_cancelled_call_corrupts_nothing(tmp_path: Path) -> None:
    """What a cancelled call wrote is all there or not at all, and the next call works."""
    with EmbeddedServer(tmp_path / "m.db") as server:
        transport = AsyncLocalTransport(server)
        headers = {"authorization": f"Bearer {server.owner_key}"}
        request = WireRequest("POST", EPISODES, headers, json.dumps(EPISODE).encode(), None)

        async def cancel_some() -> None:
            calls = [asyncio.create_task(transport.send(request)) for _ in range(20)]
            await asyncio.sleep(0)
            for call in calls[::2]:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)

        asyncio.run(cancel_some())

        stored = told(ask(server, "GET", EPISODES + "?limit=100"))["total"]
        found = told(ask(server, "POST", SEARCH, {"query": "hiking", "limit": 100}))["total"]
        assert 10 <= stored == found <= 20
