"""Starts a MemStack server as its users do: `python -m memstack serve`, in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

START_LIMIT = 30.0
"""Seconds that a server may take to say where it listens."""

_URL = re.compile(r"http://127\.0\.0\.1:\d+")


@dataclass(frozen=True)
class Served:
    """A running server."""

    base_url: str
    api_key: str

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead a client to it, past any proxy."""
        return {
            "MEMSTACK_BASE_URL": self.base_url,
            "MEMSTACK_API_KEY": self.api_key,
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }


@contextmanager
def serving(*options: str, api_key: str = "ms_sk_of_the_tests") -> Iterator[Served]:
    """A server on a free port of loopback; *options* are those of the command."""
    process = subprocess.Popen(
        [sys.executable, "-m", "memstack", "serve", "--port", "0", *options],
        env={**os.environ, "MEMSTACK_API_KEY": api_key, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    assert process.stdout is not None
    with process.stdout as output:
        # Once it runs nobody else reads, and a full pipe would stop it.
        drain = threading.Thread(target=output.read)
        try:
            url = _listening_at(process, output)
            drain.start()
            yield Served(url, api_key)
        finally:
            process.terminate()
            process.wait(START_LIMIT)
            if drain.ident is not None:
                drain.join()


def _listening_at(process: subprocess.Popen[str], output: IO[str]) -> str:
    limit = threading.Timer(START_LIMIT, process.kill)
    limit.start()
    said: list[str] = []
    try:
        for line in output:
            said.append(line)
            if url := _URL.search(line):
                return url.group()
    finally:
        limit.cancel()
    raise AssertionError(f"no server was started: {''.join(said)}")
