"""MemStack for Python: memory for AI agents, over a server or embedded in the process.

Example:
    from memstack import MemStackClient

    with MemStackClient.local() as client:  # or MemStackClient(api_key="ms_sk_...")
        client.create_episode("Alice on hiking", "Alice loves hiking in Yosemite with Bob.")
        client.search_memory("Where does Alice like to hike?")
"""

from . import operations
from ._history import AttemptEvent
from ._server import ServerInfo
from ._settling import Settlement
from ._version import __version__
from .async_client import MemStackAsyncClient
from .client import MemStackClient
from .exceptions import (
    APIError,
    Attempt,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    InsecureConnectionWarning,
    MemStackError,
    NetworkError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RateLimitError,
    RequestTimeoutError,
    ResponseValidationError,
    ServerError,
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
    "Permission",
    "PermissionDeniedError",
    "RateLimitError",
    "RequestTimeoutError",
    "Response",
    "ResponseValidationError",
    "ServerError",
    "ServerInfo",
    "Settlement",
    "SourceType",
    "UnprocessableEntityError",
    "UnsupportedArgumentError",
    "UnsupportedArgumentWarning",
    "UnsupportedOperationError",
    "ValidationError",
    "Visibility",
    "__version__",
    "operations",
]
