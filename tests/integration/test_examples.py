"""The examples run as their reader would run them, and show what a reader wants to see."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from memstack._connecting import TransportName

from ..served import Served

EXAMPLES = Path(__file__).parents[2] / "examples"

HIKING = ("Where does Alice like to hike?", "Alice loves hiking in Yosemite")
CYCLING = ("王芳周末喜欢做什么?", "王芳喜欢在周末去西湖边骑自行车")


def ran(*command: str, **environment: str) -> str:
    """What it printed; it ended well and said nothing of warnings."""
    done = subprocess.run(
        [sys.executable, "-W", "error", *command],
        env={**os.environ, "PYTHONUTF8": "1", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def best_for(question: str, output: str) -> str:
    """The line below the question: its first result."""
    lines = output.splitlines()
    (place,) = (i for i, line in enumerate(lines) if line.startswith(question))
    return lines[place + 1]


def section(title: str, output: str) -> str:
    """What stands between *title* and the next one."""
    text = output.partition(f"\n{title}\n")[2]
    assert text, f"no section {title!r}"
    return re.split(r"\n\n.+\n=+\n", text)[0]


def test_basic_usage_finds_what_it_stored(served: Served) -> None:
    """Over the REST API alone."""
    output = ran(str(EXAMPLES / "basic_usage.py"), **served.environment)

    assert output.startswith("Health: ok\n")
    assert output.count("Stored: ") == 3
    assert "Processed: " in output
    for question, answer in (HIKING, CYCLING):
        assert answer in best_for(question, output)


def test_sdk_usage_finds_what_it_stored_and_handles_an_error(
    served: Served, transport: TransportName
) -> None:
    """With the asyncio client."""
    code = "import memstack, runpy; "
    code += f"memstack.MemStackAsyncClient.__init__.__kwdefaults__['transport'] = {transport!r}; "
    code += f"runpy.run_path({str(EXAMPLES / 'sdk_usage.py')!r}, run_name='__main__')"
    output = ran("-c", code, **served.environment)

    launch = ("When does the mobile app launch?", "The mobile app launches on 12 October.")
    for question, answer in (HIKING, CYCLING, launch):
        assert answer in best_for(question, output)
    assert "No such memo: status 404, request " in output


@pytest.fixture(scope="module")
def demo() -> str:
    """What the demo prints, run where only the package itself is installed."""
    code = "import runpy, sys; sys.modules.update(starlette=None, uvicorn=None)"
    code += f"; runpy.run_path({str(EXAMPLES / 'demo.py')!r}, run_name='__main__')"
    return ran("-c", code)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        HIKING,
        CYCLING,
        ("When does the mobile app launch?", "The mobile app launches on 12 October."),
        ("Who has to approve an expensive trip?", "Trips of more than 500 euros are approved"),
        ("产品会议在哪里举行?", "下次产品会议改到星期五下午三点,在上海办公室二楼举行。"),
        ("When is the refund?", "Agent: Yes, the refund of 49 euros arrives"),
        ("Who likes tea?", "Carol likes green tea with honey."),
        ("What does Dan play?", "Dan plays the cello in an orchestra."),
        ("谁会弹钢琴?", "张伟会弹钢琴,也喜欢唱歌。"),
    ],
)
def test_demo_answers(demo: str, question: str, answer: str) -> None:
    """The best result, with its rank and score."""
    best = best_for(question, demo)

    assert re.match(r"  1\.  0\.\d\d  ", best)
    assert answer in best


def test_demo_keeps_tenants_apart(demo: str) -> None:
    """One question, two tenants: only one is told the price."""
    globex, _, acme = section("Search one part of the memory", demo).partition("[tenant acme]")

    assert "900 euros" in globex
    assert acme.strip() == "nothing found"


def test_demo_creates_changes_and_deletes_a_memo(demo: str) -> None:
    """It shows the list after each step."""
    _, created, updated, deleted = re.split(
        "Created two:|Updated one:|Deleted it:", section("Keep memos", demo)
    )

    assert "Ask Alice about the trail map.  #hiking\n" in created
    assert "Alice sent the trail map.  #hiking  #done\n" in updated
    assert "trail map" not in deleted
    assert "给王芳回电话" in deleted


def test_demo_shows_no_api_key(demo: str) -> None:
    """It makes one, uses it and revokes it, and shows only its ends."""
    keys = section("Make and revoke an API key", demo)

    assert re.search(r"ms_sk_\w{2}\.\.\.\w{2}\n", keys)
    assert not re.search(r"ms_sk_\w{3}", demo)
    assert "403 PermissionDeniedError" in keys
    assert "401 AuthenticationError" in keys


def test_demo_handles_typed_errors(demo: str) -> None:
    """One from the server, and one from before anything was sent."""
    errors = section("Handle errors by their type", demo)

    assert "NotFoundError    status 404, outcome rejected" in errors
    assert "ValidationError  outcome not_sent" in errors


def test_demo_says_where_to_go_next(demo: str) -> None:
    """The files it names are there."""
    ways = section("Where to go next", demo)

    for name in ("README.md", "examples/sdk_usage.py", "examples/basic_usage.py"):
        assert name in ways
        assert (EXAMPLES.parent / name).is_file()
    assert "python -m memstack serve" in ways
