"""Proxies: which one a client goes through, and what a proxy learns of it."""

from __future__ import annotations

import logging
import pickle
import socket
import time as clock
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

import memstack
from memstack._connecting import TransportName

from ..colours import CLASSES, AnyClient, Colour, Driven
from ..conftest import KEY
from .connecting import Connect, authority as authority, bare as bare, connect as connect
from .faulty import answer, closed_port, serving, silent, site
from .http_proxy import http_proxy
from .tls import Authority

HEALTHY = {"status": "ok"}
NAME = "memstack.localhost"
"""A host that only a proxy finds, but where a test maps it to loopback."""
HOSTS = ("127.0.0.1", "localhost", NAME, f"eu.{NAME}", f"other{NAME}")
SECRET = "sesame-open"


@pytest.fixture
def mapped(monkeypatch: pytest.MonkeyPatch, transport: TransportName) -> None:
    """All names are those of loopback, so that a client may also go there directly."""
    if transport == "pyreqwest":
        _map_pyreqwest(monkeypatch)
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, *rest: Any, **more: Any) -> Any:
        return real("127.0.0.1", *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def _map_pyreqwest(monkeypatch: pytest.MonkeyPatch) -> None:
    from pyreqwest import client

    def resolving(kind: Callable[[], Any]) -> Callable[[], Any]:
        def build() -> Any:
            builder = kind()
            for host in HOSTS:
                builder.resolve(host, "127.0.0.1", 0)
            return builder

        return build

    for name in ("ClientBuilder", "SyncClientBuilder"):
        monkeypatch.setattr(client, name, resolving(getattr(client, name)))


def test_http_goes_to_the_proxy_in_absolute_form(connect: Connect) -> None:
    """The proxy finds the host that the client does not."""
    with site(answer()) as running, http_proxy() as proxy:
        assert connect(running.named(NAME), proxy=proxy.url).health_check() == HEALTHY

    assert proxy.asked == [f"GET {running.named(NAME)}/health"]


def test_https_goes_through_a_tunnel(connect: Connect, authority: Authority) -> None:
    """The proxy learns host and port: no key, no path, no word of what is sent."""
    tls = authority.serves(NAME)
    with site(answer(404), tls=tls) as running, http_proxy() as proxy:
        client = connect(running.named(NAME), proxy=proxy.url, verify=authority.file)
        with pytest.raises(memstack.NotFoundError):
            client.get_memo("a-memo-to-hide")

    assert proxy.asked == [f"CONNECT {running.named(NAME).removeprefix('https://')}"]
    assert len(proxy.heard) > len(proxy.heads[0]) + 200
    for hidden in (KEY, "Bearer", "a-memo-to-hide", "/api/"):
        assert hidden.encode() not in proxy.heard


def test_a_tunnel_does_not_change_whom_to_trust(connect: Connect, authority: Authority) -> None:
    """A proxy that breaks TLS open is found out."""
    with (
        serving(answer(), tls=authority.serves(NAME)) as url,
        http_proxy() as proxy,
        pytest.raises(memstack.NetworkError) as caught,
    ):
        connect(url.replace("127.0.0.1", NAME), proxy=proxy.url).health_check()

    assert (caught.value.reason, caught.value.outcome) == ("tls", "not_sent")
    assert len(caught.value.attempts) == 1


@pytest.mark.parametrize(
    ("variables", "scheme", "host", "through"),
    [
        ({"HTTP_PROXY": "{proxy}"}, "http", NAME, True),
        ({"http_proxy": "{proxy}"}, "http", NAME, True),
        ({"HTTPS_PROXY": "{proxy}"}, "http", NAME, False),
        ({"HTTPS_PROXY": "{proxy}"}, "https", NAME, True),
        ({"https_proxy": "{proxy}"}, "https", NAME, True),
        ({"HTTP_PROXY": "{proxy}"}, "https", NAME, False),
        ({"ALL_PROXY": "{proxy}"}, "http", NAME, True),
        ({"ALL_PROXY": "{proxy}"}, "https", NAME, True),
        ({"all_proxy": "{proxy}"}, "https", "localhost", True),
        ({"ALL_PROXY": "http://127.0.0.1:1", "HTTP_PROXY": "{proxy}"}, "http", NAME, True),
        ({"ALL_PROXY": "{address}"}, "http", NAME, True),
        ({"ALL_PROXY": "{proxy}", "NO_PROXY": "localhost"}, "http", "localhost", False),
        ({"ALL_PROXY": "{proxy}", "no_proxy": "localhost"}, "https", "localhost", False),
        ({"ALL_PROXY": "{proxy}", "NO_PROXY": "127.0.0.1"}, "http", "127.0.0.1", False),
        ({"ALL_PROXY": "{proxy}", "NO_PROXY": "127.0.0.1"}, "http", "localhost", True),
        ({"ALL_PROXY": "{proxy}", "NO_PROXY": f"a.test, {NAME}"}, "http", NAME, False),
        ({"ALL_PROXY": "{proxy}", "NO_PROXY": NAME}, "http", f"eu.{NAME}", False),
        ({"ALL_PROXY": "{proxy}", "NO_PROXY": NAME}, "http", f"other{NAME}", True),
        ({"ALL_PROXY": "{proxy}", "NO_PROXY": f".{NAME}"}, "http", f"eu.{NAME}", False),
        ({"ALL_PROXY": "{proxy}", "NO_PROXY": f"{NAME}:{{port}}"}, "http", NAME, False),
        ({"ALL_PROXY": "{proxy}", "NO_PROXY": f"{NAME}:{{port}}"}, "https", NAME, False),
        ({"ALL_PROXY": "{proxy}", "NO_PROXY": f"{NAME}:1"}, "http", NAME, True),
        ({"ALL_PROXY": "{proxy}", "NO_PROXY": "127.0.0.1:{port}"}, "http", "127.0.0.1", False),
        ({"ALL_PROXY": "{proxy}", "NO_PROXY": "*"}, "http", NAME, False),
    ],
)
def test_goes_through_the_proxy_of_the_environment(
    connect: Connect,
    authority: Authority,
    mapped: None,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    scheme: str,
    host: str,
    through: bool,
) -> None:
    """As the variables that all programs share say."""
    tls = authority.serves(*HOSTS) if scheme == "https" else None
    with site(answer(), tls=tls) as running, http_proxy() as proxy:
        port = running.url.rpartition(":")[2]
        for name, value in variables.items():
            value = value.replace("{proxy}", proxy.url).replace("{address}", proxy.address)
            monkeypatch.setenv(name, value.replace("{port}", port))
        client = connect(running.named(host), verify=authority.file)
        assert client.health_check() == HEALTHY

    assert len(proxy.heads) == through


def test_a_proxy_that_is_named_goes_before_the_environment(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before its exceptions too."""
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port()}")
    monkeypatch.setenv("NO_PROXY", "*")
    with site(answer()) as running, http_proxy() as proxy:
        assert connect(running.named(NAME), proxy=proxy.url).health_check() == HEALTHY

    assert len(proxy.heads) == 1


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("by_environment", [False, True], ids=["proxy", "environment"])
@pytest.mark.parametrize(
    ("credentials", "sent"), [("alice:opens", "alice:opens"), ("a%40b:p%3A%2Fw", "a@b:p:/w")]
)
def test_tells_the_proxy_who_it_is(
    connect: Connect,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    scheme: str,
    by_environment: bool,
    credentials: str,
    sent: str,
) -> None:
    """Percent-encoded in the URL, plain in the header."""
    options: dict[str, Any] = {"verify": authority.file}
    tls = authority.serves(NAME) if scheme == "https" else None
    with site(answer(), tls=tls) as running, http_proxy(sent) as proxy:
        if by_environment:
            monkeypatch.setenv("ALL_PROXY", proxy.url_for(credentials))
        else:
            options["proxy"] = proxy.url_for(credentials)
        assert connect(running.named(NAME), **options).health_check() == HEALTHY


def told(error: BaseException, client: Driven, records: list[logging.LogRecord]) -> str:
    """All that somebody may read of *error* and its *client*."""
    logged = [f"{record.getMessage()} {record.__dict__}" for record in records]
    shown = [str(error), repr(error), repr(error.__dict__), repr(client.client)]
    pickled = pickle.dumps(error).decode("latin-1")
    return "\n".join([*shown, *traceback.format_exception(error), pickled, *logged])


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("by_environment", [False, True], ids=["proxy", "environment"])
@pytest.mark.parametrize("is_up", [True, False], ids=["refused", "down"])
def test_never_tells_the_credentials_of_a_proxy(
    connect: Connect,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    scheme: str,
    by_environment: bool,
    is_up: bool,
) -> None:
    """Not when it refuses them, and not when it is down."""
    caplog.set_level(logging.DEBUG)
    options: dict[str, Any] = {"max_retries": 1}
    with http_proxy("alice:other") as proxy:
        address = proxy.address if is_up else f"127.0.0.1:{closed_port()}"
        url = f"http://alice%2Dsesame:{SECRET}@{address}"
        if by_environment:
            monkeypatch.setenv("ALL_PROXY", url)
        else:
            options["proxy"] = url
        client = connect(f"{scheme}://{NAME}", **options)
        with pytest.raises(memstack.MemStackError) as caught:
            client.health_check()

    error = caught.value
    assert "407" in error.message or not is_up
    assert error.outcome == ("rejected" if is_up and scheme == "http" else "not_sent")
    if is_up and scheme == "http":
        assert isinstance(error, memstack.APIError)
    else:
        assert isinstance(error, memstack.NetworkError)
    assert "sesame" not in told(error, client, caplog.records)


@pytest.mark.parametrize("by_environment", [False, True], ids=["proxy", "environment"])
@pytest.mark.parametrize(
    "url",
    [
        f"ftp://alice:{SECRET}@127.0.0.1:8080",
        f"socks9://alice:{SECRET}@127.0.0.1:8080",
        f"http://alice:{SECRET}@",
        f"http://alice:{SECRET}@127.0.0.1:808080",
        f"http://alice:{SECRET}@127.0.0.1:port",
        f"http://alice:{SECRET}/word@127.0.0.1:8080",
        f"http://[alice:{SECRET}",
        f"http://alice:{SECRET}\r\nX-More: 1@127.0.0.1:8080",
    ],
)
def test_refuses_a_proxy_that_cannot_be_one(
    colour: Colour,
    transport: TransportName,
    bare: None,
    drive: Callable[[AnyClient], Driven],
    monkeypatch: pytest.MonkeyPatch,
    by_environment: bool,
    url: str,
) -> None:
    """When the client is made; the error names the option and keeps the password to itself."""
    options: dict[str, Any] = {} if by_environment else {"proxy": url}
    if by_environment:
        monkeypatch.setenv("ALL_PROXY", url)
    with pytest.raises(memstack.ValidationError, match=r"(?i)proxy") as caught:
        drive(CLASSES[colour](KEY, "http://127.0.0.1", transport=transport, **options))

    assert "sesame" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("proxy", [5, b"http://127.0.0.1:1", "127.0.0.1:1", "", Path("a")])
def test_refuses_what_is_no_url(
    colour: Colour, transport: TransportName, bare: None, proxy: Any
) -> None:
    """A proxy is named by a URL."""
    with pytest.raises(memstack.ValidationError, match=r"^proxy: "):
        CLASSES[colour](KEY, "http://127.0.0.1", proxy=proxy, transport=transport)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_hangs_costs_one_timeout(connect: Connect, scheme: str) -> None:
    """The limit of an attempt holds on the way to the server too."""
    with serving(silent) as proxy:
        client = connect(f"{scheme}://{NAME}", proxy=proxy, timeout=0.2, max_retries=0)
        started = clock.monotonic()
        with pytest.raises(memstack.RequestTimeoutError):
            client.health_check()

    assert 0.2 <= clock.monotonic() - started < 2


def test_a_client_of_ones_own_brings_its_proxy(
    colour: Colour, bare: None, drive: Callable[[AnyClient], Driven]
) -> None:
    """httpx does the rest."""
    with site(answer()) as running, http_proxy() as proxy:
        http: Any = {"sync": httpx.Client, "async": httpx.AsyncClient}[colour](proxy=proxy.url)
        client = drive(CLASSES[colour](KEY, running.named(NAME), http_client=http))
        assert client.health_check() == HEALTHY
        http.close() if colour == "sync" else client.loop.run_until_complete(http.aclose())

    assert len(proxy.heads) == 1
