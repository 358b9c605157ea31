"""Reads an answer: its body into a model, or its status into a typed error."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import timezone
from functools import cache
from http import HTTPStatus
from types import NoneType
from typing import Any, TypeVar
from urllib.parse import SplitResult, urljoin, urlsplit

import pydantic
from pydantic_core import from_json

from ._older import in_todays_shape
from ._wire import WireResponse
from .exceptions import APIError, ResponseValidationError, UnsupportedOperationError

T = TypeVar("T")

MAX_DETAIL = 200
"""Characters of a server's text in a message; deployed servers put whole SQL statements there."""

_HINTS = {
    401: "check the API key (api_key= or MEMSTACK_API_KEY)",
    403: "use an API key that has the permission",
}


def read_answer(
    response: WireResponse, answer: type[T], facts: Mapping[str, Any], *, limit: int | None = None
) -> T:
    """The body of a successful *response*, of which *limit* bytes were read, as *answer*.

    Raises:
        ResponseValidationError: The body is not what the API promises; with *facts* and the body.
    """
    if answer is NoneType:
        return None  # type: ignore[return-value]
    if response.is_cut:
        fault = f"a body of more than max_response_bytes ({limit}), the beginning of which"
        raise _unread(response, facts, f"{fault} is in .content")
    try:
        result: T = _validated(answer, response.body)
        return result
    except pydantic.ValidationError as error:
        # The error of pydantic quotes the body, which may hold a key: `from None`, and only the
        # places and rules go on.
        broken = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}"
            for e in error.errors(include_input=False, include_url=False)[:3]
        )
        fault = f"a body that is not what the API promises ({broken[:MAX_DETAIL]})"
        raise _unread(response, facts, f"{fault}; the raw body is in .content") from None


def _unread(
    response: WireResponse, facts: Mapping[str, Any], fault: str
) -> ResponseValidationError:
    return ResponseValidationError(
        f"{response.status} with {fault} "
        f"[{facts['method']} {facts['path']}, request id {facts['request_id']}]",
        status_code=response.status,
        headers=response.headers,
        content=response.body,
        **{**facts, "outcome": "applied"},
    )


def _validated(answer: Any, body: bytes) -> Any:
    adapter = _adapter(answer)
    try:
        return adapter.validate_json(body)
    except pydantic.ValidationError as error:
        if any(fault["type"] == "json_invalid" for fault in _faults(error)):
            raise
    data = in_todays_shape(answer, from_json(body))
    try:
        return adapter.validate_python(data)
    except pydantic.ValidationError as error:
        if not _sets_aside_unreadable(data, error):
            raise
    return adapter.validate_python(data)


def _sets_aside_unreadable(data: Any, error: pydantic.ValidationError) -> bool:
    """Whether *data* has each unreadable time or number as null now, and it in `unparsed`.

    Not if anything else is wrong. Where null is not allowed, the next reading fails. So one odd
    time does not cost the whole answer: v0.2 servers list times as a database's internals.
    """
    faults = _faults(error)
    if not all(fault["type"].startswith(("datetime", "float", "finite")) for fault in faults):
        return False
    for fault in faults:
        *path, field = fault["loc"]
        parent = data
        try:
            for part in path:
                parent = parent[part]
            raw = parent[field]
        except (KeyError, TypeError):  # the models read it under another name
            return False
        kept = parent.setdefault("unparsed", {})
        if not isinstance(kept, dict):  # the server's own word for something else
            return False
        parent[field], kept[field] = None, raw
    return True


def _faults(error: pydantic.ValidationError) -> list[Any]:
    return error.errors(include_url=False, include_context=False)


@cache
def _adapter(answer: Any) -> pydantic.TypeAdapter[Any]:
    return pydantic.TypeAdapter(answer)


