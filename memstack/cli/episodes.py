"""`memstack episode`: store, list, get and delete episodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from memstack.exceptions import ProcessingError, ValidationError

from .commands import (
    AsJson,
    Everything,
    Offset,
    Yes,
    check_all,
    command,
    confirm,
    group,
    one_of,
    text_of,
)
from .output import counted, cut, moment, print_json, print_rows, say, table, tell, with_content
from .places import Place

if TYPE_CHECKING:
    from memstack.models import Episode, EpisodeResponse

__all__ = ["app"]

# As in models and _rules, whose import costs that of pydantic: a test compares them.
SourceType = Literal["text", "json", "document", "api", "conversation"]
MOST = 200

Project = Annotated[str | None, typer.Option(metavar="ID", help="Only of this project.")]
Tenant = Annotated[str | None, typer.Option(metavar="ID", help="Only of this tenant.")]
User = Annotated[str | None, typer.Option(metavar="ID", help="Only about this user.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The name of the episode.")]

Limit = Annotated[int, typer.Option(metavar="N", help="Most to list.", min=1, max=MOST)]

_LIMIT = 50
_WAIT: float = 300
_COLUMNS = [
    ("created", "id"),
    ("status", "id"),
    ("group", "cut"),
    ("name", "cut"),
    ("content", "cut"),
]

app = group("Episodes, what happened: store, list, get, delete, wait for.")


@command(
    app,
    "add",
    'memstack episode add Trip "We hiked in Yosemite." --group-id holidays',
    "memstack episode add Plan - < plan.md",
    "memstack episode add Plan - --wait --timeout 60 < plan.md",
    'memstack episode add Trip "..." --metadata \'{"place": "Yosemite"}\'',
)
def _add(
    place: Place,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call it.")],
    content: Annotated[
        str, typer.Argument(metavar="CONTENT", help="What happened; - for what stdin has.")
    ],
    source_type: Annotated[
        SourceType, typer.Option(metavar=one_of(SourceType), help="What kind of material it is.")
    ] = "text",
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
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is processed.")] = False,
    timeout: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="How long to wait; 300 if not given.", min=0),
    ] = None,
    json: AsJson = False,
) -> None:
    """Store an episode."""
    from .values import moment_of, object_of

    if timeout is not None and not wait:
        raise ValidationError("--timeout is for --wait: give both, or none")
    more: dict[str, Any] = {
        "metadata": object_of("--metadata", metadata),
        "valid_at": moment_of("--valid-at", valid_at),
    }
    with place.client(may_be_new=True) as client:
        try:
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
                wait=wait if timeout is None else timeout,
                **more,
            )
        except ProcessingError as error:
            if error.created is not None:
                _show_made(error.created, json)
            raise
    _show_made(made, json)


def _show_made(made: EpisodeResponse, json: bool) -> None:
    if json:
        print_json(made)
    else:
        say(f"{made.id}  {made.status}")


@command(
    app,
    "list",
    "memstack episode list",
    "memstack episode list --limit 200 --offset 200 --json",
    "memstack episode list --all --json",
    "memstack episode list --user-id alice",
)
def _list(
    place: Place,
    limit: Limit = _LIMIT,
    offset: Offset = 0,
    all: Everything = False,
    project_id: Project = None,
    tenant_id: Tenant = None,
    user_id: User = None,
    json: AsJson = False,
) -> None:
    """List episodes, newest first."""
    scope: dict[str, Any] = {"project_id": project_id, "tenant_id": tenant_id, "user_id": user_id}
    if all:
        check_all(is_default=(limit, offset) == (_LIMIT, 0))
        with place.client() as client:
            print_rows(client.iter_episodes(**scope), _COLUMNS, _cells, "episode", json=json)
        return
    with place.client() as client:
        page = client.list_episodes(limit, offset, **scope)
    if json:
        print_json(page)
        return
    table(_COLUMNS, map(_cells, page.episodes))
    more = f"; --offset {offset + limit} for the next, or --all" if page.has_more else ""
    tell(f"{len(page.episodes):,} of {counted(page.total, 'episode')}{more}")


def _cells(e: Episode) -> tuple[str, ...]:
    return moment(e.created_at), e.status, e.group_id or "", cut(e.name), cut(e.content)


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


@command(
    app,
    "wait",
    "memstack episode wait Trip",
    "memstack episode wait Trip --id 3f2c... --timeout 60 --json",
)
def _wait(
    place: Place,
    name: Name,
    id: Annotated[
        str | None, typer.Option(metavar="ID", help="Its id; the newest of its name without.")
    ] = None,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long to wait.", min=0)
    ] = _WAIT,
    json: AsJson = False,
) -> None:
    """Wait until an episode is processed."""
    with place.client() as client:
        episode = client.wait_for_episode(name, id, timeout=timeout)
    if json:
        print_json(episode)
    else:
        say(episode.status)
