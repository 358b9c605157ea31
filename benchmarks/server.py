"""A server on loopback that answers at once, in a process of its own, so that only clients cost.

It knows nothing: every answer is prepared, and chosen by the path and the limit of the request.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

MEMO = {
    "id": "m1",
    "content": "Ask Alice about the trail map.",
    "visibility": "PRIVATE",
    "created_at": "2026-05-01T09:30:02.120000Z",
    "updated_at": None,
    "tags": ["hiking"],
}
ACCEPTED = {"id": "e1", "status": "processing", "message": None, "created_at": None}
# The first sentence of a memory of middle length: 160 characters.
MEMORY = "Alice loves hiking in Yosemite with Bob. " * 4

_LENGTH = re.compile(rb"(?i)content-length: *(\d+)")
_LIMIT = re.compile(rb'"limit": ?(\d+)')


def found(results: int) -> dict[str, Any]:
    """The answer to a search."""
    rows = [
        {
            "id": f"r{n}",
            "type": "episode",
            "content": MEMORY,
            "score": 0.9 - n / 2000,
            "metadata": {"name": "Alice on hiking", "group_id": "chat-1"},
        }
        for n in range(results)
    ]
    return {"results": rows, "total": results, "query": "hiking"}


def _answer(body: dict[str, Any]) -> bytes:
    content = json.dumps(body).encode()
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
    return head.encode() + b"%d\r\n\r\n" % len(content) + content


class _Connection(asyncio.Protocol):
    _memo, _accepted = _answer(MEMO), _answer(ACCEPTED)
    _found: dict[int, bytes] = {}  # noqa: RUF012

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._received, 0, end)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._received) < whole:
                return
            self._transport.write(self._answer_to(self._received[:whole]))
            self._received = self._received[whole:]

    def _answer_to(self, request: bytes) -> bytes:
        target = request[: request.find(b"\r\n")]
        if b"/episodes" in target:
            return self._accepted
        if b"/search" not in target:
            return self._memo
        limit = _LIMIT.search(request)
        results = int(limit[1]) if limit else 10
        if results not in self._found:
            self._found[results] = _answer(found(results))
        return self._found[results]


@contextmanager
def serving() -> Iterator[str]:
    """The base URL of a server that runs meanwhile."""
    command = [sys.executable, "-m", "benchmarks.server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


async def _main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Connection, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
