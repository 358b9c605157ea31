"""Compares the OpenAPI document of a server with openapi.yaml, for a client built on the latter.

    make spec-diff SERVER=https://memstack.example.com     # reads its /openapi.json
    make spec-diff SERVER=tests/contract/servers/openapi-v0.2.json

Rules:
- What one side sends, the other has to allow: parameters and bodies go from us to the server,
  answers from the server to us. A difference is breaking if the sender may send what the receiver
  does not allow, or may leave out what it requires.
- What we may send and the server does not know is breaking too, for it is passed over in silence.
  A header is not: a server is meant to pass over those that it does not know (RFC 9110 5.1).
- What an answer has and we do not know is not breaking: the client keeps it.
- An operation may also be at the path that `x-memstack-alternative-path` names.
- Parameters in a path are the same if their places are; their names do not matter.
- Only the operations of openapi.yaml are compared. The client does not depend on the shape of
  errors, on headers of answers, on security, defaults and texts, so these are not compared.

Exits with 0 if no difference is breaking, 1 if one is, 2 if the two cannot be compared.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import yaml
from spec_compare import Difference, differences
from spec_document import Document, Unreadable

ROOT = Path(__file__).parents[1]
OURS = ROOT / "openapi.yaml"
TIMEOUT = 30.0
"""Seconds that a server may take to answer."""

_HEAD = ("operation", "where", "ours", "theirs", "breaking")
_MARKED = re.compile(r"(<!-- spec-diff (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    try:
        if arguments.update:
            page = Path(arguments.update)
            page.write_text(updated(page.read_text("utf-8")), "utf-8", newline="\n")
            return 0
        found = compare(arguments.server, arguments.ours)
    except (Unreadable, OSError) as error:
        print(f"spec-diff: {error}", file=sys.stderr)
        return 2
    print((as_markdown if arguments.markdown else as_text)(found))
    return int(any(row.breaking for row in found))


def compare(server: str, ours: str | Path = OURS) -> list[Difference]:
    """The differences of *server*, a URL or a file.

    Raises:
        Unreadable: One of the two is no OpenAPI document, or cannot be had.
        OSError: A file cannot be read.
    """
    return differences(_document(str(ours)), _document(server))


def as_text(rows: Sequence[Difference]) -> str:
    """A table whose columns are aligned, and how many there are."""
    lines = [_HEAD, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    table = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    return "\n".join([*(table if rows else []), _summary(rows)])


def as_markdown(rows: Sequence[Difference]) -> str:
    """The same for a page."""
    table = [f"| {' | '.join(_HEAD)} |", "|---" * len(_HEAD) + "|"]
    for row in rows:
        *code, breaking = (cell.replace("|", "\\|") for cell in _cells(row))
        table.append(f"| {' | '.join(f'`{cell}`' for cell in code)} | {breaking} |")
    return "\n".join([*([*table, ""] if rows else []), _summary(rows)])


def updated(page: str) -> str:
    """*page* with new tables between its markers, which name the files to compare with."""

    def table(marked: re.Match[str]) -> str:
        return f"{marked[1]}\n{as_markdown(compare(str(ROOT / marked[2])))}\n\n{marked[3]}"

    return _MARKED.sub(table, page)


def _cells(row: Difference) -> tuple[str, ...]:
    texts = (row.operation, row.where, row.ours, row.theirs, "yes" if row.breaking else "no")
    # A document may hold anything; a line break or an escape sequence would spoil the table.
    return tuple("".join(c if c.isprintable() else ascii(c)[1:-1] for c in t) for t in texts)


def _summary(rows: Sequence[Difference]) -> str:
    breaking = sum(row.breaking for row in rows)
    return f"{len(rows)} difference{'s' * (len(rows) != 1)}, {breaking} of them breaking."


def _document(place: str) -> Document:
    is_url = place.startswith(("http://", "https://"))
    content = _fetched(place) if is_url else Path(place).read_bytes()
    try:
        return Document(_parsed(content), place)
    except (yaml.YAMLError, UnicodeError):
        raise Unreadable(f"{place} is neither JSON nor YAML") from None


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return yaml.safe_load(content)


def _fetched(server: str) -> bytes:
    is_document = urlsplit(server).path.endswith((".json", ".yaml", ".yml"))
    url = server if is_document else f"{server.rstrip('/')}/openapi.json"
    key = os.environ.get("MEMSTACK_API_KEY", "")
    if not (key.isascii() and key.isprintable()):
        raise Unreadable("MEMSTACK_API_KEY holds what no header can")
    headers = {"authorization": f"Bearer {key}"} if key else {}
    try:
        # Redirects are not followed: the key is for this server.
        answer = httpx.get(url, headers=headers, timeout=TIMEOUT)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unreadable(f"{url} cannot be read: {error or type(error).__name__}") from None
    if answer.status_code == 404:
        raise Unreadable(f"{server} does not publish its API: {url} answers 404")
    if answer.status_code != 200:
        raise Unreadable(f"{server} does not show its API: {url} answers {answer.status_code}")
    return answer.content


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="spec-diff", description="Compare the API of a server with openapi.yaml."
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("server", nargs="?", help="URL of a server, or an OpenAPI document")
    what.add_argument("--update", metavar="PAGE", help="write the tables of a page anew")
    parser.add_argument("--markdown", action="store_true", help="print a table for a page")
    parser.add_argument(
        "--ours", metavar="FILE", default=OURS, help="what to compare with (default: openapi.yaml)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
