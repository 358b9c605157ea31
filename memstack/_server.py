"""What a client has learnt of its server: its generation, and where it has which path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ._caller import warn
from ._claims import Claims
from ._generations import Generation, passed_over, recognised
from .exceptions import UnsupportedArgumentError, UnsupportedArgumentWarning
from .operations import Operation
from .retry import RetryBudget

__all__ = ["Server", "ServerInfo"]


@dataclass(frozen=True)
class ServerInfo:
    """What `client.server_info()` tells."""

    generation: str | None
    """`v0.1`, `v0.2`, or `current` for one that lists its capabilities; None if not known."""
    version: str | None
    """The server's own word; None if it does not tell."""
    capabilities: tuple[str, ...]
    """What it says it can do beyond the plain operations."""
    missing: tuple[str, ...]
    """Operations it does not have."""
    broken: Mapping[str, str]
    """Operations it answers wrongly, and how."""
    ignored: Mapping[str, Mapping[str, str]]
    """By operation, the arguments it passes over, and what that means."""


class Server:
    """Shared by a client and its siblings; each fact is one assignment, so no lock is needed."""

    def __init__(self, base_url: str) -> None:
        self.generation: Generation | None = None
        self._asked = False
        self.moved: frozenset[str] = frozenset()
        """Paths that were found at their alternative."""
        self.honours_keys = False
        """Whether it applies a create once, however often its `Idempotency-Key` comes."""
        self.budget = RetryBudget()
        self.claims = Claims.of(base_url)
        self._warned: set[tuple[str, str]] = set()

    def is_known(self) -> bool:
        """Whether there is nothing more to find out: what its health does not tell, it keeps."""
        return self._asked or self.generation is not None

    def learn_place(self, path: str, moved: bool) -> None:
        """Remember whether *path* is at its alternative."""
        self.moved = self.moved | {path} if moved else self.moved - {path}

    def learn(self, operation: Operation[Any], result: Any, headers: Mapping[str, str]) -> None:
        """Remember what a successful answer gives away."""
        replayed = headers.get("idempotency-replayed") == "true"
        if replayed or (
            operation.id == "health_check" and "idempotency-key" in capabilities_of(result)
        ):
            self.honours_keys = True
        self._asked |= operation.id == "health_check"
        if self.generation is None or operation.id == "health_check":
            place = operation.moves[0] if operation.moves else ""
            found = recognised(operation, place in self.moved, result)
            self.generation = found or self.generation

    def check(self, operation: Operation[Any]) -> None:
        """Nothing, if the server heeds every argument, as far as is known.

        Raises:
            UnsupportedArgumentError: It is known to pass over one.
        """
        for argument, meaning in self._passed_over(operation):
            raise UnsupportedArgumentError(
                f"{operation.id}: {argument}: this server {meaning}; leave it out, or set "
                "on_unsupported='warn' or 'ignore'",
                method=operation.method,
                path=operation.path,
            )

    def warn(self, operation: Operation[Any]) -> None:
        """Warn of each argument that the server is known to pass over; once in its life."""
        for argument, meaning in self._passed_over(operation):
            if (operation.id, argument) not in self._warned:
                self._warned.add((operation.id, argument))
                warn(
                    f"{operation.id}: {argument}: this server {meaning}",
                    UnsupportedArgumentWarning,
                )

    def passes_over(self, operation: str, argument: str) -> bool:
        """Whether it is known to pass over *argument* of *operation*."""
        known = self.generation
        return known is not None and argument in known.ignored.get(operation, {})

    def info(self, health: Mapping[str, Any]) -> ServerInfo:
        """What is known, of a server whose health answer is *health*."""
        generation = self.generation or Generation("unknown")
        return ServerInfo(
            generation=self.generation.name if self.generation else None,
            version=health.get("version"),
            capabilities=capabilities_of(health),
            missing=generation.missing,
            broken=generation.broken,
            ignored=generation.ignored,
        )

    def _passed_over(self, operation: Operation[Any]) -> list[tuple[str, str]]:
        return [] if self.generation is None else list(passed_over(operation, self.generation))


def capabilities_of(health: Mapping[str, Any]) -> tuple[str, ...]:
    """What a health answer lists, whatever its shape."""
    listed = health.get("capabilities")
    return tuple(map(str, listed)) if isinstance(listed, list) else ()
