"""What scopes and filters hide from a search of the embedded server."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from memstack._wire import WireRequest

from .local import Memory


@pytest.mark.parametrize("field", ["tenant_id", "project_id", "user_id"])
def test_scope_hides_everything_else(memory: Memory, field: str) -> None:
    """An argument of scope restricts to what equals it; what has none is not in it."""
    for value in ("one", "two", "One", "one ", None):
        scope: dict[str, Any] = {field: value}
        memory.remember(f"of {value}", **scope)

    assert memory.names("tea", **{field: "one"}) == ["of one"]
    assert memory.names("tea", **{field: "nobody"}) == []
    assert len(memory.names("tea")) == 5


@pytest.mark.parametrize(
    "field", ["group_id", "project_id", "tenant_id", "user_id", "source_type", "name"]
)
def test_filter_restricts_by_equality(memory: Memory, field: str) -> None:
    """A filter on a field shows what equals it."""
    memory.remember("x")
    memory.ask("POST", "/api/v1/episodes/", {"name": "y", "content": "tea", field: "json"})

    results = memory.search("tea", filters={field: "json"})

    assert [result["metadata"][field] for result in results] == ["json"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"date_from": "2026-05-01"}, "bcd"),
        ({"date_from": "2026-05-01T00:00:00Z"}, "bcd"),
        ({"date_from": "2026-05-01T00:00:01"}, "cd"),
        ({"date_from": "2026-05-01T02:00:00+02:00"}, "bcd"),
        ({"date_from": "2026-05-01T02:00:00.5+0200"}, "cd"),
        ({"date_to": "2026-05-01"}, "abc"),
        ({"date_to": "2026-05-01T23:59"}, "ab"),
        ({"date_to": "2026-05-01T23:59:59.999999Z"}, "abc"),
        ({"date_to": "2026-05-02T00:00:00Z"}, "abcd"),
        ({"date_from": "2026-05-01", "date_to": "2026-05-01"}, "bc"),
        ({"date_from": "2027-01-01"}, ""),
    ],
)
def test_dates_are_included_at_both_ends(memory: Memory, filters: object, found: str) -> None:
    """date_from and date_to are about valid_at; a day is all of it; without a zone it is UTC."""
    for name, moment in {
        "a": "2026-04-30T23:59:59.999999Z",
        "b": "2026-05-01T00:00:00Z",
        "c": "2026-05-01T23:59:59.999999Z",
        "d": "2026-05-02T00:00:00Z",
    }.items():
        memory.remember(name, valid_at=moment)

    assert sorted(memory.names("tea", filters=filters)) == list(found)


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone cannot be changed here")
def test_date_without_a_zone_is_not_of_the_machines_zone(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same filter finds the same on every machine."""
    memory.remember("a", valid_at="2026-05-01T12:00:00Z")
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        found = memory.names("tea", filters={"date_from": "2026-05-01T12:00:00"})
        found += memory.names("tea", filters={"date_from": "2026-05-01T12:00:01"})
    time.tzset()

    assert found == ["a"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("k", 1),
        ("k", "1"),
        ("k", True),
        ("k", False),
        ("k", 0),
        ("k", ""),
        ("k", None),
        ("k", 1.5),
        ("k", 2**70),
        ("a.b", "dots"),
        ('"', "quote"),
        ("'; --", "sql"),
        ("$[0]", "path"),
        ("键", "值"),
    ],
)
def test_metadata_is_compared_by_type_and_value(memory: Memory, key: str, value: object) -> None:
    """metadata.<key> takes the key literally, and 1, "1" and true are three values."""
    values = [1, "1", True, False, 0, "", None, 1.5, 2**70]
    for other in values:
        memory.remember("k", metadata={"k": other})
    for other_key in ("a.b", '"', "'; --", "$[0]", "键"):
        memory.remember("other", metadata={other_key: value, "a": {"b": value}})
    memory.remember("none")

    results = memory.search("tea", filters={f"metadata.{key}": value})

    found = [result["metadata"][key] for result in results]
    assert [json.dumps(item) for item in found] == [json.dumps(value)]


def test_all_filters_hold_together(memory: Memory) -> None:
    """Two filters and a scope show only what fits all three."""
    memory.remember("fits", tenant_id="t", group_id="g", metadata={"a": 1, "b": 2})
    memory.remember("no b", tenant_id="t", group_id="g", metadata={"a": 1})
    memory.remember("no tenant", group_id="g", metadata={"a": 1, "b": 2})
    memory.remember("no group", tenant_id="t", metadata={"a": 1, "b": 2})
    filters = {"group_id": "g", "metadata.a": 1, "metadata.b": 2}

    assert memory.names("tea", tenant_id="t", filters=filters) == ["fits"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("colour", "red"),
        ("metadata", {}),
        ("metadata.", 1),
        ("Name", "x"),
        ("metadata.k", [1]),
        ("metadata.k", {}),
        ("group_id", None),
        ("group_id", ""),
        ("group_id", 1),
        ("tenant_id", ["t"]),
        ("source_type", "pigeon"),
        ("date_from", "yesterday"),
        ("date_from", 20260501),
        ("date_from", "1714550400"),
        ("date_to", "2026-02-30"),
        ("date_to", "2026-13-01T00:00:00Z"),
        ("date_to", "9999-12-31T23:59:59-12:00"),
        ("date_to", "2026-05-01T00:00:00Z'; --"),
    ],
)
def test_bad_filter_is_refused(memory: Memory, name: str, value: object) -> None:
    """A filter that is unknown or makes no sense is an error, for passing over it would leak."""
    response = memory.server.handle(
        WireRequest(
            "POST",
            "/api/v1/memory/search",
            {"authorization": f"Bearer {memory.server.owner_key}"},
            json.dumps({"query": "tea", "filters": {name: value}}).encode(),
            None,
        )
    )

    assert response.status == 422
    assert json.loads(response.body)["detail"][0]["loc"] == ["body", "filters", name]
