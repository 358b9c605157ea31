"""Which MemStack a command is for: from its options, the environment and the profiles."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memstack.exceptions import AuthenticationError, ValidationError

from .profiles import KEY_VARIABLE, Profile, Profiles, config_path

if TYPE_CHECKING:
    from memstack.client import MemStackClient

__all__ = ["Chosen", "Place", "is_url", "place_of"]


@dataclass(frozen=True)
class Chosen:
    """The MemStack that was chosen, and by what."""

    by: str
    """What chose it, in words."""
    url: str | None
    local: str | None
    """Path of a file; either this or `url` is set."""
    key_source: str
    """Where its key comes from, in words."""
    key: Callable[[], str]
    """Reads the key; an AuthenticationError if it is missing."""
    timeout: float | None = None

    def client(self, *, may_be_new: bool = False, max_retries: int = 3) -> MemStackClient:
        """A client of it.

        Args:
            may_be_new: Whether a file that is not there is made.

        Raises:
            ValidationError: There is no such file, or a setting breaks its rule.
            AuthenticationError: The key is missing, or cannot be one.
        """
        from memstack.client import MemStackClient

        if self.local is not None:
            if not may_be_new and not os.path.isfile(self.local):
                # A typing error is no empty memory.
                if os.path.isdir(self.local):
                    raise ValidationError(f"{self.local!r} is a folder; give the file in it")
                raise ValidationError(
                    f"there is no file {self.local!r}; a server's URL begins with https://"
                )
            return MemStackClient.local(self.local)
        timeout = 60.0 if self.timeout is None else self.timeout
        return MemStackClient(self.key(), self.url, timeout, max_retries)

    def file(self) -> str:
        """The path of its file.

        Raises:
            ValidationError: It is a server.
        """
        if self.local is None:
            raise ValidationError(
                f"{self} is a server, and this command is for a MemStack file: name one"
            )
        return self.local

    def __str__(self) -> str:
        return self.url or self.local or ""


@dataclass(frozen=True)
class Place:
    """What the options of a command say; at most one is set."""

    local: str | None = None
    profile: str | None = None
    url: str | None = None

    def checked(self) -> Place:
        """Itself.

        Raises:
            ValidationError: More than one is set.
        """
        if sum(value is not None for value in (self.local, self.profile, self.url)) > 1:
            raise ValidationError("--local, --profile and --url name one MemStack each: give one")
        return self

    def is_given(self) -> bool:
        """Whether an option says anything."""
        return self != Place()

    def chosen(self) -> Chosen:
        """The MemStack: by an option, MEMSTACK_BASE_URL, the default profile, or the default URL.

        Raises:
            ValidationError: There is no such profile, or the file of profiles is wrong.
        """
        if self.local is not None:
            return _local("--local", self.local)
        if self.url is not None:
            return _server("--url", self.url)
        if self.profile is not None:
            profiles = Profiles(config_path())
            return _of_profile(self.profile, profiles.get(self.profile), "--profile")
        if (url := os.environ.get("MEMSTACK_BASE_URL")) is not None:
            return _server("MEMSTACK_BASE_URL", url)
        profiles = Profiles(config_path())
        if profiles.default is not None:
            default = profiles.default
            return _of_profile(default, profiles.get(default), f"the default in {profiles.path}")
        from memstack._settings import DEFAULT_BASE_URL

        return _server("nothing: this is the default", DEFAULT_BASE_URL)

    def client(self, *, may_be_new: bool = False, max_retries: int = 3) -> MemStackClient:
        """A client of it; see `Chosen.client`."""
        return self.chosen().client(may_be_new=may_be_new, max_retries=max_retries)


def place_of(text: str, variable: str = KEY_VARIABLE) -> Chosen:
    """The MemStack that an argument names: a file, an http(s) URL, or `@` and a profile.

    Args:
        variable: Has the key of a URL.
    """
    if text.startswith("@"):
        return _of_profile(text[1:], Profiles(config_path()).get(text[1:]), f"argument {text}")
    return _server("an argument", text, variable) if is_url(text) else _local("an argument", text)


def is_url(text: str) -> bool:
    """Whether *text* names a server."""
    return text.lower().startswith(("http://", "https://"))


def _local(by: str, path: str) -> Chosen:
    def no_key() -> str:
        raise AuthenticationError("an embedded MemStack has no API key to bring")

    return Chosen(by, None, path, "none needed", no_key)


def _server(
    by: str, url: str, variable: str = KEY_VARIABLE, timeout: float | None = None
) -> Chosen:
    from memstack._settings import base_url_of

    base_url = base_url_of(url)

    def key() -> str:
        value = os.environ.get(variable)
        if not value:  # The client would take another variable.
            raise AuthenticationError(
                f"no API key for {base_url}: set {variable}; --local FILE needs none"
            )
        return value

    return Chosen(by, base_url, None, variable, key, timeout)


def _of_profile(name: str, profile: Profile, by: str) -> Chosen:
    by = f"profile {name!r}, {by}"
    if profile.local is not None:
        return _local(by, profile.local)
    assert profile.url is not None
    if not profile.keyring:
        variable = profile.key_env or KEY_VARIABLE
        return _server(by, profile.url, variable, profile.timeout)

    def key() -> str:
        from .keyrings import kept_key

        return kept_key(name)

    return Chosen(by, profile.url.rstrip("/"), None, "keyring", key, profile.timeout)
