"""The awaited client."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from . import operations
from ._binding import async_method, async_pager, async_wait
from ._configured import Configured
from ._connecting import Connecting
from ._paging import iter_episodes, iter_memos
from ._sending import run_async, sending
from ._server import ServerInfo
from ._steps import Steps
from ._transports import Later, async_transport_of
from ._waiting import Waiting, wait_for_episode
from ._wire import AsyncTransport
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

    Items = (
        Iterable[EpisodeCreate | Mapping[str, Any]]
        | AsyncIterable[EpisodeCreate | Mapping[str, Any]]
    )

__all__ = ["MemStackAsyncClient"]

T = TypeVar("T")
R = TypeVar("R")


class MemStackAsyncClient(Configured["httpx.AsyncClient", AsyncTransport]):
    """MemStack for asyncio: the methods of MemStackClient, awaited."""

    _sleep: Callable[[float], Awaitable[None]] = staticmethod(asyncio.sleep)

    create_episode = async_method(operations.create_episode)
    list_episodes = async_method(operations.list_episodes)
    get_episode = async_method(operations.get_episode)
    delete_episode = async_method(operations.delete_episode)
    search_memory = async_method(operations.search_memory)
    create_api_key = async_method(operations.create_api_key)
    list_api_keys = async_method(operations.list_api_keys)
    revoke_api_key = async_method(operations.revoke_api_key)
    create_memo = async_method(operations.create_memo)
    list_memos = async_method(operations.list_memos)
    get_memo = async_method(operations.get_memo)
    update_memo = async_method(operations.update_memo)
    delete_memo = async_method(operations.delete_memo)
    health_check = async_method(operations.health_check)

    iter_episodes = async_pager(iter_episodes, Episode)
    iter_memos = async_pager(iter_memos, Memo)
    wait_for_episode = async_wait(wait_for_episode)

    @classmethod
    def _connect(
        cls, base_url: str, connecting: Connecting, http_client: httpx.AsyncClient | None
    ) -> AsyncTransport | Later[AsyncTransport]:
        return async_transport_of(base_url, connecting, http_client)

    @classmethod
    def _embed(cls, server: EmbeddedServer) -> AsyncTransport:
        from .local import AsyncLocalTransport

        return AsyncLocalTransport(server)

    async def send(self, operation: Operation[T]) -> T:
        """The result of *operation*, which a function of `memstack.operations` described."""
        return (await self.send_raw(operation)).result

    async def send_raw(self, operation: Operation[T]) -> Response[T]:
        """The same with status, headers, raw body, request id and attempts of the answer."""
        if self._must_ask_first(operation):
            await self.server_info()
            self._server.check(operation)
        transport = self._ready()
        call = self._call(operation)

        async def ask(look: Operation[Any]) -> Response[Any]:
            return await self._for_looks(call).send_raw(look)

        response = await run_async(sending(call), transport, self._sleep, ask)
        self._warn(operation)
        if operation.wait is not None:
            processed = await self._wait(Waiting.after(operation, response.result))
            response = replace(response, result=processed)
        return response

    async def server_info(self) -> ServerInfo:
        """What kind of server this is, and what it can and cannot do; asks it for its health.

        Raises:
            NetworkError: No server answered.
        """
        return self._server.info(await self.health_check())

    async def settle(self, error: MemStackError) -> Settlement:
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

        return await self._carry_out(resolving(error, self._server, self._since))

    async def _carry_out(self, steps: Steps[R]) -> R:
        return await run_async(steps, self._ready(), self._sleep, self.send_raw)

    async def _wait(self, waiting: Waiting) -> Any:
        async def look(operation: Operation[Any]) -> Response[Any]:
            seconds = (waiting.left_for_a_look(), self._settings.deadline)
            return await self._within(*seconds).send_raw(operation)

        steps = waiting.steps(self._server, self._chance)
        return await run_async(steps, self._ready(), self._sleep, look)

    async def close(self) -> None:
        """Closes the connections; the second time, and on a sibling, it does nothing."""
        transport = self._to_close()
        if transport is not None:
            await transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def ingest(
        self,
        items: Items,
        *,
        concurrency: int = 16,
        ledger: str | os.PathLike[str] | None = None,
        order_by: Literal["group_id"] | None = None,
        failed: str | os.PathLike[str] | None = None,
        dry_run: bool = False,
        on_outcome: Callable[[IngestOutcome], object] | None = None,
        on_progress: Callable[[IngestReport], object] | None = None,
    ) -> IngestReport:
        """What became of many episodes, each stored once: `MemStackClient.ingest`, awaited.

        Arguments and errors are the same; *items* may be an async iterable, too, and the functions
        may be asynchronous. A run that is cancelled gives creates on their way one second more;
        the next run with the ledger finds out about any others.
        """
        from .ingest.awaited import ingest

        return await ingest(
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
