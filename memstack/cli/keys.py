"""`memstack key`: make, list and revoke API keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from .commands import AsJson, Yes, command, confirm, group
from .output import counted, fields, moment, print_json, table, tell
from .places import Place

if TYPE_CHECKING:
    from memstack.models import Permission

__all__ = ["app"]

# As in models, whose import costs that of pydantic: a test compares them.
PERMISSIONS = "read|write|admin"

app = group("API keys: make, list, revoke.")


@command(
    app,
    "create",
    "memstack key create laptop --permission read --permission write",
    "memstack key create ci --permission read --expires-in-days 30 --json",
)
def _create(
    place: Place,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call it.")],
    permissions: Annotated[
        list[str],
        typer.Option(
            "--permission",
            metavar=PERMISSIONS,
            help="What it may do; may be repeated.",
        ),
    ],
    expires_in_days: Annotated[
        int | None,
        typer.Option(metavar="N", help="Days until it expires; never if not given.", min=1),
    ] = None,
    json: AsJson = False,
) -> None:
    """Make an API key, and print it.

    This is the only time that it is shown.
    """
    with place.client() as client:
        made = client.create_api_key(name, cast("list[Permission]", permissions), expires_in_days)
    if json:
        print_json(made)
        return
    fields({name: getattr(made, name) for name in ("key_id", "key", "permissions", "expires_at")})
    tell("keep the key now: it is not shown again")


@command(app, "list", "memstack key list", "memstack key list --json")
def _list(place: Place, json: AsJson = False) -> None:
    """List your API keys, without their secrets."""
    with place.client() as client:
        keys = client.list_api_keys()
    if json:
        from .output import as_json

        # Without what a server may show of the key.
        shown: list[dict[str, Any]] = [as_json(key) for key in keys]
        names = list(keys.to_dicts()[0]) if keys else []
        print_json([{name: row[name] for name in names} for row in shown])
        return
    table(
        [("id", "id"), ("name", "cut"), ("may", "cut"), ("created", "id"), ("expires", "id")],
        [
            (
                key.key_id,
                key.name,
                ", ".join(key.permissions),
                moment(key.created_at),
                moment(key.expires_at) or "never",
            )
            for key in keys
        ],
    )
    tell(counted(len(keys), "API key"))


@command(app, "revoke", "memstack key revoke 9b1d...", "memstack key revoke 9b1d... --yes")
def _revoke(
    place: Place,
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The id of the key.")],
    yes: Yes = False,
) -> None:
    """Revoke an API key: it works no longer."""
    chosen = place.chosen()
    with chosen.client() as client:
        confirm(f"Revoke API key {key_id} of {chosen}?", yes)
        client.revoke_api_key(key_id)
    tell("revoked")
