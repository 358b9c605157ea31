"""The embedded MemStack: the whole API in this process, over SQLite, without a network."""

from memstack.local.embedding import Embedder
from memstack.local.server import EmbeddedServer
from memstack.local.transports import AsyncLocalTransport, LocalTransport
from memstack.local.upkeep import (
    Compacted,
    GroupStats,
    Stats,
    TableStats,
    backup,
    compact,
    forget_vectors,
    stats,
)

__all__ = [
    "AsyncLocalTransport",
    "Compacted",
    "EmbeddedServer",
    "Embedder",
    "GroupStats",
    "LocalTransport",
    "Stats",
    "TableStats",
    "backup",
    "compact",
    "forget_vectors",
    "stats",
]
