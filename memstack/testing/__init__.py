"""For tests of code that uses MemStack: a server in memory that fails as the test says.

With pytest, the fixtures `memstack_server`, `memstack_client` and `memstack_async_client` are there
once this package is installed. docs/testing.md shows them.
"""

from .recording import vcr_config
from .server import MemStackServer, SentRequest

__all__ = ["MemStackServer", "SentRequest", "vcr_config"]
