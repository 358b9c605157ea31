"""What a program prints as it ends: nothing, but for the warning that a client was left open."""

from __future__ import annotations

import os
import subprocess
import sys
from textwrap import dedent

from ..echo import Echoing

BEGIN = """
import asyncio, os, sys, threading
from memstack import MemStackAsyncClient, MemStackClient

def make(kind=MemStackClient, **options):
    return kind("ms_sk_test", os.environ["ECHO"], **options)
"""

SCRIPTS = {
    "never used": "client = make()",
    "async never used": "client = make(MemStackAsyncClient)",
    "closed": """
        client = make()
        client.get_memo("m1")
        client.close()
    """,
    "with": """
        with make() as client:
            client.with_options(timeout=5).get_memo("m1")
    """,
    "async": """
        async def main():
            async with make(MemStackAsyncClient) as client:
                await asyncio.gather(*(client.get_memo(f"m{n}") for n in range(5)))
        asyncio.run(main())
    """,
    "three loops": """
        client = make(MemStackAsyncClient)
        for n in range(3):
            asyncio.run(client.get_memo("m1"))
        asyncio.run(client.close())
    """,
    "cancelled as the loop ends": """
        async def main():
            global call
            async with make(MemStackAsyncClient) as client:
                call = asyncio.ensure_future(client.get_memo("hold-1"))
                await asyncio.sleep(0.05)
        asyncio.run(main())
        call.exception() if not call.cancelled() else None
    """,
    "cancelled with its client open": """
        client = make(MemStackAsyncClient)
        async def main():
            global call
            call = asyncio.ensure_future(client.get_memo("hold-1"))
            await client.get_memo("m1")
        asyncio.run(main())
        asyncio.run(client.close())
    """,
    "local": """
        with MemStackClient.local() as client:
            client.create_memo("note")
    """,
    "local async": """
        async def main():
            async with MemStackAsyncClient.local() as client:
                await client.create_memo("note")
        asyncio.run(main())
    """,
    "thread waits": """
        client = make()
        thread = threading.Thread(target=lambda: client.get_memo("m1"))
        thread.start()
        thread.join()
        client.close()
    """,
    "child": """
        client = make()
        client.get_memo("m1")
        if os.fork() == 0:
            client.get_memo("m2")
            client.close()
            os._exit(0)  # as multiprocessing ends; Python would warn of the parent's socket
        os.wait()
        client.close()
    """,
    "async child": """
        client = make(MemStackAsyncClient)
        asyncio.run(client.get_memo("m1"))
        if os.fork() == 0:
            asyncio.run(client.get_memo("m2"))
            asyncio.run(client.close())
            os._exit(0)
        os.wait()
        asyncio.run(client.close())
    """,
}

LEFT_OPEN = [
    "client = make(); client.get_memo('m1')",
    "make().get_memo('m1')",
    "client = make(MemStackAsyncClient); asyncio.run(client.get_memo('m1'))",
    "asyncio.run(make(MemStackAsyncClient).get_memo('m1'))",
    "client = MemStackClient.local()",
]

AT_WORK = """
client = make()
begun = threading.Event()
def work():
    while True:
        client.get_memo("m1")
        begun.set()
threading.Thread(target=work, daemon=True).start()
begun.wait()
client.__class__.__del__ = lambda self: None  # it is open, as another test shows
"""


def _said(echo: Echoing, *scripts: str) -> str:
    """What Python prints that runs *scripts* in turn, each with variables that stay until the end.

    Under -X dev and with each warning an error, so that those of asyncio are heard too.
    """
    program = BEGIN + "kept = []\n"
    for script in scripts:
        program += f"kept.append(dict(globals()))\nexec({dedent(script)!r}, kept[-1])\n"
    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", program],
        env={**os.environ, "ECHO": echo.url, "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    said = (ended.stdout + ended.stderr).splitlines(keepends=True)
    # asyncio tells so of a step of 0.1 s, which on a busy machine is no fault.
    return "".join(line for line in said if not line.startswith("Executing <"))


def test_a_program_that_closes_its_clients_ends_in_silence(echo: Echoing) -> None:
    """Whatever they were used for; one that never was need not be closed."""
    scripts = [SCRIPTS[name] for name in SCRIPTS if "child" not in name or hasattr(os, "fork")]

    assert _said(echo, *scripts) == ""
    assert echo.ports() == set()


def test_a_program_may_end_while_a_thread_is_at_work(echo: Echoing) -> None:
    """Its call is given up in silence."""
    assert _said(echo, AT_WORK) == ""


def test_a_program_that_leaves_clients_open_is_told_so_once_of_each(echo: Echoing) -> None:
    """By the client; asyncio says nothing, and nothing is sent at the end."""
    said = _said(echo, *LEFT_OPEN)
    warned = [line for line in said.splitlines() if line.startswith("ResourceWarning")]

    assert sum("was not closed; use `with`, or close()" in line for line in warned) == len(
        LEFT_OPEN
    )
    assert all("unclosed <socket" in line or "was not closed" in line for line in warned)
    assert said.count("Warning: ") == len(warned)
    assert echo.ports() == set()
    assert len(echo.echo.requests) == 4
