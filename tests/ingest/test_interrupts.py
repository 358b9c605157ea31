"""Ctrl-C and cancellation: what is on its way ends, and the same call goes on."""

from __future__ import annotations

import _thread
import asyncio
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from memstack import AttemptEvent, MemStackAsyncClient
from memstack.ingest import IngestOutcome
from memstack.ingest.ledger import Ledger

from .conftest import Stage, episodes


@pytest.fixture
def stage(stage: Stage) -> Stage:
    stage.knows("unknown")  # where only the ledger keeps an item from being stored twice
    return stage


@pytest.mark.usefixtures("few_ahead")
def test_an_interrupt_leaves_nothing_in_doubt(stage: Stage, tmp_path: Path) -> None:
    """Creates on their way are waited for; no thread or task is left."""
    ledger, client = tmp_path / "run.sqlite", stage.client()

    def interrupt(_: IngestOutcome) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.ingest(episodes(400), ledger=ledger, on_outcome=interrupt)
    posts = stage.posts()
    left = Ledger(ledger, client.base_url)
    assert left.doubts() == {}
    left.close()
    assert not [t for t in threading.enumerate() if t.name == "memstack-ingest" and t.is_alive()]
    report = client.ingest(episodes(400), ledger=ledger)

    assert 0 < posts < 400
    assert (report.created, report.duplicate) == (400 - posts, posts)
    assert len(stage.stored()) == 400


@pytest.fixture
def _ctrl_c() -> Iterator[None]:
    """A shell in the background has its processes ignore SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_ctrl_c")
def test_a_pause_between_retries_is_cut_short(stage: Stage, tmp_path: Path) -> None:
    """Nobody waits an hour for Ctrl-C; what was stored before is in the ledger."""
    stage.refuse(lambda request: stage.posts() > 20, 429, {"retry-after": "3600"})
    client = stage.client(max_retry_after=4000.0).client
    if isinstance(client, MemStackAsyncClient):
        pytest.skip("a task is cancelled, which the next test is about")
    del client._sleep  # that of a test; the real one would take its time
    ledger = tmp_path / "run.sqlite"

    def interrupt(event: AttemptEvent) -> None:
        if event.status == 429:
            _thread.interrupt_main()

    with pytest.raises(KeyboardInterrupt):
        client.with_options(on_attempt=interrupt).ingest(episodes(50), ledger=ledger, concurrency=1)
    stage.refuse_nothing()

    assert client.ingest(episodes(50), ledger=ledger).is_whole
    assert len(stage.stored()) == 50


def test_a_cancelled_run_goes_on(stage: Stage, tmp_path: Path) -> None:
    """Also if a create hangs: it is given up, and looked for by the next run."""
    ledger, driven = tmp_path / "run.sqlite", stage.client()
    client = driven.client
    if not isinstance(client, MemStackAsyncClient):
        pytest.skip("a thread cannot be cancelled")
    hanging = asyncio.Event()

    class Hangs(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            response = stage.older(request)
            if request.method == "POST" and stage.posts() == 40:
                hanging.set()
                await asyncio.Event().wait()
            return response

    http = httpx.AsyncClient(transport=Hangs())
    client = MemStackAsyncClient(
        stage.server.owner_key, client.base_url, http_client=http, settle_grace=0.0
    )

    async def cancelled() -> None:
        run = asyncio.create_task(client.ingest(episodes(300), ledger=ledger, concurrency=4))
        await hanging.wait()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left
        await client.close()

    driven.loop.run_until_complete(cancelled())
    report = driven.ingest(episodes(300), ledger=ledger)

    assert report.is_whole
    assert len(set(stage.stored())) == len(stage.stored()) == 300
