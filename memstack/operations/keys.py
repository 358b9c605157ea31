"""Making, listing and revoking API keys."""

from collections.abc import Sequence
from types import NoneType

from ..models import APIKey, APIKeyCreate, Permission
from ..response import Rows
from ._arguments import checked, checked_key, segment
from ._operation import Operation, describe


def create_api_key(
    name: str,
    permissions: Sequence[Permission],
    expires_in_days: int | None = None,
    *,
    idempotency_key: str | None = None,
) -> Operation[APIKey]:
    """A new API key; this answer is the only one that holds the key itself, in `key`.

    Args:
        name: What to call it; not empty.
        permissions: What it may do, at least one: `read`, `write`, `admin`.
        expires_in_days: Days until it expires, 1 to 36500; None for never.
        idempotency_key: A value of your own that makes a repeated call make one key, on a
            server that knows such keys; 1 to 255 visible ASCII characters, None for a new one.

    Raises:
        ValidationError: An argument breaks its rule; nothing was sent.
        OutcomeUnknownError: The answer was lost; there may be a key whose secret nobody knows.

    Sent again after a failure: where the server honours the key, or cannot have made it.
    Source: openapi.yaml, `create_api_key`.
    """
    from memstack_api.api.keys.create_api_key import _get_kwargs as described
    from memstack_api.models.api_key_create import APIKeyCreate as Body

    key = checked_key("create_api_key", idempotency_key)
    body = checked(
        "create_api_key",
        APIKeyCreate,
        {"name": name, "permissions": permissions, "expires_in_days": expires_in_days},
    )
    request = described(body=Body.from_dict(body))
    return describe(
        "create_api_key",
        APIKey,
        request,
        "once",
        sends_idempotency_key=True,
        idempotency_key=key,
    )


def list_api_keys() -> Operation[Rows[APIKey]]:
    """Your API keys, each with its `key` masked.

    Sent again after a failure: yes, it changes nothing.
    Source: openapi.yaml, `list_api_keys`.
    """
    from memstack_api.api.keys.list_api_keys import _get_kwargs as described

    return describe("list_api_keys", Rows[APIKey], described(), "read")


def revoke_api_key(key_id: str) -> Operation[None]:
    """None, once the key works no longer.

    Args:
        key_id: The `key_id` of the key, not the key itself.

    Raises:
        ValidationError: The id cannot stand in a path; nothing was sent.
        NotFoundError: You have no key of that id.

    Sent again after a failure: yes; it is then done if the key is not found any more.
    Source: openapi.yaml, `revoke_api_key`.
    """
    from memstack_api.api.keys.revoke_api_key import _get_kwargs as described

    request = described(segment("revoke_api_key", "key_id", key_id))
    return describe("revoke_api_key", NoneType, request, "repeatable", gone_is_done=True)
