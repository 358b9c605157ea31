"""Certificates: which servers a client trusts, and what it shows to those that ask who it is."""

from __future__ import annotations

import os
import shutil
import ssl
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

import memstack
from memstack._connecting import TransportName

from ..colours import CLASSES, AnyClient, Colour, Driven, outcomes
from ..conftest import KEY, only_httpx
from .connecting import Connect, authority as authority, bare as bare, connect as connect
from .faulty import OK, answer, serving, site
from .tls import PASSWORD, Authority

HEALTHY = {"status": "ok"}
needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl has the hash")

TRUSTING: dict[str, Callable[[Authority], Any]] = {
    "file": lambda authority: str(authority.file),
    "path": lambda authority: authority.file,
    "context": lambda authority: authority.context(),
    "nothing": lambda _: False,
}


@pytest.fixture
def stranger(tmp_path: Path) -> Authority:
    """Another authority."""
    return Authority(tmp_path, "stranger")


@pytest.mark.parametrize("kind", TRUSTING)
def test_trusts_what_verify_names(
    connect: Connect, authority: Authority, transport: TransportName, kind: str
) -> None:
    """A file, a context, or anything at all."""
    if (transport, kind) == ("pyreqwest", "context"):
        pytest.skip("pyreqwest takes no SSLContext, as docs/production.md says")
    with serving(answer(), tls=authority.serves("127.0.0.1")) as url:
        assert connect(url, verify=TRUSTING[kind](authority)).health_check() == HEALTHY


@needs_openssl
@pytest.mark.parametrize("kind", [str, Path])
def test_trusts_a_folder_of_certificates(
    connect: Connect, stranger: Authority, kind: Callable[[Path], Any]
) -> None:
    """One as `openssl rehash` makes it."""
    folder = stranger.hashed_folder()
    with serving(answer(), tls=stranger.serves("127.0.0.1")) as url:
        assert connect(url, verify=kind(folder)).health_check() == HEALTHY


@only_httpx
def test_a_context_is_taken_as_it_is(connect: Connect, authority: Authority) -> None:
    """Also one that asks for less than ours would."""
    lax = authority.context()
    lax.check_hostname = False
    with serving(answer(), tls=authority.serves("memstack.test")) as url:
        assert connect(url, verify=lax).health_check() == HEALTHY


@pytest.mark.parametrize("names", [("memstack.test",), ("127.0.0.1",)])
def test_verify_false_trusts_whoever_answers(
    connect: Connect, stranger: Authority, names: tuple[str, ...]
) -> None:
    """An expired certificate and another host's too."""
    with serving(answer(), tls=stranger.serves(*names, expired=True)) as url:
        assert connect(url, verify=False).health_check() == HEALTHY


def test_verify_names_all_that_is_trusted(
    connect: Connect, authority: Authority, stranger: Authority
) -> None:
    """One authority more is not the same as one instead."""
    with (
        serving(answer(), tls=stranger.serves("127.0.0.1")) as url,
        pytest.raises(memstack.NetworkError) as caught,
    ):
        connect(url, verify=authority.file).health_check()

    assert (caught.value.reason, caught.value.outcome) == ("tls", "not_sent")


def test_the_environment_may_name_whom_to_trust(
    connect: Connect,
    authority: Authority,
    stranger: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """SSL_CERT_FILE as it is when the client is made, whatever clients there were before."""
    seen = []
    for trusted in (authority, stranger):
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted.file))
        with serving(answer(), tls=trusted.serves("127.0.0.1")) as url:
            seen.append(connect(url).health_check())

    assert seen == [HEALTHY, HEALTHY]


