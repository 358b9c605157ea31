"""Ctrl-C and cancellation: what is on its way ends, and the same call goes on."""

from __future__ import annotations

import _thread
import asyncio
import gc
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from memstack import AttemptEvent, MemStackAsyncClient, MemStackError
from memstack.ingest import IngestOutcome
from memstack.ingest.ledger import Ledger
from memstack.ingest.loading import Load
from memstack.ingest.steps import Done

from .conftest import Stage, episodes


@pytest.fixture
def stage(stage: Stage) -> Stage:
    stage.knows("unknown")  # where only the ledger keeps an item from being stored twice
    return stage


def test_an_interrupt_leaves_nothing_in_doubt(stage: Stage, tmp_path: Path) -> None:
    """Creates on their way are waited for; no thread or task is left."""
    ledger, client = tmp_path / "run.sqlite", stage.client()

    def interrupt(_: IngestOutcome) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.ingest(episodes(150), ledger=ledger, on_outcome=interrupt)
    posts = stage.posts()
    left = Ledger(ledger, client.base_url)
    assert left.doubts() == {}
    left.close()
    assert not [t for t in threading.enumerate() if t.name == "memstack-ingest" and t.is_alive()]
    report = client.ingest(episodes(150), ledger=ledger)

    assert 0 < posts < 150
    assert (report.created, report.duplicate) == (150 - posts, posts)
    assert len(stage.stored()) == 150


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


@pytest.mark.parametrize("kind", [LookupError, MemStackError])
def test_what_was_answered_is_not_sent_again_though_the_answer_was_not_noted_down(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    """Ctrl-C, a cancellation or a ledger that cannot be read may come between the two."""
    client, ledger, answers = stage.client(), tmp_path / "run.sqlite", 0
    conclude = Load._conclude

    def fail(self: Load, done: Done) -> None:
        nonlocal answers
        answers += 1
        if answers == 50:
            raise kind("mine")
        conclude(self, done)

    monkeypatch.setattr(Load, "_conclude", fail)
    with pytest.raises(kind, match="mine"):
        client.ingest(episodes(150), ledger=ledger)
    posts = stage.posts()

    assert client.ingest(episodes(150), ledger=ledger).is_whole
    assert 50 <= posts < 150
    assert stage.posts() == len(set(stage.stored())) == 150


def test_a_create_that_is_cancelled_by_its_transport_ends_the_run(stage: Stage) -> None:
    """Instead of being waited for for ever."""
    driven = stage.client()
    if not isinstance(driven.client, MemStackAsyncClient):
        pytest.skip("a thread cannot be cancelled")

    def cancel(request: httpx.Request) -> None:
        if stage.posts() == 20:
            raise asyncio.CancelledError

    stage.older.before = cancel

    with pytest.raises(asyncio.CancelledError):
        driven.ingest(episodes(50))


def test_an_error_of_items_that_comes_too_late_is_not_logged(stage: Stage) -> None:
    """As one that nobody has seen; the run had ended for another reason."""
    driven, logged = stage.client(), []
    if not isinstance(driven.client, MemStackAsyncClient):
        pytest.skip("takes no async iterables")

    async def items() -> AsyncIterator[Any]:
        yield episodes(1)[0]
        try:
            await asyncio.Event().wait()
        finally:
            raise LookupError("late")

    def fail(_: IngestOutcome) -> None:
        raise ValueError("mine")

    driven.loop.set_exception_handler(lambda _, context: logged.append(context))
    with pytest.raises(ValueError, match="mine"):
        driven.ingest(items(), on_outcome=fail)
    gc.collect()

    assert logged == []


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
