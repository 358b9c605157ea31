"""`memstack episode`: store, list, get and delete episodes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from .commands import AsJson, Limit, Offset, Yes, command, confirm, group, text_of
from .output import counted, cut, moment, print_json, say, table, tell, with_content
from .places import Place

__all__ = ["app"]

# As in models, whose import costs that of pydantic: a test compares them.
SourceType = Literal["text", "json", "document", "api", "conversation"]

Project = Annotated[str | None, typer.Option(metavar="ID", help="Only of this project.")]
Tenant = Annotated[str | None, typer.Option(metavar="ID", help="Only of this tenant.")]
User = Annotated[str | None, typer.Option(metavar="ID", help="Only about this user.")]
Name = Annotated[str, typer.Argument(help="The name of the episode.")]

app = group("Episodes, what happened: store, list, get, delete.")


@command(
    app,
    "add",
    'memstack episode add Trip "We hiked in Yosemite." --group-id holidays',
    "memstack episode add Plan - < plan.md",
    'memstack episode add Trip "..." --metadata \'{"place": "Yosemite"}\'',
)
def _add(
    place: Place,
    name: Annotated[str, typer.Argument(help="What to call it.")],
    content: Annotated[str, typer.Argument(help="What happened; - for what stdin has.")],
    source_type: Annotated[SourceType, typer.Option(help="What kind of material it is.")] = "text",
    source_description: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Where it comes from, in words.")
    ] = None,
    group_id: Annotated[
        str | None,
        typer.Option(metavar="ID", help="What it belongs to, such as a conversation."),
    ] = None,
    metadata: Annotated[
        str | None, typer.Option(metavar="JSON", help="Facts of your own, as a JSON object.")
    ] = None,
    project_id: Annotated[
        str | None, typer.Option(metavar="ID", help="The project it belongs to.")
    ] = None,
    tenant_id: Annotated[
        str | None, typer.Option(metavar="ID", help="The tenant it belongs to.")
    ] = None,
    user_id: Annotated[str | None, typer.Option(metavar="ID", help="The user it is about.")] = None,
    valid_at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="When it happened, as in 2026-05-01T09:30:00Z."),
    ] = None,
    idempotency_key: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="A value that makes a repeated call store it once."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Store an episode."""
    from .values import moment_of, object_of

    more: dict[str, Any] = {
        "metadata": object_of("--metadata", metadata),
        "valid_at": moment_of("--valid-at", valid_at),
    }
    with place.client(may_be_new=True) as client:
        made = client.create_episode(
            name,
            text_of(content),
            source_type,
            source_description,
            group_id,
            project_id=project_id,
            tenant_id=tenant_id,
            user_id=user_id,
            idempotency_key=idempotency_key,
            **more,
        )
    if json:
        print_json(made)
    else:
        say(f"{made.id}  {made.status}")


@command(
    app,
    "list",
    "memstack episode list",
    "memstack episode list --limit 200 --offset 200 --json",
    "memstack episode list --user-id alice",
)
def _list(
    place: Place,
    limit: Limit = 50,
    offset: Offset = 0,
    project_id: Project = None,
    tenant_id: Tenant = None,
    user_id: User = None,
    json: AsJson = False,
) -> None:
    """List episodes, newest first."""
    with place.client() as client:
        page = client.list_episodes(
            limit, offset, project_id=project_id, tenant_id=tenant_id, user_id=user_id
        )
    if json:
        print_json(page)
        return
    table(
        [
            ("created", "id"),
            ("status", "id"),
            ("group", "cut"),
            ("name", "cut"),
            ("content", "cut"),
        ],
        [
            (moment(e.created_at), e.status, e.group_id or "", cut(e.name), cut(e.content))
            for e in page.episodes
        ],
    )
    more = f"; --offset {offset + limit} for the next" if page.has_more else ""
    tell(f"{len(page.episodes):,} of {counted(page.total, 'episode')}{more}")


@command(app, "get", "memstack episode get Trip", "memstack episode get Trip --json")
def _get(place: Place, name: Name, json: AsJson = False) -> None:
    """Show the newest episode of a name."""
    with place.client() as client:
        episode = client.get_episode(name)
    if json:
        print_json(episode)
    else:
        with_content(episode)


@command(app, "delete", "memstack episode delete Trip", "memstack episode delete Trip --yes")
def _delete(place: Place, name: Name, yes: Yes = False) -> None:
    """Delete every episode of a name."""
    chosen = place.chosen()
    with chosen.client() as client:
        confirm(f"Delete every episode named {name!r} from {chosen}?", yes)
        client.delete_episode(name)
    tell("deleted")
