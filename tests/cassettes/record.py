"""Records what a live server answers to every operation and to common mistakes.

    MEMSTACK_BASE_URL=... MEMSTACK_API_KEY=... python -m tests.cassettes.record [FOLDER]

It stores a few things of its own and removes what can be removed. Lists and searches show whatever
the account holds: use one without data of value. No key reaches a cassette.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import vcr  # type: ignore[import-untyped]

from memstack import MemStackClient, MemStackError, operations
from memstack.operations import Operation
from memstack.testing.recording import Scrubber

from .files import FOLDER, write

NAME = "A recording of the Python SDK"
UNKNOWN = "00000000-0000-0000-0000-000000000000"


class Recorder:
    """Keeps what goes over the wire, in a cassette for each group and with a name for each call."""

    def __init__(self, client: MemStackClient, folder: Path) -> None:
        self.client = client
        self._folder = folder
        self._cassette: Any = None
        self._cases: list[str] = []

    @contextmanager
    def group(self, name: str) -> Iterator[None]:
        """A cassette of that name."""
        key = self.client.api_key
        assert isinstance(key, str)
        scrubber = Scrubber(key, self.client.base_url)
        recorder = vcr.VCR(
            record_mode="all",
            before_record_request=scrubber.request,
            before_record_response=scrubber.answer,
            decode_compressed_response=True,
        )
        recorder.register_persister(_Nowhere)
        self._cases = []
        with recorder.use_cassette(name) as self._cassette:
            yield
        write(self._folder / f"{name}.yaml", list(self._interactions()))

    def take(self, case: str, call: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        """The result of a call, which may take several exchanges; None if it fails."""
        try:
            return call(*arguments, **more)
        except MemStackError as error:
            print(f"{case}: {error.message}")
            return None
        finally:
            new = len(self._cassette) - len(self._cases)
            self._cases += [f"{case} #{n}" if n > 1 else case for n in range(1, new + 1)]

    def send(self, case: str, operation: Operation[Any], **changes: Any) -> Any:
        """The result of an operation that is changed past the check of its arguments."""
        return self.take(case, self.client.send, replace(operation, **changes))

    def _interactions(self) -> Iterator[dict[str, Any]]:
        exchanges = zip(self._cassette.requests, self._cassette.responses, strict=True)
        for case, (request, answer) in zip(self._cases, exchanges, strict=True):
            yield {
                "case": case,
                "request": {
                    "method": request.method,
                    "uri": request.uri,
                    "body": request.body.decode(),
                    "headers": {name: [request.headers[name]] for name in sorted(request.headers)},
                },
                "response": {
                    "status": answer["status"],
                    "headers": {
                        name: answer["headers"][name] for name in sorted(answer["headers"])
                    },
                    "body": {"string": answer["body"]["string"].decode()},
                },
            }


class _Nowhere:
    """vcrpy begins with nothing and writes nothing: the cases are to be written too."""

    @staticmethod
    def load_cassette(path: str, serializer: object) -> tuple[list[Any], list[Any]]:
        return [], []

    @staticmethod
    def save_cassette(path: str, data: object, serializer: object) -> None:
        pass


def record(client: MemStackClient, folder: Path) -> None:
    """Play the scenario against the server of *client*, and write its cassettes to *folder*."""
    recorder = Recorder(client, folder)
    with recorder.group("health"):
        recorder.take("health", client.health_check)
    with recorder.group("authentication"):
        stranger = client.with_options(api_key="ms_sk_unknown")
        recorder.take("unknown key", stranger.list_api_keys)
        recorder.take("unknown key, invalid body", stranger.send, EMPTY_EPISODE)
    with recorder.group("api-keys"):
        _keys(recorder, client)
    with recorder.group("episodes"):
        _episodes(recorder, client)
    with recorder.group("memory-search"):
        _searches(recorder, client)
    with recorder.group("episodes-delete"):
        recorder.take("get", client.get_episode, NAME)
        recorder.take("delete", client.delete_episode, NAME)
        recorder.take("delete again", client.delete_episode, NAME)
        recorder.take("get after delete", client.get_episode, NAME)
    with recorder.group("memos"):
        _memos(recorder, client)


EMPTY_EPISODE = replace(operations.create_episode("x", "x"), body=b"{}")


def _keys(recorder: Recorder, client: MemStackClient) -> None:
    made = recorder.take("create", client.create_api_key, NAME, ["read"])
    recorder.take("list", client.list_api_keys)
    if made is not None:
        reader = client.with_options(api_key=made.key)
        recorder.take("use it to read", reader.list_api_keys)
        recorder.take("use it to write", reader.create_episode, NAME, "Written with a read key.")
    key_id = made.key_id if made else UNKNOWN
    recorder.take("revoke", client.revoke_api_key, key_id)
    recorder.take("revoke again", client.revoke_api_key, key_id)
    if made is not None:
        recorder.take("use it after that", reader.list_api_keys)
    expiring = recorder.take(
        "create, expires in 30 days", client.create_api_key, NAME, ["read"], 30
    )
    if expiring is not None:
        recorder.take("revoke the other", client.revoke_api_key, expiring.key_id)
    create = operations.create_api_key(NAME, ["read"])
    recorder.send("create without name", create, body=b'{"permissions":["read"]}')
    recorder.send("get one", operations.revoke_api_key(UNKNOWN), method="GET")


def _episodes(recorder: Recorder, client: MemStackClient) -> None:
    create = operations.create_episode(NAME, "x")
    recorder.take("create", client.create_episode, NAME, "Alice loves hiking in Yosemite with Bob.")
    recorder.take(
        "create with every field",
        client.create_episode,
        NAME,
        "王芳喜欢在周末去西湖边骑自行车。",
        "conversation",
        "chat",
        "g1",
        {"n": 1},
        project_id="p1",
        tenant_id="t1",
        user_id="u1",
    )
    recorder.send("create without content", EMPTY_EPISODE)
    recorder.send("create with invalid JSON", create, body=b'{"name": ')
    recorder.send("create, no slash at the end", create, path="/api/v1/episodes")
    recorder.take("list", client.list_episodes, 2)
    recorder.take("list beyond the end", client.list_episodes, 2, 100000)
    recorder.send("list limit=0", operations.list_episodes(), query="limit=0")
    recorder.send("list limit=201", operations.list_episodes(), query="limit=201")
    recorder.take("get unknown", client.get_episode, "no such episode")
    recorder.take("delete unknown", client.delete_episode, "no such episode")


def _searches(recorder: Recorder, client: MemStackClient) -> None:
    search = operations.search_memory("Alice")
    recorder.take("hits", client.search_memory, "hiking", 5)
    recorder.take("no hits", client.search_memory, "zzzqqq")
    recorder.take("tenant that owns nothing", client.search_memory, "Alice", tenant_id="nobody")
    recorder.send("query ''", search, body=b'{"query":""}')
    recorder.send("query missing", search, body=b'{"limit":3}')
    recorder.send("limit 0", search, body=b'{"query":"Alice","limit":0}')
    recorder.send("limit 101", search, body=b'{"query":"Alice","limit":101}')
    recorder.send("filters no object", search, body=b'{"query":"Alice","filters":"x"}')


def _memos(recorder: Recorder, client: MemStackClient) -> None:
    made = recorder.take("create", client.create_memo, "Ask Alice about the trail map.", tags=["a"])
    memo_id = made.id if made else UNKNOWN
    recorder.send("create without content", operations.create_memo("x"), body=b'{"tags":[]}')
    recorder.take("list", client.list_memos, 1)
    recorder.send("list limit=abc", operations.list_memos(), query="limit=abc")
    recorder.take("get", client.get_memo, memo_id)
    recorder.take("update", client.update_memo, memo_id, visibility="PUBLIC")
    recorder.take("delete", client.delete_memo, memo_id)
    recorder.take("delete again", client.delete_memo, memo_id)
    recorder.take("get unknown", client.get_memo, UNKNOWN)


def main(argv: list[str] | None = None, http_client: httpx.Client | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER / "recorded")
    folder = parser.parse_args(argv).folder
    # Each exchange once: a failure is to be seen and not mended.
    options: dict[str, Any] = {"max_retries": 0, "on_unsupported": "ignore"}
    try:
        client = MemStackClient(http_client=http_client, **options)
    except MemStackError as error:  # a variable is missing, or wrong
        print(error, file=sys.stderr)
        return 2
    with client:
        record(client, folder)
    print(f"recorded into {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
