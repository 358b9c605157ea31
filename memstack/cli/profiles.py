"""Profiles: names for MemStacks, in a TOML file that holds no key.

default = "work"

[profiles.work]
url = "https://memstack.example.com"
key_env = "WORK_KEY"      # or keyring = true
timeout = 30

[profiles.notes]
local = "/home/me/notes.db"
"""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memstack.exceptions import MemStackError, ValidationError

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

__all__ = ["KEY_VARIABLE", "Profile", "Profiles", "config_path"]

KEY_VARIABLE = "MEMSTACK_API_KEY"

_KINDS: dict[str, tuple[type, ...]] = {
    "url": (str,),
    "local": (str,),
    "key_env": (str,),
    "keyring": (bool,),
    "timeout": (int, float),
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Profile:
    """A MemStack under a name; either `url` or `local` is set."""

    url: str | None = None
    local: str | None = None
    """Path of a file."""
    key_env: str | None = None
    """The variable that has the key of `url`; None for MEMSTACK_API_KEY."""
    keyring: bool = False
    """Whether the system keyring has the key, and no variable."""
    timeout: float | None = None
    """Seconds that an attempt may take; None for the client's default."""

    @property
    def key_source(self) -> str | None:
        """Where its key is, in words; None where it needs none."""
        if self.url is None:
            return None
        return "keyring" if self.keyring else self.key_env or KEY_VARIABLE

    def checked(self) -> Profile:
        """Itself.

        Raises:
            ValidationError: A field breaks its rule, or two do not go together.
        """
        from memstack._settings import MAX_SECONDS, base_url_of

        if (self.url is None) == (self.local is None):
            raise ValidationError("a profile has either a url or a local file")
        if self.url is not None:
            base_url_of(self.url)
        elif self.keyring or self.key_env is not None:
            raise ValidationError("a local file needs no key: leave out key_env and keyring")
        if self.keyring and self.key_env is not None:
            raise ValidationError("the key is either in the keyring or in key_env, not in both")
        if self.key_env is not None and not _VARIABLE.fullmatch(self.key_env):
            raise ValidationError("key_env must be the name of a variable, such as WORK_KEY")
        if self.timeout is not None and not 0 < self.timeout <= MAX_SECONDS:
            raise ValidationError(f"timeout must be seconds, above 0, to {MAX_SECONDS:g}")
        return self


def config_path() -> Path:
    """The file: MEMSTACK_CONFIG, or `config.toml` where this system keeps such."""
    import typer

    return Path(
        os.environ.get("MEMSTACK_CONFIG") or Path(typer.get_app_dir("memstack"), "config.toml")
    )


class Profiles:
    """What the file holds; changed here, and written by `save`."""

    def __init__(self, path: Path) -> None:
        """Read *path*; it need not be there.

        Raises:
            ValidationError: It is not such a file; the message says where. No value is quoted.
        """
        import tomlkit
        from tomlkit.exceptions import TOMLKitError

        self.path = path
        try:
            text = path.read_text("utf-8")
        except FileNotFoundError:
            text = ""
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8"
            raise ValidationError(f"{path} cannot be read: {reason}") from None
        try:
            self._document: TOMLDocument = tomlkit.parse(text)
        except TOMLKitError as error:
            place = f"line {line}" if (line := getattr(error, "line", None)) else "it"
            raise ValidationError(f"{path}: {place} is not TOML") from None
        self.all = self._read(self._document.unwrap())
        self.default: str | None = self._document.unwrap().get("default")
        if self.default is not None and self.default not in self.all:
            raise self._wrong("default", "names no profile that is there")

    def get(self, name: str) -> Profile:
        """The profile *name*.

        Raises:
            ValidationError: There is none.
        """
        if name in self.all:
            return self.all[name]
        there = ", ".join(sorted(self.all)) or "none"
        raise ValidationError(
            f"there is no profile {name!r} in {self.path} (there: {there}); "
            "`memstack config set` makes one"
        )

    def put(self, name: str, profile: Profile) -> None:
        """Set the profile *name*; comments and the order of the file stay.

        Raises:
            ValidationError: The name or the profile breaks a rule.
        """
        import tomlkit

        if not _NAME.fullmatch(name):
            raise ValidationError("a profile's name has letters, digits, `_`, `.` and `-` only")
        self.all[name] = profile.checked()
        profiles = self._document.setdefault("profiles", tomlkit.table(is_super_table=True))
        entry = profiles.setdefault(name, tomlkit.table())
        for field in _KINDS:
            value = getattr(profile, field)
            if value is None or value is False:
                entry.pop(field, None)
            else:
                entry[field] = value

    def remove(self, name: str) -> None:
        """Take the profile *name* out.

        Raises:
            ValidationError: There is none.
        """
        self.get(name)
        del self.all[name]
        del self._document["profiles"][name]
        if self.default == name:
            self.use(None)

    def use(self, name: str | None) -> None:
        """Make *name* the default; None for none.

        Raises:
            ValidationError: There is no such profile.
        """
        if name is None:
            self._document.pop("default", None)
        else:
            self.get(name)
            self._document["default"] = name
        self.default = name

    def save(self) -> None:
        """Write the file, which only its owner can read.

        Raises:
            MemStackError: It cannot be written; the one that was there stays.
        """
        import tomlkit

        text = tomlkit.dumps(self._document)
        target = self.path.resolve()  # a link stays one
        try:
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, new = tempfile.mkstemp(dir=target.parent)  # with mode 0600
            try:
                with open(handle, "w", encoding="utf-8") as file:
                    file.write(text)
                os.replace(new, target)
            except BaseException:
                with suppress(OSError):
                    os.unlink(new)
                raise
        except OSError as error:
            raise MemStackError(f"{self.path} cannot be written: {error.strerror}") from None

    def _read(self, document: dict[str, Any]) -> dict[str, Profile]:
        if set(document) - {"default", "profiles"}:
            raise self._wrong("it", "may hold `default` and `[profiles.NAME]` only")
        if not isinstance(document.get("default", ""), str):
            raise self._wrong("default", "must be the name of a profile")
        profiles = document.get("profiles", {})
        if not isinstance(profiles, dict):
            raise self._wrong("profiles", "must be tables, as in [profiles.work]")
        return {name: self._profile(name, entry) for name, entry in profiles.items()}

    def _profile(self, name: str, entry: Any) -> Profile:
        place = f"profiles.{name}"
        if not isinstance(entry, dict):
            raise self._wrong(place, "must be a table")
        for field, value in entry.items():
            if field not in _KINDS:
                raise self._wrong(
                    f"{place}.{field}",
                    f"is not known; a profile has {', '.join(_KINDS)}, and never a key itself",
                )
            kinds = _KINDS[field]
            if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
                raise self._wrong(f"{place}.{field}", f"must be of type {kinds[-1].__name__}")
        try:
            return Profile(**entry).checked()
        except ValidationError as error:
            raise self._wrong(place, error.message) from None

    def _wrong(self, where: str, rule: str) -> ValidationError:
        return ValidationError(f"{self.path}: {where}: {rule}")
