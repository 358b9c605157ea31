"""Redirects: followed to the same origin, and to no other."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

import memstack
from memstack import operations

from ..colours import Colour, outcomes
from ..conftest import KEY
from ..scripted import MEMO
from .connecting import Connect, authority as authority, bare as bare, connect as connect
from .faulty import answer, redirect, serving, site
from .tls import Authority

Bring = Callable[[], dict[str, Any]]
STORED = json.dumps(MEMO).encode()


@pytest.fixture
def bring(colour: Colour, loop: asyncio.AbstractEventLoop) -> Iterator[Bring]:
    """Gives an `http_client` that would follow any redirect itself."""
    made: list[httpx.Client | httpx.AsyncClient] = []

    def bring() -> dict[str, Any]:
        kind = httpx.Client if colour == "sync" else httpx.AsyncClient
        made.append(kind(follow_redirects=True, timeout=5, verify=False))
        return {"http_client": made[-1]}

    yield bring
    for client in made:
        if isinstance(client, httpx.Client):
            client.close()
        else:
            loop.run_until_complete(client.aclose())


def header(request: bytes, name: str) -> str | None:
    found = re.search(rf"(?im)^{name}: (.*?)\r$", request.decode("latin-1"))
    return found and found[1]


@pytest.mark.parametrize("status", [307, 308])
@pytest.mark.parametrize("location", ["/moved/here?a=b", "http://{host}/moved/here?a=b"])
def test_a_create_follows_to_the_same_origin(connect: Connect, status: int, location: str) -> None:
    """With method, body, key and ids as they were."""
    seen: list[bytes] = []
    with serving(redirect(status, location, seen=seen), answer(200, STORED, seen=seen)) as url:
        response = connect(url).send_raw(operations.create_memo("note"))

    first, second = seen
    assert outcomes(response.attempts) == [(status, "rejected"), (200, "applied")]
    assert response.result.id == "m1"
    assert first.startswith(b"POST /api/v1/memos HTTP/1.1\r\n")
    assert second.startswith(b"POST /moved/here?a=b HTTP/1.1\r\n")
    assert first.partition(b"\r\n\r\n")[2] == second.partition(b"\r\n\r\n")[2] != b""
    for name in ("authorization", "idempotency-key", "x-request-id", "content-type", "host"):
        assert header(first, name) == header(second, name) is not None


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_read_by_get_follows_to_the_same_origin(connect: Connect, status: int) -> None:
    """Also where a server should have said 307."""
    with serving(redirect(status, "/moved"), answer(200, STORED)) as url:
        response = connect(url).send_raw(operations.get_memo("m1"))

    assert outcomes(response.attempts) == [(status, "rejected"), (200, "applied")]


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304])
def test_other_redirects_of_a_post_are_errors(connect: Connect, status: int) -> None:
    """They would turn it into a GET, or say nothing."""
    with (
        site(redirect(status, "/moved"), answer()) as running,
        pytest.raises(memstack.APIError) as caught,
    ):
        connect(running.url).search_memory("hiking")

    assert outcomes(caught.value.attempts) == [(status, "rejected")]
    assert running.connections == 1


NOWHERE = [
    None,
    "",
    "http://",
    "http://[",
    "http://127.0.0.1:99999/",
    "mailto:a@b.test",
    "\x80",
]
# httpx's clients read a Location even when told not to follow, and cannot read these.
UNREADABLE = {"mailto:a@b.test", "http:\\\\{authority}"}


@pytest.mark.parametrize(
    ("location", "brought"),
    [(place, False) for place in NOWHERE]
    + [(place, True) for place in NOWHERE if place not in UNREADABLE],
)
def test_a_redirect_to_nowhere_is_an_error(
    connect: Connect, bring: Bring, location: str | None, brought: bool
) -> None:
    """A Location that is missing or cannot be read is no bug of ours."""
    headers = {} if location is None else {"Location": location}
    with (
        serving(*[answer(307, b"", headers)] * 6) as url,
        pytest.raises(memstack.APIError) as caught,
    ):
        connect(url, **bring() if brought else {}).create_memo("note")

    assert (caught.value.status_code, caught.value.outcome) == (307, "rejected")


# With a backslash or a space before it, libraries disagree about what a place is.
DOUBTFUL = ["\\\\{authority}/", "/\\{authority}/", "http:\\\\{authority}", "\thttp://{authority}"]
ELSEWHERE = [
    "http://{authority}/api/v1/memos/m1",
    "//{authority}/api/v1/memos/m1",
    "HTTP://{authority}",
    "http://user@{authority}/",
    "http://{host}@{authority}/",
    "http://user@{host}/",  # the same origin, and credentials that nobody asked for
]


@pytest.mark.parametrize(
    ("location", "brought"),
    [(place, False) for place in (*ELSEWHERE, *DOUBTFUL)]
    + [(place, True) for place in (*ELSEWHERE, *DOUBTFUL) if place not in UNREADABLE],
)
def test_nothing_is_sent_to_another_origin(
    connect: Connect, bring: Bring, location: str, brought: bool
) -> None:
    """Nobody connects there; another port is another origin."""
    with (
        site(answer(), answer()) as other,
        site(redirect(307, location.replace("{authority}", other.authority)), answer(404)) as here,
        pytest.raises(memstack.APIError) as caught,
    ):
        connect(here.url, **bring() if brought else {}).get_memo("m1")

    assert other.connections == 0
    assert caught.value.outcome == "rejected"
    assert caught.value.attempts[0].status == 307
    if location in ELSEWHERE:
        assert caught.value.status_code == 307
        assert here.connections == 1


def test_the_error_says_where_another_origin_is(connect: Connect) -> None:
    """And that base_url would lead there."""
    with (
        site() as other,
        serving(redirect(308, f"{other.url}/new")) as url,
        pytest.raises(memstack.APIError, match="base_url") as caught,
    ):
        connect(url).create_memo("note")

    assert other.authority in caught.value.message
    assert (caught.value.status_code, caught.value.outcome) == (308, "rejected")
    assert outcomes(caught.value.attempts) == [(308, "rejected")]


def test_the_error_says_so_after_a_redirect_that_was_followed(connect: Connect) -> None:
    """Where the way leads in the end is what has to be set."""
    with (
        site() as other,
        serving(redirect(307, "/on"), redirect(307, other.url)) as url,
        pytest.raises(memstack.APIError, match="base_url") as caught,
    ):
        connect(url).get_memo("m1")

    assert other.authority in caught.value.message
    assert outcomes(caught.value.attempts) == [(307, "rejected")] * 2


def test_another_name_of_the_host_is_another_origin(connect: Connect) -> None:
    """localhost is not 127.0.0.1: who has the one need not have the other."""
    with (
        site() as other,
        serving(redirect(307, other.named("localhost"))) as url,
        pytest.raises(memstack.APIError),
    ):
        connect(url).get_memo("m1")

    assert other.connections == 0


def test_https_is_never_left_for_http(connect: Connect, authority: Authority) -> None:
    """The same host and port over another scheme is another origin."""
    tls = authority.serves("127.0.0.1")
    with (
        site(redirect(307, "http://{host}/"), answer(), tls=tls) as running,
        pytest.raises(memstack.APIError),
    ):
        connect(running.url, verify=authority.file).get_memo("m1")

    assert running.connections == 1


def test_five_redirects_are_followed(connect: Connect) -> None:
    """One for each of five names of a place."""
    with serving(*[redirect(307, "/on")] * 5, answer(200, STORED)) as url:
        response = connect(url).send_raw(operations.get_memo("m1"))

    assert outcomes(response.attempts) == [(307, "rejected")] * 5 + [(200, "applied")]


def test_a_circle_of_redirects_ends(connect: Connect) -> None:
    """After five, with an error that says so; it is not tried again."""
    with (
        site(*[redirect(307, "/on")] * 9) as running,
        pytest.raises(memstack.APIError, match="redirect") as caught,
    ):
        connect(running.url).create_memo("note")

    assert outcomes(caught.value.attempts) == [(307, "rejected")] * 6
    assert running.connections == 6
    assert "5" in caught.value.message


def test_five_are_the_most_of_a_call_and_not_of_an_attempt(connect: Connect) -> None:
    """Retries do not begin to count anew."""
    hop, busy = redirect(307, "/on"), answer(503)
    with (
        site(hop, hop, hop, busy, hop, hop, busy, hop, hop) as running,
        pytest.raises(memstack.APIError, match="redirect") as caught,
    ):
        connect(running.url).get_memo("m1")

    assert [attempt.status for attempt in caught.value.attempts] == [
        *[307, 307, 307, 503, 307, 307, 503, 307]
    ]


def test_the_key_goes_along_to_the_same_origin(connect: Connect) -> None:
    """Otherwise a server that adds a slash would see nobody."""
    seen: list[bytes] = []
    with serving(redirect(307, "/x/", seen=seen), answer(200, STORED, seen=seen)) as url:
        connect(url).get_memo("m1")

    assert [header(request, "authorization") for request in seen] == [f"Bearer {KEY}"] * 2


def test_a_base_url_with_a_path_is_followed_outside_of_it(connect: Connect) -> None:
    """The origin counts, not the path."""
    seen: list[bytes] = []
    with serving(redirect(307, "/elsewhere", seen=seen), answer(200, STORED, seen=seen)) as url:
        connect(f"{url}/mounted/here").get_memo("m1")

    assert seen[0].startswith(b"GET /mounted/here/api/v1/memos/m1 ")
    assert seen[1].startswith(b"GET /elsewhere ")
