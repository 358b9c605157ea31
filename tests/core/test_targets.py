"""The request target that goes on the wire is the one that httpx would send."""

from __future__ import annotations

import re

import httpx
import pytest
from hypothesis import example, given, settings, strategies as st

from memstack._httpx import url_of

ORIGINS = ["http://memstack.test", "https://[::1]:8443"]
PARTS = ["/", ".", "..", "?", "&", "=", "+", "%", "%2F", "%2f", "%zz", "~", "a", "Z", "_-"]
ODD = ["#", " ", "\\", "'", '"', "<", "é", "\x7f", "@", ":", ";", "[", "|", "\n"]
TARGETS = st.lists(st.sampled_from(PARTS), max_size=8) | st.lists(st.sampled_from(PARTS + ODD))


@pytest.mark.parametrize("origin", ORIGINS)
@settings(max_examples=300)
@given(TARGETS.map(lambda parts: "/" + "".join(parts)))
@example("/api/v1/memos/a%2Fb?limit=5&x=a+b")
@example("/api/../../v1")
@example("/api/v1/.")
@example("/" + "a" * 70_000)
def test_is_what_httpx_makes_of_it(origin: str, target: str) -> None:
    """Its refusals too."""
    try:
        expected = httpx.URL(origin + target)
    except httpx.InvalidURL as error:
        with pytest.raises(httpx.InvalidURL, match=re.escape(str(error))):
            url_of(origin, target)
        return

    url = url_of(origin, target)

    parts = ("raw_scheme", "raw_host", "port", "raw_path", "netloc")
    assert [getattr(url, part) for part in parts] == [getattr(expected, part) for part in parts]
