"""The choice of a transport, and what it refuses."""

from __future__ import annotations

import pickle
import ssl
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

import memstack
from memstack._connecting import TransportName

from ..colours import CLASSES, Colour, Driven
from ..conftest import KEY, Make
from ..scripted import MEMO, Answer, ScriptedServer


def test_refuses_a_transport_that_it_does_not_know(colour: Colour) -> None:
    """With those that it knows."""
    with pytest.raises(memstack.ValidationError, match=r"^transport: .*'httpx' or 'pyreqwest'"):
        CLASSES[colour](KEY, transport="curl")  # type: ignore[arg-type]


def test_refuses_pyreqwest_beside_an_http_client(colour: Colour) -> None:
    """That one sends with httpx."""
    http: Any = object()
    with pytest.raises(memstack.ValidationError, match=r"^transport: an http_client"):
        CLASSES[colour](KEY, http_client=http, transport="pyreqwest")


def test_says_how_to_install_pyreqwest(colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is missing."""
    monkeypatch.setitem(sys.modules, "pyreqwest", None)
    monkeypatch.setattr(sys, "version_info", (3, 11, 0))
    with pytest.raises(memstack.ValidationError, match=r"pip install 'memstack-sdk\[fast\]'"):
        CLASSES[colour](KEY, transport="pyreqwest")


def test_says_which_python_pyreqwest_needs(colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    """Installing it would be in vain."""
    monkeypatch.setattr(sys, "version_info", (3, 10, 14))
    with pytest.raises(memstack.ValidationError, match=r"^transport: .*Python 3\.11"):
        CLASSES[colour](KEY, transport="pyreqwest")


REFUSED: list[tuple[str, Any]] = [
    ("verify", __file__),
    ("verify", Path(__file__).parent),
    ("verify", ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)),
]


@pytest.mark.parametrize(("name", "value"), REFUSED, ids=["file", "folder", "context"])
@pytest.mark.parametrize("transport", ["pyreqwest"], indirect=True)
def test_refuses_what_pyreqwest_cannot_do(
    colour: Colour, transport: TransportName, name: str, value: Any
) -> None:
    """It would trust an authority beside those of the system, and not in their place."""
    options = {name: value, "transport": transport}
    with pytest.raises(memstack.ValidationError, match=rf"^{name}: .*default transport"):
        CLASSES[colour](KEY, "https://127.0.0.1", **options)


@pytest.mark.parametrize("transport", ["pyreqwest"], indirect=True)
def test_says_that_there_are_no_certificates(
    colour: Colour, transport: TransportName, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a small image without the package of them."""
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere.pem")
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    with pytest.raises(memstack.ValidationError, match=r"^transport: .*SSL_CERT_FILE"):
        CLASSES[colour](KEY, transport=transport)


def test_a_pickle_keeps_the_transport(
    colour: Colour, transport: TransportName, drive: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Siblings share it."""
    monkeypatch.setenv("MEMSTACK_API_KEY", KEY)
    client: Driven = drive(CLASSES[colour](KEY, transport=transport))

    copy: Driven = drive(pickle.loads(pickle.dumps(client.client)))

    assert type(copy.client._transport) is type(client.client._transport)
    assert copy.client._transport is not client.client._transport
    assert client.with_options(timeout=1)._transport is client.client._transport


def test_pyreqwest_is_imported_by_those_who_ask_for_it() -> None:
    """Nobody else waits for it."""
    code = (
        "import sys, memstack; memstack.MemStackClient('ms_sk_x').close(); "
        "sys.exit('pyreqwest' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_joins_headers_of_one_name(make: Make, server: ScriptedServer) -> None:
    """As HTTP allows; a header that is not ASCII does not hide the others."""

    class Twice(ScriptedServer):
        def __call__(self, request: httpx.Request) -> httpx.Response:
            answer = super().__call__(request)
            more = [("X-Two", "a"), ("X-Two", "b")]
            return httpx.Response(
                answer.status_code, headers=[*answer.headers.items(), *more], content=answer.content
            )

    server.__class__ = Twice
    server.answer(Answer(body=MEMO))

    response = make().send_raw(memstack.operations.get_memo("m1"))

    assert response.headers["x-two"] == "a, b"


def test_a_close_while_the_first_call_makes_the_transport_ends_that_call(
    colour: Colour, drive: Any
) -> None:
    """It opens no connection that nobody would close."""
    client: Driven = drive(CLASSES[colour](KEY, "http://127.0.0.1:9"))
    later: Any = client.client._transport
    make = later._make

    def closing() -> Any:
        client.client._to_close()
        return make()

    later._make = closing
    with pytest.raises(memstack.NetworkError) as caught:
        client.get_memo("m1")

    assert caught.value.reason == "closed"


def test_threads_that_call_first_share_one_transport(
    colour: Colour, drive: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is made once: another for each thread would read the certificates as often."""
    client: Driven = drive(CLASSES[colour](KEY, "http://127.0.0.1:9"))
    later: Any = client.client._transport
    make, second_is_there = later._make, threading.Event()
    made: list[Any] = []

    class Watched:
        """A lock that tells when somebody has to wait for it."""

        lock = threading.Lock()

        def __enter__(self) -> None:
            if not self.lock.acquire(blocking=False):
                second_is_there.set()
                self.lock.acquire()

        def __exit__(self, *_: object) -> None:
            self.lock.release()

    def counting() -> Any:
        if made:
            second_is_there.set()
        made.append(make())
        assert second_is_there.wait(10)
        return made[-1]

    later._make = counting
    monkeypatch.setattr("memstack._transports._MAKING", Watched())
    with ThreadPoolExecutor(2) as threads:
        found = set(threads.map(lambda _: client.client._ready(), range(2)))

    assert found == set(made)
    assert len(made) == 1
