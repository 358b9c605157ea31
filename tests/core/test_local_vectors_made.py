"""When vectors are made, of which episodes, and by which model."""

from __future__ import annotations

import logging
import sqlite3
import threading
from array import array
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from memstack._wire import WireRequest
from memstack.exceptions import MemStackError, ValidationError
from memstack.local import EmbeddedServer, Embedder, backup, compact, forget_vectors, stats, vectors
from memstack.local.embedding import _AT_ONCE
from memstack.models import EpisodeCreate

from ..toy_embedder import Recorder, meanings
from .local import EPISODES, SEARCH, _sql, ask, made, told

TOY = Embedder(meanings, "toy 1")
FELINE = {"query": "feline", "limit": 100}


def _remember(server: EmbeddedServer, *contents: str) -> None:
    server.create_episodes([EpisodeCreate(name=text, content=text) for text in contents])


def _found(server: EmbeddedServer, query: str = "feline") -> list[str]:
    results = made(server, SEARCH, {"query": query, "limit": 100})["results"]
    return [result["content"] for result in results]


def _search(server: EmbeddedServer) -> WireRequest:
    headers = {"Authorization": f"Bearer {server.owner_key}"}
    return WireRequest("POST", SEARCH, headers, b'{"query": "feline"}', None)


def test_to_store_calls_no_embedder() -> None:
    """The first search has all vectors made at once, the next that of its question alone."""
    recorder = Recorder()
    with EmbeddedServer(embedder=Embedder(recorder, "toy")) as server:
        made(server, EPISODES, {"name": "one", "content": "kitten"})
        made(server, EPISODES, {"name": "two", "content": "car"})
        assert recorder.calls == []
        made(server, SEARCH, FELINE)
        made(server, SEARCH, FELINE)

    assert recorder.calls == [["one: kitten", "two: car"], ["feline"], ["feline"]]


def test_search_of_nothing_calls_no_embedder() -> None:
    """Nothing can be near."""
    recorder = Recorder()
    with EmbeddedServer(embedder=Embedder(recorder, "toy")) as server:
        assert _found(server) == []

    assert recorder.calls == []


def test_bad_filter_calls_no_embedder() -> None:
    """What is refused costs nothing."""
    recorder = Recorder()
    with EmbeddedServer(embedder=Embedder(recorder, "toy")) as server:
        _remember(server, "kitten")
        assert ask(server, "POST", SEARCH, {**FELINE, "filters": {"colour": "red"}}).status == 422

    assert recorder.calls == []


def test_questions_have_an_embedder_of_their_own() -> None:
    """Some models tell a question from a text."""
    texts, questions = Recorder(), Recorder()
    with EmbeddedServer(embedder=Embedder(texts, "toy", questions)) as server:
        _remember(server, "kitten")
        assert _found(server) == ["kitten"]

    assert (texts.calls, questions.calls) == ([["kitten: kitten"]], [["feline"]])


def test_vectors_are_made_in_batches_each_kept_at_once(tmp_path: Path) -> None:
    """A model that fails after an hour does not begin again."""
    path = tmp_path / "m.db"
    contents = [f"kitten {number}" for number in range(2 * _AT_ONCE + 1)]

    def fail_third() -> None:
        if len(recorder.calls) == 3:
            raise OSError("out of memory")

    recorder = Recorder(fail_third)
    with EmbeddedServer(path, embedder=Embedder(recorder, "toy")) as server:
        _remember(server, *contents)
        with pytest.raises(MemStackError, match=r"^embedder: it raised OSError"):
            server.reply(_search(server))
        assert stats(path).vectors == 2 * _AT_ONCE
        assert len(_found(server)) == 100

    assert [len(call) for call in recorder.calls] == [_AT_ONCE, _AT_ONCE, 1, 1, 1]
    assert stats(path).vectors == len(contents)


