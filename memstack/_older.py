"""Puts answers of older servers into the shape of today's, for which alone the models are.

Only an answer that could not be read comes here, so that those of today's servers cost nothing.
"""

from __future__ import annotations

from typing import Any

from .models import EpisodePage, MemoryResponse

__all__ = ["in_todays_shape"]


def in_todays_shape(answer: object, data: Any) -> Any:
    """*data* as what *answer* is read from; as it is where nothing is known to be older."""
    items = data.get("results") if isinstance(data, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        return data
    if answer is MemoryResponse:
        return {**data, "results": [_result(item) for item in items]}
    listed = answer is EpisodePage and "episodes" not in data
    if listed and all(isinstance(item.get("metadata"), dict) for item in items):
        # v0.1 lists episodes as it lists what a search found.
        episodes = [{**item["metadata"], "content": item.get("content")} for item in items]
        return {**data, "episodes": episodes}
    return data


def _result(item: dict[str, Any]) -> dict[str, Any]:
    """One thing found: v0.1 has its id in the metadata and calls its type `source`."""
    item = dict(item)
    metadata = item.get("metadata")
    facts = metadata if isinstance(metadata, dict) else {}
    for name, other, inner in (("id", "uuid", "uuid"), ("type", "source", "type")):
        if name not in item and other in item:
            item[name] = item.pop(other)
        elif name not in item and inner in facts:
            item[name] = facts[inner]
    return item
