"""The blocking client."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from . import operations
from ._binding import sync_method, sync_pager, sync_wait
from ._configured import Configured
from ._connecting import Connecting
from ._paging import iter_episodes, iter_memos
from ._sending import run, sending
from ._server import ServerInfo
from ._steps import Steps
from ._transports import Later, transport_of
from ._waiting import Waiting, wait_for_episode
from ._wire import Transport
from .exceptions import MemStackError
from .models import Episode, Memo
from .operations import Operation
from .response import Response

if TYPE_CHECKING:
    import httpx
    from typing_extensions import Self

    from ._settling import Settlement
    from .ingest import IngestOutcome, IngestReport
    from .local import EmbeddedServer
    from .models import EpisodeCreate

__all__ = ["MemStackClient"]

T = TypeVar("T")
R = TypeVar("R")


class MemStackClient(Configured["httpx.Client", Transport]):
    """MemStack, blocking; safe to share between threads.

    Each method is a function of `memstack.operations`, sent: the arguments are checked first, a
    failure that can be mended by waiting is tried again, and any other is a MemStackError.
    """

    _sleep: Callable[[float], None] = staticmethod(time.sleep)

    create_episode = sync_method(operations.create_episode)
    list_episodes = sync_method(operations.list_episodes)
    get_episode = sync_method(operations.get_episode)
    delete_episode = sync_method(operations.delete_episode)
    search_memory = sync_method(operations.search_memory)
    create_api_key = sync_method(operations.create_api_key)
    list_api_keys = sync_method(operations.list_api_keys)
    revoke_api_key = sync_method(operations.revoke_api_key)
    create_memo = sync_method(operations.create_memo)
    list_memos = sync_method(operations.list_memos)
    get_memo = sync_method(operations.get_memo)
    update_memo = sync_method(operations.update_memo)
    delete_memo = sync_method(operations.delete_memo)
    health_check = sync_method(operations.health_check)

    iter_episodes = sync_pager(iter_episodes, Episode)
    iter_memos = sync_pager(iter_memos, Memo)
    wait_for_episode = sync_wait(wait_for_episode)

    @classmethod
    def _connect(
        cls, base_url: str, connecting: Connecting, http_client: httpx.Client | None
    ) -> Transport | Later[Transport]:
        return transport_of(base_url, connecting, http_client)

    @classmethod
    def _embed(cls, server: EmbeddedServer) -> Transport:
        from .local import LocalTransport

        return LocalTransport(server)

    def send(self, operation: Operation[T]) -> T:
        """The result of *operation*, which a function of `memstack.operations` described."""
        return self.send_raw(operation).result

    def send_raw(self, operation: Operation[T]) -> Response[T]:
        """The same with status, headers, raw body, request id and attempts of the answer."""
        if self._must_ask_first(operation):
            self.server_info()
            self._server.check(operation)
        transport = self._ready()
        call = self._call(operation)

        def ask(look: Operation[Any]) -> Response[Any]:
            return self._for_looks(call).send_raw(look)

        response = run(sending(call), transport, self._sleep, ask)
        self._warn(operation)
        if operation.wait is not None:
            processed = self._wait(Waiting.after(operation, response.result))
            response = replace(response, result=processed)
        return response

    def server_info(self) -> ServerInfo:
        """What kind of server this is, and what it can and cannot do; asks it for its health.

        Raises:
            NetworkError: No server answered.
        """
        return self._server.info(self.health_check())

    def settle(self, error: MemStackError) -> Settlement:
        """What became of a call that failed with *error*, as far as it can be told now.

        A write that may be sent twice is sent again. Any other is looked for where its rows are
        listed; nothing is deleted or revoked. `unknown` may be settled later.

        Args:
            error: An error of this client, or of a sibling, whose `outcome` is `unknown`.

        Raises:
            ValidationError: Nothing is in doubt, or the error does not tell what was sent.
            MemStackError: The server could not be asked.
        """
        from ._settling import resolving

        return self._carry_out(resolving(error, self._server, self._since))

    def _carry_out(self, steps: Steps[R]) -> R:
        return run(steps, self._ready(), self._sleep, self.send_raw)

    def _wait(self, waiting: Waiting) -> Any:
        def look(operation: Operation[Any]) -> Response[Any]:
            seconds = (waiting.left_for_a_look(), self._settings.deadline)
            return self._within(*seconds).send_raw(operation)

        steps = waiting.steps(self._server, self._chance)
        return run(steps, self._ready(), self._sleep, look)

    def close(self) -> None:
        """Closes the connections; the second time, and on a sibling, it does nothing."""
        transport = self._to_close()
        if transport is not None:
            transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def ingest(
        self,
        items: Iterable[EpisodeCreate | Mapping[str, Any]],
        *,
        concurrency: int = 16,
        ledger: str | os.PathLike[str] | None = None,
        order_by: Literal["group_id"] | None = None,
        failed: str | os.PathLike[str] | None = None,
        dry_run: bool = False,
        on_outcome: Callable[[IngestOutcome], object] | None = None,
        on_progress: Callable[[IngestReport], object] | None = None,
    ) -> IngestReport:
        """What became of many episodes, each stored once.

        Items are read as they are needed, so they need not fit in memory. At most *concurrency*
        creates are on their way at once; fewer while the server answers 429 or 503.

        Args:
            items: An iterable of EpisodeCreate, or of mappings with its fields.
                One that is no valid episode is `failed`, and the run goes on.
            concurrency: Most creates at once; 1 to 512. An embedded MemStack takes one at a time.
            ledger: Path of a SQLite file that keeps what is stored, by content hash; made if
                missing. With it, a run that was stopped or killed is gone on with by the same
                call, and nothing is stored twice. None for one that is lost at the end.
            order_by: `group_id` to create the items of a group one after another, in their order;
                None for no order.
            failed: Path of a JSON Lines file for each item that is `failed` or `unknown`, from
                which it can be ingested again; a run that ends early keeps the lines of one before.
            dry_run: Whether only to read, check and compare with the ledger; nothing is sent.
            on_outcome: Told of each item, once what became of it is in the ledger.
            on_progress: Told the report a few times a second at most, and at the end.

        Raises:
            ValidationError: An argument breaks its rule, or *ledger* is no ledger of this server.
            IngestError: The server cannot be reached or lets nobody in, or the disk is full; what
                was acknowledged is in the ledger, and `report` tells how far it came.
            MemStackError: *ledger* is in use, damaged, or of a newer version.

        What *items* or a function raises ends the run, and is raised. Ctrl-C waits for creates on
        their way, up to `timeout`; a second one does not.
        """
        from .ingest.blocking import ingest

        return ingest(
            self,
            items,
            concurrency=concurrency,
            ledger=ledger,
            order_by=order_by,
            failed=failed,
            dry_run=dry_run,
            on_outcome=on_outcome,
            on_progress=on_progress,
        )
