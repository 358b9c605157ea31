"""What both clients are made of: their settings, siblings, and an owner for the connections."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from ._caller import warn
from ._connecting import Cert, Connecting, TransportName, Verify
from ._history import AttemptHook
from ._lifecycle import AnyTransport, HttpClient, Lifecycle
from ._settings import MAX_RESPONSE_BYTES, ApiKey, OnUnsupported, Settings
from .exceptions import InsecureConnectionWarning, ValidationError

if TYPE_CHECKING:
    from .local.embedding import Embed


class _Unset:
    def __repr__(self) -> str:
        return "<unchanged>"


_UNSET: Any = _Unset()
_Client = TypeVar("_Client", bound="Configured[Any, Any]")
"""In place of Self, which jedi takes for the class of the method: notebooks complete by it."""


class Configured(Lifecycle[HttpClient, AnyTransport]):
    """How a client is made and set."""

    def __init__(
        self,
        api_key: ApiKey | None = None,
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
        max_response_bytes: int | None = MAX_RESPONSE_BYTES,
        on_attempt: AttemptHook | None = None,
        verify: Verify = True,
        cert: Cert | None = None,
        proxy: str | None = None,
        http_client: HttpClient | None = None,
        transport: TransportName = "httpx",
    ) -> None:
        """A client of the server at *base_url*.

        Args:
            api_key: The key, which starts with `ms_sk_`, or a function that gives the key of the
                hour and is called before each attempt; None for MEMSTACK_API_KEY.
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
            max_response_bytes: Most bytes of an answer, decompressed; a longer one is an error.
                None for no limit.
            on_attempt: Told of each attempt when it has ended, for metrics and traces; see
                AttemptEvent. It must be quick and not call this client.
            verify: Whom to trust: a file or folder of certificate authorities, or an SSLContext;
                False for anyone.
            cert: Certificate to show to the server: a file with its key, or a tuple of
                certificate file, key file and, where the key has one, password.
            proxy: URL of a proxy, with user and password where it wants them; None for what
                HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY say.
            http_client: An httpx client of your own to send with; it stays yours to close.
            transport: What sends: `httpx`, or `pyreqwest`, which is faster and needs the extra
                `[fast]`; docs/production.md has what it cannot do.

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
            max_response_bytes=max_response_bytes,
            on_attempt=on_attempt,
        )
        _warn_if_readable(settings.base_url)
        connecting = Connecting(verify, cert, proxy, transport)
        connection = self._connect(settings.base_url, connecting, http_client)
        self._start(settings, connection, connecting if http_client is None else None)

    @classmethod
    def local(
        cls: type[_Client],
        path: str | os.PathLike[str] | None = None,
        *,
        embedder: Embed | None = None,
        query_embedder: Embed | None = None,
        embedding_model: str | None = None,
    ) -> _Client:
        """A client of an embedded MemStack: no server, no network, no key to bring.

        Args:
            path: The SQLite file to keep it in, made if missing; None for memory, lost at close.
            embedder: A function that takes a list of texts and gives as many vectors of one
                length, lists of numbers or an array; then a search finds by meaning too, after
                it has had the vectors made that are missing. None searches by words alone.
            query_embedder: The same for questions, where the model tells them from texts.
            embedding_model: What the file calls the embedder's model, with its version: one file
                has vectors of one model. Needed with an embedder and a path.

        Raises:
            ValidationError: The path cannot be used, or holds another kind of file, or vectors of
                another model; or the embedder is none.
        """
        given = None
        if embedder is not None:
            from .local import Embedder

            if path is None and embedding_model is None:
                embedding_model = "the only one"  # there are no others in this memory
            given = Embedder(embedder, embedding_model or "", query_embedder)
        elif query_embedder is not None or embedding_model is not None:
            raise ValidationError("embedder: is missing; it makes the vectors of what is stored")
        client = cls.__new__(cls)
        client._start_embedded(path, given)
        return client

    @property
    def api_key(self) -> ApiKey:
        """The API key itself, or the function that gives it; keep it out of logs."""
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
        self: _Client,
        *,
        api_key: ApiKey = _UNSET,
        timeout: float | None = _UNSET,
        max_retries: int = _UNSET,
        retry_delay: float = _UNSET,
        deadline: float | None = _UNSET,
        max_retry_after: float = _UNSET,
        headers: Mapping[str, str] | None = None,
        on_unsupported: OnUnsupported = _UNSET,
        settle_grace: float = _UNSET,
        retry_unsafe: bool = _UNSET,
        max_response_bytes: int | None = _UNSET,
        on_attempt: AttemptHook | None = _UNSET,
    ) -> _Client:
        """A sibling with other settings that shares this client's connections.

        `client.with_options(timeout=5).search_memory("...")` sets one call; a sibling that is
        kept costs nothing. Closing it does nothing: the connections are closed with this client.

        Args:
            api_key: Another key, or function that gives it.
            timeout: Seconds that one attempt may take; None for no limit.
            max_retries: Most attempts after the first; 0 for none.
            retry_delay: Seconds of the first pause between attempts.
            deadline: Seconds that a call may take with all attempts and pauses; None for no limit.
            max_retry_after: Most seconds to wait when a server asks for it.
            headers: Headers to send beside those this client sends already.
            on_unsupported: What to do about an argument that the server is known to pass over.
            settle_grace: Seconds to wait before a create that is not found is sent again.
            retry_unsafe: Whether a create of unknown outcome is sent again without looking.
            max_response_bytes: Most bytes of an answer, decompressed; None for no limit.
            on_attempt: Told of each attempt when it has ended; None for nobody.

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
            "max_response_bytes": max_response_bytes,
            "on_attempt": on_attempt,
        }
        return self._sibling(
            headers, **{name: value for name, value in changes.items() if value is not _UNSET}
        )


_readable: set[str] = set()
"""The servers that were warned of."""


def _warn_if_readable(base_url: str) -> None:
    """Warn, once for each server, where key and memories go over a network in plain text."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if parts.scheme == "https" or base_url in _readable or _is_loopback(host):
        return
    _readable.add(base_url)
    warn(
        f"base_url: {base_url} is plain http, so the API key and all that is sent can be read on "
        "the way; use https, or pass over this InsecureConnectionWarning",
        InsecureConnectionWarning,
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761 6.3
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
