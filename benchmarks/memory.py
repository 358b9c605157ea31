"""Memory that a client holds with its connections, measured in new processes.

A process makes so many calls at the same time, so that each has a connection of its own, and
keeps them open. What counts is by how much its anonymous memory grows: that has what C and Rust
hold, which tracemalloc does not see, and not the code of libraries, which a process shares. What
is imported on the way is imported before, and the model of the answer is built, so that only the
client and its connections are left.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
import os
import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Barrier
from typing import Any

from .packages import package_of
from .requests import HEADERS, KEY, memo_id
from .server import together

CONNECTIONS = 64
VARIANTS = ("httpx", "memstack", "memstack, pyreqwest", "pyreqwest")
ROLLUP = Path("/proc/self/smaps_rollup")
# All memory from one heap, which is given back; stacks of threads that have ended, too.
TUNED = {"GLIBC_TUNABLES": "glibc.malloc.arena_max=1:glibc.pthread.stack_cache_size=0"}


def held(url: str, colour: str, rounds: int) -> dict[str, float]:
    """Bytes of each variant, the least of so many processes; none where Linux does not tell."""
    if not (ROLLUP.exists() and hasattr(ctypes.CDLL(None), "malloc_trim")):
        return {}
    variants = [name for name in VARIANTS if _installed(name)]
    best: dict[str, float] = {}
    with together(url, CONNECTIONS):
        for name in variants:
            modules = _process(url, colour, name, [])["modules"]
            found = [_process(url, colour, name, modules) for _ in range(rounds)]
            # On a busy machine the first may be idle for too long before the last is.
            found += [_process(url, colour, name, modules) for _ in range(2 * _lacking(found))]
            if len(found) - _lacking(found) < rounds:
                raise RuntimeError(f"{name}, {colour}: it does not keep its connections")
            best[name] = min(one["bytes"] for one in found if one["connections"] == CONNECTIONS)
    return best


def parts(url: str) -> dict[str, dict[str, float]]:
    """By package, what it holds of Python for each connection, with its share of the client."""
    columns: dict[str, dict[str, float]] = {}
    with together(url, CONNECTIONS):
        for colour in ("blocking", "awaited"):
            for name in ("httpx", "memstack"):
                modules = _process(url, colour, name, [])["modules"]
                tries = (_process(url, colour, name, modules, "parts") for _ in range(9))
                whole = (found for found in tries if not _lacking([found]))
                columns[f"{name}, {colour}"] = next(whole)["parts"]
    packages = sorted({package for column in columns.values() for package in column})
    return {
        package: {name: column.get(package, 0) for name, column in columns.items()}
        for package in packages
    }


def _lacking(found: list[dict[str, Any]]) -> int:
    return sum(one["connections"] != CONNECTIONS for one in found)


def _installed(variant: str) -> bool:
    return "pyreqwest" not in variant or find_spec("pyreqwest") is not None


def _process(
    url: str, colour: str, variant: str, modules: list[str], what: str = "bytes"
) -> dict[str, Any]:
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.memory", url, colour, variant, what],
        input=json.dumps(modules),
        env={**os.environ, **TUNED},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


class _Growth:
    """By how much this process grew since."""

    def __init__(self) -> None:
        self._before = _anonymous()

    def told(self, url: str) -> str:
        """The same as JSON."""
        grown = _anonymous() - self._before
        modules = [name for name in sys.modules if name != "__main__"]
        return json.dumps({"bytes": grown, "connections": _open(url), "modules": modules})


class _Parts:
    """The same of what Python holds, by package and connection."""

    def __init__(self) -> None:
        tracemalloc.start()

    def told(self, url: str) -> str:
        """The same as JSON, in bytes."""
        gc.collect()
        held = Counter[str]()
        for found in tracemalloc.take_snapshot().statistics("filename"):
            held[package_of(found.traceback[0].filename) or "others"] += found.size
        tracemalloc.stop()
        parts = {name: size / CONNECTIONS for name, size in held.items()}
        return json.dumps({"parts": parts, "connections": _open(url)})


def _anonymous() -> int:
    """Bytes of memory that no file backs."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    fields = dict(line.split(":") for line in ROLLUP.read_text("ascii").splitlines()[1:])
    return int(fields["Anonymous"].split()[0]) * 1024


def _open(url: str) -> int:
    """How many connections this system has to the server; nobody else talks to it."""
    port = f":{int(url.rpartition(':')[2]):04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]]
    return sum(row[2].endswith(port) and row[3] == "01" for row in rows)


def _client(url: str, colour: str, variant: str) -> tuple[Any, Callable[[], Any]]:
    """A client of that kind, and a call of it."""
    if variant == "httpx":
        import httpx

        limits = httpx.Limits(max_keepalive_connections=CONNECTIONS)
        make: Any = httpx.Client if colour == "blocking" else httpx.AsyncClient
        bare = make(base_url=url, headers=HEADERS, limits=limits)
        return bare, lambda: bare.get(f"/api/v1/memos/{memo_id()}")
    if variant == "pyreqwest":
        from pyreqwest import client as pyreqwest

        make = pyreqwest.SyncClientBuilder if colour == "blocking" else pyreqwest.ClientBuilder
        fast = make().base_url(url).default_headers(HEADERS).build()
        return fast, lambda: fast.get(f"/api/v1/memos/{memo_id()}").build().send()
    import memstack

    make = memstack.MemStackClient if colour == "blocking" else memstack.MemStackAsyncClient
    client = make(KEY, url, transport="pyreqwest" if "pyreqwest" in variant else "httpx")
    return client, lambda: client.get_memo(memo_id())


def _blocking(url: str, variant: str, kind: type[_Growth | _Parts]) -> str:
    _at_once(lambda: None)
    growth = kind()
    client, call = _client(url, "blocking", variant)
    _at_once(call)
    told = growth.told(url)
    client.close()
    return told


def _at_once(call: Callable[[], Any]) -> None:
    ready = Barrier(CONNECTIONS)

    def work() -> None:
        ready.wait()
        call()

    with ThreadPoolExecutor(CONNECTIONS) as threads:
        for done in [threads.submit(work) for _ in range(CONNECTIONS)]:
            done.result()


async def _awaited(url: str, variant: str, kind: type[_Growth | _Parts]) -> str:
    growth = kind()
    client, call = _client(url, "awaited", variant)

    async def work() -> None:
        await call()

    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
    told = growth.told(url)
    await (client.aclose() if variant == "httpx" else client.close())
    return told


def _main(url: str, colour: str, variant: str, what: str) -> None:
    for name in json.load(sys.stdin):
        with suppress(ImportError):  # a module under another name
            import_module(name)
    if "memstack" in variant:
        from memstack.models import Memo

        Memo.model_rebuild()
    kind = _Growth if what == "bytes" else _Parts
    if colour == "blocking":
        print(_blocking(url, variant, kind))
    else:
        print(asyncio.run(_awaited(url, variant, kind)))


if __name__ == "__main__":
    _main(*sys.argv[1:])
