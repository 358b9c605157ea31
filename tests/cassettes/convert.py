"""Turns a JSON file of recorded exchanges into cassettes of vcrpy, and lists what it leaves out.

    python tests/cassettes/convert.py RECORDED.json tests/cassettes/v0.1

The file is a list of `{group, case, request: {method, path, headers, body}, response: {status,
headers, body}}`, in the order in which it all happened. Each group becomes a cassette; the README
beside the folder gets the list.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

from tests.cassettes.files import HOST, write
from tests.cassettes.routes import operation_of

# As the recording cuts a long text. Three dots alone are a server's own.
_CUT = re.compile(r"\.\.\. \[\d+ chars\]")
_KEY = re.compile(r"Bearer ms_sk_[\x21-\x7e]+")
_METHODS = {"HEAD", "OPTIONS"}

README = """\
# Cassettes

What deployed MemStack servers answered, as [vcrpy](https://vcrpy.readthedocs.io) plays it.
`v0.1/` and `v0.2/` are the two generations in use.
Each file is a group of exchanges in the order in which they happened; `case` names each.

Both generations were run on one machine with a real PostgreSQL.
Only the graph engine was replaced, by one in memory: scores and what was extracted mean nothing.
Routing, authentication, validation, status codes, headers and the shapes of bodies are real.
`dates-as-iso` and `slow-engine` were recorded with another setting of that engine: one that gives
times as texts, and one that takes three seconds for an episode.

The host is `http://memstack.test`, keys are `ms_sk_REDACTED`, and lengths are counted anew.
An exchange without a key is what a client sees if something on the way takes the header off.

`convert.py` wrote these files and this page; change neither by hand.
`make record` records a server of yours into `recorded/`, by `record.py`; use an account without
data of value, for lists and searches show what it holds.
"""


def reason_to_leave_out(exchange: dict[str, Any]) -> str | None:
    """Why *exchange* can be no part of a cassette; None if it can."""
    request, answer = exchange["request"], exchange["response"]
    if any(isinstance(b, str) and _CUT.search(b) for b in (request["body"], answer["body"])):
        return "a body was cut when it was recorded"
    if request["method"] in _METHODS:
        return f"no client of ours sends {request['method']}"
    if operation_of(request["method"], request["path"].partition("?")[0]) is None:
        return "no operation of openapi.yaml is there"
    authorization = request["headers"].get("authorization")
    if authorization is not None and not _KEY.fullmatch(authorization):
        return "no client of ours sends such an Authorization header"
    if request["body"] is None and "JSON null" in exchange["case"]:
        return "the recording does not tell the body `null` from none"
    return None


def interaction(exchange: dict[str, Any], case: str) -> dict[str, Any]:
    """*exchange* as a cassette holds it."""
    request, answer = exchange["request"], exchange["response"]
    content = _text(answer["body"])
    headers = dict(answer["headers"])
    if "content-length" in headers:
        headers["content-length"] = str(len(content.encode()))
    if "location" in headers:
        headers["location"] = re.sub(r"^http://[^/]+", HOST, headers["location"])
    return {
        "case": case,
        "request": {
            "method": request["method"],
            "uri": HOST + request["path"],
            "body": _text(request["body"]),
            "headers": _listed(request["headers"]),
        },
        "response": {
            "status": {
                "code": answer["status"],
                "message": HTTPStatus(answer["status"]).phrase,
            },
            "headers": _listed(headers),
            "body": {"string": content},
        },
    }


def _text(body: Any) -> str:
    if body is None:
        return ""
    # A text stands for itself: it is no JSON, or not all of it.
    return body if isinstance(body, str) else _json(body)


def _json(body: Any) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _listed(headers: dict[str, str]) -> dict[str, list[str]]:
    return {name: [headers[name]] for name in sorted(headers) if name}


def file_name(group: str) -> str:
    """`Memos (/api/v1/memos)` as `memos`."""
    for beginning, name in (("STUB_DATES", "dates-as-iso"), ("STUB_DELAY", "slow-engine")):
        if group.startswith(beginning):
            return name
    return re.sub(r"[^a-z0-9]+", "-", group.partition(" (")[0].lower()).strip("-")


def converted(
    exchanges: list[dict[str, Any]],
) -> tuple[dict[str, list[dict[str, Any]]], list[tuple[str, str, str]]]:
    """The interactions of each file, and group, case and reason of what is left out."""
    files: dict[str, list[dict[str, Any]]] = {}
    left_out = []
    for exchange in exchanges:
        group, case = exchange["group"], exchange["case"]
        name = file_name(group)
        if reason := reason_to_leave_out(exchange):
            left_out.append((name, case, reason))
            continue
        taken = files.setdefault(name, [])
        times = sum(other["case"].partition(" #")[0] == case for other in taken)
        taken.append(interaction(exchange, f"{case} #{times + 1}" if times else case))
    return files, left_out


def section(generation: str, kept: int, left_out: list[tuple[str, str, str]]) -> str:
    """The part of the README on *generation*."""
    lines = [
        f"## {generation}",
        "",
        f"{kept} exchanges are kept. Left out are {len(left_out)}:",
        "",
        "| group | case | why |",
        "|---|---|---|",
        *(f"| {group} | {_cell(case)} | {reason} |" for group, case, reason in left_out),
    ]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def update_readme(path: Path, generation: str, text: str) -> None:
    """Write the README at *path*, with *text* for *generation* and the rest as it was."""
    sections = dict(_sections(path.read_text(encoding="utf-8"))) if path.exists() else {}
    sections[generation] = text
    parts = [README, *(sections[name] for name in sorted(sections))]
    path.write_text("\n".join(parts), encoding="utf-8", newline="\n")


def _sections(readme: str) -> Iterator[tuple[str, str]]:
    for part in re.split(r"^(?=## )", readme, flags=re.MULTILINE)[1:]:
        yield part.splitlines()[0].removeprefix("## "), part.rstrip("\n") + "\n"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("recorded", type=Path, metavar="RECORDED.json")
    parser.add_argument("folder", type=Path, help="named after the generation of the server")
    arguments = parser.parse_args(argv)
    exchanges = json.loads(arguments.recorded.read_text(encoding="utf-8"))
    files, left_out = converted(exchanges)
    for old in arguments.folder.glob("*.yaml"):
        old.unlink()
    for name, interactions in files.items():
        write(arguments.folder / f"{name}.yaml", interactions)
    kept = sum(map(len, files.values()))
    generation = arguments.folder.name
    update_readme(
        arguments.folder.parent / "README.md", generation, section(generation, kept, left_out)
    )
    for group, case, reason in left_out:
        print(f"left out: {group}: {case}: {reason}")
    print(f"{kept} of {len(exchanges)} exchanges are in {arguments.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
