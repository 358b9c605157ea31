"""Storing, listing, getting, changing and deleting memos."""

from collections.abc import Sequence
from types import NoneType

from .._rules import MemoListing
from ..models import Memo, MemoCreate, MemoUpdate, Visibility
from ..response import Rows
from ._arguments import checked, checked_key, segment
from ._operation import Operation, describe


def create_memo(
    content: str,
    visibility: Visibility = "PRIVATE",
    tags: Sequence[str] | None = None,
    *,
    idempotency_key: str | None = None,
) -> Operation[Memo]:
    """A new memo, as it is stored.

    Args:
        content: The note; not empty.
        visibility: Who may read it.
        tags: Words to find it by; None for none.
        idempotency_key: A value of your own that makes a repeated call store it once, on a
            server that knows such keys; 1 to 255 visible ASCII characters, None for a new one.

    Raises:
        ValidationError: An argument breaks its rule; nothing was sent.
        OutcomeUnknownError: The answer was lost; the memo may or may not be stored.
        ServerError: The server failed; see `outcome`.

    Sent again after a failure: where the server honours the key, or cannot have stored it.
    Source: openapi.yaml, `create_memo`.
    """
    from memstack_api.api.memos.create_memo import _get_kwargs as described
    from memstack_api.models.memo_create import MemoCreate as Body

    key = checked_key("create_memo", idempotency_key)
    body = checked(
        "create_memo",
        MemoCreate,
        {"content": content, "visibility": visibility, "tags": [] if tags is None else tags},
    )
    request = described(body=Body.from_dict(body))
    return describe(
        "create_memo", Memo, request, "once", sends_idempotency_key=True, idempotency_key=key
    )


def list_memos(limit: int = 20, offset: int = 0) -> Operation[Rows[Memo]]:
    """Your memos, newest first; `is_cut` tells whether others may follow.

    `iter_memos` of a client goes through all pages.

    Args:
        limit: Most memos to return; 1 to 1000.
        offset: How many to pass over first; 0 or more.

    Raises:
        ValidationError: An argument breaks its rule; nothing was sent.

    Sent again after a failure: yes, it changes nothing.
    Source: openapi.yaml, `list_memos`.
    """
    from memstack_api.api.memos.list_memos import _get_kwargs as described

    params = checked("list_memos", MemoListing, {"limit": limit, "offset": offset})
    return describe("list_memos", Rows[Memo], described(**params), "read", most=limit)


def get_memo(memo_id: str) -> Operation[Memo]:
    """One memo.

    Args:
        memo_id: Its `id`.

    Raises:
        ValidationError: The id cannot stand in a path; nothing was sent.
        NotFoundError: You have no memo of that id.

    Sent again after a failure: yes, it changes nothing.
    Source: openapi.yaml, `get_memo`.
    """
    from memstack_api.api.memos.get_memo import _get_kwargs as described

    request = described(segment("get_memo", "memo_id", memo_id))
    return describe("get_memo", Memo, request, "read")


def update_memo(
    memo_id: str,
    content: str | None = None,
    visibility: Visibility | None = None,
    tags: Sequence[str] | None = None,
) -> Operation[Memo]:
    """The memo as it is after the change; what is None stays as it was.

    Args:
        memo_id: Its `id`.
        content: The new note; not empty.
        visibility: Who may read it from now on.
        tags: The new tags, in place of all there were; an empty list removes them.

    Raises:
        ValidationError: An argument breaks its rule; nothing was sent.
        NotFoundError: You have no memo of that id.
        OutcomeUnknownError: The answer to the last attempt was lost.

    Sent again after a failure: yes; it sets values and does not add to them.
    Source: openapi.yaml, `update_memo`.
    """
    from memstack_api.api.memos.update_memo import _get_kwargs as described
    from memstack_api.models.memo_update import MemoUpdate as Body

    place = segment("update_memo", "memo_id", memo_id)
    body = checked(
        "update_memo",
        MemoUpdate,
        {"content": content, "visibility": visibility, "tags": tags},
    )
    request = described(place, body=Body.from_dict(body))
    return describe("update_memo", Memo, request, "repeatable")


def delete_memo(memo_id: str) -> Operation[None]:
    """None, once the memo is gone.

    Args:
        memo_id: Its `id`.

    Raises:
        ValidationError: The id cannot stand in a path; nothing was sent.
        NotFoundError: You have no memo of that id.

    Sent again after a failure: yes; it is then done if the memo is not found any more.
    Source: openapi.yaml, `delete_memo`.
    """
    from memstack_api.api.memos.delete_memo import _get_kwargs as described

    request = described(segment("delete_memo", "memo_id", memo_id))
    return describe("delete_memo", NoneType, request, "repeatable", gone_is_done=True)
