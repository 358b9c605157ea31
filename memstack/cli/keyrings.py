"""The system keyring, through the package keyring: it keeps the keys of profiles."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from memstack.exceptions import AuthenticationError, MemStackError, ValidationError

__all__ = ["forget_key", "keep_key", "kept_key"]

_SERVICE = "memstack"


def kept_key(profile: str) -> str:
    """The key of *profile*.

    Raises:
        AuthenticationError: The keyring has none.
        MemStackError: There is no keyring, or it cannot be used.
    """
    with _keyring() as keyring:
        key: str | None = keyring.get_password(_SERVICE, profile)
    if not key:
        raise AuthenticationError(
            f"the keyring has no key for profile {profile!r}: run `memstack config set-key "
            f"{profile}`"
        )
    return key


def keep_key(profile: str, key: str) -> None:
    """Keep *key* for *profile*, in place of one that may be there.

    Raises:
        MemStackError: There is no keyring, or it cannot be used.
    """
    with _keyring() as keyring:
        keyring.set_password(_SERVICE, profile, key)


def forget_key(profile: str) -> None:
    """Take the key of *profile* out of the keyring.

    Raises:
        MemStackError: There is no keyring, or it cannot be used.
    """
    with _keyring() as keyring:
        if keyring.get_password(_SERVICE, profile) is not None:
            keyring.delete_password(_SERVICE, profile)


@contextmanager
def _keyring() -> Iterator[Any]:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        raise ValidationError(
            "a key in the system keyring needs the package keyring: "
            "pip install 'memstack-sdk[keyring]', or name a variable with --key-env"
        ) from None
    try:
        yield keyring
    except KeyringError as error:
        # Its text is the backend's, and could hold anything.
        raise MemStackError(
            f"the system keyring cannot be used ({type(error).__name__}): unlock it, or name a "
            "variable with `memstack config set --key-env`"
        ) from None
