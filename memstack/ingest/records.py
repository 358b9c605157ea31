"""The files of one run: its ledger, and what it could not store."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence, Set
from contextlib import ExitStack, suppress

from memstack.exceptions import MemStackError

from .failures import Failures
from .ledger import Doubt, Ledger
from .options import Options
from .report import IngestOutcome

__all__ = ["Records"]


class Records:
    """Nothing is opened before `open`; the errors are those of `Ledger` and `Failures`."""

    def __init__(self, options: Options, target: str) -> None:
        self._options, self._target = options, target
        self._closing = ExitStack()
        self._failures: Failures | None = None

    def open(self) -> dict[bytes, Doubt]:
        """Open what was asked for; gives what earlier runs left in doubt."""
        options = self._options
        path = options.ledger
        if options.dry_run and path is not None and not os.path.exists(path):
            path = None  # it makes no file
        self._ledger = self._notes = self._opened(path)
        if options.dry_run:
            # What it would store is nowhere noted down but here.
            self._notes = self._opened(None)
        if options.failed is not None:
            self._failures = Failures(options.failed)
            self._closing.callback(self._failures.close)
        return self._ledger.doubts()

    def _opened(self, path: str | os.PathLike[str] | None) -> Ledger:
        ledger = Ledger(path, self._target)
        self._closing.callback(ledger.close)
        return ledger

    def finish(self) -> None:
        """Let the file of what failed take the place of an older one, and close them all.

        Raises:
            MemStackError: The disk is full.
        """
        if self._failures is not None:
            self._failures.finish()
        self._closing.close()

    def close(self) -> None:
        """Close them all, if that is not done yet; see `Failures.close`."""
        with suppress(MemStackError):  # what ended the run matters more
            self._closing.close()

    def digests_of(self, ids: Set[str]) -> Mapping[str, bytes]:
        """The content hashes of those of *ids* that are known as stored, by their ids."""
        return self._ledger.digests_of(ids)

    def look_up(self, digests: Sequence[bytes]) -> dict[bytes, str | None]:
        """Those of *digests* that are stored, or that a dry run would have stored."""
        known = self._ledger.look_up(digests)
        if self._notes is not self._ledger:
            known.update(self._notes.look_up(digests))
        return known

    def write(
        self,
        *,
        stored: Sequence[tuple[bytes, str | None]],
        dropped: Sequence[bytes],
        sending: Sequence[tuple[bytes, Doubt]] = (),
    ) -> None:
        """Note down, as `Ledger.write` does."""
        self._notes.write(stored=stored, dropped=dropped, sending=sending)

    def write_failures(self, outcomes: Sequence[tuple[IngestOutcome, bytes | None]]) -> None:
        """Write *outcomes*, as `Failures.write` does, if a file was asked for."""
        if self._failures is not None:
            self._failures.write(outcomes)
