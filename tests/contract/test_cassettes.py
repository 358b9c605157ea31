"""Everything that both server generations were recorded to answer, read by both clients."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ..cassettes.convert import main as convert
from ..cassettes.files import FOLDER, GENERATIONS, HOST, cassettes, playing, read
from ..cassettes.routes import UNRECORDED, operation_of
from ..colours import CLASSES, AnyClient, Colour, Driven
from .replay import KNOWN, faults
from .spec import described

PATHS = [path for generation in GENERATIONS for path in cassettes(FOLDER / generation)]
# What a generation has not, or answers with a 500 to whatever is asked.
NEVER_RIGHT = {("v0.1", "get_episode"), ("v0.1", "delete_episode"), ("v0.2", "create_memo")}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_reads_every_recorded_answer(
    path: Path, colour: Colour, drive: Callable[[AnyClient], Driven]
) -> None:
    """A success with every recorded fact, an error as its class; nothing else comes out."""
    client = drive(CLASSES[colour]("ms_sk_test", HOST, max_retries=0, on_unsupported="ignore"))

    with playing(path) as cassette:
        found = [
            f"{e.generation} {e.group}: {e.case}: {fault}"
            for e in read(path)
            for fault in faults(client, e)
        ]

    assert not found, "\n".join(found)
    assert cassette.play_count == len(cassette) == len(read(path))
    assert cassette.all_played


@pytest.mark.parametrize("generation", GENERATIONS)
def test_every_operation_was_recorded(generation: str) -> None:
    """And with a success, but for those that this generation has not or never does right."""
    seen = {
        (operation_of(e.method, e.path), 200 <= e.status < 300)
        for path in cassettes(FOLDER / generation)
        for e in read(path)
    }

    never = {id for name, id in NEVER_RIGHT if name == generation}
    expected = set(described()) - UNRECORDED
    assert {id for id, _ in seen} == expected == set(KNOWN)
    assert {id for id, right in seen if right} >= expected - never


@pytest.mark.parametrize("generation", GENERATIONS)
def test_the_readme_counts_what_is_there(generation: str) -> None:
    """Cassettes and list of one run of the converter."""
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")

    kept = sum(len(read(path)) for path in cassettes(FOLDER / generation))
    assert f"## {generation}\n\n{kept} exchanges are kept." in readme


@pytest.mark.parametrize("generation", GENERATIONS)
def test_every_case_has_a_name_of_its_own(generation: str) -> None:
    """So that a failure names one exchange."""
    for path in cassettes(FOLDER / generation):
        cases = [e.case for e in read(path)]
        assert len(set(cases)) == len(cases), path


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_key_is_in_a_cassette(path: Path) -> None:
    """Only what stands for one, and one that never was."""
    words = path.read_text(encoding="utf-8").split("ms_sk_")[1:]

    assert {word[:8] for word in words if not word.startswith("unknown\n")} <= {"REDACTED"}


def exchange(case: str, path: str = "/health", **changes: object) -> dict[str, object]:
    request = {"method": "GET", "path": path, "headers": {"": ""}, "body": None}
    answer = {"status": 200, "headers": {"content-length": "0"}, "body": {"status": "ok"}}
    return {"group": "G (x)", "case": case, "request": {**request, **changes}, "response": answer}


def test_the_converter_keeps_and_lists(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be played is named with its reason, on the screen and in the README."""
    key = {"authorization": "Bearer ms_sk_REDACTED"}
    recorded = [
        exchange("same", headers=key),
        exchange("same"),
        exchange("cut", "/api/v1/memos", method="POST", body="x... [200 chars]"),
        exchange("dots", "/api/v1/memos", method="POST", body="x...57355"),
        exchange("elsewhere", "/api/v1/nope"),
        exchange("head", method="HEAD"),
        exchange("scheme", headers={"authorization": "Token ms_sk_REDACTED"}),
    ]
    (tmp_path / "in.json").write_text(json.dumps(recorded))

    for _ in range(2):
        assert convert([str(tmp_path / "in.json"), str(tmp_path / "v9")]) == 0

    kept = read(tmp_path / "v9" / "g.yaml")
    assert [e.case for e in kept] == ["same", "same #2", "dots"]
    assert kept[0].raw["response"]["headers"] == {"content-length": ["15"]}
    assert (kept[2].sent, kept[0].sent, kept[0].answer) == (b"x...57355", None, {"status": "ok"})
    readme, printed = (tmp_path / "README.md").read_text(), capsys.readouterr().out
    assert readme.count("## v9") == 1
    for case in ("cut", "elsewhere", "head", "scheme"):
        assert f"| g | {case} | " in readme
        assert f"left out: g: {case}: " in printed
