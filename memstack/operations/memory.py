"""Searching what is remembered."""

from typing import Any

from ..models import MemoryQuery, MemoryResponse
from ._arguments import checked
from ._operation import Operation, describe


def search_memory(
    query: str,
    limit: int = 10,
    tenant_id: str | None = None,
    filters: dict[str, Any] | None = None,
    *,
    project_id: str | None = None,
    user_id: str | None = None,
) -> Operation[MemoryResponse]:
    """Memories that match *query*, best first.

    Args:
        query: What to look for, in any language; not empty. A question will do.
        limit: Most results to return; 1 to 100.
        tenant_id: Only what belongs to this tenant.
        filters: Only what has these values: `group_id`, `project_id`, `tenant_id`, `user_id`,
            `source_type`, `name`, `metadata.<key>`, `date_from`, `date_to` (ISO 8601). The
            embedded server refuses one it does not know; deployed servers pass over filters.
        project_id: Only what belongs to this project.
        user_id: Only what is about this user.

    Raises:
        ValidationError: An argument breaks its rule; nothing was sent. As an
            UnprocessableEntityError: the server found it.
        RateLimitError: Still refused after the last attempt; `retry_after` has the seconds.

    Sent again after a failure: yes, searching changes nothing.
    Source: openapi.yaml, `search_memory`.
    """
    from memstack_api.api.memory.search_memory import _get_kwargs as described
    from memstack_api.models.memory_query import MemoryQuery as Body

    body = checked(
        "search_memory",
        MemoryQuery,
        {
            "query": query,
            "limit": limit,
            "tenant_id": tenant_id,
            "project_id": project_id,
            "user_id": user_id,
            "filters": filters,
        },
    )
    request = described(body=Body.from_dict(body))
    return describe("search_memory", MemoryResponse, request, "read")
