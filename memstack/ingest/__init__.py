"""Many episodes into a MemStack, each of them once: `client.ingest(items)`.

docs/ingest.md tells how to use it, what it guarantees, and what it costs.
"""

from .report import IngestError, IngestOutcome, IngestReport

__all__ = ["IngestError", "IngestOutcome", "IngestReport"]
