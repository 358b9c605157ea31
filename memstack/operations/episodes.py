"""Storing, listing, getting and deleting episodes."""

from datetime import datetime
from types import NoneType
from typing import Any

from .._rules import EpisodeListing
from .._settings import check_number
from ..models import Episode, EpisodeCreate, EpisodePage, EpisodeResponse, SourceType
from ._arguments import checked, checked_key, segment
from ._operation import Operation, describe

WAIT = 300.0
"""Seconds to wait for an episode, unless it is said otherwise."""


def create_episode(
    name: str,
    content: str,
    source_type: SourceType = "text",
    source_description: str | None = None,
    group_id: str | None = None,
    metadata: dict[str, Any] | None = None,
    *,
    project_id: str | None = None,
    tenant_id: str | None = None,
    user_id: str | None = None,
    valid_at: datetime | None = None,
    idempotency_key: str | None = None,
    wait: bool | float = False,
) -> Operation[EpisodeResponse]:
    """What became of an episode (a conversation, a document, an event) that is sent to be stored.

    The answer may come before the episode can be found: its `status` tells, and `wait` waits.

    Args:
        name: What to call it; not empty. Several episodes may share a name. One that holds `/`,
            `\\` or control characters cannot be got or deleted by it.
        content: What happened, in any language; not empty.
        source_type: What kind of material it is.
        source_description: Where it comes from, in words.
        group_id: What it belongs to, such as a conversation: its neighbours give it context.
        metadata: Facts of your own about it, as a JSON object.
        project_id: The project it belongs to.
        tenant_id: The tenant it belongs to.
        user_id: The user it is about.
        valid_at: When it happened, with a time zone; None for now.
        idempotency_key: A value of your own that makes a repeated call store it once, on a
            server that knows such keys; 1 to 255 visible ASCII characters, None for a new one.
        wait: Whether to return only when it is processed, `status` being `completed`: True for
            up to 300 seconds, or how many seconds; the `deadline` of the client is for the rest.

    Raises:
        ValidationError: An argument breaks its rule; nothing was sent.
        ProcessingError: It was accepted, but is not processed, or the server does not tell;
            `created` has what would have been returned without `wait`.
        OutcomeUnknownError: The answer was lost; the episode may or may not be stored.
        ServerError: The server failed; see `outcome`.
        RateLimitError: Still refused after the last attempt; `retry_after` has the seconds.

    Sent again after a failure: where the server honours the key, or cannot have stored it.
    Source: openapi.yaml, `create_episode`.
    """
    from memstack_api.api.episodes.create_episode import _get_kwargs as described
    from memstack_api.models.episode_create import EpisodeCreate as Body

    key = checked_key("create_episode", idempotency_key)
    seconds = (WAIT if wait else None) if isinstance(wait, bool) else wait
    check_number("create_episode: wait", seconds, or_none=isinstance(wait, bool))
    body = checked(
        "create_episode",
        EpisodeCreate,
        {
            "name": name,
            "content": content,
            "source_type": source_type,
            "source_description": source_description,
            "group_id": group_id,
            "metadata": metadata,
            "project_id": project_id,
            "tenant_id": tenant_id,
            "user_id": user_id,
            "valid_at": valid_at,
        },
    )
    request = described(body=Body.from_dict(body))
    return describe(
        "create_episode",
        EpisodeResponse,
        request,
        "once",
        sends_idempotency_key=True,
        idempotency_key=key,
        wait=seconds,
    )


def list_episodes(
    limit: int = 50,
    offset: int = 0,
    *,
    project_id: str | None = None,
    tenant_id: str | None = None,
    user_id: str | None = None,
) -> Operation[EpisodePage]:
    """A page of episodes, newest first; `is_cut` tells whether others follow.

    `iter_episodes` of a client goes through all pages.

    Args:
        limit: Most episodes in the page; 1 to 200.
        offset: How many to pass over first; 0 or more.
        project_id: Only episodes of this project.
        tenant_id: Only episodes of this tenant.
        user_id: Only episodes of this user.

    Raises:
        ValidationError: An argument breaks its rule; nothing was sent.

    Sent again after a failure: yes, it changes nothing.
    Source: openapi.yaml, `list_episodes`.
    """
    from memstack_api.api.episodes.list_episodes import _get_kwargs as described

    params = checked(
        "list_episodes",
        EpisodeListing,
        {
            "limit": limit,
            "offset": offset,
            "project_id": project_id,
            "tenant_id": tenant_id,
            "user_id": user_id,
        },
    )
    return describe("list_episodes", EpisodePage, described(**params), "read", most=limit)


def get_episode(name: str) -> Operation[Episode]:
    """The newest episode of that name.

    Args:
        name: Its name; not empty, without `/`, `\\` and control characters.

    Raises:
        ValidationError: The name cannot stand in a path; nothing was sent.
        NotFoundError: There is no episode of that name.

    Sent again after a failure: yes, it changes nothing.
    Source: openapi.yaml, `get_episode`.
    """
    from memstack_api.api.episodes.get_episode import _get_kwargs as described

    request = described(segment("get_episode", "name", name))
    return describe("get_episode", Episode, request, "read")


def delete_episode(name: str) -> Operation[None]:
    """None, once every episode of that name is gone.

    Args:
        name: Their name; not empty, without `/`, `\\` and control characters.

    Raises:
        ValidationError: The name cannot stand in a path; nothing was sent.
        NotFoundError: There is no episode of that name.
        OutcomeUnknownError: The answer was lost; they may or may not be gone.

    Sent again after a failure: only where the server cannot have applied it, for an episode
    of that name that was stored in between would go too.
    Source: openapi.yaml, `delete_episode`.
    """
    from memstack_api.api.episodes.delete_episode import _get_kwargs as described

    request = described(segment("delete_episode", "name", name))
    return describe("delete_episode", NoneType, request, "once")
