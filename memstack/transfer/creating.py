"""Where rows go to over the network: a server, which gives ids and times itself."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace
from typing import Any

from memstack import operations
from memstack._server import ServerInfo
from memstack.exceptions import APIError, MemStackError, ValidationError
from memstack.local.moments import read
from memstack.local.rows import KINDS, Kind
from memstack.models import EpisodeCreate, MemoCreate
from memstack.operations import Operation

from .files import Row
from .identity import ORIGIN, alike, canonical, content_of, idempotency_key, origin_for
from .lines import Header
from .listing import walk
from .report import Report
from .running import AnyClient, Call, Steps, Work
from .sources import is_exact
from .spool import Known, Spool

__all__ = ["ServerTarget"]

_TAKEN: Mapping[Kind, Set[str]] = {
    "episode": EpisodeCreate.model_fields.keys(),
    "memo": MemoCreate.model_fields.keys(),
}
"""What a server can be told of a row."""


class ServerTarget:
    """A server, which is asked to create each row, and to do so once.

    What it lists is compared first: a server that knows no idempotency keys stores what it is sent
    again, and one that does may have forgotten them. A key that is the same for every copy of a row
    sees to it that a create whose answer was lost, with the process that asked, is done once.
    """

    def __init__(self, client: AnyClient) -> None:
        self.name = client.base_url
        self._client = client
        if client._settings.on_unsupported == "warn":
            self._client = client.with_options(on_unsupported="ignore")  # The report tells it.
        self._known: Known | None = None

    def prepare(self, header: Header, report: Report) -> Steps[Known | None]:
        self._report = report
        self._known = known = Known()
        self._info: ServerInfo = yield Call(self._client, "server_info")
        self._passed_over = set(self._info.ignored.get("create_episode", ()))
        self._alike = alike(False, header.exact and is_exact(self._info))
        spool = Spool()
        try:
            for kind in KINDS:
                unseen = yield from walk(self._client, self._info, kind, spool)
                if unseen:
                    raise ValidationError(f"{self.name}: {unseen}; so nothing was copied to it")
            yield Work(lambda: known.learn(spool.batches()))
        finally:
            spool.close()
        return known

    def put(self, batch: list[Row]) -> Steps[None]:
        for kind, row in batch:
            yield from self._put(kind, canonical(kind, row))

    def _put(self, kind: Kind, row: dict[str, Any]) -> Steps[None]:
        assert self._known is not None
        tally = self._report.of(kind)
        there = self._known.by_id(kind, row)
        if there is not None and there != content_of(kind, row):
            tally.count("different")
            self._report.trouble(f"{kind} {row['id']}: the target has another content")
        elif there is not None or (kind in self._alike and self._known.has_alike(kind, row)):
            tally.count("there")
        else:
            try:
                is_new = yield from self._create(kind, row)
            except MemStackError as error:
                if not _is_of_the_row(error):
                    raise
                tally.refused += 1
                self._report.trouble(f"{kind} {row['id']}: {error.message}")
            else:
                tally.stored += is_new
                tally.replayed += not is_new
                if is_new:
                    self._tell(kind, row)

    def _create(self, kind: Kind, row: dict[str, Any]) -> Steps[bool]:
        """Whether it was created now, and not for an earlier copy.

        Raises:
            MemStackError: It was not, or it is not known whether it was.
        """
        operation = self._operation(kind, row)
        try:
            response = yield Call(self._client, "send_raw", (operation,))
        except MemStackError as error:
            if error.outcome != "unknown":
                raise
            settlement = yield Call(self._client, "settle", (error,))
            if settlement.outcome != "applied":
                raise
            return True
        # After a lost answer, the earlier time may be that of this very call.
        is_ours = any(attempt.outcome == "unknown" for attempt in response.attempts[:-1])
        return is_ours or response.headers.get("idempotency-replayed") != "true"

    def _operation(self, kind: Kind, row: Mapping[str, Any]) -> Operation[Any]:
        broken = self._info.broken.get(f"create_{kind}")
        if broken is not None:
            raise ValidationError(f"this server {broken}")
        fields = {name: row[name] for name in _TAKEN[kind] if row.get(name) is not None}
        operation: Operation[Any]
        if kind == "memo":
            operation = operations.create_memo(**fields)
        else:
            origin = origin_for(row, self._passed_over)
            fields["metadata"] = {**fields.get("metadata", {}), ORIGIN: origin}
            if "valid_at" in fields:
                fields["valid_at"] = read(fields["valid_at"])
            operation = operations.create_episode(**fields)
        if "idempotency_key" in self._info.ignored.get(operation.id, ()):
            return operation
        key = idempotency_key(kind, row, operation.body or b"")
        return replace(operation, idempotency_key=key)

    def _tell(self, kind: Kind, row: Mapping[str, Any]) -> None:
        """Count the fields of *row* that the server did not take."""
        origin = origin_for(row, self._passed_over) if kind == "episode" else {}
        for name, value in row.items():
            if name in origin and name != "metadata":
                self._report.in_metadata[f"{kind}.{name}"] += 1
            elif value is not None and name not in (*_TAKEN[kind], "status"):
                self._report.left_out[f"{kind}.{name}"] += 1

    def finish(self) -> Steps[None]:
        yield from ()

    def close(self) -> None:
        if self._known is not None:
            self._known.close()


def _is_of_the_row(error: MemStackError) -> bool:
    """Whether a row is refused for what it is, so that others may be taken."""
    if isinstance(error, APIError):
        return error.status_code in (400, 413, 422)
    return isinstance(error, ValidationError)
