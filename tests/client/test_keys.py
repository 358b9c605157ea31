"""Keys that are given by a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

import memstack
from memstack import MemStackAsyncClient

from ..colours import Colour, Driven, outcomes
from ..conftest import KEY, Make
from ..scripted import MEMO, Answer, ScriptedServer


def keys_sent(server: ScriptedServer) -> list[str]:
    return [r.headers["authorization"].removeprefix("Bearer ") for r in server.requests]


def giving(*keys: Any) -> Callable[[], Any]:
    """A function that gives, or raises, one of *keys* after the other."""
    rest = iter(keys)

    def give() -> Any:
        key = next(rest)
        if isinstance(key, Exception):
            raise key
        return key

    return give


@pytest.fixture
def with_key(make: Make) -> Callable[[Any], Driven]:
    def with_key(api_key: Any) -> Driven:
        client: Driven = make().with_options(api_key=api_key)
        return client

    return with_key


def test_is_asked_before_each_attempt(
    with_key: Callable[[Any], Driven], server: ScriptedServer
) -> None:
    """So that a key which was replaced meanwhile is used at once."""
    client = with_key(giving("ms_sk_1", "ms_sk_2", "ms_sk_3"))
    server.answer(Answer(503), Answer(body=MEMO), Answer(body=MEMO))

    client.get_memo("m1")
    client.get_memo("m1")

    assert keys_sent(server) == ["ms_sk_1", "ms_sk_2", "ms_sk_3"]


def test_may_be_asynchronous(
    with_key: Callable[[Any], Driven], server: ScriptedServer, colour: Colour
) -> None:
    """For the client that is; the other says which to use."""

    async def key() -> str:
        return "ms_sk_awaited"

    client = with_key(key)
    server.answer(Answer(body=MEMO))

    if isinstance(client.client, MemStackAsyncClient):
        client.get_memo("m1")
        assert keys_sent(server) == ["ms_sk_awaited"]
    else:
        with pytest.raises(memstack.AuthenticationError, match="MemStackAsyncClient"):
            client.get_memo("m1")


@pytest.mark.parametrize("given", [None, "", "sk-other", 5, KEY + "\n", OSError("vault is down")])
def test_a_function_that_gives_no_key_ends_the_call(
    with_key: Callable[[Any], Driven], server: ScriptedServer, given: Any
) -> None:
    """Before anything is sent; its exception is the cause."""
    with pytest.raises(memstack.AuthenticationError, match=r"api_key|no API key") as caught:
        with_key(giving(given)).get_memo("m1")

    assert server.requests == []
    assert (caught.value.outcome, caught.value.attempts) == ("not_sent", ())
    assert caught.value.path == "/api/v1/memos/m1"
    assert isinstance(caught.value.__cause__, OSError) == isinstance(given, OSError)
    assert KEY not in str(caught.value)


def test_a_create_stays_unknown_when_no_key_comes_for_the_next_attempt(
    with_key: Callable[[Any], Driven], server: ScriptedServer
) -> None:
    """The first attempt may have been applied."""
    client = with_key(giving("ms_sk_1", ValueError("expired"), ValueError("expired")))
    client = client.with_options(retry_unsafe=True)
    server.answer(httpx.ReadError("x"))

    with pytest.raises(memstack.AuthenticationError) as caught:
        client.create_memo("note")

    assert caught.value.outcome == "unknown"
    assert outcomes(caught.value.attempts) == [(None, "unknown")]


def test_every_key_of_the_call_is_masked(
    with_key: Callable[[Any], Driven], server: ScriptedServer
) -> None:
    """A server may quote the one before."""
    client = with_key(giving("ms_sk_first", "ms_sk_second"))
    server.answer(Answer(503), Answer(401, {"detail": "ms_sk_first, ms_sk_second"}))

    with pytest.raises(memstack.AuthenticationError) as caught:
        client.get_memo("m1")

    assert "ms_sk_first" not in repr(vars(caught.value))
    assert "ms_sk_second" not in repr(vars(caught.value))


def test_the_function_is_the_clients_api_key(with_key: Callable[[Any], Driven]) -> None:
    """It is neither called nor shown."""
    give = giving()
    client = with_key(give)

    assert client.client.api_key is give
    assert "ms_sk_***" in repr(client.client)
