"""No argument adds a header or a request to what is sent, whatever it holds."""

from __future__ import annotations

import inspect
import socket
import warnings
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import example, given, settings, strategies as st

import memstack
from memstack import operations

from ..colours import CLASSES, AnyClient, Colour, Driven
from ..conftest import KEY
from .connecting import Connect, bare as bare, connect as connect
from .faulty import answer, read_request, serving, site

CONTROLS = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))]

COMMON = ["accept", "accept-encoding", "authorization", "host", "user-agent", "x-request-id"]
COMMON += ["x-retry-count"]
WITH_BODY = ["content-length", "content-type"]

ATTACKS = st.one_of(
    st.text(st.characters(exclude_categories=())),
    st.sampled_from(
        [
            "x\r\nX-More: 1",
            "x\nX-More: 1",
            "x\r\n\r\nDELETE /api/v1/memos/m1 HTTP/1.1\r\nHost: a\r\n\r\n",
            " HTTP/1.1\r\nX-More: 1\r\n\r\n",
            "x%0d%0aX-More: 1",
            "x\u560d\u560aX-More: 1",  # ends in CR and LF where a character is cut to a byte
            "x\x85X-More: 1",
            "x\u2028X-More: 1",
            "?a=b&c#d",
            "a b",
        ]
    ),
)
METADATA = st.dictionaries(ATTACKS, ATTACKS, max_size=2)
KEYS = st.one_of(st.none(), ATTACKS)

ARGUMENTS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "create_episode": {
        "name": ATTACKS,
        "content": ATTACKS,
        "source_description": ATTACKS,
        "group_id": ATTACKS,
        "metadata": METADATA,
        "project_id": ATTACKS,
        "tenant_id": ATTACKS,
        "user_id": ATTACKS,
        "idempotency_key": KEYS,
    },
    "list_episodes": {"project_id": ATTACKS, "tenant_id": ATTACKS, "user_id": ATTACKS},
    "get_episode": {"name": ATTACKS},
    "delete_episode": {"name": ATTACKS},
    "search_memory": {
        "query": ATTACKS,
        "tenant_id": ATTACKS,
        "filters": METADATA,
        "project_id": ATTACKS,
        "user_id": ATTACKS,
    },
    "create_api_key": {
        "name": ATTACKS,
        "permissions": st.just(["read"]),
        "idempotency_key": KEYS,
    },
    "revoke_api_key": {"key_id": ATTACKS},
    "create_memo": {"content": ATTACKS, "tags": st.lists(ATTACKS), "idempotency_key": KEYS},
    "get_memo": {"memo_id": ATTACKS},
    "update_memo": {"memo_id": ATTACKS, "content": ATTACKS, "tags": st.lists(ATTACKS)},
    "delete_memo": {"memo_id": ATTACKS},
}


def records_all(seen: list[bytes]) -> Callable[[socket.socket], None]:
    """Answers every request of a connection with 403, and keeps all bytes that came."""

    def behave(connection: socket.socket) -> None:
        while True:
            seen.append(read_request(connection))
            connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    return behave


def parsed(received: bytes) -> tuple[str, dict[str, str]]:
    """Request line and headers of *received*, which is one request and not a byte more."""
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("ascii").split("\r\n")
    pairs = [line.split(": ", 1) for line in lines]
    headers = {name.lower(): value for name, value in pairs}
    assert len(headers) == len(pairs)
    assert len(body) == int(headers.get("content-length", 0))
    assert not {"\r", "\n", "\0"} & set("".join(headers.values()))
    return first, headers


def sends(client: Driven, seen: list[bytes], name: str, arguments: dict[str, Any]) -> bytes | None:
    """The bytes that a call sent; None if its arguments were refused."""
    seen.clear()
    try:
        getattr(client, name)(**arguments)
    except memstack.PermissionDeniedError:
        (received,) = seen
        return received
    except (memstack.ValidationError, memstack.AuthenticationError):
        assert seen == []
        return None
    raise AssertionError("the server answers 403 to everything")


