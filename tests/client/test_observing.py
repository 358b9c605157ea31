"""What the log and `on_attempt` are told of a call, and what they are not."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import Any

import httpx
import pytest

import memstack
from memstack import AttemptEvent

from ..conftest import KEY, Make
from ..scripted import MEMO, SEARCH, Answer, ScriptedServer

FACTS = {
    "operation",
    "method",
    "base_url",
    "attempt",
    "status",
    "reason",
    "outcome",
    "elapsed",
    "request_id",
    "retry_after",
}
RETRY_FACTS = {*FACTS, "pause", "pause_reason"} - {"reason", "elapsed", "request_id", "retry_after"}


def facts(records: list[logging.LogRecord]) -> list[dict[str, Any]]:
    return [record.__dict__["memstack"] for record in records]


def test_each_attempt_and_each_retry_is_a_record(
    make: Make, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    """DEBUG and INFO; the facts are those of the attempt history."""
    caplog.set_level(logging.DEBUG, "memstack")
    server.answer(httpx.ConnectError("x"), Answer(503, takes=0.25))
    server.answer(Answer(body=SEARCH, headers={"X-Request-ID": "srv-9"}))

    make().search_memory("hiking")

    assert [record.levelname for record in caplog.records] == [
        "DEBUG",
        "INFO",
        "DEBUG",
        "INFO",
        "DEBUG",
    ]
    first, pause, second, _, third = facts(caplog.records)
    assert set(first) == set(second) == set(third) == FACTS
    assert set(pause) == RETRY_FACTS
    assert (first["attempt"], first["status"]) == (1, None)
    assert first["reason"] in ("connect", "refused")
    assert (second["attempt"], second["status"], second["elapsed"]) == (2, 503, 0.25)
    assert (second["outcome"], third["outcome"]) == ("unknown", "applied")
    assert (pause["pause"], pause["pause_reason"]) == (1.0, "backoff")
    assert third["request_id"] == "srv-9"
    assert third["operation"] == "search_memory"


def test_a_record_says_nothing_of_what_was_sent(
    make: Make, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    """No key, path, query, header or body, also where the server quotes them."""
    caplog.set_level(logging.DEBUG)
    events: list[AttemptEvent] = []
    client = make(headers={"x-team": "canary-header"}, on_attempt=events.append)
    server.answer(
        Answer(400, {"detail": f"canary-query {KEY}"}, headers={"X-Request-ID": KEY}),
        Answer(404, {"detail": "canary-name"}),
    )
    for method, said in (("search_memory", "canary-query"), ("get_episode", "canary-name")):
        with pytest.raises(memstack.APIError):
            getattr(client, method)(said)

    records = [f"{r.getMessage()} {vars(r)}" for r in caplog.records if r.name == "memstack"]
    assert len(records) == len(events) == 2
    for text in (*records, *map(repr, events)):
        assert KEY not in text
        assert "canary" not in text
        assert "/api/v1" not in text


def test_on_attempt_is_told_of_every_attempt(make: Make, server: ScriptedServer) -> None:
    """Of a create that was looked for, the attempts and the looks."""
    events: list[AttemptEvent] = []
    client = make(on_attempt=events.append)
    server.answer(httpx.ReadError("x"), Answer(body={"capabilities": ["idempotency-key"]}))
    server.answer(Answer(body=MEMO))

    client.create_memo("note")

    assert [(e.operation, e.attempt, e.status, e.reason, e.outcome) for e in events] == [
        ("create_memo", 1, None, "read", "unknown"),
        ("health_check", 1, 200, None, "applied"),
        ("create_memo", 2, 200, None, "applied"),
    ]
    assert events[0].method == "POST"
    assert events[0].base_url == client.base_url


def test_a_hook_that_fails_costs_no_call(
    make: Make, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The memo is stored already."""

    def broken(event: AttemptEvent) -> None:
        raise KeyError(event.operation)

    server.answer(Answer(body=MEMO))

    assert make(on_attempt=broken).create_memo("note").id == "m1"
    assert "on_attempt failed" in caplog.text


def test_a_sibling_can_have_a_hook_of_its_own(make: Make, server: ScriptedServer) -> None:
    """And its client none."""
    events: list[AttemptEvent] = []
    client = make()
    server.answer(Answer(body=MEMO), Answer(body=MEMO))

    client.with_options(on_attempt=events.append).get_memo("m1")
    client.get_memo("m1")

    assert len(events) == 1


SCRIPT = """
from memstack import MemStackClient
with MemStackClient.local() as client:
    client.create_memo("canary")
"""


@pytest.mark.parametrize(("level", "lines"), [("", 0), ("info", 0), ("DEBUG", 1)])
def test_the_environment_switches_the_log_on(
    level: str, lines: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line to stderr for the attempt; nothing unless asked for."""
    monkeypatch.setenv("MEMSTACK_LOG", level)

    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60
    )

    printed = ran.stderr.splitlines()
    assert len(printed) == lines
    assert all("create_memo: attempt 1: 200" in line for line in printed)
    assert "canary" not in ran.stderr


def test_the_environment_must_name_a_level(monkeypatch: pytest.MonkeyPatch) -> None:
    """A typo would be silence."""
    monkeypatch.setenv("MEMSTACK_LOG", "verbose")

    ran = subprocess.run(
        [sys.executable, "-c", "from memstack import MemStackClient"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert "MEMSTACK_LOG: must be debug or info" in ran.stderr
