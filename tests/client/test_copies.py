"""Clients that are copied, pickled for another process, or used after their end."""

from __future__ import annotations

import asyncio
import copy
import inspect
import multiprocessing
import os
import pickle
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

import memstack
from memstack import MemStackError, ValidationError, operations

from ..colours import CLASSES, Colour, Driven
from ..conftest import Make
from ..echo import echoing
from ..scripted import MEMO, Answer, ScriptedServer
from .test_lifecycle import METHODS

CANARY = "ms_sk_canary_7f3a"
OPTIONS: dict[str, Any] = {
    "timeout": 7,
    "max_retries": 1,
    "retry_delay": 0.5,
    "deadline": 20,
    "max_retry_after": 3,
    "headers": {"x-team": "a"},
    "on_unsupported": "ignore",
    "settle_grace": 1,
    "retry_unsafe": True,
    "max_response_bytes": 5000,
}


def current_key() -> str:
    """Goes along in a pickle, by its name."""
    return "ms_sk_current"


def _thawed(client: Driven) -> Any:
    frozen = pickle.dumps(client.client)
    assert b"canary" not in frozen
    return pickle.loads(frozen)


@pytest.fixture
def made(colour: Colour, drive: Callable[[Any], Driven]) -> Make:
    """Makes a client that would connect; nothing is sent."""

    def make(base_url: str = "http://localhost:1", **options: Any) -> Driven:
        return drive(CLASSES[colour](**{"api_key": CANARY, "base_url": base_url, **options}))

    return make


def test_a_pickled_client_keeps_its_settings(made: Make, drive: Any) -> None:
    """All but the key, which is left behind."""
    client = made(**OPTIONS, verify=False, proxy="http://localhost:2")

    twin = drive(_thawed(client))

    was, is_now = client.client._settings, twin.client._settings
    names = [name for name in was.__dataclass_fields__ if name != "api_key"]
    assert [getattr(is_now, name) for name in names] == [getattr(was, name) for name in names]
    assert twin.client._recipe == client.client._recipe
    assert type(twin.client) is type(client.client)


def test_a_pickled_sibling_is_a_client_of_its_own(made: Make, drive: Any) -> None:
    """With the sibling's settings, and connections to close."""
    twin = drive(_thawed(made(timeout=9).with_options(timeout=3)))

    assert twin.timeout == 3
    twin.close()
    with pytest.raises(memstack.NetworkError, match="closed"):
        twin.health_check()


def test_a_pickled_client_says_that_its_key_is_missing(made: Make, drive: Any) -> None:
    """Before anything is sent."""
    twin = drive(_thawed(made()))

    with pytest.raises(memstack.AuthenticationError, match="MEMSTACK_API_KEY") as caught:
        twin.get_memo("m1")

    assert (caught.value.outcome, caught.value.attempts) == ("not_sent", ())


def test_a_key_that_is_a_function_goes_along(made: Make, drive: Any) -> None:
    """By its name, as pickle does it."""
    twin = drive(_thawed(made(api_key=current_key)))

    assert twin.client.api_key is current_key


@pytest.mark.parametrize("bad", ["http_client", "ssl_context", "memory", "lambda"])
def test_what_belongs_to_one_process_is_not_pickled(
    colour: Colour, made: Make, drive: Any, bad: str
) -> None:
    """The error says what to do."""
    http = httpx.Client() if colour == "sync" else httpx.AsyncClient()
    client: Driven
    if bad == "http_client":
        client = made(http_client=http)
    elif bad == "ssl_context":
        client = made(verify=ssl.create_default_context())
    elif bad == "memory":
        client = drive(CLASSES[colour].local())
    else:
        client = made(api_key=lambda: CANARY)

    # Of a key that has no name it is pickle itself that says so.
    expected = (pickle.PicklingError, AttributeError) if bad == "lambda" else (ValidationError,)
    with pytest.raises(expected):
        pickle.dumps(client.client)
    if isinstance(http, httpx.Client):
        http.close()
    else:
        client.loop.run_until_complete(http.aclose())


