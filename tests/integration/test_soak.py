"""`make soak` tells a leak."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import soak

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not Path("/proc/self/statm").exists(),
        reason="this system does not tell how large a process is",
    ),
]

_leaked: list[bytes] = []


def _leaks(size: int) -> soak.Kind:
    """A kind of call that keeps *size* bytes each time."""

    def kind(url: str, calls: int) -> Iterator[None]:
        assert url.startswith("http://127.0.0.1:")
        for part in (calls // 10, calls):
            _leaked.extend(b"x" * size for _ in range(part))
            yield

    return kind


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Path]:
    page = tmp_path / "reliability.md"
    page.write_text(f"Before.\n{soak.BEGIN}old\n{soak.END}After.\n", "utf-8")
    yield page
    _leaked.clear()


def test_a_leak_fails_the_soak(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The row is in the table, and the kind on stderr."""
    kinds = {"tight": _leaks(10), "leaky": _leaks(2_000_000)}

    code = soak.main(40, kinds, page)

    assert code == 1
    assert capsys.readouterr().err == "grew by more than 5 MB: leaky\n"
    text = page.read_text("utf-8")
    assert text.startswith(f"Before.\n{soak.BEGIN}40 calls in each row")
    assert text.endswith(f"MB |\n{soak.END}After.\n")
    assert "old" not in text


def test_every_kind_of_call_of_the_soak_works(page: Path) -> None:
    """A few calls of each."""
    assert soak.main(20, soak.KINDS, page) == 0
    assert page.read_text("utf-8").count(" MB |\n") == len(soak.KINDS)
