"""The page and the API reference of `memstack serve`, as HTTP sees them."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from memstack.local import reference
from memstack.local.pages import PATHS

from .command import Served, serving

PAGE = Path(__file__).parents[2] / "memstack" / "local" / "page"
COMMANDS = [
    html.unescape(command)
    for command in re.findall(r"<pre[^>]*><code>(curl .*?)</code></pre>", reference.html(), re.S)
]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as served:
        yield served


@pytest.fixture
def stranger(served: Served) -> Iterator[httpx.Client]:
    """Someone without a key."""
    with httpx.Client(base_url=served.url, trust_env=False) as client:
        yield client


@pytest.mark.parametrize("path", sorted(PATHS))
def test_pages_need_no_key_and_let_nothing_in_from_elsewhere(
    stranger: httpx.Client, path: str
) -> None:
    """A policy without exceptions goes with each."""
    response = stranger.get(path)
    head = stranger.head(path)

    assert (response.status_code, head.status_code, head.content) == (200, 200, b"")
    policy = response.headers["content-security-policy"].split("; ")
    assert policy[0] == "default-src 'none'"
    assert not any("unsafe" in rule or "http" in rule or "*" in rule for rule in policy)
    assert {"base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"} <= set(policy)
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["content-type"].endswith("; charset=utf-8")
    assert response.headers["x-request-id"]


@pytest.mark.parametrize("path", sorted(PATHS))
def test_pages_can_only_be_read(stranger: httpx.Client, path: str) -> None:
    """405 with the methods that are allowed, in the form of every error."""
    response = stranger.post(path, json={})

    assert (response.status_code, response.json()) == (405, {"detail": "Method Not Allowed"})
    assert response.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "path",
    ["/docs/", "/%64ocs", "/page/", "/page/../app.js", "/page/%2e%2e/pages.py", "/index.html"],
)
def test_all_else_is_the_api_s(stranger: httpx.Client, path: str) -> None:
    """404 as ever: no folder is served, only the files that are named."""
    response = stranger.get(httpx.URL(stranger.base_url, raw_path=path.encode()))

    assert (response.status_code, response.json()) == (404, {"detail": "Not Found"})


def test_query_of_a_page_is_passed_over(stranger: httpx.Client) -> None:
    """As of any static file."""
    assert stranger.get("/docs?x=1").content == stranger.get("/docs").content


def test_every_file_of_the_page_is_served() -> None:
    """And no other: what is added is named."""
    served = {path.removeprefix("/page/") for path in PATHS if path.startswith("/page/")}

    assert served | {"index.html"} == {file.name for file in PAGE.iterdir()}


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.split(" \\")[0][8:])
def test_commands_of_the_reference_work(served: Served, command: str) -> None:
    """Each is accepted as it stands; what it asks for may not be there."""
    run = subprocess.run(
        ["sh", "-c", f"{command} --silent --noproxy '*' -o /dev/null -w '%{{http_code}}'"],
        env={
            "PATH": "/usr/bin:/bin",
            "MEMSTACK_BASE_URL": served.url,
            "MEMSTACK_API_KEY": served.key,
        },
        capture_output=True,
        text=True,
        timeout=20,
    )

    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout in ("200", "202", "204", "404")


def test_the_reference_has_a_command_for_each_operation() -> None:
    """All fourteen."""
    assert len(COMMANDS) == 14
