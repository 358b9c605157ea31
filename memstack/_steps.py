"""What several requests in a row are written as, once for both clients."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

from .exceptions import MemStackError
from .response import Response

__all__ = ["Steps", "response_of"]

T = TypeVar("T")
Steps = Generator[Any, Any, T]
"""Yields what to do, and is given what came of it.

- WireRequest: send it; a WireResponse or NetworkError.
- Operation: make this call; its Response or MemStackError.
- A number: wait so many seconds; None.
- A function: call it, and await what it gives; that, or its exception.
"""


def response_of(answer: Response[Any] | MemStackError | None) -> Response[Any]:
    if isinstance(answer, MemStackError):
        raise answer
    assert answer is not None
    return answer
