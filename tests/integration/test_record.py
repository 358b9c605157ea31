"""Recording a live server: every operation is there, no secret is, and it can be played."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from memstack.testing.recording import HOST, Scrubber

from ..cassettes.files import cassettes, playing, read
from ..cassettes.record import main
from ..cassettes.routes import UNRECORDED, operation_of
from ..colours import CLASSES, AnyClient, Colour, Driven
from ..contract.replay import faults
from ..contract.spec import described
from ..served import serving

CANARY = "ms_sk_canary-of-the-recording"


@dataclass(frozen=True)
class Recording:
    """The cassettes of a run, and the keys that went over the wire in it."""

    folder: Path
    base_url: str
    secrets: set[str]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recording]:
    folder = tmp_path_factory.mktemp("recording") / "recorded"
    seen: set[str] = set()

    def listen(response: httpx.Response) -> None:
        seen.update(re.findall(r"ms_sk_[^\"]+", response.read().decode()))

    with pytest.MonkeyPatch.context() as patch, serving(api_key=CANARY) as served:
        for name, value in served.environment.items():
            patch.setenv(name, value)
        with httpx.Client(event_hooks={"response": [listen]}, trust_env=False) as http:
            assert main([str(folder)], http) == 0
        yield Recording(folder, served.base_url, seen | {CANARY})


def test_records_every_operation(recording: Recording) -> None:
    """With a success for each, and the errors that are common."""
    exchanges = [e for path in cassettes(recording.folder) for e in read(path)]

    right = {operation_of(e.method, e.path) for e in exchanges if e.status < 300}
    assert right == set(described()) - UNRECORDED
    assert {e.status for e in exchanges} >= {200, 202, 204, 401, 403, 404, 405, 422}
    assert all(e.raw["request"]["uri"].startswith(HOST) for e in exchanges)


def test_no_secret_is_in_the_raw_bytes(recording: Recording) -> None:
    """Neither the key of the run, nor those made on the way, nor where the server was."""
    assert len(recording.secrets) == 3  # two were made

    for path in recording.folder.iterdir():
        content = path.read_bytes()
        for secret in recording.secrets:
            tail = secret.removeprefix("ms_sk_")
            for form in (secret, tail, quote(tail, safe=""), base64.b64encode(secret.encode())):
                assert (form if isinstance(form, bytes) else form.encode()) not in content
        assert recording.base_url.encode() not in content


def test_what_was_recorded_can_be_played(
    recording: Recording, colour: Colour, drive: Callable[[AnyClient], Driven]
) -> None:
    """By the clients, on every fact of it."""
    client = drive(CLASSES[colour]("ms_sk_test", HOST, max_retries=0, on_unsupported="ignore"))

    for path in cassettes(recording.folder):
        with playing(path) as cassette:
            found = [f"{e.group}: {e.case}: {f}" for e in read(path) for f in faults(client, e)]

        assert not found, "\n".join(found)
        assert cassette.all_played


def test_scrubs_a_key_in_every_form() -> None:
    """Of whatever shape, as it is, within JSON and within a URL; and any other key of MemStack."""
    scrubber = Scrubber('odd"key/ü', "https://real.host:1/base")

    within_json = (r"odd\"key/\u00fc", r"odd\"key/ü")
    for text in ('odd"key/ü', *within_json, "odd%22key%2F%C3%BC", "ms_sk_other-1.x~/=+"):
        assert scrubber.text(f"before {text} after") == "before ms_sk_REDACTED after"
    assert scrubber.text("https://real.host:1/base/health") == f"{HOST}/health"


def test_scrubs_headers_of_requests_and_answers() -> None:
    """Those that are kept are scrubbed, the others go."""
    scrubber = Scrubber("ms_sk_mine", "http://real")
    content = b'{"key":"ms_sk_new"}'
    headers = {"Location": ["http://real/?k=ms_sk_mine"], "Set-Cookie": ["s=1"]}

    answer = scrubber.answer(
        {"status": {"code": 200}, "headers": headers, "body": {"string": content}}
    )

    assert answer["headers"] == {"location": [f"{HOST}/?k=ms_sk_REDACTED"]}
    assert answer["body"]["string"] == b'{"key":"ms_sk_REDACTED"}'


def test_says_which_variable_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a line, and without a traceback."""
    monkeypatch.delenv("MEMSTACK_API_KEY", raising=False)

    assert main([str(tmp_path)]) == 2

    assert "MEMSTACK_API_KEY" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
