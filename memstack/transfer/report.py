"""What a transfer did, counted while it does it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from memstack.exceptions import MemStackError
from memstack.local.rows import Kind, Put

__all__ = ["Report", "Tally", "TransferError"]

_MOST_PROBLEMS = 20


@dataclass
class Tally:
    """Of the episodes, or of the memos."""

    read: int = 0
    """Rows that the source has."""
    stored: int = 0
    """Those of them that were written."""
    there: int = 0
    """Those that the target had already."""
    different: int = 0
    """Those that the target has under the same id with another content; it keeps its own."""
    replayed: int = 0
    """Those that the server says it stored for an earlier copy, but did not list when this one
    began: most likely they were deleted there. They are not stored again."""
    refused: int = 0
    """Those that the target does not take."""

    def count(self, what: Put) -> None:
        """One more was put."""
        setattr(self, what, getattr(self, what) + 1)


@dataclass
class Report:
    """What a transfer did, and what it could not carry over."""

    source: str = ""
    target: str = ""
    episodes: Tally = field(default_factory=Tally)
    memos: Tally = field(default_factory=Tally)
    in_metadata: Counter[str] = field(default_factory=Counter)
    """Fields that the target sets itself or passes over, and that are in the metadata of its
    episodes instead, under `memstack_origin`; by name, in how many rows."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Fields that the target has no place for; by name, in how many rows."""
    problems: list[str] = field(default_factory=list)
    """The first rows that are `different` or `refused`, and why; at most twenty."""
    incomplete: list[str] = field(default_factory=list)
    """What the source has but does not show; empty if it shows everything."""

    def of(self, kind: Kind) -> Tally:
        """The tally of one kind of rows."""
        return self.episodes if kind == "episode" else self.memos

    @property
    def is_whole(self) -> bool:
        """Whether the target now has every row of the source, as the source has it.

        Fields in `in_metadata` and `left_out` do not count.
        """
        tallies = (self.episodes, self.memos)
        return not self.incomplete and not any(
            t.different or t.refused or t.replayed for t in tallies
        )

    def trouble(self, text: str) -> None:
        """Note a row that was not stored, and why."""
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(text)

    def __str__(self) -> str:
        lines = [f"{self.source} -> {self.target}"]
        for name, tally in (("episodes", self.episodes), ("memos", self.memos)):
            more = {
                "there already": tally.there,
                "different there": tally.different,
                "stored by an earlier copy and not listed since": tally.replayed,
                "refused": tally.refused,
            }
            told = "".join(f", {count} {what}" for what, count in more.items() if count)
            lines.append(f"{name}: {tally.read} read, {tally.stored} stored{told}")
        for name, counted in (
            ("kept in metadata", self.in_metadata),
            ("not carried over", self.left_out),
        ):
            if counted:
                fields = ", ".join(f"{field} ({n})" for field, n in sorted(counted.items()))
                lines.append(f"{name}: {fields}")
        return "\n".join([*lines, *self.incomplete, *self.problems])


class TransferError(MemStackError):
    """A transfer ended before its end, and had stored rows by then.

    What was stored is whole, and stays: the same call again goes on from there.

    Attributes:
        report: What had been done; None after it was pickled by an older version.
    """

    report: Report | None = None

    @classmethod
    def of(cls, error: MemStackError, report: Report) -> TransferError:
        """The error that tells of *error*, and of what was done before."""
        stored = report.episodes.stored + report.memos.stored
        told = cls(
            f"{error.message}; {stored} rows were stored before that, and the same call again "
            "goes on from there",
            method=error.method,
            path=error.path,
            request_id=error.request_id,
            attempts=error.attempts,
            outcome=error.outcome,
        )
        told.report = report
        return told
