"""The command `memstack`; `memstack.cli` has it, and needs the extra `[cli]`."""

from __future__ import annotations

import sys

__all__ = ["main"]

_NEEDED = ("typer", "rich", "tomlkit")
NEEDS = "the command line needs typer, rich and tomlkit: pip install 'memstack-sdk[cli]'"


def main(argv: list[str] | None = None) -> int:
    """Run the command with *argv*, the arguments of this process if None; its exit code."""
    from importlib.util import find_spec

    if not all(map(find_spec, _NEEDED)):
        print(f"memstack: {NEEDS}", file=sys.stderr)
        return 2
    from memstack.cli.app import main as run

    return run(argv)


if __name__ == "__main__":
    sys.exit(main())
