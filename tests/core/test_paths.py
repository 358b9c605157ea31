"""Where a path parameter leads, once servers, proxies and URL libraries have read it."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import httpx
import pytest
from hypothesis import example, given, strategies as st

from memstack import ValidationError, operations
from memstack.operations import Operation

TAKES_SEGMENT: list[tuple[Callable[[str], Operation[Any]], str]] = [
    (operations.get_episode, "/api/v1/episodes/"),
    (operations.delete_episode, "/api/v1/episodes/"),
    (operations.get_memo, "/api/v1/memos/"),
    (operations.update_memo, "/api/v1/memos/"),
    (operations.delete_memo, "/api/v1/memos/"),
    (operations.revoke_api_key, "/api/v1/auth/keys/"),
]
BASES = ["http://memstack.test", "https://memstack.test:8443/mounted/here"]

ODD = st.sampled_from(["/", "\\", ".", "..", ";", "?", "#", "%", "%2f", "%2e", "@", ":", "//", "~"])
NAMES = st.one_of(
    st.text(st.characters(exclude_categories=())),
    st.lists(st.one_of(ODD, st.text(max_size=3)), min_size=1, max_size=6).map("".join),
)


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize(("build", "prefix"), TAKES_SEGMENT)
@given(name=NAMES)
@example(name="..")
@example(name="%2e%2e")
@example(name="..;")
@example(name=".%2e/")
@example(name="\\..\\keys")
@example(name="m1?admin=1#")
@example(name="@evil.test")
@example(name=":80")
@example(name="．．／")  # full width, which normalisation makes two dots and a slash
def test_stays_one_segment_below_its_own_path(
    build: Callable[[str], Operation[Any]], prefix: str, base: str, name: str
) -> None:
    """For urllib, for httpx, and for a server that decodes before it looks."""
    try:
        operation = build(name)
    except ValidationError:
        return

    for moved in (False, True):
        path = operation.path_at(moved)
        below = prefix
        if moved and operation.moves is not None:
            below = operation.moves[1] + prefix.removeprefix(operation.moves[0])
        url = base + path
        root = urlsplit(base).path
        split = urlsplit(url)
        assert (split.netloc, split.path) == (urlsplit(base).netloc, root + path)
        assert (split.query, split.fragment) == ("", "")
        assert urljoin(f"{base}/", url) == urljoin(url, path.rpartition("/")[2]) == url
        assert str(httpx.URL(url)) == url
        assert httpx.URL(url).raw_path.decode() == root + path
        assert httpx.URL(base).join(url).raw_path.decode() == root + path
        decoded = unquote(path)
        assert decoded == below + name
        assert posixpath.normpath(decoded) == decoded
        assert posixpath.dirname(decoded) + "/" == below


@pytest.mark.parametrize(
    "value", ["a/../b", "a/b", "..", ".", "", "a\\b", "\\", "/", "..\\", "a\0"]
)
@pytest.mark.parametrize(("build", "prefix"), TAKES_SEGMENT)
def test_refuses_what_would_be_another_path(
    build: Callable[[str], Operation[Any]], prefix: str, value: str
) -> None:
    """Encoded it would look harmless, but servers decode before they route."""
    with pytest.raises(ValidationError):
        build(value)
