"""The API calls, described and not made: each function checks its arguments and gives an Operation.

The clients' methods are these functions, bound: `client.get_memo(id)` is
`client.send(operations.get_memo(id))`. Whoever wants to send an operation in another way, keep it
for later or look at it first, calls the function and then `client.send` or `client.send_raw`.

This package is the only one that knows the generated code. It uses the request builders and the
body models, and not the calls: those raise bare errors for a status they do not know and return
documented errors as if they were results. `_get_kwargs` has a private name but has been the
generator's one builder since 2020, and a release of the generator is pinned.
"""

from ._operation import Operation
from .episodes import create_episode, delete_episode, get_episode, list_episodes
from .health import health_check
from .keys import create_api_key, list_api_keys, revoke_api_key
from .memory import search_memory
from .memos import create_memo, delete_memo, get_memo, list_memos, update_memo

__all__ = [
    "Operation",
    "create_api_key",
    "create_episode",
    "create_memo",
    "delete_episode",
    "delete_memo",
    "get_episode",
    "get_memo",
    "health_check",
    "list_api_keys",
    "list_episodes",
    "list_memos",
    "revoke_api_key",
    "search_memory",
    "update_memo",
]
