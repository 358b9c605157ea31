"""The docs tell the truth: their code runs and prints what they say, their names exist."""

from __future__ import annotations

import inspect
import json
import logging
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any, get_args, get_origin

import httpx
import pytest

import memstack
from memstack import MemStackClient, MemStackError

from ..colours import FakeTime
from ..scripted import Answer, ScriptedServer
from ..served import Served

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LANGUAGES = {"diff", "python", "sh", "text"}

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    line: int
    """The line its text begins at, counted from 1."""
    language: str
    text: str
    prints: str | None = None
    """Of python code, what it prints: the text block that follows at once; None if none does."""

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT).as_posix()}:{self.line}"

    def run(self) -> dict[str, Any]:
        """Its names, after it has run alone; a traceback names the page and the line in it."""
        code = compile(
            "\n" * (self.line - 1) + self.text, str(self.page), "exec", dont_inherit=True
        )
        names: dict[str, Any] = {"__name__": "docs"}
        exec(code, names)
        return names


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text("utf-8")
    fences = list(_FENCE.finditer(text))
    blocks = []
    for fence, following in zip_longest(fences, fences[1:]):
        line = text.count("\n", 0, fence.start(2)) + 1
        blocks.append(Block(page, line, fence[1], fence[2]))
        if following and following[1] == "text":
            between = text[fence.end() : following.start()]
            if not between.strip():
                blocks[-1] = replace(blocks[-1], prints=following[2])
    return blocks


BLOCKS = [block for page in PAGES for block in blocks_of(page)]
PYTHON = [block for block in BLOCKS if block.language == "python"]
SHELL = "\n".join(block.text for block in BLOCKS if block.language == "sh")


