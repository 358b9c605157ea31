"""The server of a test: an embedded MemStack in memory, and a script of what is to go wrong."""

from __future__ import annotations

import json as json_
from collections.abc import Mapping
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING, Any

from memstack._settings import MAX_SECONDS
from memstack._wire import WireResponse
from memstack.exceptions import ValidationError
from memstack.testing.script import Fault
from memstack.testing.sent import SentRequest
from memstack.testing.stage import Stage

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["MemStackServer", "SentRequest"]


class MemStackServer:
    """A MemStack in memory, for one test; to be used in a `with` statement.

    Inside, MEMSTACK_BASE_URL and MEMSTACK_API_KEY name it, and each client of it that is made in
    this process reaches it without a socket. Such a client does not really pause: its pauses are
    in `pauses`.

    Each fault is for the next request, or for the next one of the operation *on*, and for as many
    as *times* says; None for all that follow. Faults come in the order in which they were scripted.
    """

    api_key = "ms_sk_of_the_test"
    """The key that may do everything."""

    def __init__(self) -> None:
        self._stage = Stage(self.api_key)

    def __repr__(self) -> str:
        place = self._stage.listens_at or self._stage.base_url
        return f"<MemStackServer {place}, {len(self.requests)} requests>"

    def __enter__(self) -> Self:
        self._stage.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stage.close()

    def next(
        self,
        status: int,
        json: Any = None,
        *,
        retry_after: float | None = None,
        headers: Mapping[str, str] | None = None,
        on: str | None = None,
        times: int | None = 1,
    ) -> None:
        """A request is answered with *status*, and changes nothing.

        Args:
            status: 200 to 599.
            json: What the answer holds; None for an error text, or for nothing in a success.
            retry_after: Seconds that the answer asks to wait.
            headers: More headers of the answer.

        Raises:
            ValidationError: An argument breaks its rule.
        """
        if not isinstance(status, int) or not 200 <= status <= 599:
            raise ValidationError("status: must be a whole number from 200 to 599")
        if json is None and status >= 400:
            json = {"detail": _phrase(status)}
        told = {name.lower(): value for name, value in (headers or {}).items()}
        if retry_after is not None:
            told["retry-after"] = f"{_seconds('retry_after', retry_after):.10g}"
        try:
            body = b"" if json is None else json_.dumps(json, ensure_ascii=False).encode()
        except (TypeError, ValueError) as error:
            raise ValidationError(f"json: cannot be written as JSON ({error})") from None
        answer = WireResponse(status, {"content-type": "application/json", **told}, body)
        self._stage.script.add(Fault(f"next({status})", answer), on, times)

    def refuse(self, *, on: str | None = None, times: int | None = 1) -> None:
        """No connection comes about: nobody listens."""
        self._stage.script.add(Fault("refuse()", breaks="refused"), on, times)

    def lose_request(self, *, on: str | None = None, times: int | None = 1) -> None:
        """The connection breaks before the server has the request: it changes nothing."""
        self._stage.script.add(Fault("lose_request()", breaks="before"), on, times)

    def lose_answer(self, *, on: str | None = None, times: int | None = 1) -> None:
        """The server does what it was asked to, and the connection breaks before it has said so."""
        self._stage.script.add(Fault("lose_answer()", breaks="after"), on, times)

    def garble(self, *, on: str | None = None, times: int | None = 1) -> None:
        """The server does what it was asked to, and its answer is a page of HTML."""
        self._stage.script.add(Fault("garble()", body=b"<html>Hello</html>"), on, times)

    def slow(self, seconds: float, *, on: str | None = None, times: int | None = 1) -> None:
        """The server does what it was asked to, and answers only after *seconds*.

        A client in this process is not really kept waiting: it is told at once that its `timeout`
        has passed, or gets its answer, and so much of its `deadline` is gone. Timers other than
        the client's own, such as `asyncio.timeout`, see nothing of that. Over `url` it takes its
        time.
        """
        takes = _seconds("seconds", seconds)
        self._stage.script.add(Fault(f"slow({seconds:g})", takes=takes), on, times)

    def clear(self) -> None:
        """Forget what was scripted and did not happen yet."""
        self._stage.script.clear()

    @property
    def pending(self) -> list[str]:
        """What was scripted for a count of requests, and did not happen yet."""
        return self._stage.script.pending()

    @property
    def requests(self) -> list[SentRequest]:
        """What clients sent, oldest first, also requests that were lost on the way."""
        return self._stage.requests

    @property
    def pauses(self) -> list[float]:
        """Seconds of each pause that a client in this process would have made, oldest first."""
        return self._stage.clock.pauses

    @property
    def url(self) -> str:
        """Where other processes and other HTTP clients reach it; a port of loopback.

        It listens from the first time this is asked for.
        """
        return self._stage.url()

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead another process to `url`, past any proxy."""
        return {
            "MEMSTACK_BASE_URL": self.url,
            "MEMSTACK_API_KEY": self.api_key,
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }


def _seconds(name: str, value: Any) -> float:
    number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else -1
    if not 0 < number <= MAX_SECONDS:
        raise ValidationError(f"{name}: must be a number of seconds, above 0, to {MAX_SECONDS:g}")
    return float(number)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:  # 520 and the like
        return "A fault of the test"
