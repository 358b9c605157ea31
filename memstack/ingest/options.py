"""What `ingest` was asked for."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .report import IngestOutcome, IngestReport

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """What `ingest` was asked for, checked."""

    concurrency: int
    ledger: str | os.PathLike[str] | None
    by_group: bool
    failed: str | os.PathLike[str] | None
    dry_run: bool
    on_outcome: Callable[[IngestOutcome], Any] | None
    on_progress: Callable[[IngestReport], Any] | None