def test_file_is_the_same_with_and_without_an_embedder(tmp_path: Path) -> None:
    """What is stored meanwhile has no vector until an embedder comes back."""
    path = tmp_path / "m.db"
    with EmbeddedServer(path) as server:
        _remember(server, "kitten 1", "car 1")
    with EmbeddedServer(path, embedder=TOY) as server:
        assert _found(server) == ["kitten 1"]
    with EmbeddedServer(path) as server:
        assert _found(server) == []
        assert _found(server, "kitten") == ["kitten 1"]
        _remember(server, "kitten 2")
    assert (stats(path).episodes.rows, stats(path).vectors) == (3, 2)

    recorder = Recorder()
    with EmbeddedServer(path, embedder=Embedder(recorder, "toy 1")) as server:
        assert _found(server) == ["kitten 2", "kitten 1"]

    assert recorder.calls == [["kitten 2: kitten 2"], ["feline"]]
    assert (stats(path).vectors, stats(path).embedding_model) == (3, "toy 1")


def test_vector_goes_with_its_episode(tmp_path: Path) -> None:
    """Also the newest's, whose place the next does not get."""
    path = tmp_path / "m.db"
    with EmbeddedServer(path, embedder=TOY) as server:
        _remember(server, "kitten 1", "cat 2", "cat 3", "car")
        assert len(_found(server)) == 3
        ask(server, "DELETE", EPISODES + "cat%202")
        ask(server, "DELETE", EPISODES + "car")
        assert stats(path).vectors == 2
        assert len(_found(server)) == 2
        _remember(server, "cat 4")
        assert set(_found(server)) == {"kitten 1", "cat 3", "cat 4"}

    assert _sql(path, "SELECT seq FROM episode_vectors") == [(1,), (3,), (5,)]


def test_backup_and_compaction_keep_vectors(tmp_path: Path) -> None:
    """Neither calls a model."""
    path, copy = tmp_path / "m.db", tmp_path / "copy.db"
    with EmbeddedServer(path, embedder=TOY) as server:
        _remember(server, "kitten", "car")
        _found(server)
    backup(path, copy)
    compact(copy)

    recorder = Recorder()
    with EmbeddedServer(copy, embedder=Embedder(recorder, "toy 1")) as server:
        assert _found(server) == ["kitten"]
    assert recorder.calls == [["feline"]]


def test_another_model_is_refused_at_opening(tmp_path: Path) -> None:
    """The file stays as it is, and the error says what to do."""
    path = tmp_path / "m.db"
    with EmbeddedServer(path, embedder=TOY) as server:
        _remember(server, "kitten")
        _found(server)

    with pytest.raises(ValidationError, match=r"of 'toy 1', not of 'toy 2'.*forget_vectors"):
        EmbeddedServer(path, embedder=Embedder(meanings, "toy 2"))

    assert stats(path).embedding_model == "toy 1"
    assert forget_vectors(path) == 1
    assert forget_vectors(path) == 0
    with EmbeddedServer(path, embedder=Embedder(meanings, "toy 2")) as server:
        assert _found(server) == ["kitten"]
    assert stats(path).embedding_model == "toy 2"


def test_another_length_is_refused_and_nothing_mixed(tmp_path: Path) -> None:
    """A model of the same name that gives other vectors is another model."""
    path = tmp_path / "m.db"
    with EmbeddedServer(path, embedder=TOY) as server:
        _remember(server, "kitten")
        _found(server)
        _remember(server, "cat")

    short = Embedder(lambda texts: [vector[:4] for vector in meanings(texts)], "toy 1")
    with EmbeddedServer(path, embedder=short) as server:
        for _ in range(2):
            with pytest.raises(ValidationError, match=r"4 numbers where others have 6"):
                server.reply(_search(server))

    assert _sql(path, "SELECT count(*), min(length(vector)) FROM episode_vectors") == [(1, 24)]


def test_one_that_changes_its_model_meanwhile_ends_the_other(tmp_path: Path) -> None:
    """Two processes may have a file open; the vectors are of one model at any time."""
    path = tmp_path / "m.db"
    late = Recorder()
    with EmbeddedServer(path, embedder=Embedder(late, "toy 1")) as first:
        _remember(first, "kitten", "car")
        _found(first)
        forget_vectors(path)
        with EmbeddedServer(path, embedder=Embedder(meanings, "toy 2")) as second:
            assert _found(second) == ["kitten"]
            _remember(second, "cat")
            with pytest.raises(ValidationError, match=r"of 'toy 2', not of 'toy 1'"):
                first.reply(_search(first))
            assert stats(path).vectors == 2


