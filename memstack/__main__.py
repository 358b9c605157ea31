"""The command `memstack`: reads its arguments; `memstack.local.http` does the work."""

from __future__ import annotations

import argparse
import os
import sys

from memstack._version import __version__
from memstack.exceptions import MemStackError
from memstack.local.keys import is_key

__all__ = ["main"]


def main(argv: list[str] | None = None) -> int:
    """Run the command with *argv*, the arguments of this process if None; its exit code."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.command is None:
        parser.print_help()
        return 0
    try:
        # Here, because it needs an extra that the rest of the package does without.
        from memstack.local.http import serve

        return serve(arguments.host, arguments.port, arguments.db, _key_of_environment())
    except MemStackError as error:
        print(f"memstack: {error}", file=sys.stderr)
        return 1


def _key_of_environment() -> str | None:
    key = os.environ.get("MEMSTACK_API_KEY", "")
    if is_key(key):
        return key
    if key:
        print("memstack: MEMSTACK_API_KEY is no API key; making one", file=sys.stderr)
    return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="memstack", description="MemStack on this machine.")
    parser.add_argument("--version", action="version", version=f"memstack {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    serving = commands.add_parser(
        "serve",
        help="serve the embedded MemStack over HTTP",
        description="Serve the embedded MemStack over HTTP until Ctrl-C.",
        epilog="The API key is taken from MEMSTACK_API_KEY; if that is not set, one is made for "
        "this run and printed.",
    )
    serving.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: %(default)s)"
    )
    serving.add_argument(
        "--port", type=_port, default=8000, help="port; 0 for any (default: %(default)s)"
    )
    serving.add_argument("--db", metavar="FILE", help="file to keep all in (default: in memory)")
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("must be 0 to 65535")
    return port


if __name__ == "__main__":
    sys.exit(main())
