"""The embedded MemStack: the whole API in this process, over SQLite, without a network."""

from memstack.local.server import EmbeddedServer
from memstack.local.transports import AsyncLocalTransport, LocalTransport

__all__ = ["AsyncLocalTransport", "EmbeddedServer", "LocalTransport"]
