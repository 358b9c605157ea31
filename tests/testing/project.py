"""Another project that has this package installed, and runs its own tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

WITHOUT_ASYNCIO = "addopts = -p no:asyncio"
"""pytest-asyncio warns where it is not configured, and its options are errors where it is not."""

_WITHOUT_SLOW = ("-p", "no:schemathesis", "-p", "no:hypothesispytest")


@dataclass(frozen=True)
class Run:
    """A run of pytest there."""

    output: str

    @property
    def counts(self) -> dict[str, int]:
        """How many tests passed, failed, had an error, by the last line."""
        words = re.findall(r"(\d+) (\w+)", self.output.rstrip().splitlines()[-1])
        return {word.removesuffix("s"): int(number) for number, word in words if word != "in"}


@dataclass(frozen=True)
class Project:
    """Its folder, and where the wheel is unpacked."""

    folder: Path
    site: Path

    def pytest(
        self,
        *texts: str,
        options: tuple[str, ...] = (),
        ini: str = WITHOUT_ASYNCIO,
        environment: dict[str, str] | None = None,
    ) -> Run:
        """The run of one file for each of *texts*; every warning is an error there."""
        (self.folder / "pytest.ini").write_text(f"[pytest]\n{ini}\n")
        for number, text in enumerate(texts):
            (self.folder / f"test_{number}.py").write_text(text, "utf-8")
        command = ("-m", "pytest", "-W", "error", *_WITHOUT_SLOW, *options)
        return Run(self.python(*command, environment=environment))

    def python(self, *arguments: str, environment: dict[str, str] | None = None) -> str:
        """What Python prints there."""
        own = ("PYTEST", "COV_", "PYTHONDONTWRITEBYTECODE")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(own)}
        run = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env={**kept, "PYTHONPATH": str(self.site), **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        return run.stdout
