"""Reads the body of an answer of httpx, up to a limit."""

from __future__ import annotations

import zlib
from contextlib import aclosing

import httpx

from ._wire import WireRequest, WireResponse

__all__ = ["read", "read_async"]


def read(answer: httpx.Response, request: WireRequest) -> WireResponse:
    """The whole answer to *request*, which is closed then."""
    try:
        body = _Body(answer, request)
        for part in answer.iter_raw() if body.is_raw else answer.iter_bytes():
            if not body.takes(part):
                break
        return body.whole()
    finally:
        answer.close()


async def read_async(answer: httpx.Response, request: WireRequest) -> WireResponse:
    """The same, awaited."""
    try:
        body = _Body(answer, request)
        parts = answer.aiter_raw() if body.is_raw else answer.aiter_bytes()
        async with aclosing(parts):  # type: ignore[type-var]
            async for part in parts:
                if not body.takes(part):
                    break
        return body.whole()
    finally:
        await answer.aclose()


class _Body:
    """Collects a body, up to what the request allows.

    gzip is unpacked here: httpx would unpack a part whole, and a small part may hold a thousand
    times its size.
    """

    def __init__(self, answer: httpx.Response, request: WireRequest) -> None:
        encoding = answer.headers.get("content-encoding", "identity")
        # A mock's answer may be there already, as it is unpacked by httpx.
        self.is_raw = not answer.is_stream_consumed and encoding in ("identity", "gzip")
        self._unpacker = zlib.decompressobj(31) if self.is_raw and encoding == "gzip" else None
        self._answer = answer
        self._most = request.max_bytes
        self._parts: list[bytes] = []
        self._size = 0

    def takes(self, part: bytes) -> bool:
        """Whether more may come after *part*."""
        if self._unpacker is not None:
            room = 0 if self._most is None else self._most - self._size + 1
            try:
                part = self._unpacker.decompress(part, room)
            except zlib.error as error:
                raise httpx.DecodingError(str(error)) from error
        self._parts.append(part)
        self._size += len(part)
        return self._most is None or self._size <= self._most

    def whole(self) -> WireResponse:
        """The answer with all that was taken."""
        answer, body = self._answer, b"".join(self._parts)
        is_cut = self._most is not None and self._size > self._most
        if self._unpacker is not None and self._size and not (self._unpacker.eof or is_cut):
            raise httpx.DecodingError("the gzip stream ends too early")
        return WireResponse(
            answer.status_code, dict(answer.headers), body[: self._most] if is_cut else body, is_cut
        )
