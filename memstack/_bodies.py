"""Collects the body of an answer, up to what its request allows.

gzip is unpacked here, in pieces: a small part may hold a thousand times its size.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping

from ._wire import WireResponse


class Garbled(ValueError):
    """A body is not what its headers say."""


class Body:
    """One body; *most* is the `max_bytes` of the request."""

    def __init__(self, *, unpacks: bool, most: int | None) -> None:
        self._unpacker = zlib.decompressobj(31) if unpacks else None
        self._most = most
        self._parts: list[bytes] = []
        self._size = 0

    def takes(self, part: bytes) -> bool:
        """Whether more may come after *part*.

        Raises:
            Garbled: It is no gzip.
        """
        if self._unpacker is not None:
            room = 0 if self._most is None else self._most - self._size + 1
            try:
                part = self._unpacker.decompress(part, room)
            except zlib.error as error:
                raise Garbled(str(error)) from error
        self._parts.append(part)
        self._size += len(part)
        return self._most is None or self._size <= self._most

    def whole(self, status: int, headers: Mapping[str, str]) -> WireResponse:
        """The answer with all that was taken.

        Raises:
            Garbled: There should be more.
        """
        body = b"".join(self._parts)
        is_cut = self._most is not None and self._size > self._most
        if self._unpacker is not None and self._size and not (self._unpacker.eof or is_cut):
            raise Garbled("the gzip stream ends too early")
        return WireResponse(status, headers, body[: self._most] if is_cut else body, is_cut)