@pytest.fixture
def _beside_a_server(
    served: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[None]:
    log = logging.getLogger("memstack")
    handlers, level = log.handlers[:], log.level
    for name, value in served.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    yield
    log.handlers[:] = handlers
    log.setLevel(level)


@pytest.mark.usefixtures("_beside_a_server")
@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_code_runs_and_prints_what_the_page_says(
    block: Block, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each block is complete: it runs alone, without the blocks before it."""
    if "pyreqwest" in block.text and tuple(sys.version_info) < (3, 11):
        pytest.skip("pyreqwest needs Python 3.11")
    block.run()

    printed = capsys.readouterr().out
    assert block.prints is None or printed == block.prints


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_code_escapes_by_its_fence(page: Path) -> None:
    """Every fence opens with a language that is checked here, and is closed."""
    languages = [block.language for block in blocks_of(page)]

    assert set(languages) <= LANGUAGES
    fences = re.findall(r"^\s*(?:```|~~~)", page.read_text("utf-8"), re.MULTILINE)
    assert len(fences) == 2 * len(languages)


@pytest.fixture
def remember(_beside_a_server: None) -> Callable[..., str | None]:
    """The function of the README that stores a memo whatever becomes of the answer."""
    (block,) = (block for block in PYTHON if "def remember(" in block.text)
    function: Callable[..., str | None] = block.run()["remember"]
    return function


def _remembered(remember: Callable[..., str | None], *steps: Answer | BaseException) -> str | None:
    server = ScriptedServer(FakeTime())
    server.answer(*steps)
    http = httpx.Client(transport=httpx.MockTransport(server))
    with http, MemStackClient("ms_sk_test", "https://memstack.test", http_client=http) as client:
        return remember(client, "note")


def test_readme_says_so_when_a_memo_may_be_stored(
    remember: Callable[..., str | None], capsys: pytest.CaptureFixture[str]
) -> None:
    """The answer was lost, and nobody can look."""
    capsys.readouterr()

    assert _remembered(remember, httpx.ReadTimeout("slow"), Answer(403), Answer(403)) is None
    assert "may be stored" in capsys.readouterr().out


@pytest.mark.parametrize("answer", [Answer(422), Answer(200, b"<html>")])
def test_readme_passes_on_what_is_sure(remember: Callable[..., str | None], answer: Answer) -> None:
    """A refusal, and a success that cannot be read."""
    with pytest.raises(MemStackError) as caught:
        _remembered(remember, answer)

    assert caught.value.outcome in ("rejected", "applied")


METHODS = {
    name: inspect.signature(getattr(MemStackClient, name))
    for name in memstack.operations.__all__
    if name != "Operation"
}


@pytest.mark.parametrize("name", METHODS)
def test_readme_has_each_method_with_its_arguments_and_result(name: str) -> None:
    """The table of methods says what the signatures say."""
    assert f"| `{name}` | {_arguments(METHODS[name])}| `{_result(METHODS[name])}` |\n" in README


def _arguments(signature: inspect.Signature) -> str:
    own = [p.replace(annotation=p.empty) for p in list(signature.parameters.values())[1:]]
    text = str(inspect.Signature(own))[1:-1].replace("'", '"')
    return f"`{text}` " if text else ""


def _result(signature: inspect.Signature) -> str:
    result = signature.return_annotation
    if issubclass(get_origin(result) or result, list):
        return f"list[{get_args(result)[0].__name__}]"
    name: str = (get_origin(result) or result).__name__
    return name.replace("NoneType", "None")


PUBLIC = [name for name in dir(MemStackClient) if not name.startswith("_")]


@pytest.mark.parametrize("name", PUBLIC)
def test_readme_names_each_public_attribute_of_the_client(name: str) -> None:
    """None has to be found by chance."""
    assert re.search(rf"\b{name}\b", README)


ERRORS = [
    name
    for name, value in vars(memstack).items()
    if isinstance(value, type) and issubclass(value, MemStackError)
]


@pytest.mark.parametrize("name", ERRORS)
def test_readme_names_each_error(name: str) -> None:
    """What can be raised can be looked up."""
    assert re.search(rf"\b{name}\b", README)


def test_readme_has_the_tree_of_errors() -> None:
    """It is that of the module, line by line."""
    lines = inspect.getdoc(memstack.exceptions)
    assert lines is not None

    tree = [line.strip() for line in lines.splitlines() if line.startswith(" ")]

    assert "\n".join(tree) in "\n".join(line.strip() for line in README.splitlines())


SETTINGS = list(inspect.signature(MemStackClient).parameters.values())


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_readme_has_each_setting_with_its_default(setting: inspect.Parameter) -> None:
    """Those that are None for the environment name their variable."""
    variable = f"MEMSTACK_{setting.name.upper()}"
    default = variable if setting.name in ("api_key", "base_url") else f"`{setting.default}`"

    assert re.search(rf"^\| `{setting.name}` \| {default}[^|]* \|", README, re.MULTILINE)


@pytest.mark.skipif(shutil.which("curl") is None, reason="runs curl, which is not here")
def test_curl_lines_are_answered(served: Served) -> None:
    """Those of shell blocks, by a server, with the environment that they name."""
    lines = [line for line in SHELL.splitlines() if re.search(r"\bcurl\b", line)]
    question = "Where does Alice like to hike?"
    with MemStackClient(served.api_key, served.base_url) as client:
        client.create_episode("Alice", "Alice loves hiking in Yosemite.")

    assert lines
    for line in lines:
        done = subprocess.run(
            ["sh", "-c", line],
            env={**os.environ, **served.environment},
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )
        assert done.stderr == ""
        answer = json.loads(done.stdout)
        assert answer["query"] == question
        assert "Alice loves hiking in Yosemite." in [r["content"] for r in answer["results"]]


def test_make_has_each_target_that_the_docs_name() -> None:
    """In text as `make target`, in shell blocks at the start of a line."""
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    named = {*re.findall(r"`make (\w+)`", text), *re.findall(r"^make (\w+)", SHELL, re.MULTILINE)}

    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^(\w+):", makefile, re.MULTILINE))

    assert {"demo", "test"} <= named <= targets


def test_serve_has_each_option_that_the_docs_name() -> None:
    """As its own help tells."""
    commands = re.findall(r"memstack serve(.*)", SHELL)
    named = {option for command in commands for option in re.findall(r"--[a-z-]+", command)}

    command = [sys.executable, "-m", "memstack", "serve", "--help"]
    told = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout

    assert named
    assert named <= set(re.findall(r"--[a-z-]+", told))


def test_the_package_has_each_extra_that_the_docs_name() -> None:
    """In shell blocks as `pip install '.[extra]'`, in text as `[extra]`."""
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    named = {*re.findall(r"'\.\[(\w+)\]'", SHELL), *re.findall(r"`\[(\w+)\]`", text)}

    project = (ROOT / "pyproject.toml").read_text("utf-8")
    extras = project.partition("[project.optional-dependencies]\n")[2].partition("\n[")[0]

    assert "server" in named
    assert named <= set(re.findall(r"^(\w+) = \[", extras, re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_paths_lead_to_files(page: Path) -> None:
    """Links from the page's own folder, paths in backticks from the root."""
    text = _FENCE.sub("", page.read_text("utf-8"))
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    paths = re.findall(r"`((?:memstack|generated|examples|tests|docs)/[\w./-]*)`", text)

    missing = [link for link in links if not (page.parent / link).exists()]
    missing += [path for path in paths if not (ROOT / path).exists()]

    assert missing == []


def test_architecture_has_the_layers_that_are_proved() -> None:
    """They are those of import-linter in pyproject.toml."""
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    layers = re.findall(r'"(.+)"', project.partition("\nlayers = [\n")[2].partition("\n]")[0])

    assert layers
    assert "```text\n" + "\n".join(layers) + "\n```" in ARCHITECTURE
