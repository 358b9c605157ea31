"""What both clients are made of: their settings, siblings, and an owner for the connections."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ._call import Call, Chance, age
from ._claims import Doubt
from ._generations import may_be_passed_over
from ._server import Server
from ._settings import OnUnsupported, Settings
from .exceptions import NetworkError
from .operations import Operation

if TYPE_CHECKING:
    from typing_extensions import Self

    from .local import EmbeddedServer

T = TypeVar("T")
HttpClient = TypeVar("HttpClient")
AnyTransport = TypeVar("AnyTransport")


class _Unset:
    def __repr__(self) -> str:
        return "<unchanged>"


_UNSET: Any = _Unset()


class Configured(Generic[HttpClient, AnyTransport]):
    """The settings of a client, and the transport that it shares with its siblings."""

    _chance: Chance = Chance()

    _settings: Settings
    _transport: AnyTransport
    _parent: Self | None = None
    """The client that owns the transport; None for the owner itself."""
    _server: Server
    _closed = True

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: float | None = 60.0,
        max_retries: int = 3,
        retry_delay: float = 1.0,
        *,
        deadline: float | None = None,
        max_retry_after: float = 60.0,
        headers: Mapping[str, str] | None = None,
        on_unsupported: OnUnsupported = "warn",
        settle_grace: float = 2.0,
        retry_unsafe: bool = False,
        http_client: HttpClient | None = None,
    ) -> None:
        """A client of the server at *base_url*.

        Args:
            api_key: The key, which starts with `ms_sk_`; None for MEMSTACK_API_KEY.
            base_url: Where the server is, with the path it is mounted at; None for
                MEMSTACK_BASE_URL, or http://localhost:8000 without it.
            timeout: Seconds that one attempt may take; None for no limit.
            max_retries: Most attempts after the first; 0 for none.
            retry_delay: Seconds of the first pause between attempts; each next is twice as long,
                30 at most, with a random factor of 0.5 to 1.
            deadline: Seconds that a call may take with all its attempts and pauses; None for no
                limit.
            max_retry_after: Most seconds to wait when a server asks for it; a longer wish ends
                the call with its error.
            headers: Headers to send beside the client's own.
            on_unsupported: What to do about an argument that the server is known to pass over:
                `warn` once, `raise` before the call is sent, or `ignore`. To `raise` may cost a
                health check in the client's life.
            settle_grace: Seconds to wait before a create whose answer was lost, and which is not
                found, is sent again; a server that stores it later than that makes two.
            retry_unsafe: Whether a create of unknown outcome is sent again without looking for
                it, which may store it twice.
            http_client: An httpx client of your own to send with, for proxies, certificates and
                the like; it stays yours to close.

        Raises:
            AuthenticationError: The key is missing, or cannot be one.
            ValidationError: Another argument breaks its rule.
        """
        settings = Settings.resolve(
            api_key=api_key,
            base_url=base_url,
            timeout=timeout,
            max_retries=max_retries,
            retry_delay=retry_delay,
            deadline=deadline,
            max_retry_after=max_retry_after,
            headers=headers,
            on_unsupported=on_unsupported,
            settle_grace=settle_grace,
            retry_unsafe=retry_unsafe,
        )
        self._start(settings, self._connect(settings.base_url, http_client))

    @classmethod
    def _connect(cls, base_url: str, http_client: HttpClient | None) -> AnyTransport:
        raise NotImplementedError

    @classmethod
    def _embed(cls, server: EmbeddedServer) -> AnyTransport:
        raise NotImplementedError

    def _start(self, settings: Settings, transport: AnyTransport) -> None:
        self._settings = settings
        self._transport = transport
        self._server = Server()
        self._closed = False

    @classmethod
    def local(cls, path: str | os.PathLike[str] | None = None) -> Self:
        """A client of an embedded MemStack: no server, no network, no key to bring.

        Args:
            path: The SQLite file to keep it in, made if missing; None for memory, lost at close.

        Raises:
            ValidationError: The path cannot be used, or holds another kind of file.
        """
        from .local import EmbeddedServer  # sqlite3 is not for everyone

        server = EmbeddedServer(path)
        place = f"local:{os.fspath(path) if path is not None else ''}"
        client = cls.__new__(cls)
        client._start(Settings(server.owner_key, place), cls._embed(server))
        return client

    @property
    def api_key(self) -> str:
        """The API key itself; keep it out of logs."""
        return self._settings.api_key

    @property
    def base_url(self) -> str:
        """Where the server is, without a slash at the end; `local:` and a path if embedded."""
        return self._settings.base_url

    @property
    def timeout(self) -> float | None:
        """Seconds that one attempt may take; None for no limit."""
        return self._settings.timeout

    @property
    def max_retries(self) -> int:
        """Most attempts after the first."""
        return self._settings.max_retries

    @property
    def retry_delay(self) -> float:
        """Seconds of the first pause between attempts."""
        return self._settings.retry_delay

    @property
    def deadline(self) -> float | None:
        """Seconds that a call may take with all its attempts and pauses; None for no limit."""
        return self._settings.deadline

    @property
    def max_retry_after(self) -> float:
        """Most seconds to wait when a server asks for it."""
        return self._settings.max_retry_after

    def with_options(
        self,
        *,
        api_key: str = _UNSET,
        timeout: float | None = _UNSET,
        max_retries: int = _UNSET,
        retry_delay: float = _UNSET,
        deadline: float | None = _UNSET,
        max_retry_after: float = _UNSET,
        headers: Mapping[str, str] | None = None,
        on_unsupported: OnUnsupported = _UNSET,
        settle_grace: float = _UNSET,
        retry_unsafe: bool = _UNSET,
    ) -> Self:
        """A sibling with other settings that shares this client's connections.

        `client.with_options(timeout=5).search_memory("...")` sets one call; a sibling that is
        kept costs nothing. Closing it does nothing: the connections are closed with this client.

        Args:
            api_key: Another key.
            timeout: Seconds that one attempt may take; None for no limit.
            max_retries: Most attempts after the first; 0 for none.
            retry_delay: Seconds of the first pause between attempts.
            deadline: Seconds that a call may take with all attempts and pauses; None for no limit.
            max_retry_after: Most seconds to wait when a server asks for it.
            headers: Headers to send beside those this client sends already.
            on_unsupported: What to do about an argument that the server is known to pass over.
            settle_grace: Seconds to wait before a create that is not found is sent again.
            retry_unsafe: Whether a create of unknown outcome is sent again without looking.

        Raises:
            AuthenticationError: The key cannot be one.
            ValidationError: Another argument breaks its rule.
        """
        changes = {
            "api_key": api_key,
            "timeout": timeout,
            "max_retries": max_retries,
            "retry_delay": retry_delay,
            "deadline": deadline,
            "max_retry_after": max_retry_after,
            "on_unsupported": on_unsupported,
            "settle_grace": settle_grace,
            "retry_unsafe": retry_unsafe,
        }
        sibling = object.__new__(type(self))
        sibling.__dict__.update(self.__dict__)
        # A sibling keeps the owner alive: `MemStackClient(...).with_options(...).get_memo(...)`.
        sibling._parent = self._parent or self
        sibling._settings = self._settings.changed(
            headers, **{name: value for name, value in changes.items() if value is not _UNSET}
        )
        return sibling

    def _call(self, operation: Operation[T]) -> Call[T]:
        if (self._parent or self)._closed:
            raise NetworkError("this client is closed; make a new one", reason="closed")
        return Call(operation, self._settings, self._server, self._chance)

    def _must_ask_first(self, operation: Operation[Any]) -> bool:
        """Whether to find out what server this is before *operation* is sent.

        Raises:
            UnsupportedArgumentError: It is known, and passes over an argument.
        """
        if self._settings.on_unsupported != "raise":
            return False
        self._server.check(operation)
        return not self._server.is_known() and may_be_passed_over(operation)

    def _for_looks(self, call: Call[Any]) -> Self:
        """The client that settles *call*, within what is left of its deadline and one `timeout`."""
        # On a server that hangs a look costs one `timeout` more, not one for each of its attempts.
        bounds = [bound for bound in (call.left(), self.timeout) if bound is not None]
        return self.with_options(deadline=max(min(bounds), 0.001)) if bounds else self

    def _since(self, doubt: Doubt) -> float | None:
        return age(doubt.started, doubt.began, self._chance)

    def _warn(self, operation: Operation[Any]) -> None:
        if self._settings.on_unsupported == "warn":
            self._server.warn(operation)

    def _first_close(self) -> bool:
        """Whether there is something to close; only the first time, and only by the owner."""
        if self._parent is not None or self._closed:
            return False
        self._closed = True
        return True

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self.base_url!r}, api_key='ms_sk_***')"

    def __del__(self) -> None:
        # No I/O here: the event loop may be closed or the interpreter on its way out.
        if self._parent is None and not self._closed:
            warnings.warn(
                f"{self!r} was not closed; use `with`, or close()",
                ResourceWarning,
                stacklevel=2,
                source=self,
            )
