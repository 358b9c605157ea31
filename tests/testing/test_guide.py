"""docs/testing.md and the README tell the truth: their tests pass in another project."""

from __future__ import annotations

import re

import pytest

from memstack.testing import MemStackServer

from ..built import ROOT
from .project import Project

PAGE = (ROOT / "docs" / "testing.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE + README, re.DOTALL)
TESTS = [text for text in BLOCKS if "def test_" in text]


@pytest.mark.slow
def test_every_test_of_the_pages_passes(project: Project) -> None:
    """Each block is a file of its own, in a project that has the package installed."""
    run = project.pytest(*TESTS)

    assert run.counts == {"passed": sum(text.count("def test_") for text in TESTS)}, run.output
    assert run.counts["passed"] >= 9


def test_the_page_names_all_that_a_server_has() -> None:
    """None has to be found by chance."""
    public = [name for name in dir(MemStackServer()) if not name.startswith("_")]

    assert [name for name in public if f"`{name}" not in PAGE] == []
