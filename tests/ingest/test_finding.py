"""What a run does about items of which a killed one has not heard, on servers without keys."""

from __future__ import annotations

import time as real_time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from memstack.ingest import IngestOutcome
from memstack.ingest.items import read_item
from memstack.ingest.ledger import Doubt, Ledger
from memstack.local import EmbeddedServer
from memstack.models import EpisodeCreate

from .conftest import Stage, episodes

ALIKE = [{"name": "e", "content": "c", "metadata": {"n": n}} for n in range(4)]
"""Of which a list that hides metadata shows the same."""


class Killed:
    """What a killed run leaves: some items in doubt, of which some are stored."""

    def __init__(self, stage: Stage, path: Path) -> None:
        self.stage, self.path = stage, path
        self.client = stage.client(on_unsupported="ignore")

    def leave(
        self,
        doubtful: list[dict[str, Any]],
        stored: list[dict[str, Any]],
        *,
        age: float = 0.0,
    ) -> None:
        ledger = Ledger(self.path, self.client.base_url)
        items = [read_item(0, one, keyed=False) for one in doubtful]
        began = real_time.time() - age
        ledger.write(sending=[(one.digest, Doubt(one.shown, one.others, began)) for one in items])
        ledger.close()
        store(self.stage.server, stored)

    def run(self, items: list[dict[str, Any]]) -> list[str]:
        """The outcomes of the next run, in the order of its items."""
        told: list[IngestOutcome] = []
        self.client.ingest(items, ledger=self.path, on_outcome=told.append)
        return [one.outcome for one in sorted(told, key=lambda one: one.index)]

    def counts(self) -> Counter[int]:
        """How often each of ALIKE is there."""
        with self.stage.server.direct() as connection:
            rows = connection.execute("SELECT metadata FROM episodes")
            return Counter(row[0] for row in rows)


def store(server: EmbeddedServer, items: list[dict[str, Any]]) -> list[str]:
    return server.create_episodes([EpisodeCreate(**item) for item in items])


@pytest.fixture
def killed(stage: Stage, tmp_path: Path) -> Killed:
    stage.knows("unknown")
    return Killed(stage, tmp_path / "run.sqlite")


def test_each_is_stored_once_though_some_were_stored(killed: Killed) -> None:
    """Those that are there are told as created, for nobody has been told before."""
    items = episodes(10)
    killed.leave(items[:6], items[:3])

    assert killed.run(items) == ["created"] * 10
    assert Counter(killed.stage.stored()) == Counter((e["name"], e["content"]) for e in items)
    assert killed.run(items) == ["duplicate"] * 10


@pytest.mark.parametrize("count", range(5))
def test_items_that_look_alike_are_told_apart_where_the_list_shows_all(
    killed: Killed, count: int
) -> None:
    """Which the list does, if it shows rows of the ledger just as they were sent."""
    killed.run(episodes(1))
    killed.leave(ALIKE, ALIKE[:count])

    assert killed.run(ALIKE) == ["created"] * 4
    assert set(killed.counts().values()) == {1}


@pytest.mark.parametrize(
    ("count", "outcomes"), [(0, ["created"] * 4), (2, ["unknown"] * 4), (4, ["created"] * 4)]
)
def test_where_the_list_does_not_tell_them_apart_nothing_is_doubled(
    killed: Killed, count: int, outcomes: list[str]
) -> None:
    """All are there, or none is; between the two nobody knows which."""
    killed.stage.knows("v0.2")
    killed.leave(ALIKE, ALIKE[:count])

    assert killed.run(ALIKE) == outcomes
    assert max(killed.counts().values()) == 1
    assert len(killed.counts()) == (count or 4)


def test_a_row_of_another_worker_is_never_claimed(killed: Killed) -> None:
    """It shows other metadata. Once the list is known to show it as it was sent, the item is sent
    again; rows without metadata do not tell that."""
    plain, telling = [*ALIKE[:1], *episodes(1)], [*ALIKE[:1], *episodes(1, metadata={"n": 9})]
    killed.leave(ALIKE[:1], ALIKE[1:2])

    assert killed.run(plain) == ["unknown", "created"]
    assert killed.run(plain) == ["unknown", "duplicate"]
    assert killed.run(telling) == ["unknown", "created"]
    assert killed.run(telling) == ["created", "duplicate"]
    assert set(killed.counts().values()) == {1}


def test_a_row_that_lacks_what_others_show_is_never_claimed(killed: Killed) -> None:
    """The list shows metadata, the item has some, and the row of another worker has none."""
    killed.leave(ALIKE[:1], [{"name": "e", "content": "c"}, {**ALIKE[1], "name": "f"}])

    assert killed.run(ALIKE[:1]) == ["unknown"]
    assert killed.stage.posts() == 0


def test_a_row_is_not_claimed_for_an_item_if_it_may_be_anothers(killed: Killed) -> None:
    """The list hides the metadata, by which they differ, and shows the rest."""
    items: list[dict[str, Any]] = [{"name": "e", "content": "c"}, ALIKE[0]]
    killed.stage.older.hidden = {"metadata"}
    killed.leave(items, ALIKE[:1])

    assert killed.run(items) == ["unknown", "unknown"]
    assert killed.counts() == {'{"n": 0}': 1}


