"""Processes that are killed while they write to one file, and what they leave behind."""

from __future__ import annotations

import itertools
import os
import random
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal

from memstack import MemStackClient, NotFoundError
from memstack.local import LocalTransport

from .abuse_file import held, processes

KILL = 9  # Windows has no name for it.


@dataclass(frozen=True)
class Step:
    """One write."""

    kind: str
    number: int
    """Of the episode or memo that it is about."""
    id: str = ""
    """Of the memo."""

    def take(self, client: MemStackClient) -> str:
        """Do it, again if need be; the id of the memo."""
        number, key = self.number, f"{self.kind}-{self.number}"
        try:
            if self.kind == "create_episode":
                text = f"hiking {number} " * (number % 50 + 1)
                client.create_episode(f"e{number}", text, group_id="g", idempotency_key=key)
            elif self.kind == "create_memo":
                return client.create_memo(f"new {number}", idempotency_key=key).id
            elif self.kind == "update_memo":
                client.update_memo(self.id, f"old {number}")
            elif self.kind == "delete_memo":
                client.delete_memo(self.id)
            else:
                client.delete_episode(f"e{number}")
        except NotFoundError:
            if not self.kind.startswith("delete"):
                raise
        return self.id


@dataclass(frozen=True)
class End:
    """When a process is killed."""

    how: Literal["opening", "outside", "within", "after"]
    """While it opens the file; by another process, at some time; within a write, between two
    instructions of SQLite; or after a write returned, before that is told."""
    steps: int = 0
    """Steps that it has taken before."""
    share: float = 0.0
    """0 to 1; how far it gets after that."""

    @classmethod
    def drawn(cls, lots: random.Random) -> End:
        how: Literal["opening", "outside", "within", "after"] = lots.choice(
            ("opening", "outside", "outside", "within", "within", "within", "after")
        )
        return cls(how, lots.randrange(12), lots.random())


@dataclass
class Model:
    """What is to be in the file."""

    episodes: set[str]
    memos: dict[int, str]

    def after(self, step: Step | None) -> Model:
        """The same after *step*."""
        episodes, memos = set(self.episodes), dict(self.memos)
        if step is None:
            pass
        elif step.kind == "create_episode":
            episodes.add(f"e{step.number}")
        elif step.kind == "delete_episode":
            episodes.discard(f"e{step.number}")
        elif step.kind == "delete_memo":
            memos.pop(step.number, None)
        else:
            memos[step.number] = f"{'new' if step.kind == 'create_memo' else 'old'} {step.number}"
        return Model(episodes, memos)

    def counted(self) -> tuple[Counter[str], Counter[str]]:
        return Counter(self.episodes), Counter(self.memos.values())


@dataclass
class Fate:
    """What became of the file, and of the writes."""

    kills: int = 0
    amid: int = 0
    """Kills between the beginning and the end of a write."""
    opening: int = 0
    """Kills before the file was open."""
    acknowledged: int = 0
    applied: int = 0
    """Writes that were not acknowledged, but are there when the file was looked at."""
    wrong: int = 0
    """Looks at the file that found a write too many, too few or half done."""
    looks: int = 0
    faults: Counter[str] = field(default_factory=Counter)


def run_kills(path: Path, kills: int, *, bystander: bool = False, look_every: int = 1) -> Fate:
    """The fate of *path* and of what *kills* processes wrote to it, one after the other.

    Each sends the write again that the one before it had begun.

    Args:
        bystander: Whether this process has the file open, too, and searches it.
        look_every: Kills for each look; what is not looked at, the next process has to recover.
    """
    lots = random.Random(kills)
    fate = Fate()
    model, unfinished = Model(set(), {}), None
    with ExitStack() as stack:
        client = stack.enter_context(MemStackClient.local(path)) if bystander else None
        for kill in range(kills):
            end = End.drawn(lots) if kill else End("opening")
            before = unfinished
            done, unfinished = _one_life(path, kill * 1000, unfinished, end)
            fate.kills += 1
            fate.opening += not done and unfinished == before
            fate.amid += unfinished not in (None, before)
            fate.acknowledged += len(done)
            for step in done:
                model = model.after(step)
            if client is not None:
                client.search_memory("hiking", limit=1)
            if kill % look_every and kill != kills - 1:
                continue
            now = held(path)
            found = (now.episodes, now.memos)
            fate.looks += 1
            fate.faults.update(now.faults)
            if unfinished is not None and found == model.after(unfinished).counted():
                fate.applied += 1
            elif found != model.counted():
                fate.wrong += 1
    return fate


def _one_life(
    path: Path, first: int, unfinished: Step | None, end: End
) -> tuple[list[Step], Step | None]:
    """The steps of one process that were acknowledged, and the one that was begun."""
    context = processes()
    here, there = context.Pipe(duplex=False)
    worker = context.Process(target=scribe, args=(str(path), first, unfinished, end, there))
    worker.start()
    there.close()
    done: list[Step] = []
    begun = unfinished
    is_dead = end.how in ("within", "after")  # It sees to that itself.
    try:
        while True:
            message: tuple[Step, bool] | None = here.recv()
            if message is not None:
                step, is_done = message
                begun = None if is_done else step
                if is_done:
                    done.append(step)
            is_due = end.how == "opening" or (message is not None and len(done) == end.steps)
            if not is_dead and is_due:
                _pass_time(end.share * 0.004)
                worker.kill()
                is_dead = True
    except (EOFError, OSError):  # An OSError for half a message.
        pass
    worker.join()
    here.close()
    assert is_dead, "it ended by itself"
    assert worker.exitcode != 1, "it failed"
    return done, begun


def _pass_time(seconds: float) -> None:
    # A sleep would be too coarse.
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def scribe(path: str, first: int, unfinished: Step | None, end: End, pipe: Connection) -> None:
    """Write until killed: tell of each step before it is taken, and after it has returned."""
    lots = random.Random(first)
    pipe.send(None)
    with MemStackClient.local(path) as client:
        steps = 0

        def take(step: Step) -> str:
            nonlocal steps
            pipe.send((step, False))
            if end.how == "within" and steps == end.steps:
                _die_after(round(end.share * 300), client)
            id = step.take(client)
            if end.how == "after" and steps == end.steps:
                os.kill(os.getpid(), KILL)
            pipe.send((step, True))
            steps += 1
            return id

        if unfinished is not None:
            take(unfinished)
        for number in range(first, first + 1000):
            take(Step("create_episode", number))
            id = take(Step("create_memo", number))
            if lots.random() < 0.5:
                take(Step("update_memo", number, id))
            if lots.random() < 0.4:
                take(Step("delete_memo", number, id))
            if lots.random() < 0.4:
                take(Step("delete_episode", number))


def _die_after(instructions: int, client: MemStackClient) -> None:
    """Have SQLite end the process after so many instructions of its machine."""
    left = itertools.count(instructions, -1)

    def count() -> None:
        if next(left) <= 0:
            os.kill(os.getpid(), KILL)

    transport = client._transport
    assert isinstance(transport, LocalTransport)
    transport.server._database._connection().set_progress_handler(count, 1)
