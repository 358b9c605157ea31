"""Walks through the lists of a server to their end, though rows come and go meanwhile.

A list is asked for by how many rows to pass over, newest first. A row that is stored meanwhile
pushes the others on, so some come twice; one that is deleted pulls them back, so some would be
missed. So each page begins with rows that the one before it had: where none of them is there any
more, the walk goes back. What is stored after the walk began may be missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from memstack import operations
from memstack._rows import Row
from memstack._server import ServerInfo
from memstack.local.rows import Kind
from memstack.operations import Operation

from .lines import fields_of
from .running import AnyClient, Call, Steps
from .spool import Spool

__all__ = ["walk"]

_PAGE = 200  # the most that every list gives
_OVERLAP = 20
_STUCK = 3
"""Pages without a new row after which a list is taken for one that always begins at the same."""

_LISTS: Mapping[Kind, Callable[[int, int], Operation[Any]]] = {
    "episode": operations.list_episodes,
    "memo": operations.list_memos,
}


def walk(client: AnyClient, info: ServerInfo, kind: Kind, spool: Spool) -> Steps[str | None]:
    """Puts all rows of a list into *spool*; what it cannot show of them, None if nothing.

    Raises:
        MemStackError: The server did not show them.
    """
    one_page = "offset" in info.ignored.get(f"list_{kind}s", {})
    offset = stuck = 0
    while True:
        response = yield Call(client, "send_raw", (_LISTS[kind](_PAGE, offset),))
        page: Sequence[Row] = response.result.episodes if kind == "episode" else response.result
        rows = [fields_of(row) for row in page]
        if offset and not spool.has_any(kind, rows):
            offset = max(0, offset - _PAGE // 2)
            continue
        fresh = spool.add(kind, rows)
        if one_page:
            return _cut(kind, len(page)) if len(page) >= _PAGE else None
        if not page or getattr(response.result, "has_more", None) is False:
            return None
        if not fresh and len(page) <= _OVERLAP:
            return None  # The end, whatever the length of a page is.
        stuck = 0 if fresh else stuck + 1
        if stuck == _STUCK:
            return _cut(kind, len(page))
        offset += max(1, len(page) - _OVERLAP)


def _cut(kind: Kind, rows: int) -> str:
    return (
        f"the server lists its newest {rows} {kind}s and no others: any older ones are missing "
        "here, and cannot be compared"
    )
