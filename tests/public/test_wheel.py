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

REFERENCE = """
import sys
sys.path.insert(0, sys.argv[1])
from memstack.local import reference
print(reference.__file__.partition("/memstack/")[0])
print("search_memory" in reference.html())
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


def test_the_wheel_has_the_spec_and_the_page_of_the_server(wheel: Path) -> None:
    """As they are here: the spec has one source, the one in the root."""
    root = Path(__file__).parents[2]
    files = sorted((root / "memstack" / "local" / "page").iterdir())
    wanted = {f"memstack/local/page/{file.name}": file for file in files}
    wanted["memstack/local/openapi.yaml"] = root / "openapi.yaml"

    with zipfile.ZipFile(wheel) as archive:
        packed = {name: archive.read(name) for name in wanted}

    assert files
    assert packed == {name: file.read_bytes() for name, file in wanted.items()}


def test_the_wheel_renders_the_reference_from_another_folder(wheel: Path, tmp_path: Path) -> None:
    """With the spec that it carries."""
    printed = printed_beside(wheel, tmp_path, REFERENCE)

    assert printed == f"{tmp_path / 'site'}\nTrue\n"


def test_the_wheel_gives_a_first_success_from_another_folder(wheel: Path, tmp_path: Path) -> None:
    """The three lines of the README, where there is no source tree."""
    printed = printed_beside(wheel, tmp_path, FIRST_SUCCESS)

    assert printed == "Alice loves hiking in Yosemite with Bob.\n"


def printed_beside(wheel: Path, folder: Path, code: str) -> str:
    """What *code* prints in a process in *folder*, with the wheel's files as its first argument."""
    zipfile.ZipFile(wheel).extractall(folder / "site")
    run = subprocess.run(
        [sys.executable, "-c", code, str(folder / "site")],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    return run.stdout
