"""The functions of this package: choose source and target, and move all rows."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar, overload

from memstack.async_client import MemStackAsyncClient
from memstack.client import MemStackClient
from memstack.exceptions import MemStackError, ValidationError
from memstack.local import AsyncLocalTransport, EmbeddedServer, LocalTransport

from .creating import ServerTarget
from .files import AnyPath
from .report import Report, TransferError
from .running import AnyClient, Steps, Work, run, run_async
from .sources import EmbeddedSource, FileSource, ServerSource, Source
from .targets import EmbeddedTarget, FileTarget, Target

__all__ = ["copy", "export_file", "import_file"]

T = TypeVar("T")


@overload
def export_file(client: MemStackClient, path: AnyPath, *, overwrite: bool = False) -> Report: ...
@overload
def export_file(
    client: MemStackAsyncClient, path: AnyPath, *, overwrite: bool = False
) -> Coroutine[Any, Any, Report]: ...
def export_file(
    client: AnyClient, path: AnyPath, *, overwrite: bool = False
) -> Report | Coroutine[Any, Any, Report]:
    """Write all episodes and memos of *client* into the file *path*, as JSON Lines.

    The file is there once it is whole, and only its owner may read it. API keys are not in it.

    Args:
        path: The file; compressed if its name ends in `.gz`.
        overwrite: Whether to replace a file that is there.

    Raises:
        ValidationError: *path* is there already, or cannot be written.
        MemStackError: The rows could not be read, or the disk is full; nothing was written.
    """
    target = FileTarget(path, overwrite=overwrite)
    return _carried_out(client, _moving(_source_of(client), target))


@overload
def import_file(path: AnyPath, client: MemStackClient) -> Report: ...
@overload
def import_file(path: AnyPath, client: MemStackAsyncClient) -> Coroutine[Any, Any, Report]: ...
def import_file(path: AnyPath, client: AnyClient) -> Report | Coroutine[Any, Any, Report]:
    """Store all episodes and memos of the file *path* in *client*, unless they are there.

    All of the file is checked before anything is stored. An embedded MemStack takes the rows with
    their ids and times; docs/data.md has what a server does not take.

    Raises:
        InvalidFileError: The file is no whole export; nothing was stored.
        TransferError: It ended before its end; the same call again goes on from there.
        MemStackError: Nothing was stored.
    """
    return _carried_out(client, _moving(FileSource(path), _target_of(client)))


@overload
def copy(source: MemStackClient, target: MemStackClient) -> Report: ...
@overload
def copy(
    source: MemStackAsyncClient, target: MemStackAsyncClient
) -> Coroutine[Any, Any, Report]: ...
def copy(source: AnyClient, target: AnyClient) -> Report | Coroutine[Any, Any, Report]:
    """Store all episodes and memos of *source* in *target*, unless they are there.

    A second copy stores only what is new. What was deleted in *source* stays in *target*.

    Raises:
        ValidationError: Both are the same, or one is awaited and the other not.
        TransferError: It ended before its end; the same call again goes on from there.
        MemStackError: Nothing was stored.
    """
    if isinstance(source, MemStackClient) != isinstance(target, MemStackClient):
        raise ValidationError("target: must be a client of the same kind as source")
    if _place(source) == _place(target):
        raise ValidationError("target: is the same MemStack as source; give another")
    return _carried_out(target, _moving(_source_of(source), _target_of(target)))


def _moving(source: Source, target: Target) -> Steps[Report]:
    report = Report(source.name, target.name)
    try:
        header = yield from source.prepare()
        report.incomplete = header.incomplete
        known = yield from target.prepare(header, report)
        if known is not None:
            yield Work(lambda: known.reserve(source.batches()))
        batches = source.batches()
        while batch := (yield Work(lambda: next(batches, None))):
            for kind, _ in batch:
                report.of(kind).read += 1
            yield from target.put(batch)
        yield from target.finish()
        return report
    except MemStackError as error:
        if isinstance(target, FileTarget) or not report.episodes.stored + report.memos.stored:
            raise
        raise TransferError.of(error, report) from error
    finally:
        source.close()
        target.close()


def _carried_out(client: AnyClient, steps: Steps[T]) -> T | Coroutine[Any, Any, T]:
    return run(steps) if isinstance(client, MemStackClient) else run_async(steps)


def _embedded(client: AnyClient) -> EmbeddedServer | None:
    transport = client._ready()
    if isinstance(transport, (LocalTransport, AsyncLocalTransport)):
        return transport.server
    return None


def _place(client: AnyClient) -> object:
    """What is equal for two clients of the same MemStack."""
    server = _embedded(client)
    return client.base_url if server is None else server.path or server


def _source_of(client: AnyClient) -> Source:
    server = _embedded(client)
    return ServerSource(client) if server is None else EmbeddedSource(server)


def _target_of(client: AnyClient) -> Target:
    server = _embedded(client)
    return ServerTarget(client) if server is None else EmbeddedTarget(server)