def _sends(client: Any, pipe: Any) -> None:
    """In another process: what a call there sends and gets."""

    def done(result: Any) -> Any:
        return asyncio.run(result) if inspect.iscoroutine(result) else result

    told = []
    for key in (None, "ms_sk_of_the_child"):
        if key:
            os.environ["MEMSTACK_API_KEY"] = key
        try:
            told.append(done(client.create_memo("from elsewhere")).content)
        except MemStackError as error:
            told.append(type(error).__name__)
    done(client.close())
    pipe.send(told)
    pipe.close()


def _told_by(client: Any) -> list[str]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_sends, args=(client, theirs))
    process.start()
    theirs.close()
    with ours:
        assert ours.poll(30)
        told: list[str] = ours.recv()
    process.join(10)
    assert process.exitcode == 0
    return told


def test_a_client_works_in_a_spawned_process(made: Make) -> None:
    """With the key of that process's environment."""
    with echoing() as server:
        told = _told_by(made(server.url, timeout=10, proxy=None).with_options(deadline=20).client)

    assert told == ["AuthenticationError", "from elsewhere"]


def test_an_embedded_file_is_opened_in_a_spawned_process(
    colour: Colour, drive: Any, tmp_path: Path
) -> None:
    """No key is needed for it."""
    client = drive(CLASSES[colour].local(tmp_path / "memories.db"))

    told = _told_by(client.client)

    assert told == ["from elsewhere"] * 2
    assert [memo.content for memo in client.list_memos()] == told


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_shares_the_connections(
    client: Driven, server: ScriptedServer, copied: Callable[[Any], Any]
) -> None:
    """Closing it closes nothing; it is closed with its client."""
    server.answer(Answer(body=MEMO), Answer(body=MEMO))
    twin = Driven(copied(client.client), client.loop)

    assert twin.client._transport is client.client._transport
    assert twin.get_memo("m1").id == "m1"
    twin.close()
    assert client.get_memo("m1").id == "m1"
    client.close()
    with pytest.raises(memstack.NetworkError, match="closed"):
        twin.get_memo("m1")


def test_a_copy_of_an_embedded_client_shares_its_memories(local: Driven) -> None:
    """Also of one in memory, which cannot be pickled."""
    made = local.create_memo("note")
    twin = Driven(copy.deepcopy(local.client), local.loop)

    assert twin.get_memo(made.id).content == "note"
    twin.close()
    assert local.get_memo(made.id).content == "note"


ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "create_episode": ("name", "content"),
    "search_memory": ("query",),
    "create_api_key": ("name", ["read"]),
    "list_episodes": (),
    "list_api_keys": (),
    "list_memos": (),
    "health_check": (),
    "server_info": (),
    "send": (operations.get_memo("m1"),),
    "send_raw": (operations.get_memo("m1"),),
}


@pytest.mark.parametrize("name", [*METHODS, "server_info", "send", "send_raw"])
@pytest.mark.parametrize("kind", ["client", "sibling", "embedded"])
def test_every_method_of_a_closed_client_says_so(
    colour: Colour, made: Make, drive: Any, name: str, kind: str
) -> None:
    """Nothing is sent, and closing again is fine."""
    client = drive(CLASSES[colour].local()) if kind == "embedded" else made()
    used = client.with_options(on_unsupported="raise") if kind == "sibling" else client
    client.close()
    client.close()

    with pytest.raises(memstack.NetworkError, match="closed") as caught:
        getattr(used, name)(*ARGUMENTS.get(name, ("m1",)))

    assert (caught.value.reason, caught.value.outcome) == ("closed", "not_sent")


def test_settling_with_a_closed_client_says_so(client: Driven, server: ScriptedServer) -> None:
    """As any other method does."""
    server.answer(*[Answer(status=504)] * 9)
    with pytest.raises(MemStackError) as doubtful:
        client.with_options(max_retries=0).update_memo("m1", "note")
    client.close()

    with pytest.raises(memstack.NetworkError, match="closed"):
        client.settle(doubtful.value)
