"""What `import memstack` offers."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import memstack
import memstack.exceptions
import memstack.models

SEED = """
MemStackClient MemStackAsyncClient
MemStackError AuthenticationError APIError RateLimitError ValidationError NetworkError
EpisodeCreate Episode EpisodeResponse MemoryQuery MemoryResult MemoryResponse
APIKey APIKeyCreate Memo MemoCreate MemoUpdate
""".split()


def test_has_every_promised_name() -> None:
    """These names stay."""
    assert [name for name in SEED if name not in memstack.__all__] == []


def _shown_to_type_checkers() -> dict[str, str]:
    """The module that each public name is imported from, by what a type checker reads."""
    tree = ast.parse(Path(memstack.__file__).read_text("utf-8"))
    (guarded,) = (node for node in tree.body if isinstance(node, ast.If))
    return {
        alias.name: f"memstack.{node.module}" if node.module else "memstack"
        for node in guarded.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_all_is_exactly_what_type_checkers_see() -> None:
    """Nothing is exported by accident, and nothing that is listed is missing."""
    assert {*_shown_to_type_checkers(), "__version__"} == set(memstack.__all__)


@pytest.mark.parametrize("name", sorted(_shown_to_type_checkers()))
def test_each_name_is_what_type_checkers_take_it_for(name: str) -> None:
    """Though it is imported only when it is used."""
    place = import_module(_shown_to_type_checkers()[name])

    assert getattr(memstack, name) is getattr(place, name)
    assert name in dir(memstack)


def test_a_name_that_is_not_there_is_an_ordinary_error() -> None:
    """`hasattr` and type checkers of values ask for all sorts of names."""
    with pytest.raises(AttributeError, match=r"^module 'memstack' has no attribute 'Client'$"):
        memstack.Client  # noqa: B018


def test_all_is_sorted() -> None:
    """As isort sorts: classes with capitals first."""
    assert list(memstack.__all__) == sorted(memstack.__all__)


def test_exports_every_error_and_model() -> None:
    """Whoever catches or annotates needs no second import."""
    classes = [
        name
        for module in (memstack.exceptions, memstack.models)
        for name in module.__all__
        if isinstance(getattr(module, name), type)
    ]

    assert [name for name in classes if name not in memstack.__all__] == []


def _imported(program: str) -> set[str]:
    """The packages, and the modules of memstack, that a new process has after *program*."""
    ran = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys; print(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return {name if "memstack" in name else name.split(".")[0] for name in ran.stdout.split()}


def test_importing_memstack_imports_nothing_of_weight() -> None:
    """A command line that only may use it starts as fast as without it."""
    new = _imported("import memstack") - _imported("import importlib, typing")

    assert new == {"memstack", "memstack._version"}


def test_submodules_need_no_import_of_their_own() -> None:
    """`memstack.models.Memo` works after `import memstack`."""
    assert "memstack.models" in _imported("import memstack; memstack.models.Memo")
    assert "memstack.retry" in _imported("import memstack; memstack.retry.RetryPolicy")


@pytest.mark.parametrize("client", ["MemStackClient", "MemStackAsyncClient"])
def test_a_client_imports_what_sends_with_its_first_request(
    client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where neither its arguments nor the environment can be wrong."""
    made = f"import memstack; client = memstack.{client}('ms_sk_x')"
    later = {"httpx", "httpcore", "attr", "dateutil", "tenacity", "memstack_api", "sqlite3"}
    later |= {"memstack._settling", "memstack._walking"}

    assert later & _imported(made) == set()
    monkeypatch.setenv("SSL_CERT_DIR", "/")
    assert "httpx" in _imported(made)


def test_opening_an_embedded_server_imports_no_http() -> None:
    """A notebook waits for no certificates, and for httpx at the first call."""
    program = "import memstack; memstack.MemStackClient.local().close()"

    assert {"httpx", "httpcore", "anyio"} & _imported(program) == set()