def test_length_that_changes_under_a_question_is_refused(tmp_path: Path) -> None:
    """Even if the name stays."""
    path = tmp_path / "m.db"

    def shortened(texts: list[str]) -> list[list[float]]:
        return [vector[:4] for vector in meanings(texts)]

    def replace(texts: list[str]) -> list[list[float]]:
        forget_vectors(path)
        with EmbeddedServer(path, embedder=Embedder(shortened, "toy")) as other:
            assert _found(other) == ["kitten"]
        return meanings(texts)

    with EmbeddedServer(path, embedder=Embedder(meanings, "toy", replace)) as server:
        _remember(server, "kitten", "car")
        with pytest.raises(ValidationError, match=r"have 4 numbers, not 6; .*forget_vectors"):
            server.reply(_search(server))


def test_vectors_dropped_while_some_are_made_leave_no_gap(tmp_path: Path) -> None:
    """What comes too late is not kept: else those before it would never get one."""
    path = tmp_path / "m.db"
    contents = [f"kitten {number}" for number in range(_AT_ONCE + 5)]

    def drop() -> None:
        if len(recorder.calls) == 2:
            assert forget_vectors(path) == _AT_ONCE

    recorder = Recorder(drop)
    with EmbeddedServer(path, embedder=Embedder(recorder, "toy")) as server:
        _remember(server, *contents)
        assert len(_found(server)) == 100

    assert stats(path).vectors == len(contents)


def test_episode_deleted_while_its_vector_is_made_stays_deleted(tmp_path: Path) -> None:
    """Nothing is locked while the model works."""
    path = tmp_path / "m.db"

    def forget() -> None:
        if len(recorder.calls) == 1:
            with EmbeddedServer(path) as other:
                ask(other, "DELETE", EPISODES + "cat")
                _remember(other, "cat 2")

    recorder = Recorder(forget)
    with EmbeddedServer(path, embedder=Embedder(recorder, "toy")) as server:
        _remember(server, "cat", "kitten")
        assert _found(server) == ["kitten"]
        assert set(_found(server)) == {"kitten", "cat 2"}

    assert _sql(path, "SELECT seq FROM episode_vectors") == [(2,), (3,)]


def test_model_may_use_the_same_memory() -> None:
    """No lock of the database is held while it works, nor one that it would wait for."""

    def look() -> None:
        assert ask(server, "GET", EPISODES).status == 200
        made(server, EPISODES, {"name": "n", "content": "car"})
        if len(recorder.calls) == 1:
            assert _found(server) == ["cat"]

    recorder = Recorder(look)
    with EmbeddedServer(embedder=Embedder(recorder, "toy")) as server:
        _remember(server, "cat")
        assert _found(server) == ["cat"]


def test_threads_call_a_model_in_turn(tmp_path: Path) -> None:
    """Many models may not be used by two threads at once; no text is embedded twice."""
    at_work = threading.Semaphore(1)

    def alone() -> None:
        assert at_work.acquire(blocking=False)
        at_work.release()

    recorder = Recorder(alone)
    with EmbeddedServer(tmp_path / "m.db", embedder=Embedder(recorder, "toy")) as server:
        _remember(server, *(f"kitten {number}" for number in range(250)))
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: len(_found(server)), range(16)))

    assert found == [100] * 16
    assert sum(len(call) for call in recorder.calls) == 250 + 16


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "gives 0 vectors for 1 texts"),
        ([[1.0], [1.0]], "gives 2 vectors for 1 texts"),
        ([[]], "vectors of no numbers"),
        ([[float("nan"), 1.0]], "NaN"),
        ([[float("inf"), 1.0]], "infinite"),
        ([["one"]], "something else"),
        ([1.0], "something else"),
        ([[None]], "something else"),
        (None, "something else"),
        ([[10**400]], "something else"),
    ],
)
def test_what_is_no_vector_is_refused(given: Any, message: str, tmp_path: Path) -> None:
    """Nothing is kept, nothing lost, and a client without an embedder goes on."""
    path = tmp_path / "m.db"
    with EmbeddedServer(path, embedder=Embedder(lambda texts: given, "bad")) as server:
        _remember(server, "kitten")
        with pytest.raises(ValidationError, match=rf"^embedder: .*{message}"):
            server.reply(_search(server))
        answer = ask(server, "POST", SEARCH, FELINE)
        assert answer.status == 500
        assert answer.headers["x-should-retry"] == "false"
        assert "embedder" in told(answer)["detail"]

    assert stats(path).vectors == 0
    with EmbeddedServer(path) as server:
        assert _found(server, "kitten") == ["kitten"]


