"""The installed command `memstack`, as a process and in a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BINARY = Path(sys.executable).with_name("memstack")


def environment(**changes: str) -> dict[str, str]:
    """That of this process, with this source tree and the keyring of the tests."""
    paths = [str(ROOT), str(ROOT / "generated"), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHON_KEYRING_BACKEND": "tests.cli.keyring_of_a_file.KeyringOfAFile",
        "TERM": "xterm-256color",
        **changes,
    }


def ran(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """The command, ended."""
    return subprocess.run(
        [str(BINARY), *arguments],
        capture_output=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        env=environment(**changes),
        timeout=60,
    )
