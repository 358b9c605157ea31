"""What both clients do beside calls: settings and connections they share, copies, and their end."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ._call import Call
from ._claims import Doubt
from ._connecting import Connecting
from ._generations import may_be_passed_over
from ._history import Chance
from ._server import Server
from ._settings import Settings
from ._transports import Later
from .exceptions import AuthenticationError, NetworkError, ValidationError
from .operations import Operation

if TYPE_CHECKING:
    from typing_extensions import Self

    from .local import EmbeddedServer, Embedder

T = TypeVar("T")
HttpClient = TypeVar("HttpClient")
AnyTransport = TypeVar("AnyTransport")


class Lifecycle(Generic[HttpClient, AnyTransport]):
    """A client, with or without siblings."""

    _chance: Chance = Chance()

    _settings: Settings
    _transport: AnyTransport | Later[AnyTransport]
    _recipe: Connecting | str | None
    """What another process makes the transport of: a file's path if embedded; None for nothing."""
    _embedder: Embedder | None = None
    """What an embedded one makes vectors with; another process gets it too."""
    _parent: Self | None = None
    """The client that owns the transport; None for the owner itself."""
    _server: Server
    _closed = True
    _holds_something: bool
    """Of the owner: whether there is something to close."""

    @classmethod
    def _connect(
        cls, base_url: str, connecting: Connecting, http_client: HttpClient | None
    ) -> AnyTransport | Later[AnyTransport]:
        raise NotImplementedError

    @classmethod
    def _embed(cls, server: EmbeddedServer) -> AnyTransport:
        raise NotImplementedError

    def _start(
        self,
        settings: Settings,
        transport: AnyTransport | Later[AnyTransport],
        recipe: Connecting | str | None,
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._recipe = recipe
        self._server = Server(settings.base_url)
        self._closed = False
        # A connection is made for the first request; what an embedded one needs is there.
        self._holds_something = not isinstance(recipe, Connecting)

    def _start_embedded(
        self,
        path: str | os.PathLike[str] | None,
        embedder: Embedder | None = None,
        **settings: Any,
    ) -> None:
        from .local import EmbeddedServer  # sqlite3 is not for everyone

        server = EmbeddedServer(path, embedder=embedder)
        self._embedder = embedder
        place = f"local:{os.fspath(path) if path is not None else ''}"
        self._start(
            Settings(**{**settings, "api_key": server.owner_key, "base_url": place}),
            self._embed(server),
            server.path,
        )

    def _sibling(self, headers: Mapping[str, str] | None = None, **changes: Any) -> Self:
        sibling = object.__new__(type(self))
        sibling.__dict__.update(self.__dict__)
        # A sibling keeps the owner alive: `MemStackClient(...).with_options(...).get_memo(...)`.
        sibling._parent = self._parent or self
        sibling._settings = self._settings.changed(headers, **changes)
        return sibling

    def __copy__(self) -> Self:
        return self._sibling()

    def __deepcopy__(self, memo: object) -> Self:
        return self._sibling()

    def __getstate__(self) -> dict[str, Any]:
        recipe, settings = self._recipe, self._settings
        if recipe is None or (isinstance(recipe, Connecting) and not recipe.can_travel()):
            raise ValidationError(
                f"{self!r} cannot be pickled: an http_client, an SSLContext and a MemStack in "
                "memory belong to one process; make a client in each"
            )
        state = {name: getattr(settings, name) for name in settings.__dataclass_fields__}
        if isinstance(settings.api_key, str):
            state["api_key"] = _key_left_behind  # a pickle may be kept where no key belongs
        return {"settings": state, "recipe": recipe, "embedder": self._embedder}

    def __setstate__(self, state: dict[str, Any]) -> None:
        recipe, settings = state["recipe"], state["settings"]
        if isinstance(recipe, Connecting):
            transport = self._connect(settings["base_url"], recipe, None)
            self._start(Settings(**settings), transport, recipe)
        else:
            self._start_embedded(recipe, state["embedder"], **settings)

    def _ready(self) -> AnyTransport:
        """What sends; made before the clock of a call runs, since that may take a while.

        Raises:
            NetworkError: The client is closed.
        """
        owner = self._parent or self
        if owner._closed:
            raise NetworkError("this client is closed; make a new one", reason="closed")
        owner._holds_something = True
        transport = self._transport
        if isinstance(transport, Later):
            made: AnyTransport = transport.made()
            self._transport = made
            return made
        return transport

    def _call(self, operation: Operation[T]) -> Call[T]:
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
        return self._within(call.left(), self._settings.timeout)

    def _within(self, *seconds: float | None) -> Self:
        """The client whose calls take no longer than any of *seconds*; None for no limit."""
        bounds = [bound for bound in seconds if bound is not None]
        return self._sibling(deadline=max(min(bounds), 0.001)) if bounds else self

    def _since(self, doubt: Doubt) -> float | None:
        return self._chance.age(doubt.started, doubt.began)

    def _warn(self, operation: Operation[Any]) -> None:
        if self._settings.on_unsupported == "warn":
            self._server.warn(operation)

    def _to_close(self) -> AnyTransport | None:
        """What is to be closed; only the first time, and only by the owner."""
        if self._parent is not None or self._closed:
            return None
        self._closed = True
        transport = self._transport
        return transport.ended() if isinstance(transport, Later) else transport

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self._settings.base_url!r}, api_key='ms_sk_***')"

    def __del__(self) -> None:
        # No I/O here: the event loop may be closed or the interpreter on its way out.
        if self._parent is None and not self._closed and self._holds_something:
            warnings.warn(
                f"{self!r} was not closed; use `with`, or close()",
                ResourceWarning,
                stacklevel=2,
                source=self,
            )


def _key_left_behind() -> str:
    key = os.environ.get("MEMSTACK_API_KEY")
    if not key:
        raise AuthenticationError(
            "a pickled client leaves its key behind: set MEMSTACK_API_KEY in this process, or use "
            "with_options(api_key=...); an api_key that is a function goes along"
        )
    return key
