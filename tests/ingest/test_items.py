"""What is sent of an item, and how it is known again."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from memstack import Episode, EpisodeCreate, ValidationError, operations
from memstack.ingest.items import digests_of_row, read_item

EPISODE: dict[str, Any] = {
    "name": "e",
    "content": "西湖",
    "source_type": "document",
    "source_description": "d",
    "group_id": "g",
    "metadata": {"z": 1, "a": [1.5, {"ü": True}]},
    "project_id": "p",
    "tenant_id": "t",
    "user_id": "u",
    "valid_at": datetime(2026, 5, 1, 9, 30, tzinfo=timezone(timedelta(hours=2))),
}


def read(given: Any) -> Any:
    return read_item(0, given, keyed=True)


@pytest.mark.parametrize("names", [["name", "content"], list(EPISODE)])
def test_sends_what_create_episode_sends(names: list[str]) -> None:
    fields = {name: EPISODE[name] for name in names}
    item, plain = read(fields).operation, operations.create_episode(**fields)
    sent, wanted = item.fields(), plain.fields()
    if "valid_at" in sent:
        assert (
            datetime.fromisoformat(sent.pop("valid_at").replace("Z", "+00:00"))
            == fields["valid_at"]
        )
        del wanted["valid_at"]

    assert sent == wanted
    assert (item.id, item.method, item.path) == (plain.id, plain.method, plain.path)
    assert (item.effect, item.headers) == (plain.effect, plain.headers)
    assert item.sends_idempotency_key


def test_the_hash_stays_what_it_is() -> None:
    """Or the ledgers of other versions would be worth nothing."""
    assert read({"name": "e", "content": "c"}).digest.hex() == GOLDEN_SHORT
    assert read(EPISODE).digest.hex() == GOLDEN_WHOLE


GOLDEN_SHORT = "fdc55e2c20aea25b93d6300cddfc136eb0c51397231a3165f4b431ade7ff4467"
GOLDEN_WHOLE = "aa42a0eaf104a82b842639c1a093fc80db440767144646770c0769df656ccf6f"


def test_the_same_episode_in_another_form_has_the_same_hash() -> None:
    forms = [
        EPISODE,
        EpisodeCreate(**EPISODE),
        dict(reversed(EPISODE.items())),
        {**EPISODE, "metadata": {"a": [1.5, {"ü": True}], "z": 1}},
        {**EPISODE, "valid_at": "2026-05-01T07:30:00Z"},
        {"item": EPISODE, "index": 4, "outcome": "failed", "error": "x"},
    ]

    assert len({read(form).digest for form in forms}) == 1
    assert len({read(form).operation.idempotency_key for form in forms}) == 1
    assert len({read(form).operation.body for form in forms}) == 1  # as servers of keys ask for


@pytest.mark.parametrize("name", list(EPISODE))
def test_every_field_counts(name: str) -> None:
    other = {
        "metadata": {"z": 1},
        "source_type": "text",
        "valid_at": EPISODE["valid_at"] + timedelta(microseconds=1),
    }
    changed = {**EPISODE, name: other.get(name, "other")}

    assert read(changed).digest != read(EPISODE).digest


@pytest.mark.parametrize("names", [["name", "content"], list(EPISODE)])
def test_a_row_that_shows_all_is_known_again(names: list[str]) -> None:
    """Also where the server gave it a time."""
    fields = {name: EPISODE[name] for name in names}
    shown = json.loads(EpisodeCreate(**fields).model_dump_json())
    shown.setdefault("valid_at", "2026-06-01T00:00:00Z")
    if shown["valid_at"] is None:
        shown["valid_at"] = "2026-06-01T00:00:00Z"
    row = Episode.model_validate({**shown, "id": "1", "created_at": "2026-06-01T00:00:00Z"})

    shown_fields = dict(digests_of_row(row))[read(fields).digest]

    assert shown_fields == read(fields).others == {"source_type", *names} - {"name", "content"}


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:00:00-05:00"])
def test_a_time_that_utc_has_not_is_no_valid_one(moment: str) -> None:
    with pytest.raises(ValidationError, match="valid_at: is out of range in UTC"):
        read({"name": "e", "content": "c", "valid_at": moment})