@needs_openssl
def test_the_environment_may_name_a_folder(
    connect: Connect, stranger: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSL_CERT_DIR."""
    monkeypatch.setenv("SSL_CERT_DIR", str(stranger.hashed_folder()))
    with serving(answer(), tls=stranger.serves("127.0.0.1")) as url:
        assert connect(url).health_check() == HEALTHY


@only_httpx
def test_verify_goes_before_the_environment(
    connect: Connect, authority: Authority, stranger: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is named is meant."""
    monkeypatch.setenv("SSL_CERT_FILE", str(stranger.file))
    with serving(answer(), tls=authority.serves("127.0.0.1")) as url:
        assert connect(url, verify=authority.file).health_check() == HEALTHY


SHOWN: dict[str, Callable[[Any], Any]] = {
    "one file": lambda files: str(files.both),
    "one path": lambda files: files.both,
    "two files": lambda files: (str(files.certificate), str(files.key)),
    "locked": lambda files: (str(files.certificate), str(files.locked_key), PASSWORD),
}


@pytest.mark.parametrize("kind", SHOWN)
def test_shows_its_certificate_to_a_server_that_asks(
    connect: Connect,
    authority: Authority,
    stranger: Authority,
    transport: TransportName,
    kind: str,
) -> None:
    """Issued by an authority that only the server has to know."""
    if (transport, kind) == ("pyreqwest", "locked"):
        pytest.skip("pyreqwest takes no key with a password, as docs/production.md says")
    tls = authority.serves("127.0.0.1", asks_for=stranger)
    with serving(answer(), tls=tls) as url:
        client = connect(url, verify=authority.file, cert=SHOWN[kind](stranger.client()))
        assert client.health_check() == HEALTHY


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("shows", [False, True], ids=["none", "unknown"])
def test_a_server_that_asks_in_vain_is_a_tls_failure(
    connect: Connect,
    authority: Authority,
    stranger: Authority,
    newest: ssl.TLSVersion,
    shows: bool,
) -> None:
    """TLS 1.3 tells it only where an answer is awaited; nothing was taken even so."""
    tls = authority.serves("127.0.0.1", asks_for=authority, newest=newest)
    options = {"cert": stranger.client().both} if shows else {}
    with site(answer(), answer(), answer(), answer(), tls=tls) as running:
        client = connect(running.url, verify=authority.file, **options)
        with pytest.raises(memstack.NetworkError) as caught:
            client.create_memo("note")

    assert (caught.value.reason, caught.value.outcome) == ("tls", "not_sent")
    assert outcomes(caught.value.attempts) == [(None, "not_sent")]
    assert running.connections == 1
    assert "certificate" in caught.value.message or "alert" in caught.value.message


def made(colour: Colour, **options: Any) -> AnyClient:
    return CLASSES[colour](KEY, "https://127.0.0.1", **options)


UNREADABLE: list[dict[str, Any]] = [
    {"verify": "{folder}/missing.pem"},
    {"verify": "{folder}/garbage.pem"},
    {"verify": "a\0b"},
    {"verify": ""},
    {"verify": b"ca.pem"},
    {"verify": 5},
    {"cert": "{folder}/missing.pem"},
    {"cert": "{folder}/garbage.pem"},
    {"cert": "{files}/client.pem"},  # without its key
    {"cert": ("{files}/client.pem", "{folder}/missing.key")},
    {"cert": ("{files}/client.pem", "{folder}/garbage.pem")},
    {"cert": ("{files}/client.pem", "{files}/locked.key")},  # without its password
    {"cert": ("{files}/client.pem", "{files}/client.key", PASSWORD, "more")},
    {"cert": ("{files}/client.pem",)},
    {"cert": ()},
    {"cert": ""},
    {"cert": "a\0b"},
    {"cert": 5},
    {"cert": True},
]


@pytest.mark.parametrize("option", UNREADABLE, ids=repr)
def test_refuses_certificates_that_cannot_be_read(
    colour: Colour,
    transport: TransportName,
    authority: Authority,
    bare: None,
    tmp_path: Path,
    drive: Callable[[AnyClient], Driven],
    option: dict[str, Any],
) -> None:
    """When the client is made, with the name of the option."""
    (tmp_path / "garbage.pem").write_text("-----BEGIN CERTIFICATE-----\nno\n-----END X-----\n")
    files = authority.client().both.parent

    def placed(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(placed(part) for part in value)
        if isinstance(value, str):
            return value.replace("{folder}", str(tmp_path)).replace("{files}", str(files))
        return value

    ((name, value),) = option.items()
    with pytest.raises(memstack.ValidationError, match=rf"^{name}: "):
        drive(made(colour, transport=transport, **{"verify": False, name: placed(value)}))


def test_a_wrong_password_is_not_told(
    colour: Colour, transport: TransportName, authority: Authority, bare: None
) -> None:
    """Neither in the error nor in what it came from."""
    files = authority.client()
    wrong = PASSWORD[::-1]
    cert = (files.certificate, files.locked_key, wrong)
    with pytest.raises(memstack.ValidationError, match=r"^cert: ") as caught:
        made(colour, verify=False, cert=cert, transport=transport)

    assert wrong not in "".join(traceback.format_exception(caught.value))


def test_a_certificate_without_its_key_of_another_pair_is_refused(
    colour: Colour,
    transport: TransportName,
    authority: Authority,
    stranger: Authority,
    bare: None,
) -> None:
    """Certificate and key belong together."""
    one, other = authority.client(), stranger.client()
    with pytest.raises(memstack.ValidationError, match=r"^cert: "):
        made(colour, verify=False, cert=(one.certificate, other.key), transport=transport)


@pytest.mark.parametrize(
    "options", [{"verify": False}, {"cert": os.devnull}, {"proxy": "http://127.0.0.1:1"}]
)
def test_a_client_of_ones_own_has_these_settings_itself(
    colour: Colour, options: dict[str, Any], loop: Any
) -> None:
    """To pass over one of them would be to trust whom nobody meant."""
    kind = httpx.Client if colour == "sync" else httpx.AsyncClient
    http = kind(verify=False)
    with pytest.raises(memstack.ValidationError, match="http_client"):
        made(colour, http_client=http, **options)
    http.close() if isinstance(http, httpx.Client) else loop.run_until_complete(http.aclose())


def test_a_client_of_ones_own_brings_its_trust(
    colour: Colour, authority: Authority, drive: Callable[[AnyClient], Driven]
) -> None:
    """With a certificate to show too."""
    context = authority.context()
    context.load_cert_chain(authority.client().both)
    http: Any = {"sync": httpx.Client, "async": httpx.AsyncClient}[colour](verify=context)
    tls = authority.serves("127.0.0.1", asks_for=authority)
    with serving(answer(200, OK), tls=tls) as url:
        client = drive(CLASSES[colour](KEY, url, http_client=http))
        assert client.health_check() == HEALTHY
        http.close() if colour == "sync" else client.loop.run_until_complete(http.aclose())
