"""docs/many-workers.md is true: its function in processes of Dask, one of which is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import Client, LocalCluster

from memstack import AuthenticationError, MemStackClient

from ..integration.ingest_kills import KillingProxy
from ..public.test_docs import BLOCKS, ROOT
from ..served import Served, serving

pytestmark = pytest.mark.slow
RECIPE, PRINTED = (b for b in BLOCKS if b.page == ROOT / "docs" / "many-workers.md")
PARTS = 3


@pytest.fixture(scope="module")
def dask() -> Iterator[Client]:
    """Two processes; they and those that take their place begin with this one's environment."""
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0") as workers,
        Client(workers) as dask,
    ):
        yield dask


@pytest.fixture
def served() -> Iterator[Served]:
    with serving() as server:
        yield server


def lead(dask: Client, monkeypatch: pytest.MonkeyPatch, served: Served, **changes: str) -> None:
    """Set the environment, here and in the processes."""
    environment = {**served.environment, **changes}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    dask.run(_set, environment)


def _set(environment: dict[str, str]) -> None:
    os.environ.update(environment)


def test_the_recipe_runs_as_a_script_and_prints_what_the_page_says(
    served: Served, tmp_path: Path
) -> None:
    """As it stands there."""
    script = tmp_path / "load.py"
    script.write_text(RECIPE.text, "utf-8")

    ran = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={**os.environ, **served.environment},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )

    assert (ran.returncode, ran.stdout) == (0, PRINTED.text), ran.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="has no such kill")
@pytest.mark.parametrize("idempotency", [True, False])
def test_each_item_is_stored_once_though_a_worker_is_killed(
    dask: Client,
    served: Served,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    idempotency: bool,
) -> None:
    """In the middle of its part; another worker goes on from the ledger, as a later run does."""
    recipe = RECIPE.run()
    parts = [recipe["chats"](part)[:30] for part in range(PARTS)]
    ledgers = [str(tmp_path / f"{part}.sqlite") for part in range(PARTS)]
    proxy = KillingProxy(served.base_url, idempotency=idempotency)
    lead(dask, monkeypatch, served, MEMSTACK_BASE_URL=proxy.url)

    with proxy.running():
        processes = dask.run(os.getpid)
        proxy.next_life(len(parts[0]), applied=True)
        runs = dask.map(recipe["load_partition"], parts, ledgers, pure=False)
        assert proxy.due.wait(60)
        busy = [worker for worker, tasks in dask.processing().items() if tasks]
        os.kill(processes[busy[0]], signal.SIGKILL)
        proxy.is_dead.set()
        reports = dask.gather(runs)
        again = dask.gather(dask.map(recipe["load_partition"], parts, ledgers, pure=False))
        living = dask.run(os.getpid).values()

    with MemStackClient(served.api_key, served.base_url) as client:
        stored = Counter(episode.name for episode in client.iter_episodes())
    assert len(busy) == 2
    assert processes[busy[0]] not in living
    assert [report for report in (*reports, *again) if not report.is_whole] == []
    assert [report.created for report in again] == [0] * PARTS
    assert stored == {item["name"]: 1 for part in parts for item in part}


def test_a_client_goes_to_a_worker_without_its_key(
    dask: Client, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There it is in the environment, or a function gets it; else that is an error there."""
    lead(dask, monkeypatch, served)
    key = served.api_key

    def forget_key() -> None:
        del os.environ["MEMSTACK_API_KEY"]

    def store(client: MemStackClient) -> tuple[int, str]:
        with client:
            return os.getpid(), client.create_memo("note").id

    with MemStackClient("ms_sk_of_nobody") as client:
        of_environment = dask.submit(store, client, pure=False).result()
        dask.run(forget_key)
        of_function = client.with_options(api_key=lambda: key)
        worker, _ = dask.submit(store, of_function, pure=False).result()
        with pytest.raises(AuthenticationError, match="leaves its key behind"):
            dask.submit(store, client, pure=False).result()

    assert os.getpid() not in (of_environment[0], worker)
