"""Contains all the data models used in inputs/outputs"""

from .api_key import APIKey
from .api_key_create import APIKeyCreate
from .episode import Episode
from .episode_create import EpisodeCreate
from .episode_create_metadata_type_0 import EpisodeCreateMetadataType0
from .episode_deleted import EpisodeDeleted
from .episode_metadata_type_0 import EpisodeMetadataType0
from .episode_page import EpisodePage
from .episode_response import EpisodeResponse
from .error import Error
from .error_detail import ErrorDetail
from .error_detail_ctx import ErrorDetailCtx
from .health import Health
from .memo import Memo
from .memo_create import MemoCreate
from .memo_update import MemoUpdate
from .memory_query import MemoryQuery
from .memory_query_filters_type_0 import MemoryQueryFiltersType0
from .memory_response import MemoryResponse
from .memory_result import MemoryResult
from .memory_result_metadata import MemoryResultMetadata
from .permission import Permission
from .source_type import SourceType
from .visibility import Visibility

__all__ = (
    "APIKey",
    "APIKeyCreate",
    "Episode",
    "EpisodeCreate",
    "EpisodeCreateMetadataType0",
    "EpisodeDeleted",
    "EpisodeMetadataType0",
    "EpisodePage",
    "EpisodeResponse",
    "Error",
    "ErrorDetail",
    "ErrorDetailCtx",
    "Health",
    "Memo",
    "MemoCreate",
    "MemoryQuery",
    "MemoryQueryFiltersType0",
    "MemoryResponse",
    "MemoryResult",
    "MemoryResultMetadata",
    "MemoUpdate",
    "Permission",
    "SourceType",
    "Visibility",
)
