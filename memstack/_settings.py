"""What a client is set to: checked once, then frozen."""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from ._history import AttemptHook
from ._rules import KEY, KEY_PREFIX
from ._version import __version__
from .exceptions import AuthenticationError, ValidationError

OnUnsupported = Literal["warn", "raise", "ignore"]
ApiKey = str | Callable[[], str | Awaitable[str]]
"""A key, or what gives the one of the hour; only an asynchronous client awaits it."""

MAX_SECONDS = 1e9  # sockets and locks overflow at about 9.2e9
DEFAULT_BASE_URL = "http://localhost:8000"
MAX_RESPONSE_BYTES = 104_857_600  # 100 MiB: a thousand results of 100 KB each

# What the client sets itself. Whoever sends another key names it with api_key=.
_RESERVED = frozenset(
    {"authorization", "content-type", "content-length", "host", "transfer-encoding"}
    | {"idempotency-key", "x-retry-count"}
)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 5.6.2
_VISIBLE = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True)
class Settings:
    """Durations are in seconds. The repr holds no secret."""

    api_key: ApiKey = field(repr=False)
    base_url: str
    timeout: float | None = 60.0
    max_retries: int = 3
    retry_delay: float = 1.0
    deadline: float | None = None
    max_retry_after: float = 60.0
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Extra headers, names in lower case."""
    on_unsupported: OnUnsupported = "warn"
    settle_grace: float = 2.0
    retry_unsafe: bool = False
    max_response_bytes: int | None = MAX_RESPONSE_BYTES
    on_attempt: AttemptHook | None = field(default=None, repr=False)
    root: str = ""
    """The path of `base_url`, below which the API is."""

    @classmethod
    def resolve(cls, *, api_key: ApiKey | None, base_url: str | None, **rest: Any) -> Settings:
        """Settings from arguments, and from the environment where an argument is None.

        Raises:
            AuthenticationError: The key is missing or cannot be one.
            ValidationError: Another setting breaks its rule.
        """
        key = os.environ.get("MEMSTACK_API_KEY") if api_key is None else api_key
        url = os.environ.get("MEMSTACK_BASE_URL") if base_url is None else base_url
        base = base_url_of(DEFAULT_BASE_URL if url is None else url)
        return cls._checked(api_key=key, base_url=base, root=urlsplit(base).path, **rest)

    @classmethod
    def _checked(cls, *, api_key: Any, headers: Any, **rest: Any) -> Settings:
        _check_key_or_function(api_key)
        check_number("timeout", rest["timeout"], above_0=True, or_none=True)
        check_number("deadline", rest["deadline"], above_0=True, or_none=True)
        check_number("retry_delay", rest["retry_delay"])
        check_number("max_retry_after", rest["max_retry_after"])
        check_number("settle_grace", rest["settle_grace"])
        if not isinstance(rest["retry_unsafe"], bool):
            raise ValidationError("retry_unsafe: must be True or False")
        if rest["on_attempt"] is not None and not callable(rest["on_attempt"]):
            raise ValidationError("on_attempt: must be a function, or None")
        _check_count("max_retries", rest["max_retries"])
        if rest["max_response_bytes"] is not None:
            _check_count("max_response_bytes", rest["max_response_bytes"])
        if rest["on_unsupported"] not in get_args(OnUnsupported):
            raise ValidationError("on_unsupported: must be 'warn', 'raise' or 'ignore'")
        return cls(api_key=api_key, headers=_headers_of(headers), **rest)

    def changed(self, headers: Mapping[str, str] | None = None, **changes: Any) -> Settings:
        """A copy with *changes*, checked; *headers* are added to those there are."""
        now = {name: getattr(self, name) for name in self.__dataclass_fields__}
        merged = {**self.headers, **_headers_of(headers)}
        return self._checked(**{**now, **changes, "headers": merged})

    def request_headers(self) -> dict[str, str]:
        """The headers that every request of these settings has, beside the key's."""
        return {
            "accept": "application/json",
            "accept-encoding": "gzip",
            "user-agent": f"memstack-python/{__version__}",
            **self.headers,
        }


def _check_key_or_function(key: Any) -> None:
    if not callable(key):
        check_key(key)


def check_key(key: Any) -> None:
    """Nothing, if *key* can be an API key.

    Raises:
        AuthenticationError: It is missing, or cannot be one.
    """
    if key is None or key == "":
        raise AuthenticationError(
            "no API key: pass api_key= or set MEMSTACK_API_KEY; "
            "MemStackClient.local() needs none and runs without a server"
        )
    if not isinstance(key, str) or not key.startswith(KEY_PREFIX):
        raise AuthenticationError(f"api_key: must be a text that starts with {KEY_PREFIX!r}")
    if not KEY.fullmatch(key):
        raise AuthenticationError(
            f"api_key: must be {KEY_PREFIX!r} and visible ASCII characters; "
            "a line end or a space at its end is the usual cause"
        )


def base_url_of(url: Any) -> str:
    """*url* without a slash at its end, if requests can be sent below it.

    Raises:
        ValidationError: It is no http or https URL, or has parts that a base URL cannot have.
    """

    def refused(rule: str) -> ValidationError:
        return ValidationError(f"base_url: {rule}, such as {DEFAULT_BASE_URL!r}")

    if not isinstance(url, str) or not _VISIBLE.fullmatch(url) or "\\" in url:
        raise refused("must be a URL of visible ASCII characters, without backslash")
    try:
        parts = urlsplit(url)
        has_place = bool(parts.hostname) and parts.port != 0  # .port raises beyond 65535
    except ValueError:
        raise refused("has a host or port that cannot be read; it must be a URL") from None
    if parts.scheme not in ("http", "https") or not has_place:
        raise refused("must be an http:// or https:// URL with a host")
    if "@" in parts.netloc:
        raise refused("must not hold a user or password; it must be a plain URL")
    if "?" in url or "#" in url:
        raise refused("must have no query and no fragment; it must be a plain URL")
    if {".", ".."} & set(parts.path.split("/")):
        raise refused("must have no '.' or '..' in its path; it must be a plain URL")
    if url.rstrip("/").endswith("/api/v1"):
        raise refused("must not end in /api/v1, which each path begins with; it must be the root")
    return url.rstrip("/")


def _check_count(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValidationError(f"{name}: must be a whole number, 0 or more")


def check_number(name: str, value: Any, *, above_0: bool = False, or_none: bool = False) -> None:
    """Nothing, if *value* is a number of seconds.

    Raises:
        ValidationError: It is not, or is out of range.
    """
    if value is None and or_none:
        return
    number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else -1
    if 0 < number <= MAX_SECONDS or (number == 0 and not above_0):
        return
    rule = "above 0" if above_0 else "0 or more"
    more = ", or None for no limit" if or_none else ""
    raise ValidationError(f"{name}: must be a number of seconds, {rule}, to {MAX_SECONDS:g}{more}")


def _headers_of(headers: Any) -> dict[str, str]:
    if headers is None:
        return {}
    if not isinstance(headers, Mapping):
        raise ValidationError("headers: must map names to texts")
    checked = {}
    for name, value in headers.items():
        if not isinstance(name, str) or not _TOKEN.fullmatch(name):
            raise ValidationError("headers: a name is not one that HTTP allows")
        if name.lower() in _RESERVED:
            raise ValidationError(f"headers: {name} is set by the client; use its own argument")
        if not isinstance(value, str) or not re.fullmatch(r"[\x20-\x7e\t]*", value):
            raise ValidationError(f"headers: the value of {name} must be visible ASCII characters")
        checked[name.lower()] = value.strip()
    return checked
