"""The command `python -m memstack` as a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]


class Served:
    """A running server process, and what it printed."""

    def __init__(self, *arguments: str, program: Sequence[str], **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", *program, "serve", "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=_environment(**environment),
        )
        assert self.process.stdout is not None
        self.lines = [self.process.stdout.readline() for _ in range(3)]
        url = re.search(r"http://\S+:\d+", self.lines[0])
        if url is None:
            self.process.kill()
            raise AssertionError(self.process.communicate())
        self.url = url[0]
        self.key = self.lines[1].removeprefix("API key: ").strip()
        self.rest = ""
        """What it printed after these lines; known once it has stopped."""

    def client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=10, trust_env=False)

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """The exit code after a signal, and all it printed to stderr."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> tuple[int, str]:
        """The exit code, and all it printed to stderr, once it ends by itself."""
        code = self.process.wait(timeout=10)
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        # `communicate` would pass over what is buffered beside the lines read before.
        self.rest = self.process.stdout.read()
        return code, self.process.stderr.read()


def _environment(**changes: str) -> dict[str, str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MEMSTACK_")}
    paths = [str(ROOT), str(ROOT / "generated"), os.environ.get("PYTHONPATH", "")]
    return {**environment, "PYTHONPATH": os.pathsep.join(filter(None, paths)), **changes}


@contextmanager
def serving(
    *arguments: str, program: Sequence[str] = ("-m", "memstack"), **environment: str
) -> Iterator[Served]:
    served = Served(*arguments, program=program, **environment)
    try:
        yield served
    finally:
        with served.process:  # At its end closes the pipes and waits.
            served.process.kill()


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "memstack", *arguments],
        capture_output=True,
        text=True,
        env=_environment(**environment),
        timeout=20,
    )
