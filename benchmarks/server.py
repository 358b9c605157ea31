"""A server on loopback that answers at once, in a process of its own, so that only clients cost.

It knows nothing: every answer is prepared, and chosen by the path and the query of the request.

It can hold its answers until so many requests wait for one. Otherwise *64 at once* would mean a few
on the wire and the others waiting for the processor, how few depending on what else the machine
does; and a pool has other things to do for a few connections than for many.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.request import urlopen

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
_TOGETHER = re.compile(rb"GET /together/(\d+) ")
_RESULTS = re.compile(rb'"query": ?"(\d+) ')


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


QUIET = 0.03
"""Seconds without a request after which those that wait are answered: no more come, as from a
client that has fewer connections."""


class Wave:
    """Answers that are held until there are enough of them."""

    def __init__(self) -> None:
        self.size = 1
        self._held: list[tuple[asyncio.Transport, bytes]] = []
        self._quiet: asyncio.TimerHandle | None = None

    def add(self, transport: asyncio.Transport, answer: bytes) -> None:
        self._held.append((transport, answer))
        if self._quiet is not None:
            self._quiet.cancel()
        if len(self._held) >= self.size:
            self._give()
        else:
            self._quiet = asyncio.get_running_loop().call_later(QUIET, self._give)

    def _give(self) -> None:
        for transport, answer in self._held:
            transport.write(answer)
        self._held.clear()


class _Connection(asyncio.Protocol):
    _memo, _accepted = _answer(MEMO), _answer(ACCEPTED)
    _found: dict[int, bytes] = {}  # noqa: RUF012
    _wave = Wave()

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
            request, self._received = self._received[:whole], self._received[whole:]
            size = _TOGETHER.match(request)
            if size:
                self._wave.size = int(size[1])
                self._transport.write(_answer({}))
            else:
                self._wave.add(self._transport, self._answer_to(request))

    def _answer_to(self, request: bytes) -> bytes:
        target = request[: request.find(b"\r\n")]
        if b"/episodes" in target:
            return self._accepted
        if b"/search" not in target:
            return self._memo
        asked = _RESULTS.search(request)
        assert asked, "the query says how many results are wanted"
        results = int(asked[1])
        if results not in self._found:
            self._found[results] = _answer(found(results))
        return self._found[results]


@contextmanager
def serving() -> Iterator[str]:
    """The base URL of a server that runs meanwhile.

    Where the system can, it has one processor and this thread another, as if each were alone:
    waking each other up costs less on the same, which is so or not as other programs want.
    """
    command = [sys.executable, "-m", "benchmarks.server"]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process,
        ExitStack() as end,
    ):
        end.callback(process.terminate)
        if hasattr(os, "sched_setaffinity"):
            processors = os.sched_getaffinity(0)
            mine = {min(processors)}
            os.sched_setaffinity(process.pid, processors - mine or mine)
            os.sched_setaffinity(0, mine)
            end.callback(os.sched_setaffinity, 0, processors)
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"


@contextmanager
def together(url: str, requests: int) -> Iterator[None]:
    """Meanwhile, the server at *url* answers when so many requests wait."""
    urlopen(f"{url}/together/{requests}").close()
    yield
    urlopen(f"{url}/together/1").close()


async def _main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Connection, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
