"""A server of `memstack.testing`, a client of it in each colour, and a project that uses both."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from memstack.testing import MemStackServer

from ..built import built_wheel
from ..colours import CLASSES, AnyClient, Colour, Driven
from .project import Project


@pytest.fixture
def server() -> Iterator[MemStackServer]:
    with MemStackServer() as server:
        yield server


@pytest.fixture
def client(server: MemStackServer, colour: Colour, drive: Callable[[AnyClient], Driven]) -> Driven:
    """As code under test makes one: of what the environment says."""
    return drive(CLASSES[colour]())


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the package is installed as a wheel, with its entry points."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(built_wheel(tmp_path_factory.mktemp("wheel"))) as wheel:
        wheel.extractall(folder)
    return folder


@pytest.fixture
def project(site: Path, tmp_path: Path) -> Project:
    return Project(tmp_path, site)