def test_vectors_of_one_batch_have_one_length() -> None:
    """All of the batch is refused, also where the first ones would do."""
    uneven = Embedder(lambda texts: [[1.0] * (n + 1) for n, _ in enumerate(texts)], "uneven")
    with EmbeddedServer(embedder=uneven) as server:
        _remember(server, "kitten", "cat")
        with pytest.raises(ValidationError, match="2 numbers where others have 1"):
            server.reply(_search(server))
        with server.direct() as connection:
            assert vectors.kept(connection) is None


def test_question_that_the_model_fails_is_told(tmp_path: Path) -> None:
    """Its own function is named; the vectors are kept."""

    def fail(texts: list[str]) -> list[list[float]]:
        raise ConnectionError("https://user:secret@model.test")

    path = tmp_path / "m.db"
    with EmbeddedServer(path, embedder=Embedder(meanings, "toy", fail)) as server:
        _remember(server, "kitten")
        with pytest.raises(MemStackError, match=r"^query_embedder: it raised Conn") as caught:
            server.reply(_search(server))

    assert "secret" not in str(caught.value)
    assert isinstance(caught.value.__cause__, ConnectionError)
    assert stats(path).vectors == 1


def test_failing_model_is_not_logged_as_a_fault(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever searches is told; a log line might hold what the model said."""
    with (
        caplog.at_level(logging.DEBUG),
        EmbeddedServer(embedder=Embedder(lambda texts: [], "toy")) as server,
    ):
        _remember(server, "kitten")
        assert ask(server, "POST", SEARCH, FELINE).status == 500

    assert caplog.records == []


def test_array_of_numpy_is_taken() -> None:
    """Which most models give."""
    numpy = vectors._numpy()
    embedder = Embedder(lambda texts: numpy.array(meanings(texts), "float16"), "toy")
    with EmbeddedServer(embedder=embedder) as server:
        _remember(server, "kitten", "car")
        assert _found(server) == ["kitten"]


def test_refused_file_is_closed(tmp_path: Path) -> None:
    """So that it can be removed, and no warning comes later."""
    path = tmp_path / "m.db"
    with EmbeddedServer(path, embedder=TOY) as server:
        _remember(server, "kitten")
        _found(server)
    with pytest.raises(ValidationError) as caught:
        EmbeddedServer(path, embedder=Embedder(meanings, "other"))

    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
    assert caught.value.__traceback__ is not None  # which would keep a connection that is open


def test_no_vector_outlives_its_episode_and_comes_to_another(tmp_path: Path) -> None:
    """Where another program deletes, foreign keys may be off."""
    path = tmp_path / "m.db"
    with EmbeddedServer(path, embedder=TOY) as server:
        _remember(server, "car", "kitten")
        assert _found(server) == ["kitten"]
        _sql(path, "DELETE FROM episodes WHERE seq = 2")
        assert _found(server) == []
        _remember(server, "automobile")
        assert _found(server, "vehicle") == ["automobile", "car"]


def test_vector_of_float32_is_near_itself() -> None:
    """What is kept is rounded; a cosine of a little over 1 is no harm."""
    with EmbeddedServer(embedder=Embedder(lambda t: [array("f", [0.1, 0.7])] * len(t), "m")) as s:
        _remember(s, "kitten", "car")
        results = made(s, SEARCH, FELINE)["results"]

    assert len({result["score"] for result in results}) == 1
    assert all(0 < result["score"] <= 1 for result in results)
