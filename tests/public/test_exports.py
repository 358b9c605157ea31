"""What `import memstack` offers."""

from __future__ import annotations

import types

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


def test_all_is_exactly_what_is_public() -> None:
    """Nothing is exported by accident, and nothing that is listed is missing."""
    public = {
        name
        for name, value in vars(memstack).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }

    assert public | {"operations", "__version__"} == set(memstack.__all__)


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
