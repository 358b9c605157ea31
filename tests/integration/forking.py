"""Forked processes, and the connections that they and their parent use."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Callable
from typing import Any

import pytest

from memstack import MemStackAsyncClient, MemStackClient, operations

NEEDS_FORK = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork"),
    # Python 3.12 and newer warn of what is proved here.
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
]
PATIENCE = 10


def in_a_child(work: Callable[[], Any]) -> Any:
    """What *work* returns, or the text of what it raises, in a forked process that may not hang."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        signal.alarm(PATIENCE)
        try:
            result = work()
        except BaseException as error:
            result = f"{type(error).__name__}: {error}"
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(pickle.dumps(result))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    assert status == 0, "the child hung"
    return pickle.loads(told)


def port_of(client: MemStackClient, name: str = "m1") -> int:
    """The client's port of the connection that a call went over."""
    answer = client.send_raw(operations.get_memo(name))
    assert answer.result.id == name
    return int(answer.headers["x-client-port"])


async def aport_of(client: MemStackAsyncClient, name: str = "m1") -> int:
    answer = await client.send_raw(operations.get_memo(name))
    return int(answer.headers["x-client-port"])
