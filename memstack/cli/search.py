"""`memstack search`: find what is remembered."""

from __future__ import annotations

from typing import Annotated

import typer

from .commands import AsJson, command, text_of
from .episodes import Project, Tenant, User
from .output import cut, print_json, table, tell
from .places import Place

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Add the command to *app*."""
    command(
        app,
        "search",
        'memstack search "Where does Alice like to hike?"',
        "memstack search hiking --limit 3 --json",
        "memstack search hiking --filter group_id=holidays --filter metadata.n:=1",
    )(_search)


def _search(
    place: Place,
    query: Annotated[
        str, typer.Argument(metavar="QUERY", help="What to look for; - for what stdin has.")
    ],
    limit: Annotated[int, typer.Option(metavar="N", help="Most results.", min=1, max=100)] = 10,
    filters: Annotated[
        list[str] | None,
        typer.Option(
            "--filter",
            metavar="NAME=TEXT",
            help="Only what has this value; may be repeated. NAME is group_id, project_id, "
            "tenant_id, user_id, source_type, name, metadata.KEY, or date_from or date_to for a "
            "span of time; NAME:=JSON is for what is no text.",
        ),
    ] = None,
    project_id: Project = None,
    tenant_id: Tenant = None,
    user_id: User = None,
    json: AsJson = False,
) -> None:
    """Find memories, best first."""
    from .values import filters_of

    with place.client() as client:
        found = client.search_memory(
            text_of(query),
            limit,
            tenant_id,
            filters_of(filters or []),
            project_id=project_id,
            user_id=user_id,
        )
    if json:
        print_json(found)
        return
    table(
        [("score", "id"), ("type", "id"), ("name", "cut"), ("content", "wrap")],
        [
            (
                "" if result.score is None else f"{result.score:.3g}",
                result.type,
                cut(str(result.metadata.get("name") or "")),
                cut(result.content),
            )
            for result in found.results
        ],
    )
    tell(f"{len(found.results):,} of {found.total:,} found")
