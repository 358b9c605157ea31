"""What a call does when its requests fail: again, or which error, with which facts."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

import memstack
from memstack import operations

from ..colours import Driven, FakeTime, outcomes
from ..conftest import KEY, Make
from ..scripted import MEMO, SEARCH, Answer, ScriptedServer

REFUSED = httpx.ConnectError("refused")
RESET = httpx.ReadError("reset by peer")
NO_LOOK = (Answer(403), Answer(403))  # to the health check and to the list


def posts(server: ScriptedServer) -> list[httpx.Request]:
    return [request for request in server.requests if request.method == "POST"]


SLOW = httpx.ReadTimeout("slow")


def test_tries_again_until_it_is_answered(
    client: Driven, server: ScriptedServer, time: FakeTime
) -> None:
    """The pauses double; ids stay the same, the count goes up."""
    server.answer(REFUSED, Answer(503), RESET, Answer(body=SEARCH))

    response = client.send_raw(operations.search_memory("hiking"))

    assert response.result.query == "hiking"
    assert time.pauses == [1.0, 2.0, 4.0]
    assert outcomes(response.attempts) == [
        (None, "not_sent"),
        (503, "unknown"),
        (None, "unknown"),
        (200, "applied"),
    ]
    assert [a.pause_reason for a in response.attempts] == ["backoff"] * 3 + [None]
    headers = [request.headers for request in server.requests]
    assert [h["x-retry-count"] for h in headers] == ["0", "1", "2", "3"]
    assert len({h["x-request-id"] for h in headers}) == 1


def test_keeps_one_idempotency_key_for_all_attempts(client: Driven, server: ScriptedServer) -> None:
    """So that a server that knows such keys can tell."""
    server.answer(REFUSED, Answer(429), Answer(body=MEMO))

    client.create_memo("note")

    assert len({request.headers["idempotency-key"] for request in server.requests}) == 1


def test_gives_up_after_max_retries(make: Make, server: ScriptedServer, time: FakeTime) -> None:
    """The last failure is raised, with all attempts."""
    server.answer(REFUSED, REFUSED, REFUSED)

    with pytest.raises(memstack.NetworkError) as caught:
        make(max_retries=2, retry_delay=0.5).get_memo("m1")

    assert caught.value.outcome == "not_sent"
    assert caught.value.reason in ("connect", "refused")
    assert len(caught.value.attempts) == 3
    assert time.pauses == [0.5, 1.0]
    assert caught.value.request_id == server.last.headers["x-request-id"]
    assert (caught.value.method, caught.value.path) == ("GET", "/api/v1/memos/m1")


@pytest.mark.parametrize("lost", [RESET, SLOW, httpx.RemoteProtocolError("cut")])
def test_does_not_resend_a_create_whose_answer_was_lost(
    client: Driven, server: ScriptedServer, lost: Exception
) -> None:
    """It may be stored, and here nobody can look: the caller is told so."""
    server.answer(lost, *NO_LOOK)

    with pytest.raises(memstack.OutcomeUnknownError, match="may or may not") as caught:
        client.create_episode("n", "x")

    assert caught.value.outcome == "unknown"
    assert len(posts(server)) == len(caught.value.attempts) == 1


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 520, 529])
def test_does_not_resend_a_create_after_a_doubtful_status(
    client: Driven, server: ScriptedServer, status: int
) -> None:
    """The error keeps its class; its outcome says that it is not known."""
    server.answer(Answer(status, {"detail": "no"}), *NO_LOOK)

    with pytest.raises(memstack.APIError) as caught:
        client.create_memo("note")

    assert caught.value.status_code == status
    assert caught.value.outcome == "unknown"
    assert len(posts(server)) == 1


def test_does_not_resend_delete_episode_after_a_lost_answer(
    client: Driven, server: ScriptedServer
) -> None:
    """An episode of that name stored in between would go too."""
    server.answer(RESET)

    with pytest.raises(memstack.OutcomeUnknownError):
        client.delete_episode("n")

    assert len(server.requests) == 1


def test_resends_a_create_that_was_not_sent_or_refused(
    client: Driven, server: ScriptedServer
) -> None:
    """A refused connection and a 429 leave nothing behind."""
    server.answer(REFUSED, Answer(429), httpx.PoolTimeout("full"), Answer(body=MEMO))

    assert client.create_memo("note").id == "m1"


@pytest.mark.parametrize("name", ["delete_memo", "revoke_api_key"])
def test_takes_a_404_to_a_repeated_delete_as_done(
    client: Driven, server: ScriptedServer, name: str
) -> None:
    """The first sending, whose answer was lost, did it."""
    server.answer(RESET, Answer(404, {"detail": "Memo not found"}))

    assert getattr(client, name)("m1") is None


def test_raises_a_404_to_a_delete_that_was_not_sent_before(
    client: Driven, server: ScriptedServer
) -> None:
    """A refused connection deletes nothing, so the 404 is news."""
    server.answer(REFUSED, Answer(404, {"detail": "Memo not found"}))

    with pytest.raises(memstack.NotFoundError) as caught:
        client.delete_memo("m1")

    assert caught.value.outcome == "rejected"


def test_stays_unknown_when_the_last_attempt_could_not_connect(
    make: Make, server: ScriptedServer
) -> None:
    """An earlier attempt may have been applied."""
    server.answer(RESET, REFUSED)

    with pytest.raises(memstack.OutcomeUnknownError) as caught:
        make(max_retries=1).update_memo("m1", content="new")

    assert caught.value.outcome == "unknown"
    assert outcomes(caught.value.attempts) == [(None, "unknown"), (None, "not_sent")]


def test_waits_as_long_as_a_rate_limit_asks(
    client: Driven, server: ScriptedServer, time: FakeTime
) -> None:
    """Retry-After goes before the backoff."""
    server.answer(Answer(429, headers={"Retry-After": "7"}), Answer(body=MEMO))

    response = client.send_raw(operations.get_memo("m1"))

    assert time.pauses == [7.0]
    assert response.attempts[0].pause_reason == "retry-after"


def test_raises_at_once_when_asked_to_wait_too_long(
    client: Driven, server: ScriptedServer, time: FakeTime
) -> None:
    """Beyond max_retry_after the caller decides."""
    server.answer(Answer(429, {"detail": "slow down"}, {"Retry-After": "3600"}))

    with pytest.raises(memstack.RateLimitError, match="slow down") as caught:
        client.get_memo("m1")

    assert caught.value.retry_after == 3600.0
    assert time.pauses == []


def test_an_outage_is_not_multiplied(make: Make, server: ScriptedServer, time: FakeTime) -> None:
    """When the budget is empty each call makes one attempt; siblings share it."""
    client = make(max_retries=9)
    server.answer(*[REFUSED] * 60)

    made = []
    for _ in range(6):
        with pytest.raises(memstack.NetworkError) as caught:
            client.with_options(timeout=5).get_memo("m1")
        made.append(len(caught.value.attempts))

    assert made == [10, 10, 10, 9, 1, 1]


def test_a_retry_that_succeeds_costs_nothing(make: Make, server: ScriptedServer) -> None:
    """Passing failures may go on for ever."""
    client = make()
    for _ in range(100):
        server.answer(REFUSED, Answer(body=MEMO))

    assert [client.get_memo("m1").id for _ in range(100)] == ["m1"] * 100


@pytest.mark.parametrize(
    "proof",
    [
        Answer(body=MEMO, headers={"Idempotency-Replayed": "true"}),
        Answer(body={"status": "ok", "capabilities": ["idempotency-key"]}),
    ],
)
def test_resends_a_create_to_a_server_that_honours_its_key(
    client: Driven, server: ScriptedServer, proof: Answer
) -> None:
    """Such a server applies it once, so a lost answer is simply asked for again."""
    server.answer(proof, RESET, Answer(503), Answer(body=MEMO))
    client.health_check() if "status" in proof.body else client.create_memo("first")

    assert client.create_memo("note").id == "m1"
    keys = [request.headers["idempotency-key"] for request in server.requests[1:]]
    assert len(keys) == 3
    assert len(set(keys)) == 1


def test_ends_a_call_within_its_deadline(
    make: Make, server: ScriptedServer, time: FakeTime
) -> None:
    """Each attempt gets what is left, and a pause that cannot fit is not begun."""
    server.answer(*[Answer(503, takes=1.5)] * 10)

    with pytest.raises(memstack.ServerError):
        make(timeout=2, deadline=5, max_retries=10).get_memo("m1")

    timeouts = [request.extensions["timeout"]["read"] for request in server.requests]
    assert timeouts == [2, 2]
    assert time.pauses == [1.0]
    assert time.clock - 1000.0 == 4.0


def test_shortens_the_last_attempt_to_the_deadline(make: Make, server: ScriptedServer) -> None:
    """A timeout longer than what is left would pass it."""
    server.answer(Answer(503, takes=3), Answer(body=MEMO))

    make(timeout=60, deadline=5).get_memo("m1")

    assert [r.extensions["timeout"]["read"] for r in server.requests] == [5, 1.0]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (307, memstack.APIError),
        (400, memstack.BadRequestError),
        (401, memstack.AuthenticationError),
        (403, memstack.PermissionDeniedError),
        (404, memstack.NotFoundError),
        (409, memstack.ConflictError),
        (418, memstack.APIError),
        (422, memstack.UnprocessableEntityError),
        (501, memstack.ServerError),
    ],
)
def test_raises_a_refusal_as_its_class_and_once(
    client: Driven, server: ScriptedServer, status: int, kind: type[memstack.APIError]
) -> None:
    """With status, body, headers, and an outcome that says nothing was done."""
    body = {"detail": "Memo not found"}
    server.answer(Answer(status, body, {"X-Request-ID": "srv-9"}))

    with pytest.raises(kind) as caught:
        client.create_memo("note")

    assert type(caught.value) is kind
    assert caught.value.status_code == status
    assert caught.value.response_body == body
    assert caught.value.headers["x-request-id"] == caught.value.request_id == "srv-9"
    assert caught.value.outcome == "rejected"
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [307, 308])
@pytest.mark.parametrize("place", ["https://memstack.test:443/new?a=1", "/new?a=1"])
def test_follows_a_redirect_on_the_same_origin(
    make: Make, server: ScriptedServer, status: int, place: str
) -> None:
    """The same request again, with key and body; the history tells."""
    client = make("https://memstack.test/mounted")
    server.answer(Answer(status, headers={"Location": place}), Answer(body=MEMO))

    response = client.send_raw(memstack.operations.create_memo("note"))

    first, second = server.requests
    assert first.url.path == "/mounted/api/v1/memos"
    assert str(second.url) == "https://memstack.test/new?a=1"
    assert (first.method, first.content) == (second.method, second.content)
    assert dict(first.headers) == dict(second.headers)
    assert outcomes(response.attempts) == [(status, "rejected"), (200, "applied")]


@pytest.mark.parametrize(("status", "followed"), [(301, True), (302, True), (303, False)])
def test_follows_redirects_that_change_the_method_only_for_a_get(
    client: Driven, server: ScriptedServer, status: int, followed: bool
) -> None:
    """A POST would become a GET, and nothing be stored."""
    moved = Answer(status, headers={"Location": "/new"})
    server.answer(moved, moved)

    with pytest.raises(memstack.APIError):
        client.create_memo("note")
    server.answer(Answer(body=MEMO))
    if followed:
        assert client.get_memo("m1").id == "m1"
    else:
        with pytest.raises(memstack.APIError, match="base_url"):
            client.get_memo("m1")


@pytest.mark.parametrize(
    "place",
    [
        "https://elsewhere.test/",
        "http://memstack.test/api/v1/memos/m1",
        "https://memstack.test:8443/api/v1/memos/m1",
        "//elsewhere.test/",
        "https://user@memstack.test/",
        "/a b",
        None,
    ],
)
def test_does_not_follow_a_redirect_to_elsewhere(
    client: Driven, server: ScriptedServer, place: str | None
) -> None:
    """The key would go along."""
    server.answer(Answer(307, headers={"Location": place} if place else {}))

    with pytest.raises(memstack.APIError, match="base_url") as caught:
        client.get_memo("m1")

    assert len(server.requests) == 1
    assert (caught.value.status_code, caught.value.outcome) == (307, "rejected")


def test_follows_no_loop_of_redirects(client: Driven, server: ScriptedServer) -> None:
    """Five, then it is an error."""
    server.answer(*[Answer(307, headers={"Location": "/api/v1/memos/m1"})] * 6)

    with pytest.raises(memstack.APIError, match="after 5 others") as caught:
        client.get_memo("m1")

    assert outcomes(caught.value.attempts) == [(307, "rejected")] * 6


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"id": 5}', b'{"id": "m1"'])
def test_keeps_the_body_of_a_success_it_cannot_read(
    client: Driven, server: ScriptedServer, body: bytes
) -> None:
    """It was applied, so it is not sent again and not lost."""
    server.answer(Answer(200, body))

    with pytest.raises(memstack.ResponseValidationError) as caught:
        client.create_memo("note")

    assert caught.value.content == body
    assert caught.value.outcome == "applied"
    assert len(caught.value.attempts) == len(server.requests) == 1


@pytest.mark.parametrize(
    ("fault", "reason", "outcome"),
    [
        (httpx.ConnectTimeout("x"), "connect_timeout", "not_sent"),
        (httpx.PoolTimeout("x"), "pool_timeout", "not_sent"),
        (httpx.ReadTimeout("x"), "read_timeout", "unknown"),
        (httpx.WriteTimeout("x"), "write_timeout", "unknown"),
        (httpx.ConnectError("x"), "connect", "not_sent"),
        (httpx.ProxyError("x"), "proxy", "not_sent"),
        (httpx.UnsupportedProtocol("x"), "url", "not_sent"),
        (httpx.LocalProtocolError("x"), "url", "not_sent"),
        (httpx.InvalidURL("x"), "url", "not_sent"),
        (httpx.WriteError("x"), "write", "unknown"),
        (httpx.ReadError("x"), "read", "unknown"),
        (httpx.CloseError("x"), "read", "unknown"),
        (httpx.DecodingError("x"), "truncated", "unknown"),
        (httpx.RemoteProtocolError("x"), "truncated", "unknown"),
        (httpx.TooManyRedirects("x"), "read", "unknown"),
    ],
)
def test_tells_what_kind_of_failure_it_was(
    make: Make, server: ScriptedServer, fault: Exception, reason: str, outcome: str
) -> None:
    """And whether the server can have seen the request."""
    server.answer(fault)

    client = make(max_retries=0)
    with pytest.raises(memstack.NetworkError) as caught:
        client.get_memo("m1")

    expected = {reason, "refused"} if reason == "connect" else {reason}
    assert caught.value.reason in expected
    assert caught.value.outcome == outcome
    assert isinstance(caught.value, memstack.RequestTimeoutError) == reason.endswith("timeout")
    assert f"{client.base_url}/api/v1/memos/m1" in caught.value.message


@pytest.mark.parametrize("end", [KeyboardInterrupt(), asyncio.CancelledError(), MemoryError()])
def test_lets_what_is_not_ours_pass(
    client: Driven, server: ScriptedServer, end: Any, time: FakeTime
) -> None:
    """A user who interrupts is not made to wait."""
    server.answer(end)

    with pytest.raises(type(end)):
        client.get_memo("m1")

    assert len(server.requests) == 1
    assert time.pauses == []


@pytest.mark.parametrize(
    "answer",
    [
        Answer(400, {"detail": f"bad key {KEY}"}),
        Answer(401, f"no such key: {KEY}".encode()),
        Answer(200, {"id": KEY}),
        Answer(307, headers={"Location": f"https://elsewhere.test/?key={KEY}"}),
        Answer(400, headers={"X-Request-ID": KEY}),
    ],
)
def test_masks_the_key_where_a_server_quotes_it(
    client: Driven, server: ScriptedServer, answer: Answer
) -> None:
    """No part of the error shows it, so that it may be logged and pickled."""
    server.answer(answer)

    with pytest.raises(memstack.MemStackError) as caught:
        client.get_memo("m1")

    assert KEY not in f"{caught.value} {caught.value!r} {vars(caught.value)}"


def test_no_error_shows_the_key(client: Driven, server: ScriptedServer) -> None:
    """Neither in its text nor in anything it carries."""
    server.answer(Answer(500, {"detail": "boom"}), *NO_LOOK)
    server.answer(Answer(404, {"detail": "no"}), RESET, *NO_LOOK)

    for call in (client.create_memo, client.get_memo, client.create_memo):
        with pytest.raises(memstack.MemStackError) as caught:
            call("x")
        assert KEY not in repr(caught.value) + repr(vars(caught.value))


def test_names_an_event_loop_that_is_gone(client: Driven, server: ScriptedServer) -> None:
    """An http_client of one asyncio.run() is no use in the next; another RuntimeError is a bug."""
    server.answer(RuntimeError("Event loop is closed"), RuntimeError("a bug"))

    with pytest.raises(memstack.NetworkError, match="another event loop") as caught:
        client.get_memo("m1")
    with pytest.raises(RuntimeError, match="a bug"):
        client.get_memo("m1")

    assert (caught.value.reason, caught.value.outcome) == ("closed", "not_sent")


def test_no_attempt_begins_after_the_deadline(make: Make, server: ScriptedServer) -> None:
    """Not even at another path, for which there is no pause."""
    server.answer(Answer(404, {"detail": "Not Found"}, takes=6.0), Answer(body=MEMO))

    with pytest.raises(memstack.RequestTimeoutError, match="deadline of 5 s") as caught:
        make(deadline=5).get_memo("m1")

    assert (caught.value.reason, len(server.requests)) == ("deadline", 1)
    assert outcomes(caught.value.attempts) == [(404, "rejected")]
