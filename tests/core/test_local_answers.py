"""What every answer of the embedded server has, whatever was asked and whatever fails."""

from __future__ import annotations

import json
import logging
import re

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from memstack._version import __version__
from memstack._wire import WireRequest
from memstack.local import EmbeddedServer

from .local import EPISODE, EPISODES, KEYS, MEMOS, SEARCH, ask, told


def test_health_needs_no_key(server: EmbeddedServer) -> None:
    """The version and capabilities are told to anyone."""
    response = server.handle(WireRequest("GET", "/health", {}, None, None))

    assert response.status == 200
    assert told(response) == {
        "status": "ok",
        "version": __version__,
        "capabilities": ["idempotency-key", "filters"],
    }


def test_answer_is_json_in_utf8(server: EmbeddedServer) -> None:
    """Text is not escaped, and header names are in lower case."""
    response = ask(server, "POST", MEMOS, {"content": "王芳 é 😀"})

    assert "王芳 é 😀" in response.body.decode()
    assert response.headers["content-type"] == "application/json"
    assert list(response.headers) == [name.lower() for name in response.headers]


def test_request_id_is_repeated(server: EmbeddedServer) -> None:
    """An answer carries the id of its request, also an error and an empty one."""
    for method, target in (("GET", "/health"), ("GET", "/nothing"), ("DELETE", MEMOS + "/x")):
        assert ask(server, method, target, X_Request_ID="id-1").headers["x-request-id"] == "id-1"


@pytest.mark.parametrize("given", [None, "", "a b", "x" * 256, "a\r\nset-cookie: b"])
def test_request_without_a_good_id_gets_one(server: EmbeddedServer, given: str | None) -> None:
    """The server makes an id where there is none, or one that cannot be repeated."""
    headers = {} if given is None else {"X_Request_ID": given}

    ids = {ask(server, "GET", "/health", **headers).headers["x-request-id"] for _ in range(2)}

    assert len(ids) == 2
    assert all(re.fullmatch(r"[0-9a-f-]{36}", made_id) for made_id in ids)


def test_bug_is_answered_with_500_and_logged_without_content(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No exception leaves `handle`; the log tells the place, and nothing of the request."""

    secret = "-".join(["my", "secret"])  # Source lines are in the log, so none may hold it.

    def fail(*_: object) -> None:
        raise RuntimeError(f"with {secret} in it")

    monkeypatch.setattr("memstack.local.memos.create", fail)
    with caplog.at_level(logging.ERROR, logger="memstack.local"):
        response = ask(server, "POST", MEMOS, {"content": secret}, X_Request_ID="id-1")

    assert (response.status, told(response)) == (
        500,
        {"detail": "Internal server error", "status_code": 500},
    )
    assert "RuntimeError" in caplog.text
    assert "id-1" in caplog.text
    assert secret not in caplog.text
    assert server.owner_key not in caplog.text


def test_failed_write_leaves_nothing_behind(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that fails half way is undone, its Idempotency-Key included."""
    with monkeypatch.context() as patched:
        patched.setattr("memstack.local.index.add", lambda *_: 1 / 0)
        assert ask(server, "POST", EPISODES, EPISODE, Idempotency_Key="one").status == 500

    assert told(ask(server, "GET", EPISODES))["total"] == 0
    assert ask(server, "POST", EPISODES, EPISODE, Idempotency_Key="one").status == 202


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = st.dictionaries(
    st.sampled_from(
        """
        name content source_type group_id metadata valid_at tenant_id query limit filters
        permissions expires_in_days visibility tags
        """.split()
    ),
    _JSON,
)
_PATHS = st.sampled_from([EPISODES, SEARCH, KEYS, MEMOS, EPISODES + "a", MEMOS + "/a", "/"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(["GET", "POST", "PATCH", "DELETE"]) | st.text(),
    path=_PATHS,
    rest=st.text(),
    body=_FIELDS.map(lambda fields: json.dumps(fields).encode()) | st.binary() | st.none(),
    headers=st.dictionaries(
        st.sampled_from(["Content-Type", "Idempotency-Key", "X-Request-ID", "accept"]), st.text()
    ),
)
@pytest.mark.parametrize("server", ["memory"], indirect=True)
def test_no_request_is_a_fault_of_the_server(
    server: EmbeddedServer,
    method: str,
    path: str,
    rest: str,
    body: bytes | None,
    headers: dict[str, str],
) -> None:
    """Whatever comes is answered, in JSON and not with a 500."""
    sent = {"authorization": f"Bearer {server.owner_key}", **headers}

    for target in (path, path + rest, f"{path}?limit={rest}"):
        response = server.handle(WireRequest(method, target, sent, body, None))
        assert response.status < 500
        assert response.status == 204 or json.loads(response.body) is not None
