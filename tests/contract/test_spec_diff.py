"""What .ci/spec_diff.py reads, prints and exits with; docs/servers.md has what it prints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from memstack._generations import V0_1, V0_2

from ..served import serving
from .planted import HEADER, QUERY, document, taking, tool
from .spec import ROOT, load_spec

PAGE = ROOT / "docs" / "servers.md"
SERVERS = ROOT / "tests" / "contract" / "servers"


def test_the_table_is_aligned_sorted_and_the_same_each_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What breaks comes first, one row for the operations that share it, nothing unprintable."""
    ours = document(path="/a", parameters=[QUERY, HEADER])
    ours["paths"]["/b"] = {"get": {"operationId": "look", "parameters": [HEADER]}}
    theirs = document(path="/b", method="get", responses={})
    theirs["paths"]["/a"] = {"post": {"parameters": [QUERY | {"schema": {"enum": ["x|\x1b\n"]}}]}}
    arguments = [str(_file(tmp_path, theirs)), "--ours", str(_file(tmp_path, ours))]

    assert tool.main(arguments) == 1
    assert capsys.readouterr().out == (
        "operation        where         ours              theirs                   breaking\n"
        "act              query.q       string            string, one of x|\\x1b\\n  yes\n"
        "every operation  header.x-key  optional, string  absent                   no\n"
        "2 differences, 1 of them breaking.\n"
    )
    assert tool.main([*arguments, "--markdown"]) == 1
    assert "| `string, one of x\\|\\x1b\\n` | yes |\n" in capsys.readouterr().out


def _file(folder: Path, content: Any) -> Path:
    path = folder / f"{len(list(folder.iterdir()))}.json"
    path.write_text(json.dumps(content), "utf-8")
    return path


def test_exits_with_0_where_nothing_breaks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """JSON or YAML, the same or a note."""
    ours, theirs = _file(tmp_path, taking()), _file(tmp_path, taking(QUERY))

    assert tool.main([str(ROOT / "openapi.yaml")]) == 0
    assert tool.main([str(theirs), "--ours", str(ours)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 difference, 0 of them breaking."


UNREADABLE = {
    "is neither JSON nor YAML": "{",
    "is no OpenAPI document: it has no paths": "{}",
    "is no OpenAPI document of version 3": '{"swagger": "2.0", "paths": {}}',
    "has a reference to nowhere: #/a/b": json.dumps(taking({"$ref": "#/a/b"})),
    "has a reference to nowhere: b.yaml#/paths": json.dumps(taking({"$ref": "b.yaml#/paths"})),
    "has a reference to itself: #/paths/~1things~1{id}/post/parameters/0": json.dumps(
        taking({"$ref": "#/paths/~1things~1{id}/post/parameters/0"})
    ),
}


@pytest.mark.parametrize("why", UNREADABLE)
def test_exits_with_2_and_says_why_where_nothing_can_be_compared(
    why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Never as if nothing broke."""
    path = tmp_path / "theirs.json"
    path.write_text(UNREADABLE[why], "utf-8")

    assert tool.main([str(path)]) == 2
    assert capsys.readouterr().err == f"spec-diff: {path} {why}\n"


def test_exits_with_2_where_there_is_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its name."""
    assert tool.main([str(tmp_path / "none.json")]) == 2
    assert "none.json" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [[], ["a", "b"], ["a", "--update", "b"]])
def test_exits_with_2_on_arguments_that_make_no_sense(argv: list[str]) -> None:
    """argparse prints the usage."""
    with pytest.raises(SystemExit) as caught:
        tool.main(argv)

    assert caught.value.code == 2


@contextmanager
def _answering(status: int, content: bytes = b"") -> Iterator[tuple[str, list[Any]]]:
    """A server that gives one answer to all; its URL, and what it was asked."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers.get("authorization")))
            self.send_response(status)
            self.send_header("location", "/elsewhere")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{http.server_port}", asked
        finally:
            http.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def _past_any_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")


@pytest.mark.parametrize("end", ["", "/", "/openapi.json"])
def test_asks_a_server_for_its_document(end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At /openapi.json, with the key of the environment if there is one."""
    with _answering(200, json.dumps(load_spec(), default=str).encode()) as (url, asked):
        assert tool.main([url + end]) == 0
        monkeypatch.setenv("MEMSTACK_API_KEY", "ms_sk_x")
        assert tool.main([url + end]) == 0

    assert asked == [("/openapi.json", None), ("/openapi.json", "Bearer ms_sk_x")]


@pytest.mark.parametrize("status", [302, 401, 500])
def test_a_server_that_does_not_show_its_document_cannot_be_compared(
    status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """A redirect is not followed: the key is for this server."""
    with _answering(status) as (url, asked):
        assert tool.main([url]) == 2

    why = f"spec-diff: {url} does not show its API: {url}/openapi.json answers {status}\n"
    assert capsys.readouterr().err == why
    assert len(asked) == 1


def test_says_that_a_server_does_not_publish_its_api(capsys: pytest.CaptureFixture[str]) -> None:
    """A 404 is no difference."""
    with _answering(404) as (url, _):
        assert tool.main([url]) == 2

    assert f"does not publish its API: {url}/openapi.json answers 404" in capsys.readouterr().err


def test_the_embedded_server_publishes_this_api(capsys: pytest.CaptureFixture[str]) -> None:
    """What it shows is openapi.yaml."""
    with serving() as server:
        assert tool.main([server.base_url]) == 0

    assert capsys.readouterr().out == "0 differences, 0 of them breaking.\n"


def test_says_that_no_server_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    """In the words of the operating system."""
    with _answering(200) as (url, _):
        pass

    assert tool.main([url]) == 2
    assert f"{url}/openapi.json cannot be read: " in capsys.readouterr().err


def test_does_not_show_a_key_that_cannot_be_sent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error of the HTTP library would quote it."""
    monkeypatch.setenv("MEMSTACK_API_KEY", "ms_sk_secret\n")

    with _answering(200) as (url, _):
        assert tool.main([url]) == 2
    assert "secret" not in capsys.readouterr().err


def test_clients_warn_of_each_argument_that_a_published_document_has_not() -> None:
    """What the tool calls absent there, the table of generations calls ignored."""
    for generation in (V0_1, V0_2):
        for row in tool.compare(str(SERVERS / f"openapi-{generation.name}.json")):
            place, _, argument = row.where.partition(".")
            if place in ("query", "body") and row.theirs == "absent":
                for operation in row.operation.split(", "):
                    assert argument in generation.ignored[operation]


def test_the_docs_have_the_tables_that_the_tool_prints() -> None:
    """Both servers' tables; if not: python .ci/spec_diff.py --update docs/servers.md"""
    page = PAGE.read_text("utf-8")

    for version in ("v0.1", "v0.2"):
        rows = tool.compare(str(SERVERS / f"openapi-{version}.json"))
        assert f"## {version}\n\n" in page
        assert f"openapi-{version}.json -->\n\n{tool.as_markdown(rows)}\n\n<!-- end -->" in page


def test_update_writes_the_tables_anew(tmp_path: Path) -> None:
    """What is between the markers, and nothing else."""
    page = PAGE.read_text("utf-8")
    spoilt = tmp_path / "page.md"
    spoilt.write_text(page.replace("| yes |", "| no |"), "utf-8")

    assert tool.main(["--update", str(spoilt)]) == 0
    assert spoilt.read_text("utf-8") == page
