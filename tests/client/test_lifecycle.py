"""A client's settings, siblings and end."""

from __future__ import annotations

import gc
import inspect
import pickle
import warnings
from typing import Any, get_args, get_type_hints
from unittest.mock import AsyncMock, create_autospec

import httpx
import pytest

import memstack
from memstack import MemStackAsyncClient, MemStackClient, operations
from memstack._connecting import TransportName

from ..colours import CLASSES, Colour, Driven
from ..conftest import KEY, Make, only_httpx
from ..scripted import MEMO, Answer, ScriptedServer

METHODS = [name for name in operations.__all__ if name != "Operation"]


def test_can_be_mocked_with_its_signatures() -> None:
    """By whoever tests code that uses a client."""
    blocking = create_autospec(MemStackClient, instance=True)
    awaited = create_autospec(MemStackAsyncClient, instance=True)

    blocking.get_memo("m1")
    with pytest.raises(TypeError):
        blocking.get_memo()
    assert isinstance(awaited.get_memo, AsyncMock)


def test_with_options_sets_a_sibling_and_leaves_the_client(
    make: Make, server: ScriptedServer
) -> None:
    """What is not named stays as it is; headers add up."""
    client = make(timeout=10, headers={"x-team": "a"})
    server.answer(Answer(body=MEMO), Answer(body=MEMO))

    sibling = client.with_options(
        timeout=None, max_retries=0, deadline=3, headers={"X-Trace": "t1"}
    )
    sibling.get_memo("m1")
    client.get_memo("m1")

    assert (client.timeout, client.max_retries, client.deadline) == (10, 3, None)
    assert (sibling.timeout, sibling.max_retries, sibling.deadline) == (None, 0, 3)
    assert (sibling.retry_delay, sibling.max_retry_after) == (1.0, 60.0)
    first, second = (request.headers for request in server.requests)
    assert (first["x-team"], first["x-trace"]) == ("a", "t1")
    assert (second["x-team"], second.get("x-trace")) == ("a", None)


def test_with_options_can_name_another_key(client: Driven, server: ScriptedServer) -> None:
    """One pool may serve several keys."""
    server.answer(Answer(body=MEMO))

    client.with_options(api_key="ms_sk_other").get_memo("m1")

    assert server.last.headers["authorization"] == "Bearer ms_sk_other"


@pytest.mark.parametrize("label", ["a..b", "a" * 64])
def test_a_host_name_that_cannot_be_is_an_error_of_ours(
    colour: Colour, transport: TransportName, drive: Any, label: str
) -> None:
    """It looks like a URL until somebody looks it up."""
    options: dict[str, Any] = {"timeout": 1, "max_retries": 0, "transport": transport}
    client = drive(CLASSES[colour](KEY, f"https://{label}.invalid", **options))

    with pytest.raises(memstack.NetworkError) as caught:
        client.health_check()

    assert caught.value.outcome == "not_sent"


def test_sends_the_callers_request_id(client: Driven, server: ScriptedServer) -> None:
    """A trace of the caller's own goes through, and comes back in the answer's facts."""
    server.answer(Answer(body=MEMO))

    response = client.with_options(headers={"X-Request-ID": "mine"}).send_raw(
        operations.get_memo("m1")
    )

    assert response.request_id == server.last.headers["x-request-id"] == "mine"


def test_refuses_to_send_once_closed(client: Driven, server: ScriptedServer) -> None:
    """Closing twice is fine; a sibling is closed with its client."""
    sibling = client.with_options(timeout=5)

    client.close()
    client.close()

    for closed in (client, sibling):
        with pytest.raises(memstack.NetworkError, match="closed") as caught:
            closed.get_memo("m1")
        assert (caught.value.reason, caught.value.outcome) == ("closed", "not_sent")
    assert server.requests == []


def test_closing_a_sibling_leaves_its_client_open(client: Driven, server: ScriptedServer) -> None:
    """`with client.with_options(...)` does not end the client."""
    server.answer(Answer(body=MEMO))

    client.with_options(timeout=5).close()

    assert client.get_memo("m1").id == "m1"


@only_httpx
def test_leaves_the_users_http_client_open(make: Make) -> None:
    """Whoever made it closes it."""
    client = make()
    transport: Any = client.client._transport

    client.close()

    assert not transport._brought.is_closed