def test_rows_without_a_field_do_not_tell_that_it_is_listed(killed: Killed) -> None:
    """The list hides metadata, and the ledger knows a row that has none: all else is shown."""
    killed.stage.older.hidden = {"metadata"}
    killed.run(episodes(1))
    killed.leave(ALIKE[:2], ALIKE[:2])

    assert killed.run(ALIKE[:2]) == ["created", "created"]
    assert killed.counts() == {None: 1, '{"n": 0}': 1, '{"n": 1}': 1}


def test_a_row_from_before_the_item_is_not_counted(killed: Killed) -> None:
    """Though another item is in doubt since before that row."""
    killed.stage.knows("v0.2")
    store(killed.stage.server, ALIKE[:1])
    with killed.stage.server.direct(writes=True) as connection:
        hour = "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '-1 hour')"
        connection.execute(f"UPDATE episodes SET created_at = {hour}")
    killed.leave(episodes(1), [], age=7200)
    killed.leave(ALIKE[1:2], [])

    assert killed.run(ALIKE[1:2]) == ["created"]
    assert killed.counts() == {'{"n": 0}': 1, '{"n": 1}': 1}


def test_a_clock_that_was_set_back_tells_nothing(killed: Killed) -> None:
    """By it, the row would be from before the item."""
    killed.leave(ALIKE[:1], ALIKE[:1], age=-3600)

    assert killed.run(ALIKE[:1]) == ["unknown"]
    assert killed.counts() == {'{"n": 0}': 1}


def test_an_older_row_that_looks_the_same_is_no_proof(killed: Killed) -> None:
    """It was there before the item was sent."""
    store(killed.stage.server, ALIKE[:1])
    with killed.stage.server.direct(writes=True) as connection:
        connection.execute("UPDATE episodes SET created_at = '2020-01-01T00:00:00.000000Z'")
    killed.leave(ALIKE[:1], [])

    assert killed.run(ALIKE[:1]) == ["created"]
    assert sum(killed.counts().values()) == 2


def test_what_comes_late_is_waited_for(killed: Killed) -> None:
    """The server is at work on it while the run begins."""
    item = ALIKE[:1]
    killed.leave(item, [])
    looks = 0

    def come(request: httpx.Request) -> None:
        nonlocal looks
        looks += request.method == "GET" and "episodes" in request.url.path
        if looks == 1:
            store(killed.stage.server, item)

    killed.stage.older.after = come

    assert killed.run(item) == ["created"]
    assert sum(killed.counts().values()) == 1
    assert killed.stage.posts() == 0


@pytest.mark.parametrize("generation", ["v0.1", "unknown"])
def test_a_list_that_tells_nothing_leaves_them_unknown(killed: Killed, generation: Any) -> None:
    """v0.1 gives no ids; others may refuse to list. Other items are stored."""
    killed.stage.knows(generation)
    killed.leave(ALIKE[:2], ALIKE[:1])
    if generation == "unknown":
        answer = killed.stage.older._answer

        def refuse(request: httpx.Request) -> httpx.Response:
            if request.method == "GET" and "episodes" in request.url.path:
                return httpx.Response(403)
            return answer(request)

        killed.stage.older._answer = refuse  # type: ignore[method-assign]

    assert killed.run([*ALIKE[:2], *episodes(1)]) == ["unknown", "unknown", "created"]
    assert len(killed.stage.stored()) == 2


def test_a_client_that_sends_again_blindly_does(killed: Killed) -> None:
    """As `retry_unsafe` asks for."""
    killed.stage.knows("v0.1")
    killed.client = killed.stage.client(retry_unsafe=True, on_unsupported="ignore")
    killed.leave(ALIKE[:1], [])

    assert killed.run(ALIKE[:1]) == ["created"]


def test_a_server_with_keys_is_just_asked_again(killed: Killed) -> None:
    """And a replayed answer is that of the run that was killed."""
    killed.stage.knows("current")
    items = episodes(4)
    killed.client.ingest(items[:2])
    killed.leave(items, [])

    assert killed.run(items) == ["created"] * 4
    assert len(killed.stage.stored()) == 4


def test_an_item_of_unknown_outcome_is_settled_by_the_next_run(killed: Killed) -> None:
    """Nobody could look at the time; the item is not sent again meanwhile."""
    is_down = True

    def fail(request: httpx.Request) -> None:
        if is_down and (request.method == "GET" or b"content 1" in request.content):
            raise httpx.ReadTimeout("slow")

    killed.stage.older.after = fail
    killed.client = killed.stage.client(max_retries=0)
    items = [*episodes(2), *episodes(2)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(killed.client.client._server), "is_known", lambda self: True)
        assert killed.run(items) == ["created", "unknown", "duplicate", "unknown"]
    is_down = False

    assert killed.run(items) == ["duplicate", "created", "duplicate", "duplicate"]
    assert len(killed.stage.stored()) == 2
