"""Checks what `ingest` is asked for, and makes of it a run and a client that carries it out."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Iterable, Mapping
from typing import Any, TypeVar

from memstack._configured import Configured
from memstack._history import AttemptEvent
from memstack.exceptions import ValidationError

from .loading import Load
from .options import Options
from .pacing import OVERLOADED, Pace

__all__ = ["MOST_AT_ONCE", "started"]

ClientT = TypeVar("ClientT", bound=Configured[Any, Any])

MOST_AT_ONCE = 512


def started(
    client: ClientT,
    items: Any,
    *,
    awaited: bool,
    concurrency: int,
    ledger: str | os.PathLike[str] | None,
    order_by: str | None,
    failed: str | os.PathLike[str] | None,
    dry_run: bool,
    on_outcome: Any,
    on_progress: Any,
) -> tuple[Load, ClientT, Pace]:
    """The run, a sibling of *client* that sends for it, and what sets its pace.

    Raises:
        ValidationError: An argument breaks its rule.
    """
    _check_items(items, awaited)
    if isinstance(concurrency, bool) or not isinstance(concurrency, int):
        raise ValidationError("concurrency: must be a whole number")
    if not 1 <= concurrency <= MOST_AT_ONCE:
        raise ValidationError(f"concurrency: must be 1 to {MOST_AT_ONCE}")
    if order_by not in (None, "group_id"):
        raise ValidationError("order_by: must be 'group_id', or None for no order")
    for name, function in (("on_outcome", on_outcome), ("on_progress", on_progress)):
        if function is not None and not callable(function):
            raise ValidationError(f"{name}: must be a function, or None")
    is_embedded = client.base_url.startswith("local:")
    if failed is not None:
        _check_failed(failed, ledger, client._recipe if is_embedded else None)
    if is_embedded:
        concurrency = 1  # one writes to a database at a time, and nobody waits for a network
    pace = Pace(concurrency, client._chance.monotonic)
    options = Options(
        concurrency, ledger, order_by is not None, failed, dry_run, on_outcome, on_progress
    )
    target = _target_of(client, is_embedded, ledger is not None)
    load = Load(options, target, client._settings, client._server, client._chance, pace)
    hook = client._settings.on_attempt

    def watch(event: AttemptEvent) -> None:
        if event.status in OVERLOADED:
            pace.overloaded(event.elapsed, event.retry_after)
        if hook is not None:
            hook(event)

    return load, client.with_options(on_attempt=watch), pace


def _check_items(items: Any, awaited: bool) -> None:
    if isinstance(items, (str, bytes, Mapping)):
        raise ValidationError(
            f"items: must be an iterable of episodes, not a {type(items).__name__}; "
            "one episode goes into a list"
        )
    if isinstance(items, Iterable) or (awaited and isinstance(items, AsyncIterable)):
        return
    if isinstance(items, AsyncIterable):
        raise ValidationError("items: an async iterable needs a MemStackAsyncClient")
    raise ValidationError(f"items: must be an iterable of episodes, not {type(items).__name__}")


def _check_failed(failed: Any, ledger: Any, database: Any) -> None:
    if not isinstance(failed, (str, os.PathLike)) or "\0" in os.fsdecode(failed):
        raise ValidationError("failed: must be the path of a file, or None")
    for what, path in (("ledger", ledger), ("MemStack's database", database)):
        if isinstance(path, (str, os.PathLike)) and _is_same_file(failed, path):
            raise ValidationError(f"failed: is the {what}, which it would replace; give another")


def _is_same_file(one: str | os.PathLike[str], other: str | os.PathLike[str]) -> bool:
    try:
        if os.path.exists(one) and os.path.exists(other):
            return os.path.samefile(one, other)
        return os.path.realpath(one) == os.path.realpath(other)
    except ValueError:  # *other* is no path, of which its own check tells
        return False


def _target_of(client: Configured[Any, Any], is_embedded: bool, is_kept: bool) -> str:
    """What tells the MemStack of *client* from others: no key, and no path that may change."""
    if not is_embedded:
        return client.base_url
    path = client._recipe
    if isinstance(path, str):
        return f"local:{os.path.realpath(path)}"
    if is_kept:
        raise ValidationError(
            "ledger: this MemStack is in memory, and lost when it is closed; a ledger would tell "
            "the next one that all is stored already. Leave it out, or use a file"
        )
    return "local:"