def error_of(
    response: WireResponse, facts: Mapping[str, Any], *, now: float, redirects: int = 0
) -> APIError:
    """The error that a *response* that is not a success stands for.

    Args:
        response: The answer; its status is not 2xx.
        facts: What every error of the call has: method, path, request_id, attempts, outcome.
        now: Seconds since 1970 on our clock, for a `Retry-After` date without a `Date`.
        redirects: How many were followed.
    """
    status = response.status
    kind = APIError.class_for(status)
    body = _parsed(response.body)
    detail = _detail(body)
    if is_no_route(response):
        kind = UnsupportedOperationError
        detail = "this server does not have the operation; or check base_url"
    elif status == 404 and not isinstance(body, dict):
        detail = "no answer of MemStack; check base_url, and what is between"
    if 300 <= status < 400:
        place = response.headers.get("location", "elsewhere")
        others = f" after {redirects} others" if redirects else ""
        detail = f"redirects to {place[:MAX_DETAIL]}, which is not followed{others}; set base_url"
    hint = _HINTS.get(status)
    message = f"{status} {_phrase(status)}".rstrip()
    message += f": {detail}" if detail else ""
    message += f"; {hint}" if hint else ""
    return kind(
        f"{message} [{facts['method']} {facts['path']}, request id {facts['request_id']}]",
        status_code=status,
        headers=response.headers,
        content=response.body,
        response_body=body,
        retry_after=retry_after(response.headers, now=now),
        **facts,
    )


def redirect_of(response: WireResponse, method: str, url: str) -> str | None:
    """The target on the origin of *url* to which *response* sends the request; None for none.

    307 and 308 ask for the same request again. 301 and 302 would turn a POST into a GET, so only
    a GET follows them. RFC 9110 15.4.
    """
    kept = response.status in (307, 308) or (response.status in (301, 302) and method == "GET")
    place = response.headers.get("location")
    if not kept or place is None or not _LOCATION.fullmatch(place):
        return None
    try:
        here, there = urlsplit(url), urlsplit(urljoin(url, place))
        same = _origin(here) == _origin(there) and "@" not in there.netloc
    except ValueError:  # a port that is none
        return None
    target = there.path or "/"
    return (f"{target}?{there.query}" if there.query else target) if same else None


_LOCATION = re.compile(r"[\x21-\x7e]+")
_PORTS = {"http": 80, "https": 443}


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or _PORTS.get(url.scheme)


def is_no_route(response: WireResponse) -> bool:
    """Whether the server has nothing at the path; a thing that is not found has another text."""
    return response.status == 404 and _parsed(response.body) == {"detail": "Not Found"}


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:  # 520 to 530 of a proxy, 599 and the like are no part of the standard
        return ""


def _parsed(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")


def _detail(body: Any) -> str:
    """What a server says went wrong, in one short line; empty if it says nothing readable."""
    if isinstance(body, dict):
        body = body.get("detail", "")
    if isinstance(body, list):
        body = "; ".join(_rule(item) for item in body[:3])
    if not isinstance(body, str) or body.lstrip().startswith("<"):  # a page of HTML
        return ""
    # A half surrogate pair, which JSON may hold, could not be printed.
    text = " ".join(body.encode("utf-8", "backslashreplace").decode().split())
    return text[:MAX_DETAIL]


def _rule(item: Any) -> str:
    if not isinstance(item, dict):
        return str(item)
    place = item.get("loc")
    where = ".".join(map(str, place)) if isinstance(place, list) else ""
    return f"{where}: {item.get('msg', '')}" if where else str(item.get("msg", ""))


def retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """Seconds that `Retry-After-Ms` or `Retry-After` ask for; None if malformed or not above 0.

    A date counts from the server's own `Date` where it sends one, so that clocks need not agree.
    Source: RFC 9110 10.2.3; the form in milliseconds is a custom of several APIs.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after")
    seconds = _number(text)
    if seconds is not None or text is None:
        return seconds
    until = http_date(text)
    if until is None:
        return None
    since = http_date(headers.get("date"))
    left = until - (now if since is None else since)
    return left if left > 0 else None


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number > 0 else None


def http_date(text: str | None) -> float | None:
    """Seconds since 1970 of an HTTP date; None if there is none or it cannot be read."""
    if text is None:
        return None
    from email.utils import parsedate_to_datetime  # and with it half of the package email

    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:  # "-0000", or the asctime form: both mean UTC in HTTP
        moment = moment.replace(tzinfo=timezone.utc)
    return moment.timestamp()
