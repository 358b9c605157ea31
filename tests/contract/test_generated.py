"""The committed generated client belongs to this openapi.yaml and to the pinned generator.

That its content is what the generator writes, `make lint` checks.
"""

from __future__ import annotations

import re

import pytest

from .spec import ROOT, described

PACKAGE = ROOT / "generated" / "memstack_api"


def test_the_generated_package_is_marked_as_typed() -> None:
    """Without the marker a type checker passes over the whole package."""
    assert (PACKAGE / "py.typed").is_file()


def test_the_readme_names_the_pinned_generator() -> None:
    """generated/README.md names the release that pyproject.toml pins."""
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    pinned = re.findall(r'"openapi-python-client==([\d.]+)"', pyproject)

    readme = (ROOT / "generated" / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"openapi-python-client\S* ([\d.]+\d)", readme)

    assert pinned == named
    assert len(pinned) == 1


@pytest.mark.parametrize("name", described())
def test_each_operation_has_a_module(name: str) -> None:
    """The generator drops an operation that it cannot read; none may be missing."""
    assert (PACKAGE / "api" / described()[name].tag / f"{name}.py").is_file()


def test_each_module_is_an_operation() -> None:
    """Nothing is left over from an operation that the spec no longer has."""
    modules = {path.stem for path in PACKAGE.glob("api/*/*.py")} - {"__init__"}

    assert modules == set(described())
