"""Decides, step by step, what becomes of a request; each step is another module's.

Rules:
- The order of refusals is that of deployed servers: no such route, no such method, no good key,
  too many, not permitted, not valid; only then is anything looked up.
- No request makes `handle` raise.
- No log line holds a key or anything of what a request says.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import TracebackType

from memstack._rules import KEY_PREFIX
from memstack._wire import WireRequest, WireResponse
from memstack.exceptions import MemStackError, ValidationError
from memstack.local import filters, idempotency, keys, routes, validation
from memstack.local.answers import Answer, Refusal, encoded, request_id_of
from memstack.local.database import Closed, Database, Unusable
from memstack.local.embedding import Embedder, Embedding
from memstack.local.episodes import create_all
from memstack.local.keys import Bearer
from memstack.local.routes import Call, Route
from memstack.local.troubles import BUSY, DAMAGED, Trouble
from memstack.models import EpisodeCreate, MemoryQuery

__all__ = ["Admit", "EmbeddedServer"]

_log = logging.getLogger("memstack.local")


Admit = Callable[[Bearer], None]
"""Is told whose good key a request came with, and may raise a `Refusal`."""


def _everyone(_: Bearer) -> None:
    pass


class EmbeddedServer:
    """A MemStack in this process: answers the requests of the API from a SQLite database.

    Any number of threads may use one, and any number of processes one file.

    Args:
        path: The file, made if there is none; None keeps all in memory until `close`.
        owner_key: The key that may do everything; None makes a random one. It is not stored.
        embedder: What makes vectors for searches by meaning; None searches by words alone.

    Raises:
        ValidationError: *path* cannot be used, *owner_key* does not look like a key, or the file
            has vectors of another model than *embedder*.
        MemStackError: The file is locked, damaged or of a newer version, the disk is full, or
            SQLite cannot search text.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        owner_key: str | None = None,
        embedder: Embedder | None = None,
    ) -> None:
        if owner_key is not None and not keys.is_key(owner_key):
            # The key itself stays out of the message: it may be a typo in a real one.
            raise ValidationError(
                f"owner_key: must begin with {KEY_PREFIX!r}, go on, and hold no spaces"
            )
        self.path = _absolute(path)
        self.owner_key = owner_key or keys.new_key()
        self._database = Database(self.path)
        self._embedding: Embedding | None = None
        if embedder is not None:
            try:
                self._embedding = Embedding(self._database, embedder)
            except BaseException:
                self._database.close()
                raise

    def __repr__(self) -> str:
        return f"<EmbeddedServer {self.path or 'in memory'}>"

    def __enter__(self) -> EmbeddedServer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database once the requests at work are answered. May be repeated.

        Any later request is answered with 503.
        """
        self._database.close()

    def create_episodes(self, episodes: Sequence[EpisodeCreate]) -> list[str]:
        """The ids of *episodes*, stored in their order in one transaction: all of them, or none.

        What a search finds is the same as after as many single creations, which cost far
        more. A thousand at a time is enough; other writers wait until they are stored.

        Raises:
            Closed: The server is closed, or this process is a fork of the one whose memory it has.
            Refusal: A `valid_at` cannot be written.
            Unusable: The database is busy, full, read-only or damaged.
        """
        with self._database.writing() as connection:
            answers = create_all(connection, episodes)
        return [answer.content["id"] for answer in answers]

    @contextmanager
    def direct(self, *, writes: bool = False) -> Iterator[sqlite3.Connection]:
        """The database itself within a transaction, for what no request can ask for.

        Raises:
            MemStackError: The database cannot be used now; nothing of the transaction was done.
        """
        database = self._database
        try:
            with database.writing() if writes else database.reading() as connection:
                yield connection
        except Unusable as error:
            raise MemStackError(error.trouble.detail, outcome="rejected") from error
        except Closed as error:
            raise MemStackError(str(error)) from None

    def handle(self, request: WireRequest, admit: Admit = _everyone) -> WireResponse:
        """The answer to *request*, whatever that is.

        Args:
            admit: Is called before anything is done; not for what needs no key.
        """
        try:
            return self.reply(request, admit)
        except Closed as error:
            answer = Answer(503, {"detail": str(error)}, {"retry-after": "1"})
        except MemStackError as error:
            answer = Answer(500, {"detail": error.message}, {"x-should-retry": "false"})
        return encoded(answer, request_id_of(_lowered(request.headers)))

    def reply(self, request: WireRequest, admit: Admit = _everyone) -> WireResponse:
        """The answer to *request*, for whoever shares this process with the server.

        Raises:
            Closed: The server is closed, or this process is a fork of the one whose memory it has.
            MemStackError: The embedder failed, or the file has vectors of another model now.
        """
        headers = _lowered(request.headers)
        request_id = request_id_of(headers)
        try:
            return encoded(self._answer(request, headers, admit, request_id), request_id)
        except (Closed, MemStackError):
            raise
        except Exception as error:
            _log_fault(error, request_id)
            # What a damaged page holds may pass for a row, and fail anywhere.
            if self._database.is_damaged():
                return encoded(_told(DAMAGED), request_id)
            fault = Answer(500, {"detail": "Internal server error", "status_code": 500})
            return encoded(fault, request_id)

    def _answer(
        self,
        request: WireRequest,
        headers: dict[str, str],
        admit: Admit,
        request_id: str,
    ) -> Answer:
        try:
            return self._result(request, headers, admit)
        except Refusal as refusal:
            return refusal.answer
        except Unusable as error:
            if error.trouble is not BUSY:
                _log.error("Request %s failed: %s", request_id, error.trouble.detail)
            return _told(error.trouble)

    def _result(self, request: WireRequest, headers: dict[str, str], admit: Admit) -> Answer:
        route, segment, query = routes.route_of(request.method, request.target)
        bearer = self._authorize(route, headers, admit)
        call = Call(
            validation.segment_of(route.parameter, segment) if route.parameter else "",
            validation.query_of(route.query, query) if route.query else None,
            validation.body_of(route.body, request.body, headers) if route.body else None,
            validation.token_of(headers, "Idempotency-Key") if route.once else None,
            bearer,
        )
        if self._embedding is not None and isinstance(call.body, MemoryQuery):
            filters.conditions(call.body)  # a bad one is refused before a model is asked
            call = replace(call, asked=self._embedding.of_question(call.body.query))
        if not route.writes:
            with self._database.reading() as connection:
                return route.run(connection, call)
        with self._database.writing() as connection:
            if call.once is None:
                return route.run(connection, call)
            return idempotency.applied_once(
                connection,
                (bearer.id, route.operation, call.once),
                call.body,
                lambda: route.run(connection, call),
                unstored=route.unstored(connection, call) if route.unstored else {},
            )

    def _authorize(self, route: Route, headers: dict[str, str], admit: Admit) -> Bearer:
        if route.needs is None:
            return keys.NOBODY
        bearer = keys.bearer_of(headers, self.owner_key, self._database.reading)
        admit(bearer)
        if not bearer.may(route.needs):
            raise Refusal(403, f"This API key has no '{route.needs}' permission")
        return bearer


def _told(trouble: Trouble) -> Answer:
    return Answer(trouble.status, {"detail": trouble.detail}, trouble.headers)


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _absolute(path: str | os.PathLike[str] | None) -> str | None:
    """*path* as it stays right when the process changes its folder."""
    if path is None:
        return None
    text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else None
    if not isinstance(text, str):
        raise ValidationError(f"path: must be a string or a path, not {type(path).__name__}")
    # These are no files to SQLite; `opening` says so.
    return text if text in ("", ":memory:") or "\0" in text else os.path.abspath(text)


def _log_fault(error: Exception, request_id: str) -> None:
    # The message of an exception may quote the request, so only its type and place are logged.
    place = "".join(traceback.format_tb(error.__traceback__))
    _log.error("Request %s failed: %s\n%s", request_id, type(error).__name__, place)
