"""What a user installs: the wheel, without this source tree."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ..built import built_wheel

FIRST_SUCCESS = """
import sys
sys.path.insert(0, sys.argv[1])
import memstack, memstack_api
assert all(m.__file__.startswith(sys.argv[1]) for m in (memstack, memstack_api))
client = memstack.MemStackClient.local()
client.create_episode("Alice on hiking", "Alice loves hiking in Yosemite with Bob.")
print(client.search_memory("Where does Alice like to hike?").results[0].content)
client.close()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_wheel(tmp_path_factory.mktemp("wheel"))


def test_the_wheel_holds_two_typed_packages_and_nothing_else(wheel: Path) -> None:
    """A package named `generated` or `tests` would collide with other people's."""
    names = zipfile.ZipFile(wheel).namelist()

    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == {"memstack", "memstack_api"}
    assert {"memstack/py.typed", "memstack_api/py.typed"} <= set(names)


def test_the_wheel_gives_a_first_success_from_another_folder(wheel: Path, tmp_path: Path) -> None:
    """The three lines of the README, where there is no source tree."""
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")

    run = subprocess.run(
        [sys.executable, "-c", FIRST_SUCCESS, str(tmp_path / "site")],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )

    assert run.stdout == "Alice loves hiking in Yosemite with Bob.\n"
