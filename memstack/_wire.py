"""What goes over the wire and what comes back: plain data, of no HTTP library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class WireRequest:
    """One request, ready to be sent."""

    method: str
    """In capitals."""
    target: str
    """Percent-encoded path and query, on the server's origin: `/api/v1/memos?limit=20`."""
    headers: Mapping[str, str]
    body: bytes | None
    timeout: float | None
    """Seconds it may take; None for ever."""
    max_bytes: int | None = None
    """Most bytes of the answer's body, decompressed, to read; None for all."""

    def __repr__(self) -> str:
        # The headers hold the API key, the body what its owner wants remembered.
        return f"<WireRequest {self.method} {self.target}>"


@dataclass(frozen=True)
class WireResponse:
    """One answer."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    is_cut: bool = False
    """Whether the body is longer than `max_bytes` of the request, and only begun here."""

    def __repr__(self) -> str:
        return f"<WireResponse {self.status}, {len(self.body)} bytes>"


class Transport(Protocol):
    """What sends a request and waits for the answer, blocking.

    `send` raises NetworkError, with `outcome` `not_sent` only where the server cannot have seen
    the request, and nothing else.
    """

    def send(self, request: WireRequest) -> WireResponse: ...

    def close(self) -> None: ...


class AsyncTransport(Protocol):
    """The same, awaited."""

    async def send(self, request: WireRequest) -> WireResponse: ...

    async def close(self) -> None: ...
