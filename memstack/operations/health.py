"""Whether the server is up."""

# No `from __future__ import annotations` in these modules: help() then shows types, not texts.
from typing import Any

from ._operation import Operation, describe


def health_check() -> Operation[dict[str, Any]]:
    """What the server says of itself: `status`, and where it tells `version` and `capabilities`.

    Raises:
        NetworkError: No server answered.
        APIError: The server is there but not well.

    Sent again after a failure: yes, it changes nothing.
    Source: openapi.yaml, `health_check`.
    """
    from memstack_api.api.health.health_check import _get_kwargs as described

    return describe("health_check", dict[str, Any], described(), "read")
