"""Recording with vcrpy by the options of `vcr_config`: what is kept, and what it is played to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import vcr  # type: ignore[import-untyped]
import yaml

import memstack
from memstack.testing import vcr_config

from ..colours import CLASSES, AnyClient, Colour, Driven
from ..served import Served, serving

KEY = "ms_sk_can'ary/of<the>recording"

Drive = Callable[[AnyClient], Driven]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(api_key=KEY) as server:
        yield server


def _session(client: Driven) -> list[Any]:
    """What a test may do with a server."""
    key = client.create_api_key("reader", ["read"])
    found = client.search_memory("hiking", limit=3)
    with pytest.raises(memstack.NotFoundError) as caught:
        client.get_memo("no-such-memo")
    return [key.name, found.query, caught.value.status_code]


def test_what_was_recorded_is_played_without_a_server(
    served: Served, colour: Colour, drive: Drive, tmp_path: Path
) -> None:
    """By a client with another key, of another host."""
    player = vcr.VCR(**vcr_config())
    path = tmp_path / "session.yaml"
    with player.use_cassette(str(path)) as cassette:
        live = _session(drive(CLASSES[colour](served.api_key, served.base_url, proxy=None)))
        assert cassette.play_count == 0

    with vcr.VCR(**vcr_config(), record_mode="none").use_cassette(str(path)) as cassette:
        played = _session(drive(CLASSES[colour]("ms_sk_other", "https://elsewhere.invalid")))
        assert cassette.all_played

    assert played == live


def test_no_key_and_no_host_is_in_a_cassette(
    served: Served, colour: Colour, drive: Drive, tmp_path: Path
) -> None:
    """Neither the one that was used, nor one that was made, nor one that a server quotes."""
    path = tmp_path / "session.yaml"
    client = drive(CLASSES[colour](served.api_key, served.base_url))
    with vcr.VCR(**vcr_config()).use_cassette(str(path)):
        made = client.create_api_key("reader", ["read"])
        client.create_memo(f"My key is {KEY} now")

    content = path.read_text("utf-8")
    recorded = [one["request"] for one in yaml.safe_load(content)["interactions"]]

    for secret in (KEY, KEY.removeprefix("ms_sk_")[:7], made.key, served.base_url, "127.0.0.1"):
        assert secret not in content
    assert recorded[-1]["uri"] == "http://memstack.test/api/v1/memos"
    assert "My key is ms_sk_REDACTED now" in recorded[-1]["body"]
    assert recorded[-1]["headers"]["authorization"] == ["Bearer ms_sk_REDACTED"]


def test_another_question_is_not_answered_from_the_cassette(
    served: Served, colour: Colour, drive: Drive, tmp_path: Path
) -> None:
    """The body counts."""
    path = tmp_path / "search.yaml"
    client = drive(CLASSES[colour](served.api_key, served.base_url, max_retries=0))
    with vcr.VCR(**vcr_config()).use_cassette(str(path)):
        client.search_memory("hiking")

    with (
        vcr.VCR(**vcr_config(), record_mode="none").use_cassette(str(path)),
        pytest.raises(vcr.errors.CannotOverwriteExistingCassetteException),
    ):
        client.search_memory("swimming")


def test_a_compressed_answer_is_scrubbed_too(tmp_path: Path) -> None:
    """It is recorded as text."""
    config = vcr_config()

    answer = config["before_record_response"](
        {
            "status": {"code": 200},
            "headers": {"Content-Encoding": ["gzip"], "Set-Cookie": ["secret"]},
            "body": {"string": b'{"key":"ms_sk_made"}'},
        }
    )

    assert config["decode_compressed_response"] is True
    assert answer["headers"] == {}
    assert answer["body"]["string"] == b'{"key":"ms_sk_REDACTED"}'
    assert httpx.URL(memstack.testing.recording.HOST).host == "memstack.test"
