"""The exit code tells the kind of error, and docs/command-line.md has them all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import memstack
from memstack import MemStackClient, MemStackError
from memstack.cli.exits import CODES, code_of
from memstack.cli.output import OWN_WORDS
from memstack.testing import MemStackServer

from .conftest import Cli

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"
ERRORS = [
    value
    for value in vars(memstack.exceptions).values()
    if isinstance(value, type) and issubclass(value, MemStackError) and value.__module__
]
BY_NAME = {
    "MemStackError": 1,
    "ListChangedError": 1,
    "ProcessingError": 10,
    "StillProcessingError": 10,
    "ProcessingFailedError": 10,
    "ProcessingUnknownError": 10,
    "ValidationError": 2,
    "UnsupportedArgumentError": 2,
    "UnprocessableEntityError": 2,
    "AuthenticationError": 3,
    "PermissionDeniedError": 3,
    "NotFoundError": 4,
    "UnsupportedOperationError": 4,
    "APIError": 5,
    "BadRequestError": 5,
    "ConflictError": 5,
    "RateLimitError": 6,
    "ServerError": 6,
    "NetworkError": 7,
    "RequestTimeoutError": 7,
    "OutcomeUnknownError": 8,
    "ResponseValidationError": 9,
}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemStackServer]:
    """A server that fails as the test says; nobody waits for it."""
    monkeypatch.setattr(MemStackClient, "_sleep", staticmethod(lambda _: None))
    with MemStackServer() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_each_error_has_its_code(kind: type[MemStackError]) -> None:
    """A new class has to be given one here; one of an unknown write is that before all else."""
    if kind.__name__.startswith("_"):
        return
    error = kind("x")

    assert code_of(error) == BY_NAME[kind.__name__]
    error.doubt = object()
    assert code_of(error) == 8


def test_an_error_that_tells_of_another_ends_as_that() -> None:
    """Such as that of a copy that a server stopped."""
    error = MemStackError("x")
    error.__cause__ = memstack.RateLimitError("y")

    assert code_of(error) == 6


@pytest.mark.parametrize(
    ("status", "line", "code"),
    [
        (400, "memo list", 5),
        (401, "memo list", 3),
        (403, "memo list", 3),
        (404, "memo get x", 4),
        (409, "memo add x", 5),
        (422, "memo add x", 2),
        (429, "memo list", 6),
        (500, "memo list", 6),
        (500, "episode delete x -y", 8),
    ],
)
def test_a_status_ends_a_command_with_its_code(
    status: int, line: str, code: int, server: MemStackServer, cli: Cli
) -> None:
    """And with one line on stderr, and nothing on stdout."""
    server.next(status, times=None)
    ran = cli(*line.split())

    assert (ran.code, ran.out) == (code, "")
    assert re.fullmatch(r"memstack: .+\n", ran.err)


def test_an_answer_that_is_lost_or_garbled_has_its_code(server: MemStackServer, cli: Cli) -> None:
    """A read is no answer, a write is unknown."""
    server.lose_answer(times=None)
    read = cli("memo", "list")
    lost = [read.code, cli("episode", "delete", "x", "-y").code]
    server.clear()
    server.garble(times=None)
    garbled = cli("memo", "list").code

    assert (lost, garbled) == ([7, 8], 9)
    assert "`memstack doctor`" in read.err


def test_an_error_is_told_in_words_of_the_command_line(server: MemStackServer, cli: Cli) -> None:
    """Not in those of a program; each that is replaced is still said."""
    server.next(401, times=None)
    refused = cli("memo", "list").err
    wrong = cli("memo", "list", "--url", "example.com").err
    checked = cli("doctor").out
    source = "".join(
        path.read_text("utf-8") for path in Path(memstack.__file__).parent.glob("*.py")
    )

    assert "check the API key (MEMSTACK_API_KEY, or where its profile says)" in refused
    assert "api_key=" not in checked
    assert "(MEMSTACK_API_KEY, or where its profile says)" in checked
    assert wrong.startswith("memstack: --url: must be an http:// or https:// URL")
    assert [words for words in OWN_WORDS if words not in source] == []


def test_the_page_has_the_table_of_codes() -> None:
    """As the code has it."""
    table = "\n".join(f"| {code} | {meaning} |" for code, meaning in CODES.items())

    assert f"| code | meaning |\n|---|---|\n{table}\n" in PAGE.read_text("utf-8")
