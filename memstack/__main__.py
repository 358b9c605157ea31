"""The command `memstack`: reads its arguments; each subcommand's module does the work."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from memstack._data_commands import add_data_commands
from memstack._version import __version__
from memstack.exceptions import MemStackError
from memstack.local.limits import MOST_A_MINUTE

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

__all__ = ["main"]


def main(argv: list[str] | None = None) -> int:
    """Run the command with *argv*, the arguments of this process if None; its exit code."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.command is None:
        parser.print_help()
        return 0
    run: Callable[[argparse.Namespace], int] = arguments.run
    try:
        return run(arguments)
    except MemStackError as error:
        print(f"memstack: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="memstack", description="MemStack on this machine.")
    parser.add_argument("--version", action="version", version=f"memstack {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    _add_serve(commands)
    add_data_commands(commands)
    return parser


def _add_serve(commands: Commands) -> None:
    parser = commands.add_parser(
        "serve",
        help="serve the embedded MemStack over HTTP",
        description="Serve the embedded MemStack over HTTP until Ctrl-C.",
        epilog="The API key is taken from MEMSTACK_API_KEY; if that is not set, one is made for "
        "this run and printed.",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on; one that other machines reach needs MEMSTACK_API_KEY "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--port", type=_port, default=8000, help="port; 0 for any (default: %(default)s)"
    )
    parser.add_argument("--db", metavar="FILE", help="file to keep all in (default: in memory)")
    parser.add_argument(
        "--rate-limit",
        metavar="N",
        type=_rate_limit,
        help="most requests of one key a minute; more are answered 429 (default: no limit)",
    )
    parser.add_argument(
        "--access-log",
        action="store_true",
        help="write a line to stderr for each request, without what it says",
    )
    parser.set_defaults(run=_serve)


def _serve(arguments: argparse.Namespace) -> int:
    # Here, because it needs an extra that the rest of the package does without.
    from memstack.local.serving import Settings, serve

    return serve(
        Settings(
            arguments.host,
            arguments.port,
            arguments.db,
            os.environ.get("MEMSTACK_API_KEY") or None,
            arguments.rate_limit,
            arguments.access_log,
        )
    )


def _port(text: str) -> int:
    return _whole_number(text, 0, 65535, "; 0 for any that is free")


def _rate_limit(text: str) -> int:
    return _whole_number(text, 1, MOST_A_MINUTE)


def _whole_number(text: str, least: int, most: int, more: str = "") -> int:
    try:
        number = int(text)
    except ValueError:
        number = None
    if number is None or not least <= number <= most:
        wanted = f"must be a whole number from {least} to {most}{more}"
        raise argparse.ArgumentTypeError(f"{wanted}, not {text!r}")
    return number


if __name__ == "__main__":
    sys.exit(main())