@only_httpx
def test_a_closed_http_client_is_an_error_of_ours(client: Driven) -> None:
    """httpx itself would raise a bare RuntimeError."""
    transport: Any = client.client._transport
    if isinstance(transport._brought, httpx.AsyncClient):
        client.loop.run_until_complete(transport._brought.aclose())
    else:
        transport._brought.close()

    with pytest.raises(memstack.NetworkError, match="http_client is closed") as caught:
        client.get_memo("m1")

    assert (caught.value.reason, len(caught.value.attempts)) == ("closed", 1)


def test_warns_when_left_open(colour: Colour) -> None:
    """With the place where it was made, under `python -X tracemalloc`."""
    clients = [CLASSES[colour].local()]
    shown = repr(clients[0])

    with pytest.warns(ResourceWarning, match="was not closed") as caught:
        clients.clear()

    assert shown in str(caught[0].message)
    assert "ms_sk_***" in str(caught[0].message)


def test_warns_when_a_sibling_opened_something(colour: Colour) -> None:
    """The client that it comes from owns that."""
    clients = [CLASSES[colour](KEY)]
    clients[0].with_options(timeout=5)._ready()

    with pytest.warns(ResourceWarning, match="was not closed"):
        clients.clear()


def test_does_not_warn_where_nothing_was_opened(colour: Colour) -> None:
    """As is the copy of a client that a scheduler reads on its way to a worker."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        CLASSES[colour](KEY)
        CLASSES[colour](KEY, "http://127.0.0.1:1", proxy="http://127.0.0.1:2")
        pickle.loads(pickle.dumps(CLASSES[colour](KEY)))
        gc.collect()


def test_an_embedded_server_has_the_settings_of_any_other(
    colour: Colour, local: Driven, drive: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment is for servers elsewhere."""
    names = ("timeout", "max_retries", "retry_delay", "deadline", "max_retry_after")
    other = drive(CLASSES[colour](KEY))
    monkeypatch.setenv("MEMSTACK_BASE_URL", "not a URL")

    again = drive(CLASSES[colour].local())

    assert [getattr(local, n) for n in names] == [getattr(other, n) for n in names]
    assert again.base_url == "local:"


def test_a_chained_call_keeps_its_client_alive(server: ScriptedServer) -> None:
    """The sibling holds on to the client that owns the connections."""
    server.answer(Answer(body=MEMO))
    http = httpx.Client(transport=httpx.MockTransport(server))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        made = MemStackClient(KEY, http_client=http).with_options(timeout=5).get_memo("m1")
        gc.collect()

    assert made.id == "m1"


def test_a_client_that_could_not_be_made_does_not_warn() -> None:
    """There is nothing to close."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(memstack.AuthenticationError):
            MemStackClient("nonsense")
        gc.collect()


def test_closes_at_the_end_of_with() -> None:
    """Blocking; the awaited client has the same in its own colour."""
    with MemStackClient(KEY) as client:
        assert "localhost" in repr(client)

    with pytest.raises(memstack.NetworkError, match="closed"):
        client.health_check()


async def _closed_by_async_with() -> MemStackAsyncClient:
    async with MemStackAsyncClient(KEY) as client:
        return client


def test_closes_at_the_end_of_async_with(loop: Any) -> None:
    """Awaited."""
    client = loop.run_until_complete(_closed_by_async_with())

    with pytest.raises(memstack.NetworkError, match="closed"):
        loop.run_until_complete(client.health_check())


@pytest.mark.parametrize("name", METHODS)
def test_both_clients_have_every_method_with_one_signature(name: str) -> None:
    """Arguments, defaults, result and docstring are the operation's own."""
    build = getattr(operations, name)
    described = inspect.signature(build)
    for kind in (MemStackClient, MemStackAsyncClient):
        method = getattr(kind, name)
        own = inspect.signature(method)
        _, *parameters = own.parameters.values()

        assert parameters == list(described.parameters.values())
        assert get_args(described.return_annotation) == (own.return_annotation,)
        assert method.__doc__ == build.__doc__
        assert method.__qualname__ == f"{kind.__name__}.{name}"
        assert get_type_hints(method)["return"] == own.return_annotation
    assert inspect.iscoroutinefunction(getattr(MemStackAsyncClient, name))
    assert not inspect.iscoroutinefunction(getattr(MemStackClient, name))
