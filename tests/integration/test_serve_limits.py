"""`memstack serve` lets a key do what it may, as often as it may, and logs that without secrets."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from memstack import (
    AuthenticationError,
    MemStackClient,
    PermissionDeniedError,
    RateLimitError,
)
from memstack.local.limits import MAX_BODY
from memstack.local.serving import GRACE, LAST

from .command import ROOT, Served, serving

EPISODES = "/api/v1/episodes/"
MEMOS = "/api/v1/memos"
# NCSA Common Log Format, then seconds and request id.
LINE = re.compile(
    r'127\.0\.0\.1 - (\S+) \[\d\d/\w{3}/\d{4}(?::\d\d){3} \+0000\] "([A-Z-]+ \S+) HTTP/1\.1" '
    r"(\d{3}|-) (\d+|-) \d+\.\d{3} (\S+)"
)


@contextmanager
def client_of(served: Served, key: str) -> Iterator[MemStackClient]:
    with (
        httpx.Client(trust_env=False) as http,
        MemStackClient(key, served.url, http_client=http, max_retries=0) as client,
    ):
        yield client


def test_key_may_do_what_it_is_permitted_until_it_expires(tmp_path: Path) -> None:
    """Over HTTP too: 403 for what it may not, 401 from the moment it expires or is revoked."""
    path = tmp_path / "memory.db"
    with serving("--db", str(path)) as served, client_of(served, served.key) as owner:
        reader = owner.create_api_key("reader", ["read"], expires_in_days=1)
        writer = owner.create_api_key("writer", ["write"])

        with client_of(served, writer.key) as client:
            client.create_memo("kept")
            with pytest.raises(PermissionDeniedError, match="no 'read' permission"):
                client.list_memos()
            with pytest.raises(PermissionDeniedError, match="no 'admin' permission to give"):
                client.create_api_key("more", ["admin"])
            owner.revoke_api_key(writer.key_id)
            with pytest.raises(AuthenticationError, match="Invalid API key"):
                client.create_memo("lost")
        with client_of(served, reader.key) as client:
            assert [memo.content for memo in client.list_memos()] == ["kept"]
            with pytest.raises(PermissionDeniedError, match="no 'write' permission"):
                client.create_memo("lost")
            with closing(sqlite3.connect(path)) as connection, connection:
                connection.execute("UPDATE api_keys SET expires_at = '2026-01-01T00:00:00.000000Z'")
            with pytest.raises(AuthenticationError, match="expired"):
                client.list_memos()


def test_rate_limit_is_per_key_and_tells_how_long_to_wait() -> None:
    """429 with Retry-After; other keys, health checks and bad keys are as before."""
    with serving("--rate-limit", "3") as served, client_of(served, served.key) as owner:
        other = owner.create_api_key("other", ["read"])
        owner.list_memos()
        with pytest.raises(PermissionDeniedError), client_of(served, other.key) as client:
            client.create_memo("no")
        owner.list_memos()
        with pytest.raises(RateLimitError, match="may make 3 a minute") as caught:
            owner.create_memo("too much")
        health = [owner.health_check()["status"] for _ in range(5)]
        with client_of(served, other.key) as client:
            assert client.list_memos() == []
            assert client.list_memos() == []
            with pytest.raises(RateLimitError):
                client.list_memos()
        bad = [
            httpx.get(served.url + MEMOS, trust_env=False, headers=headers).status_code
            for headers in ({}, {"Authorization": "Bearer ms_sk_bad"})
            for _ in range(4)
        ]

    assert caught.value.retry_after is not None
    assert 1 <= caught.value.retry_after <= 60
    assert caught.value.outcome == "rejected"
    assert health == ["ok"] * 5
    assert bad == [401] * 8


def test_access_log_has_a_line_for_each_request_and_no_secret() -> None:
    """Who, when, which operation, what came of it; nothing that the request says."""
    secret = "ms_sk_SECRET"
    with serving("--access-log") as served:
        with served.client() as client:
            made = client.post("/api/v1/auth/keys", json={"name": "k", "permissions": ["read"]})
            client.post(EPISODES, json={"name": "Alice SECRET", "content": "SECRET"})
            client.get(EPISODES + "Alice SECRET", headers={"X-Request-ID": "mine-1"})
            client.get(MEMOS, params={"limit": 1, "SECRET": secret})
            client.get("/SECRET?key=" + secret, headers={"X-Request-ID": secret})
            client.request("SECRET", MEMOS)
            key = made.json()
            client.get(MEMOS, headers={"Authorization": f"Bearer {key['key']}"})
            client.get(MEMOS, headers={"Authorization": f"Bearer {secret}"})
            client.get("/health", headers={"X-Forwarded-For": "SECRET, 127.0.0.1"})
            client.post(MEMOS, content=b" " * (10 * 1024 * 1024 + 1))
        code, log = served.stop()

    assert code == 0
    assert secret not in log
    assert "SECRET" not in log
    assert served.key not in log
    assert key["key"] not in log
    lines = log.splitlines()
    lines[8] = lines[8].replace("-", "127.0.0.1", 1)  # No address is what the proxy told.
    seen = [LINE.fullmatch(line) for line in lines]
    assert [match and match.group(1, 2, 3) for match in seen] == [
        ("owner", "POST /api/v1/auth/keys", "200"),
        ("owner", "POST /api/v1/episodes/", "202"),
        ("owner", "GET /api/v1/episodes/{episode_name}", "200"),
        ("owner", "GET /api/v1/memos", "200"),
        ("-", "GET -", "404"),
        ("-", "- -", "405"),
        (key["key_id"], "GET /api/v1/memos", "200"),
        ("-", "GET /api/v1/memos", "401"),
        ("-", "GET /health", "200"),
        ("-", "POST /api/v1/memos", "413"),
    ]
    assert seen[0] is not None
    assert int(seen[0][4]) == len(made.content)
    assert [match and match[5] for match in seen][0::4][:2] == [made.headers["x-request-id"], "-"]
    assert seen[2] is not None
    assert seen[2][5] == "mine-1"


def test_without_the_option_nothing_is_logged() -> None:
    """Stderr stays empty."""
    with serving() as served:
        with served.client() as client:
            client.get(MEMOS)

        assert served.stop() == (0, "")


def test_docs_tell_the_limits_and_show_such_a_line() -> None:
    """Those of the code."""
    page = (ROOT / "docs" / "serving.md").read_text("utf-8")

    assert f"A body of more than {MAX_BODY / 2**20:g} MiB" in page
    assert f"requests at work get {GRACE} seconds" in page
    assert f"{LAST} seconds later the process is gone" in page
    assert [line for line in page.splitlines() if LINE.fullmatch(line)]
