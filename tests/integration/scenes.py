"""Servers, proxies and hosts that are about to fail a client, one function for each way."""

from __future__ import annotations

import socket
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import memstack

from .faulty import Behaviour, answer, closed_port, plain, site
from .http_proxy import http_proxy
from .tls import Authority


@dataclass
class Stage:
    """A server that is about to fail, and how a client gets there."""

    url: str
    options: dict[str, Any] = field(default_factory=dict)
    reached: Callable[[], int] | None = None
    """Tells how often somebody came; None where nobody can."""


Scene = Callable[[Authority], AbstractContextManager[Stage]]


def by(*behaviours: Behaviour) -> Scene:
    """A server that breaks its connections in this way."""

    @contextmanager
    def scene(_: Authority) -> Iterator[Stage]:
        with site(*behaviours) as running:
            yield Stage(running.url, reached=lambda: running.connections)

    return scene


def certified(*names: str, **facts: Any) -> Scene:
    """A TLS server whose certificate is for *names*, of an authority that is trusted."""

    @contextmanager
    def scene(authority: Authority) -> Iterator[Stage]:
        with site(answer(), answer(), tls=authority.serves(*names, **facts)) as running:
            verify = {"verify": authority.file}
            yield Stage(running.named("localhost"), verify, lambda: running.connections)

    return scene


@contextmanager
def stranger(authority: Authority) -> Iterator[Stage]:
    """A TLS server of an authority that nobody trusts."""
    with site(answer(), answer(), tls=authority.serves("localhost")) as running:
        yield Stage(running.named("localhost"), reached=lambda: running.connections)


@contextmanager
def plain_at_https(_: Authority) -> Iterator[Stage]:
    with site(plain, plain) as running:
        url = running.url.replace("http:", "https:")
        yield Stage(url, reached=lambda: running.connections)


@contextmanager
def https_at_http(authority: Authority) -> Iterator[Stage]:
    with site(answer(), answer(), tls=authority.serves("127.0.0.1")) as running:
        url = running.url.replace("https:", "http:")
        yield Stage(url, reached=lambda: running.connections)


@contextmanager
def nobody(_: Authority) -> Iterator[Stage]:
    yield Stage(f"http://127.0.0.1:{closed_port()}")


@contextmanager
def no_address(_: Authority) -> Iterator[Stage]:
    """A host that no resolver knows."""
    error = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    with mock.patch.object(socket, "getaddrinfo", side_effect=error), warnings.catch_warnings():
        warnings.simplefilter("ignore", memstack.InsecureConnectionWarning)
        # pyreqwest asks the system's resolver, which knows that no name is like this.
        yield Stage("http://un..known.invalid")


@contextmanager
def no_proxy_there(_: Authority) -> Iterator[Stage]:
    yield Stage("https://any.localhost", {"proxy": f"http://127.0.0.1:{closed_port()}"})


def refused_by_proxy(status: int) -> Scene:
    @contextmanager
    def scene(_: Authority) -> Iterator[Stage]:
        with http_proxy(refuses=status) as proxy:
            yield Stage("https://any.localhost", {"proxy": proxy.url}, lambda: len(proxy.heads))

    return scene
