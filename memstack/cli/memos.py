"""`memstack memo`: store, list, get, edit and delete memos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from memstack.exceptions import ValidationError

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
    from memstack.models import Memo

__all__ = ["app"]

# As in models and _rules, whose import costs that of pydantic: a test compares them.
Visibility = Literal["PRIVATE", "PUBLIC"]
MOST = 1000

Id = Annotated[str, typer.Argument(metavar="ID", help="The id of the memo.")]
Who = typer.Option(metavar=one_of(Visibility), help="Who may read it.", case_sensitive=False)
Tags = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="TAG", help="A word to find it by; may be repeated."),
]

Limit = Annotated[int, typer.Option(metavar="N", help="Most to list.", min=1, max=MOST)]

_LIMIT = 20
_COLUMNS = [
    ("id", "id"),
    ("created", "id"),
    ("visible", "id"),
    ("tags", "cut"),
    ("content", "cut"),
]

app = group("Memos, short notes: store, list, get, edit, delete.")


@command(
    app,
    "add",
    'memstack memo add "Ask Alice about the trail map." --tag hiking --tag alice',
    "memstack memo add - < note.txt",
)
def _add(
    place: Place,
    content: Annotated[
        str, typer.Argument(metavar="CONTENT", help="The note; - for what stdin has.")
    ],
    visibility: Annotated[Visibility, Who] = "PRIVATE",
    tags: Tags = None,
    json: AsJson = False,
) -> None:
    """Store a memo."""
    with place.client(may_be_new=True) as client:
        memo = client.create_memo(text_of(content), visibility, tags)
    if json:
        print_json(memo)
    else:
        say(memo.id)


@command(
    app,
    "list",
    "memstack memo list",
    "memstack memo list --limit 100 --json",
    "memstack memo list --all --json",
)
def _list(
    place: Place,
    limit: Limit = _LIMIT,
    offset: Offset = 0,
    all: Everything = False,
    json: AsJson = False,
) -> None:
    """List your memos, newest first."""
    if all:
        check_all(is_default=(limit, offset) == (_LIMIT, 0))
        with place.client() as client:
            print_rows(client.iter_memos(), _COLUMNS, _cells, "memo", json=json)
        return
    with place.client() as client:
        memos = client.list_memos(limit, offset)
    if json:
        print_json(memos)
        return
    table(_COLUMNS, map(_cells, memos))
    more = f"; --offset {offset + limit} for the next, or --all" if memos.is_cut else ""
    tell(f"{counted(len(memos), 'memo')}{more}")


def _cells(m: Memo) -> tuple[str, ...]:
    return m.id, moment(m.created_at), m.visibility, cut(", ".join(m.tags)), cut(m.content)


@command(app, "get", "memstack memo get 3f2c...", "memstack memo get 3f2c... --json")
def _get(place: Place, memo_id: Id, json: AsJson = False) -> None:
    """Show a memo."""
    with place.client() as client:
        memo = client.get_memo(memo_id)
    if json:
        print_json(memo)
    else:
        with_content(memo)


@command(
    app,
    "edit",
    'memstack memo edit 3f2c... --content "Alice has the trail map."',
    "memstack memo edit 3f2c... --tag done --visibility PUBLIC",
    "memstack memo edit 3f2c... --no-tags",
)
def _edit(
    place: Place,
    memo_id: Id,
    content: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The new note; - for what stdin has.")
    ] = None,
    visibility: Annotated[Visibility | None, Who] = None,
    tags: Annotated[
        list[str] | None,
        typer.Option("--tag", metavar="TAG", help="Tags in place of all; may be repeated."),
    ] = None,
    no_tags: Annotated[bool, typer.Option("--no-tags", help="Remove all tags.")] = False,
    json: AsJson = False,
) -> None:
    """Change a memo; what is not given stays as it is."""
    if tags and no_tags:
        raise ValidationError("--tag and --no-tags exclude each other")
    new_tags = [] if no_tags else tags or None
    if content is None and visibility is None and new_tags is None:
        raise ValidationError("nothing to change: give --content, --visibility, --tag or --no-tags")
    with place.client() as client:
        text = None if content is None else text_of(content)
        memo = client.update_memo(memo_id, text, visibility, new_tags)
    if json:
        print_json(memo)
    else:
        tell("changed")


@command(app, "delete", "memstack memo delete 3f2c...", "memstack memo delete 3f2c... --yes")
def _delete(place: Place, memo_id: Id, yes: Yes = False) -> None:
    """Delete a memo."""
    chosen = place.chosen()
    with chosen.client() as client:
        confirm(f"Delete memo {memo_id} from {chosen}?", yes)
        client.delete_memo(memo_id)
    tell("deleted")
