"""docs/adding-an-endpoint.md leads from an edited spec to passing tests, and skips no step."""

from __future__ import annotations

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from .guide import GUIDE, Step, copy, outcomes, steps
from .spec import ROOT

pytestmark = pytest.mark.slow
STEPS = steps()
NAMED = [test for step in STEPS for test in step.failing]
CLIENTS = {"memstack/client.py", "memstack/async_client.py"}
BOUND = "tests/contract/test_operations.py::test_every_operation_is_on_both_clients"
CONTRACT = [f"tests/contract/test_{name}.py" for name in ("generated", "models", "operations")]

Outcomes = Mapping[str, str]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcomes]:
    """How the tests fare before each step, with one client left out, and at the end."""
    folder = tmp_path_factory.mktemp("trees")
    tree = copy(ROOT, folder / "tree")
    with ThreadPoolExecutor() as pool:
        running = {}
        for number, step in enumerate(STEPS):
            if step.failing:
                before = copy(tree, folder / f"before-{number}")
                running[step.title] = pool.submit(outcomes, before, *step.failing)
            for client in {edit.path for edit in step.edits} & CLIENTS:
                others = tuple(edit for edit in step.edits if edit.path != client)
                without = copy(tree, folder / Path(client).stem)
                replace(step, edits=others).do(without)
                running[client] = pool.submit(outcomes, without, BOUND)
            step.do(tree)
        running["the end"] = pool.submit(outcomes, tree, *CONTRACT, *NAMED)
        return {name: future.result() for name, future in running.items()}


@pytest.mark.parametrize("step", [step for step in STEPS if step.failing], ids=lambda s: s.title)
def test_each_step_fails_by_name_until_it_is_done(step: Step, found: dict[str, Outcomes]) -> None:
    """The tests that the guide names there, and those are enough to find the step."""
    assert found[step.title] == dict.fromkeys(step.failing, "FAILED")


@pytest.mark.parametrize("client", sorted(CLIENTS))
def test_a_method_on_one_client_only_fails_by_name(client: str, found: dict[str, Outcomes]) -> None:
    """Whichever was forgotten."""
    assert found[client] == {BOUND: "FAILED"}


def test_passes_once_every_step_is_done(found: dict[str, Outcomes]) -> None:
    """The tests that failed on the way, and those of the spec, the models and the operations."""
    end = found["the end"]

    assert set(end.values()) == {"PASSED"}
    assert end.keys() > set(NAMED)


def test_the_guide_has_all_that_the_steps_are_read_from() -> None:
    """Every block is applied or run, and no step but the first and the last goes unnoticed."""
    fences = re.findall(r"^```(\w+)$", GUIDE.read_text("utf-8"), re.MULTILINE)

    assert fences.count("diff") == sum(len(step.edits) for step in STEPS)
    assert set(fences) == {"diff", "sh", "text"}
    assert [step.title[0] for step in STEPS if not step.failing] == ["1", "9"]
