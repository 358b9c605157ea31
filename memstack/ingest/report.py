"""What a run did, counted while it does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from memstack.exceptions import MemStackError

__all__ = ["IngestError", "IngestOutcome", "IngestReport", "Word"]

Word = Literal["created", "duplicate", "failed", "unknown"]
"""What became of an item.

`created`: it is stored, by this run, or by one of the same ledger that did not live to tell.
`duplicate`: it was stored before: the input has it twice, the ledger has it, or the server says so.
`failed`: it is not stored, and not valid or refused. `unknown`: it may or may not be stored.
"""


@dataclass(frozen=True)
class IngestOutcome:
    """What became of one item; `on_outcome` is told it once that is in the ledger."""

    index: int
    """Its position among the items, counted from 0."""
    outcome: Word
    id: str | None
    """Of the episode; None where there is none, or where it is not known."""
    error: MemStackError | None
    """Why it is `failed` or `unknown`; else None."""
    item: Any
    """What was read."""


@dataclass
class IngestReport:
    """What a run did so far. In a dry run, what it would have done."""

    read: int = 0
    """Items that were read."""
    created: int = 0
    """Those of them that are stored now, and were not told to be before."""
    duplicate: int = 0
    """Those that were stored before."""
    failed: int = 0
    """Those that are not valid, or that the server refuses."""
    unknown: int = 0
    """Those of which it cannot be told whether they are stored."""
    seconds: float = 0.0
    """How long the run took so far."""
    dry_run: bool = False
    """Whether nothing was sent."""

    def count(self, outcome: Word) -> None:
        """One more item has ended so."""
        setattr(self, outcome, getattr(self, outcome) + 1)

    @property
    def is_whole(self) -> bool:
        """Whether every item that was read is stored (in a dry run: could be sent)."""
        return self.read == self.created + self.duplicate

    def __str__(self) -> str:
        created = "to create" if self.dry_run else "created"
        counts = [(self.created, created), (self.duplicate, "duplicate")]
        counts += [(self.failed, "failed"), (self.unknown, "unknown")]
        told = ", ".join(f"{count:,} {word}" for count, word in counts if count or word == created)
        return f"{self.read:,} read: {told} in {self.seconds:.1f} s"


class IngestError(MemStackError):
    """A run ended before its end: the server cannot be reached or lets nobody in, or the ledger
    cannot be written.

    Nothing is lost: what was acknowledged is in the ledger, and the same call again goes on from
    there. `__cause__` is the error that ended it.

    Attributes:
        report: What had been done; None after it was pickled by an older version.
    """

    report: IngestReport | None = None

    @classmethod
    def of(cls, error: MemStackError, report: IngestReport) -> IngestError:
        """The error that tells of *error*, and of what was done before."""
        told = cls(
            f"{error.message}; {report.created:,} episodes were created before that, and the same "
            "call again, with a ledger, goes on from there",
            method=error.method,
            path=error.path,
            request_id=error.request_id,
            attempts=error.attempts,
            outcome=error.outcome,
        )
        told.report = report
        return told
