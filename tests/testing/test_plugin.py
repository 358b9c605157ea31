"""The plugin in another project, installed as a wheel: what its fixtures do, and what it costs."""

from __future__ import annotations

import pytest

from .project import WITHOUT_ASYNCIO, Project

pytestmark = pytest.mark.slow
SYNC = """
import os
import memstack

def remember(text):
    with memstack.MemStackClient() as client:
        return client.create_memo(text).id

def test_the_fixtures_are_one_server(memstack_server, memstack_client):
    memo_id = remember("note")
    assert memstack_client.get_memo(memo_id).content == "note"
    assert [r.operation for r in memstack_server.requests] == ["create_memo", "get_memo"]

def test_each_test_has_its_own(memstack_client):
    assert memstack_client.list_memos() == []

def test_nobody_else_is_reached(memstack_server):
    assert os.environ["MEMSTACK_API_KEY"] == memstack_server.api_key
    remember("note")

def test_the_environment_is_as_it_was():
    assert os.environ["MEMSTACK_API_KEY"] == "ms_sk_production"
    assert os.environ["MEMSTACK_BASE_URL"] == "https://production.invalid"
"""

AWAITED = """
import asyncio
import pytest
from memstack import MemStackAsyncClient

async def remember(client, server):
    server.next(503, retry_after=60)
    async with MemStackAsyncClient() as own:
        made = await asyncio.gather(*(own.create_memo(str(n)) for n in range(5)))
    assert len(await client.list_memos()) == len(made)
    assert server.pauses == [60.0]
"""

ASYNC = {
    "asyncio.run": """
def test_in_one_loop_after_the_other(memstack_async_client, memstack_server):
    asyncio.run(remember(memstack_async_client, memstack_server))
    asyncio.run(memstack_async_client.health_check())

def test_that_is_not_awaited(memstack_async_client):
    pass
""",
    "pytest_asyncio": """
pytestmark = pytest.mark.asyncio

async def test_in_a_loop(memstack_async_client, memstack_server):
    await remember(memstack_async_client, memstack_server)

async def test_that_closes_it(memstack_async_client):
    async with memstack_async_client as client:
        await client.health_check()
""",
    "anyio": """
@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.anyio
async def test_in_a_loop(memstack_async_client, memstack_server):
    await remember(memstack_async_client, memstack_server)

@pytest.mark.anyio
async def test_that_closes_it(memstack_async_client):
    async with memstack_async_client as client:
        await client.health_check()
""",
}
"""By the plugin that the tests need."""

PENDING = """
import pytest

def test_forgets_a_fault(memstack_server):
    memstack_server.next(429, on="search_memory")

def test_fails_before(memstack_server):
    memstack_server.next(429)
    raise AssertionError("by itself")

def test_clears_it(memstack_server):
    memstack_server.next(429)
    memstack_server.clear()
"""

EMPTY = "def test_nothing(): pass"

LOADS = """
import sys

def test_nothing():
    heavy = {"httpx", "pydantic", "memstack.client", "memstack.testing"}
    assert "memstack._pytest_plugin" in sys.modules
    assert heavy & set(sys.modules) == set()
"""


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["one process", "two processes"])
def test_a_project_finds_the_fixtures(project: Project, options: tuple[str, ...]) -> None:
    """Nothing is to be imported or named, and nobody's real server is reached."""
    real = {
        "MEMSTACK_API_KEY": "ms_sk_production",
        "MEMSTACK_BASE_URL": "https://production.invalid",
    }
    run = project.pytest(SYNC, options=options, environment=real)

    assert run.counts == {"passed": 4}, run.output


@pytest.mark.parametrize("plugin", ASYNC)
def test_the_async_client_works_in_any_loop(project: Project, plugin: str) -> None:
    """Of a plugin's, of another's and of nobody's."""
    ini = WITHOUT_ASYNCIO
    if plugin == "pytest_asyncio":
        pytest.importorskip(plugin, reason="`make install` has it")
        ini = "asyncio_default_fixture_loop_scope = function"

    run = project.pytest(AWAITED + ASYNC[plugin], ini=ini)

    assert run.counts == {"passed": 2}, run.output


def test_a_fault_that_did_not_happen_fails_its_test(project: Project) -> None:
    """Once: one that failed by itself is not told twice."""
    run = project.pytest(PENDING)

    assert run.counts == {"failed": 1, "passed": 2, "error": 1}, run.output
    assert "scripted, but did not happen: next(429) on search_memory" in run.output


def test_the_server_needs_no_pytest(project: Project) -> None:
    """It is a context manager for other test runners too."""
    text = "import sys, memstack.testing; print('pytest' in sys.modules)"

    assert project.python("-c", text) == "False\n"


def test_it_can_be_left_out(project: Project) -> None:
    """By the name `memstack`."""
    run = project.pytest(SYNC, options=("-p", "no:memstack"))

    assert "fixture 'memstack_server' not found" in run.output


def test_its_fixtures_tell_what_they_are(project: Project) -> None:
    """In pytest's own list."""
    run = project.pytest(EMPTY, options=("--fixtures",))

    assert run.output.count("memstack_") >= 3
    assert "A MemStack in memory for this test" in run.output


def test_a_project_that_does_not_use_it_loads_nothing_of_weight(project: Project) -> None:
    """Neither an HTTP library nor a model."""
    run = project.pytest(LOADS)

    assert run.counts == {"passed": 1}, run.output
