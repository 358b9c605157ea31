"""Where rows come from: an embedded MemStack, a server, or a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from memstack._server import ServerInfo
from memstack.local import EmbeddedServer, rows
from memstack.local.rows import KINDS, Kind

from .files import AnyPath, ExportReader, Row
from .lines import Header
from .listing import walk
from .running import AnyClient, Call, Steps, Work
from .spool import Spool

__all__ = ["EmbeddedSource", "FileSource", "ServerSource", "Source", "is_exact"]


class Source(Protocol):
    """Has rows."""

    name: str

    def prepare(self) -> Steps[Header]:
        """What is known of the rows, once they are at hand."""
        ...

    def batches(self) -> Iterator[list[Row]]:
        """The rows, episodes before memos, oldest first; may be called again."""
        ...

    def close(self) -> None:
        """Let go of them."""
        ...


class EmbeddedSource:
    """The rows that a database has when it begins.

    They are read some at a time, so that others may write meanwhile: a memo that is changed or
    deleted before it is read, is read as it then is.
    """

    def __init__(self, server: EmbeddedServer) -> None:
        self.name = server.path or "memory"
        self._server = server
        self._last: dict[Kind, int] = {}

    def prepare(self) -> Steps[Header]:
        place = yield Work(self.begin)
        return Header.now("embedded", place, True, [])

    def begin(self) -> str:
        """Whose database it is; what is stored from now on is not read."""
        with self._server.direct() as connection:
            self._last = {kind: rows.last(connection, kind) for kind in KINDS}
            return rows.user_id(connection)

    def batches(self) -> Iterator[list[Row]]:
        for kind in KINDS:
            seq = 0
            while True:
                with self._server.direct() as connection:
                    found = list(rows.after(connection, kind, seq, self._last[kind]))
                if not found:
                    break
                seq = found[-1][0]
                yield [(kind, row) for _, row in found]

    def close(self) -> None:
        pass


class ServerSource:
    """The rows that a server lists."""

    def __init__(self, client: AnyClient) -> None:
        self.name = client.base_url
        self._client = client
        self._spool: Spool | None = None

    def prepare(self) -> Steps[Header]:
        info: ServerInfo = yield Call(self._client, "server_info")
        self._spool = Spool()
        incomplete = []
        for kind in KINDS:
            missing = yield from walk(self._client, info, kind, self._spool)
            incomplete += [missing] if missing else []
        return Header.now("server", self.name, is_exact(info), incomplete + _unlisted(info))

    def batches(self) -> Iterator[list[Row]]:
        assert self._spool is not None
        return self._spool.batches()

    def close(self) -> None:
        if self._spool is not None:
            self._spool.close()


class FileSource:
    """The rows of an export."""

    def __init__(self, path: AnyPath) -> None:
        self._reader = ExportReader(path)
        self.name = self._reader.path

    def prepare(self) -> Steps[Header]:
        header: Header = yield Work(self._reader.verify)
        return header

    def batches(self) -> Iterator[list[Row]]:
        return self._reader.batches()

    def close(self) -> None:
        pass


def is_exact(info: ServerInfo) -> bool:
    """Whether a server lists each episode with its id and its metadata.

    Those that know idempotency keys do; of both generations without, none does.
    """
    return "idempotency-key" in info.capabilities


def _unlisted(info: ServerInfo) -> list[str]:
    if info.generation not in ("v0.1", "v0.2"):
        return []
    return [f"servers of generation {info.generation} do not list the metadata of episodes"]
