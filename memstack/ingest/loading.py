"""One run, from the first item to the report: decides everything, and does nothing itself.

An item is read, compared with the ledger, noted down there, sent, and noted down again with what
became of it; then whoever asked is told. Each of that is for many items at once.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress

from memstack import operations
from memstack._history import Chance
from memstack._server import Server
from memstack._settings import Settings
from memstack.exceptions import MemStackError, NetworkError
from memstack.response import Response

from .finding import find
from .flow import Flow
from .items import Item
from .judging import MOST_TROUBLE, trouble_of, unsure, verdict_on
from .ledger import Doubt
from .options import Options
from .pacing import Pace
from .reading import Read, Reader, Taken
from .records import Records
from .report import IngestError, IngestOutcome, IngestReport, Word
from .steps import QUIET, Collect, Done, Ended, Send, Steps, Stop, Tell, Work, work

__all__ = ["Load"]


class Load:
    """One run.

    Args:
        target: What tells the MemStack that is written to from others.
    """

    def __init__(
        self,
        options: Options,
        target: str,
        settings: Settings,
        server: Server,
        chance: Chance,
        pace: Pace,
    ) -> None:
        self._options = options
        self._settings, self._server, self._chance, self._pace = settings, server, chance, pace
        self.report = IngestReport(dry_run=options.dry_run)
        self._flow = Flow(options.concurrency, by_group=options.by_group)
        self._started = self._told = chance.monotonic()
        self._records = Records(options, target)
        self._doubts: dict[bytes, Doubt] = {}
        self._recovered: dict[bytes, str | None] = {}
        """Items that an earlier run has stored without having heard of it."""
        self._unsure: set[bytes] = set()
        self._trouble = 0
        self._end: BaseException | None = None
        # What is still to be done about what has happened.
        self._ended: deque[Done] = deque()
        self._to_tell: deque[IngestOutcome] = deque()
        self._to_write: list[tuple[IngestOutcome, bytes | None]] = []
        self._stored: list[tuple[bytes, str | None]] = []
        self._dropped: list[bytes] = []
        self._ready: list[Item] = []
        self._again: list[Item] = []

    def steps(self) -> Steps[IngestReport]:
        """The run.

        Raises:
            IngestError: It ended early.
        """
        try:
            self._doubts = yield Work(self._records.open)
            try:
                yield from self._prepare()
                yield from self._load()
                yield from work(self._records.finish)
            except GeneratorExit:
                raise
            except BaseException:
                yield from self._wind_up()
                raise
        except Ended as end:
            raise IngestError.of(end.reason, self.report) from end.reason
        finally:
            self._records.close()
        if self._options.on_progress is not None:
            yield Tell(self._options.on_progress, self._counted())
        return self._counted()

    def _prepare(self) -> Steps[None]:
        """Find out what the server can do, and what became of what is in doubt."""
        if self._options.dry_run:
            self._unsure = set(self._doubts)
            return
        if not self._server.is_known():
            answer = yield operations.health_check()
            if isinstance(answer, NetworkError):
                raise Ended(answer)
        if not self._doubts or self._server.honours_keys or self._settings.retry_unsafe:
            return
        grace = self._settings.settle_grace
        try:
            found = yield from find(self._doubts, self._records.digests_of, self._chance.now, grace)
        except NetworkError as error:
            raise Ended(error) from error
        self._recovered = found.stored
        self._unsure = self._doubts.keys() - found.stored.keys() - found.absent
        yield from work(
            lambda: self._records.write(stored=[*found.stored.items()], dropped=[*found.absent])
        )
        self._doubts = {}

    def _load(self) -> Steps[None]:
        ignored = self._server.info({}).ignored.get("create_episode", {})
        reader = Reader(keyed="idempotency_key" not in ignored)
        has_ended = False
        while not (has_ended and self._flow.is_empty):
            given: list[Taken] = []
            room = 0 if has_ended else self._flow.room()
            if room:
                given, has_ended = yield Read(room, reader)
            fresh = self._read(given)
            self._ended += yield Collect(
                wait=not (given or (self._flow.is_empty and has_ended)),
                low=0 if has_ended else self._flow.stock // 2,
                eager=self._flow.has_waiting,
                hungry=room > 0 and not has_ended,
            )
            yield from self._sort(fresh)
            self._conclude_all()
            yield from self._note_down()
            if self._end is None and (self._ready or self._again):
                # Out of hand before they are sent: what is in hand at the end was surely not sent.
                turn, self._ready, self._again = self._again + self._ready, [], []
                yield Send(turn)
            yield from self._tell()
            if self._end is not None:
                if isinstance(self._end, MemStackError):
                    raise Ended(self._end)
                raise self._end

    def _read(self, given: list[Taken]) -> list[Item]:
        self.report.read += len(given)
        fresh = []
        for one in given:
            if isinstance(one, Item):
                fresh.append(one)
            else:
                self._add(one)
        return fresh

    def _sort(self, fresh: list[Item]) -> Steps[None]:
        """Find out which of *fresh* are to be sent."""
        if not fresh:
            return
        # Those that an open one will tell of come first: it may end in this turn.
        fresh = [item for item in fresh if not self._flow.follows(item)]
        digests = [item.digest for item in fresh]
        known = yield from work(lambda: self._records.look_up(digests))
        for item in fresh:
            if item.digest in self._recovered:
                self._say(item, "created", self._recovered.pop(item.digest), None)
            elif item.digest in known:
                self._say(item, "duplicate", known[item.digest], None)
            elif item.digest in self._unsure:
                self._say(item, "unknown", None, unsure())
            elif self._options.dry_run:
                known[item.digest] = None
                self._stored.append((item.digest, None))
                self._say(item, "created", None, None)
            elif not self._flow.follows(item):
                item.is_doubtful = item.digest in self._doubts
                if self._flow.add(item):
                    self._ready.append(item)

    def _conclude_all(self) -> None:
        while self._ended:
            self._conclude(self._ended.popleft())

    def _conclude(self, done: Done) -> None:
        """Decide what the end of a create means."""
        item, answer = done.item, done.answer
        if isinstance(answer, Response):
            self._trouble = 0
            self._pace.succeeded()
            # After a lost answer, the earlier time may be that of this very create.
            is_ours = item.is_doubtful or any(
                attempt.outcome == "unknown" for attempt in answer.attempts[:-1]
            )
            replayed = answer.headers.get("idempotency-replayed") == "true"
            word: Word = "duplicate" if replayed and not is_ours else "created"
            self._close(item, word, answer.result.id, None)
        elif not isinstance(answer, MemStackError):
            self._end = self._end or answer
        elif done.settlement is not None and done.settlement.outcome == "applied":
            self._close(item, "created", done.settlement.result.id, None)
        else:
            self._judge(item, answer)

    def _judge(self, item: Item, error: MemStackError) -> None:
        verdict = verdict_on(error, self._settings.max_retry_after)
        if verdict == "created":
            self._close(item, "created", None, None)
            return
        if verdict == "failed":
            self._dropped.append(item.digest)
            self._close(item, "failed", None, error)
            return
        self._trouble += trouble_of(error)
        if verdict == "unknown":
            self._unsure.add(item.digest)
            self._close(item, "unknown", None, error)
        else:
            self._again.append(item)
            asked = getattr(error, "retry_after", None)
            self._pace.hold(asked or min(30.0, 2.0 ** (self._trouble // 5)))
        if verdict == "end" or self._trouble >= MOST_TROUBLE:
            self._end = self._end or error

    def _close(self, item: Item, word: Word, id: str | None, error: MemStackError | None) -> None:
        if error is None:
            self._stored.append((item.digest, id))
        following = self._flow.end(item)
        if following is not None:
            self._ready.append(following)
        self._say(item, word, id, error)
        for index, given in item.followers:
            later: Word = "duplicate" if error is None else word
            self._add(IngestOutcome(index, later, id, error, given), item.operation.body)

    def _say(self, item: Item, word: Word, id: str | None, error: MemStackError | None) -> None:
        self._add(IngestOutcome(item.index, word, id, error, item.given), item.operation.body)

    def _add(self, outcome: IngestOutcome, body: bytes | None = None) -> None:
        self._to_tell.append(outcome)
        if outcome.error is not None:
            self._to_write.append((outcome, body))

    def _note_down(self) -> Steps[None]:
        began = self._chance.now()
        sending = [(one.digest, Doubt(one.shown, one.others, began)) for one in self._ready]
        if self._stored or self._dropped or sending:
            stored, dropped = self._stored, self._dropped
            yield from work(
                lambda: self._records.write(stored=stored, dropped=dropped, sending=sending)
            )
            self._stored, self._dropped = [], []
        failing = self._to_write
        if failing:
            yield from work(lambda: self._records.write_failures(failing))
            self._to_write = []

    def _tell(self) -> Steps[None]:
        options = self._options
        while self._to_tell:
            outcome = self._to_tell.popleft()
            self.report.count(outcome.outcome)
            if options.on_outcome is not None:
                yield Tell(options.on_outcome, outcome)
        now = self._chance.monotonic()
        if options.on_progress is not None and now - self._told >= QUIET:
            self._told = now
            yield Tell(options.on_progress, self._counted())

    def _counted(self) -> IngestReport:
        self.report.seconds = self._chance.monotonic() - self._started
        return self.report

    def _wind_up(self) -> Steps[None]:
        """Note down what has ended; what was surely not sent is in doubt no more."""
        done, unsent = yield Stop()
        self._ended += done
        self._conclude_all()
        unsent += self._ready + self._again
        self._ready, self._again = [], []
        self._dropped += [item.digest for item in unsent if not item.is_doubtful]
        with suppress(Ended):  # what ended the run matters more
            yield from self._note_down()
        yield Work(self._records.close)
        for outcome in self._to_tell:
            self.report.count(outcome.outcome)
        self._counted()
