"""Where rows go to on this machine: an embedded MemStack, or a file. Each counts what it does."""

from __future__ import annotations

from collections.abc import Mapping, Set
from functools import partial
from typing import Any, Protocol

from memstack.local import EmbeddedServer, rows
from memstack.local.rows import COLUMNS, KINDS, Kind

from .files import AnyPath, ExportWriter, Row
from .identity import alike, canonical
from .lines import Header
from .report import Report
from .running import Steps, Work
from .sources import EmbeddedSource
from .spool import Known

__all__ = ["EmbeddedTarget", "FileTarget", "Target"]


class Target(Protocol):
    """Takes rows."""

    name: str

    def prepare(self, header: Header, report: Report) -> Steps[Known | None]:
        """What is there already and is compared by content; None if nothing is."""
        ...

    def put(self, batch: list[Row]) -> Steps[None]:
        """Take *batch*."""
        ...

    def finish(self) -> Steps[None]:
        """All were put."""
        ...

    def close(self) -> None:
        """Let go of what is not finished."""
        ...


class FileTarget:
    """A new export."""

    def __init__(self, path: AnyPath, *, overwrite: bool) -> None:
        self._writer = ExportWriter(path, overwrite=overwrite)
        self.name = self._writer.path

    def prepare(self, header: Header, report: Report) -> Steps[Known | None]:
        self._report = report
        yield Work(lambda: self._writer.open(header))
        return None

    def put(self, batch: list[Row]) -> Steps[None]:
        yield Work(lambda: self._writer.write(batch))
        for kind, _ in batch:
            self._report.of(kind).stored += 1

    def finish(self) -> Steps[None]:
        yield Work(self._writer.finish)

    def close(self) -> None:
        self._writer.discard()


class EmbeddedTarget:
    """A database, which takes rows with the ids and times that they have."""

    def __init__(self, server: EmbeddedServer) -> None:
        self.name = server.path or "memory"
        self._server = server
        self._known: Known | None = None
        self._alike: Set[Kind] = set()

    def prepare(self, header: Header, report: Report) -> Steps[Known | None]:
        self._report = report
        self._as_it_is = header.kind == "embedded"
        self._alike = alike(self._as_it_is, header.exact)
        if self._alike:
            self._known = Known()
            yield Work(partial(self._look, self._known))
        return self._known

    def _look(self, known: Known) -> None:
        own = EmbeddedSource(self._server)
        own.begin()
        known.learn(own.batches(), self._alike)

    def put(self, batch: list[Row]) -> Steps[None]:
        for kind in KINDS:
            rows_of = [row for other, row in batch if other == kind]
            if rows_of:
                yield Work(partial(self._store, kind, rows_of))

    def _store(self, kind: Kind, batch: list[dict[str, Any]]) -> None:
        tally = self._report.of(kind)
        wanted = []
        with self._server.direct(writes=True) as connection:
            for row in batch:
                whole = canonical(kind, row)
                # The copies that a server's file has go to another file as they are, but not to
                # where they came from.
                came_back = whole["id"] != row.get("id") and rows.has(connection, kind, whole["id"])
                if came_back or self._has_alike(kind, whole):
                    tally.count("there")
                else:
                    wanted.append(row if self._as_it_is else whole)
            done = rows.put(connection, kind, [_told(kind, row) for row in wanted])
        for row, what in zip(wanted, done, strict=True):
            tally.count(what)
            if what == "stored":
                self._tell(kind, row)
            elif what == "different":
                self._report.trouble(f"{kind} {row['id']}: the target has another content")

    def _has_alike(self, kind: Kind, row: Mapping[str, Any]) -> bool:
        known = self._known if kind in self._alike else None
        return known is not None and known.has_alike(kind, row)

    def _tell(self, kind: Kind, row: Mapping[str, Any]) -> None:
        """Count what of *row* was not stored as it came."""
        lost = [name for name in row if name not in COLUMNS[kind] and row[name] is not None]
        if row.get("created_at") is None:
            lost.append("created_at")
        # A status tells how far a server is with it.
        self._report.left_out.update(f"{kind}.{name}" for name in lost if name != "status")

    def finish(self) -> Steps[None]:
        yield from ()

    def close(self) -> None:
        if self._known is not None:
            self._known.close()


def _told(kind: Kind, row: Mapping[str, Any]) -> dict[str, Any]:
    """What a database takes of *row*, without what it gives itself where that is not told."""
    return {
        name: row[name]
        for name in COLUMNS[kind]
        if row.get(name) is not None
        or (name in row and name not in ("created_at", "valid_at", "source_type"))
    }