@pytest.mark.parametrize("name", ARGUMENTS)
def test_no_argument_adds_a_header_or_a_request(connect: Connect, name: str) -> None:
    """One request arrives, with the headers that each call has, or the argument is refused."""
    seen: list[bytes] = []
    sent = 0
    known = inspect.signature(getattr(operations, name)).parameters
    needed = {n for n in ARGUMENTS[name] if known[n].default is inspect.Parameter.empty}
    harmless = {n: ["read"] if n == "permissions" else "x" for n in needed}
    expected = list(COMMON)
    if name.startswith("create_"):
        expected.append("idempotency-key")
    if name.startswith(("create_", "search_", "update_")):
        expected += WITH_BODY

    @settings(max_examples=20)
    @given(
        st.fixed_dictionaries(
            {n: given for n, given in ARGUMENTS[name].items() if n in needed},
            optional={n: given for n, given in ARGUMENTS[name].items() if n not in needed},
        )
    )
    @example(harmless)
    def holds(arguments: dict[str, Any]) -> None:
        nonlocal sent
        received = sends(client, seen, name, arguments)
        if received is None:
            return
        sent += 1
        first, headers = parsed(received)
        method, target, version = first.split(" ")
        assert (method, version) == (METHODS[name.partition("_")[0]], "HTTP/1.1")
        assert target.startswith("/api/v1/")
        assert sorted(set(headers) - {"connection"}) == sorted(expected)
        if arguments.get("idempotency_key") is not None:
            assert headers["idempotency-key"] == arguments["idempotency_key"]

    with serving(records_all(seen)) as url, warnings.catch_warnings():
        warnings.simplefilter("ignore", memstack.UnsupportedArgumentWarning)
        client = connect(url)
        holds()
        client.close()

    assert sent


METHODS = {
    "create": "POST",
    "search": "POST",
    "list": "GET",
    "get": "GET",
    "update": "PATCH",
    "delete": "DELETE",
    "revoke": "DELETE",
}


def test_no_query_adds_a_parameter(connect: Connect) -> None:
    """What is given comes back whole where the query is read."""
    seen: list[bytes] = []

    @settings(max_examples=20)
    @given(ATTACKS)
    def holds(value: str) -> None:
        received = sends(client, seen, "list_episodes", {"project_id": value})
        if received is not None:
            _, target, _ = parsed(received)[0].split(" ")
            parts = dict(part.split("=") for part in target.partition("?")[2].split("&"))
            assert sorted(parts) == ["limit", "offset", "project_id"]
            assert unquote(parts["project_id"]) == value

    with serving(records_all(seen)) as url:
        client = connect(url)
        holds()
        client.close()


def test_no_option_adds_a_header(connect: Connect) -> None:
    """Keys and headers that are not refused arrive as they are, and nothing beside them."""
    seen: list[bytes] = []

    @settings(max_examples=60)
    @given(st.one_of(ATTACKS, st.just("x-trace")), ATTACKS, ATTACKS)
    def holds(name: str, value: str, key: str) -> None:
        for options in ({"headers": {name: value}}, {"api_key": f"ms_sk_{key}"}):
            try:
                sibling = client.with_options(**options)
            except (memstack.ValidationError, memstack.AuthenticationError):
                continue
            received = sends(sibling, seen, "health_check", {})
            assert received is not None
            headers = parsed(received)[1]
            more = {name.lower()} if "headers" in options else set()
            assert set(headers) - {"connection"} == {*COMMON, *more}
            if more:
                assert headers[name.lower()] == value.strip()
            else:
                assert headers["authorization"] == f"Bearer ms_sk_{key}"

    with serving(records_all(seen)) as url:
        client = connect(url)
        holds()
        client.close()


@pytest.mark.parametrize("place", ["{}x", "x{}", "x{}x"])
def test_refuses_control_characters_in_all_that_becomes_a_header(
    colour: Colour, bare: None, connect: Connect, drive: Callable[[AnyClient], Driven], place: str
) -> None:
    """CR, LF, NUL and the rest; before anything is sent."""
    with site(answer()) as running:
        client = connect(running.url)
        for control in CONTROLS:
            text = place.format(control)
            with pytest.raises(memstack.AuthenticationError):
                CLASSES[colour](f"{KEY}{text}", running.url)
            with pytest.raises(memstack.AuthenticationError):
                client.with_options(api_key=lambda: f"{KEY}{text}").health_check()  # noqa: B023
            with pytest.raises(memstack.ValidationError):
                client.with_options(headers={text: "x"})
            if control != "\t":  # allowed, and cut off at the ends
                with pytest.raises(memstack.ValidationError):
                    client.with_options(headers={"x-trace": text})
            with pytest.raises(memstack.ValidationError):
                client.create_memo("note", idempotency_key=text)
            with pytest.raises(memstack.ValidationError):
                CLASSES[colour](KEY, f"{running.url}/{text}")

    assert running.connections == 0
