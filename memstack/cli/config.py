"""`memstack config`: names for MemStacks, with where their keys are."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict, replace
from typing import Annotated

import typer

from memstack.exceptions import AuthenticationError, ValidationError

from .commands import AsJson, Yes, asking, command, confirm, group
from .output import print_json, say, table, tell
from .profiles import Profile, Profiles, config_path

__all__ = ["app"]

Name = Annotated[str, typer.Argument(metavar="NAME", help="The profile.")]

app = group(
    "Profiles, names for MemStacks: set, use, list, remove.\n\n"
    "With one, --profile NAME or nothing says which MemStack is meant. They are in a TOML file, "
    "without keys: a key is in the environment or in the system keyring."
)


@command(
    app,
    "set",
    "memstack config set work --url https://memstack.example.com --key-env WORK_KEY",
    "memstack config set notes --local notes.db",
    "memstack config set work --timeout 30",
)
def _set(
    name: Name,
    url: Annotated[str | None, typer.Option(metavar="URL", help="A server.")] = None,
    local: Annotated[str | None, typer.Option(metavar="FILE", help="A MemStack file.")] = None,
    key_env: Annotated[
        str | None,
        typer.Option(
            metavar="VARIABLE",
            help="The variable that has the key; MEMSTACK_API_KEY if not given.",
        ),
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Seconds that an attempt may take.")
    ] = None,
) -> None:
    """Make a profile, or change what is given of one.

    The first one becomes the default.
    """
    profiles = Profiles(config_path())
    is_first = not profiles.all
    profile = profiles.all.get(name, Profile())
    if url is not None:
        profile = replace(profile, url=url, local=local)
    if local is not None:
        path = os.path.abspath(os.path.expanduser(local))
        profile = replace(profile, local=path, url=url, key_env=None, keyring=False, timeout=None)
    if key_env is not None:
        profile = replace(profile, key_env=key_env, keyring=False)
    if timeout is not None:
        profile = replace(profile, timeout=timeout)
    if profile.url is None and profile.local is None:
        raise ValidationError(f"profile {name!r} is new: give --url URL or --local FILE")
    profiles.put(name, profile)
    if is_first:
        profiles.use(name)
    profiles.save()
    tell(f"profile {name!r} is in {profiles.path}{', the default' * is_first}")


@command(
    app, "set-key", "memstack config set-key work", "pass memstack | memstack config set-key work"
)
def _set_key(name: Name) -> None:
    """Keep a profile's key in the system keyring.

    It is asked for, without an echo, or read from stdin.
    """
    from memstack._settings import check_key

    from .keyrings import keep_key

    profiles = Profiles(config_path())
    profile = profiles.get(name)
    if profile.url is None:
        raise ValidationError(f"profile {name!r} is a local file, which needs no key")
    if sys.stdin.isatty():
        with asking():
            key = typer.prompt("API key", hide_input=True, err=True)
    else:
        key = sys.stdin.readline()
    key = key.strip()
    if not key:  # The rule of the client names what it takes, which is not stdin.
        raise AuthenticationError("no key was given: type it, or pipe it in")
    check_key(key)
    keep_key(name, key)
    profiles.put(name, replace(profile, keyring=True, key_env=None))
    profiles.save()
    tell(f"the key of profile {name!r} is in the system keyring")


@command(app, "use", "memstack config use work")
def _use(name: Name) -> None:
    """Make a profile the default.

    It is for commands that name no MemStack.
    """
    profiles = Profiles(config_path())
    profiles.use(name)
    profiles.save()
    tell(f"profile {name!r} is the default")


@command(app, "list", "memstack config list", "memstack config list --json")
def _list(json: AsJson = False) -> None:
    """List the profiles."""
    profiles = Profiles(config_path())
    if json:
        print_json(
            {
                "path": str(profiles.path),
                "default": profiles.default,
                "profiles": {name: asdict(profile) for name, profile in profiles.all.items()},
            }
        )
        return
    table(
        [("", "id"), ("name", "id"), ("MemStack", "wrap"), ("key from", "id"), ("timeout", "id")],
        [
            (
                "*" if name == profiles.default else "",
                name,
                profile.url or profile.local or "",
                profile.key_source or "",
                "" if profile.timeout is None else f"{profile.timeout:g} s",
            )
            for name, profile in profiles.all.items()
        ],
    )
    if not profiles.all:
        tell("no profiles; `memstack config set` makes one")


@command(app, "remove", "memstack config remove work", "memstack config remove work --yes")
def _remove(name: Name, yes: Yes = False) -> None:
    """Remove a profile, and its key from the system keyring."""
    profiles = Profiles(config_path())
    profile = profiles.get(name)
    confirm(f"Remove profile {name!r}?", yes)
    if profile.keyring:
        from .keyrings import forget_key

        forget_key(name)
    profiles.remove(name)
    profiles.save()
    tell("removed")


@command(app, "path", "memstack config path", 'cat "$(memstack config path)"')
def _path() -> None:
    """Print where the profiles are.

    MEMSTACK_CONFIG chooses another file.
    """
    say(str(config_path()))
