"""What a client may be set to."""

from __future__ import annotations

import math
import traceback
import warnings
from typing import Any

import httpx
import pytest

from memstack import (
    AuthenticationError,
    InsecureConnectionWarning,
    MemStackClient,
    ValidationError,
)
from memstack._configured import _readable
from memstack._settings import base_url_of

KEY = "ms_sk_canary"


@pytest.mark.parametrize(
    "key", [None, "", "ms_sk_", "sk-live", "MS_SK_x", 5, "ms_sk_a b", "ms_sk_a\n", "ms_sk_é"]
)
def test_refuses_what_cannot_be_a_key_and_does_not_show_it(key: Any) -> None:
    """The message says the rule; a key near to right is a secret."""
    with pytest.raises(AuthenticationError) as caught:
        MemStackClient(key)

    assert "key" in str(caught.value)
    assert caught.value.status_code is None
    if isinstance(key, str) and len(key) > 6:
        assert key.strip() not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        5,
        "localhost:8000",
        "ftp://host",
        "http://",
        "http:///path",
        "http://host:99999",
        "http://host:port",
        "http://user:pass@host",
        "http://host?x=1",
        "http://host/?",
        "http://host#f",
        "http://ho st",
        "http://host/a/../b",
        "http://host/\\a",
        "http://host\n",
        "http://[::1",
        "http://host/api/v1/",
    ],
)
def test_refuses_what_cannot_be_a_base_url(url: Any) -> None:
    """Names the argument, and shows how one looks."""
    with pytest.raises(ValidationError, match=r"^base_url: .*http://localhost:8000"):
        MemStackClient(KEY, url)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("http://host", "http://host"),
        ("https://host:8443/", "https://host:8443"),
        ("http://host/memstack/v2//", "http://host/memstack/v2"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_keeps_the_path_of_a_base_url(url: str, kept: str) -> None:
    """A server may be mounted below a path; only the slash at the end goes."""
    assert base_url_of(url) == kept


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("timeout", 0),
        ("timeout", -1),
        ("timeout", math.nan),
        ("timeout", math.inf),
        ("timeout", 1e10),
        ("timeout", 10**400),
        ("timeout", "60"),
        ("timeout", True),
        ("deadline", 0),
        ("retry_delay", -0.1),
        ("retry_delay", None),
        ("max_retry_after", -1),
        ("max_retries", -1),
        ("max_retries", 1.5),
        ("max_retries", True),
        ("max_response_bytes", -1),
        ("max_response_bytes", 1.5),
        ("on_attempt", 5),
        ("headers", ["a"]),
        ("headers", {"a b": "c"}),
        ("headers", {"a": "c\r\nx: y"}),
        ("headers", {"a": 5}),
        ("headers", {"Authorization": "Bearer other"}),
        ("headers", {"idempotency-key": "k"}),
    ],
)
def test_names_the_setting_that_breaks_its_rule(name: str, value: Any) -> None:
    """At construction and with with_options alike."""
    with pytest.raises(ValidationError, match=rf"^{name}: "):
        MemStackClient(KEY, **{name: value})
    with (
        MemStackClient(KEY) as client,
        pytest.raises(ValidationError, match=rf"^{name}: "),
    ):
        client.with_options(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [("ALL_PROXY", "gopher://proxy"), ("HTTP_PROXY", "http://[::1"), ("SSL_CERT_FILE", "/none")],
)
def test_names_the_environment_where_that_is_at_fault(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """Proxies and certificates come from there."""
    monkeypatch.setenv(name, value)

    with pytest.raises(ValidationError, match="environment"):
        MemStackClient(KEY)


def test_refuses_an_http_client_of_the_other_colour() -> None:
    """An awaited one cannot block."""
    http: Any = httpx.AsyncClient()

    with pytest.raises(ValidationError, match=r"http_client: must be an httpx\.Client"):
        MemStackClient(KEY, http_client=http)


def test_reads_key_and_url_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An argument wins over the environment."""
    monkeypatch.setenv("MEMSTACK_API_KEY", KEY)
    monkeypatch.setenv("MEMSTACK_BASE_URL", "https://env:1")

    with MemStackClient() as client, MemStackClient("ms_sk_arg", "https://arg:2") as other:
        assert (client.api_key, client.base_url) == (KEY, "https://env:1")
        assert (other.api_key, other.base_url) == ("ms_sk_arg", "https://arg:2")


def test_has_the_promised_defaults() -> None:
    """The five settings of the first release are readable attributes."""
    with MemStackClient(KEY) as client:
        assert client.api_key == KEY
        assert client.base_url == "http://localhost:8000"
        assert (client.timeout, client.max_retries, client.retry_delay) == (60.0, 3, 1.0)


def test_no_repr_shows_the_key() -> None:
    """Neither the client's nor that of what it is made of."""
    with MemStackClient(KEY, headers={"x-proxy-secret": "hush"}) as client:
        shown = repr(client) + str(client) + repr(client._settings) + repr(vars(client))

    assert "canary" not in shown
    assert "hush" not in shown


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("verify", "/none/ca.pem"),
        ("verify", 5),
        ("cert", "/none/client.pem"),
        ("cert", ("a", "b", "c", "d")),
        ("proxy", "proxy.example.com:3128"),
        ("proxy", "gopher://user:hush@proxy"),
        ("proxy", "http://user:hush@[::1"),
        ("proxy", 5),
    ],
)
def test_names_what_no_connection_can_be_made_with(name: str, value: Any) -> None:
    """Now, not at the first call; a password in it is not shown."""
    with pytest.raises(ValidationError, match=rf"^{name}: ") as caught:
        MemStackClient(KEY, **{name: value})

    assert "hush" not in "".join(traceback.format_exception(caught.value))


def test_an_http_client_brings_its_own_certificates_and_proxy() -> None:
    """What is set beside it would have no effect."""
    with (
        httpx.Client() as http,
        pytest.raises(ValidationError, match="set them on the http_client"),
    ):
        MemStackClient(KEY, http_client=http, verify=False)


@pytest.mark.parametrize(
    ("url", "warns"),
    [
        ("http://memory.example", True),
        ("http://10.0.0.5:8000", True),
        ("https://memory.example", False),
        ("http://localhost:8000", False),
        ("http://api.localhost", False),
        ("http://127.8.0.1", False),
        ("http://[::1]:8000", False),
    ],
)
def test_warns_where_the_key_can_be_read_on_the_way(url: str, warns: bool) -> None:
    """Once for each server, at the line that makes the client."""
    _readable.discard(url)
    for expected in (warns, False):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            MemStackClient(KEY, url).close()

        assert [w.category for w in caught] == [InsecureConnectionWarning] * expected
        assert all(w.filename == __file__ for w in caught)
