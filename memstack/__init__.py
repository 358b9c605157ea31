"""MemStack for Python: memory for AI agents, over a server or embedded in the process.

Example:
    from memstack import MemStackClient

    with MemStackClient.local() as client:  # or MemStackClient(api_key="ms_sk_...")
        client.create_episode("Alice on hiking", "Alice loves hiking in Yosemite with Bob.")
        client.search_memory("Where does Alice like to hike?")
"""

from importlib import import_module
from typing import TYPE_CHECKING

from ._version import __version__

if TYPE_CHECKING:
    from . import operations
    from ._history import AttemptEvent
    from ._paging import AsyncPager, Pager
    from ._server import ServerInfo
    from ._settling import Settlement
    from .async_client import MemStackAsyncClient
    from .client import MemStackClient
    from .exceptions import (
        APIError,
        Attempt,
        AuthenticationError,
        BadRequestError,
        ConflictError,
        InsecureConnectionWarning,
        ListChangedError,
        MemStackError,
        NetworkError,
        NotFoundError,
        OutcomeUnknownError,
        PermissionDeniedError,
        ProcessingError,
        ProcessingFailedError,
        ProcessingUnknownError,
        RateLimitError,
        RequestTimeoutError,
        ResponseValidationError,
        ServerError,
        StillProcessingError,
        UnprocessableEntityError,
        UnsupportedArgumentError,
        UnsupportedArgumentWarning,
        UnsupportedOperationError,
        ValidationError,
    )
    from .models import (
        APIKey,
        APIKeyCreate,
        Episode,
        EpisodeCreate,
        EpisodePage,
        EpisodeResponse,
        Memo,
        MemoCreate,
        MemoryQuery,
        MemoryResponse,
        MemoryResult,
        MemoUpdate,
        Permission,
        SourceType,
        Visibility,
    )
    from .response import Response

__all__ = [
    "APIError",
    "APIKey",
    "APIKeyCreate",
    "AsyncPager",
    "Attempt",
    "AttemptEvent",
    "AuthenticationError",
    "BadRequestError",
    "ConflictError",
    "Episode",
    "EpisodeCreate",
    "EpisodePage",
    "EpisodeResponse",
    "InsecureConnectionWarning",
    "ListChangedError",
    "MemStackAsyncClient",
    "MemStackClient",
    "MemStackError",
    "Memo",
    "MemoCreate",
    "MemoUpdate",
    "MemoryQuery",
    "MemoryResponse",
    "MemoryResult",
    "NetworkError",
    "NotFoundError",
    "OutcomeUnknownError",
    "Pager",
    "Permission",
    "PermissionDeniedError",
    "ProcessingError",
    "ProcessingFailedError",
    "ProcessingUnknownError",
    "RateLimitError",
    "RequestTimeoutError",
    "Response",
    "ResponseValidationError",
    "ServerError",
    "ServerInfo",
    "Settlement",
    "SourceType",
    "StillProcessingError",
    "UnprocessableEntityError",
    "UnsupportedArgumentError",
    "UnsupportedArgumentWarning",
    "UnsupportedOperationError",
    "ValidationError",
    "Visibility",
    "__version__",
    "operations",
]

_MODULES = ("async_client", "client", "exceptions", "models", "operations", "response", "retry")
_PLACES = {
    "AsyncPager": "_paging",
    "Attempt": "exceptions",
    "AttemptEvent": "_history",
    "MemStackAsyncClient": "async_client",
    "MemStackClient": "client",
    "Pager": "_paging",
    "Response": "response",
    "ServerInfo": "_server",
    "Settlement": "_settling",
}
"""Where a name is, but for exceptions and models, which tell it themselves."""


def __getattr__(name: str) -> object:
    # Imported when it is first used: pydantic alone takes a tenth of a second.
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    place = "exceptions" if name.endswith(("Error", "Warning")) else _PLACES.get(name, "models")
    found = globals()[name] = getattr(import_module(f"{__name__}.{place}"), name)
    return found


def __dir__() -> list[str]:
    return [*globals(), *__all__, *_MODULES]
