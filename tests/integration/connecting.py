"""Fixtures of the tests that connect to real ports; they import them by name."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from memstack._connecting import TransportName

from ..colours import CLASSES, AnyClient, Colour, Driven, FakeTime
from ..conftest import KEY
from .tls import Authority

Connect = Callable[..., Driven]

_NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir")


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without proxies and certificates."""
    for name in _NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def connect(
    colour: Colour,
    transport: TransportName,
    drive: Callable[[AnyClient], Driven],
    time: FakeTime,
    bare: None,
    monkeypatch: pytest.MonkeyPatch,
) -> Connect:
    """Makes a client of a real URL, whose pauses between attempts take no time.

    What pyreqwest shall trust is named by the environment, as it has no `verify` for it.
    """

    def connect(base_url: str, **options: Any) -> Driven:
        if transport == "pyreqwest" and "http_client" not in options:
            options["transport"] = transport
            if isinstance(trusted := options.get("verify"), (str, os.PathLike)):
                folder = os.path.isdir(trusted)
                monkeypatch.setenv("SSL_CERT_DIR" if folder else "SSL_CERT_FILE", str(trusted))
                del options["verify"]
        client = CLASSES[colour](
            **{"api_key": KEY, "base_url": base_url, "timeout": 5, **options},
        )
        time.install(client)
        return drive(client)

    return connect


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority that a client has to be told of."""
    return Authority(tmp_path_factory.mktemp("authority"))
