"""`memstack serve` stops in time: what is under way is answered, and nothing keeps it for ever."""

from __future__ import annotations

import json
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from .command import Served, serving

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals work in another way there")

BODY = b'{"content": "kept"}'
# The command, with other bounds, and a memo that never gets done.
HURRIED = """
import sys, threading
from memstack.local import memos, serving
from memstack.__main__ import main
serving.GRACE, serving.LAST = {grace}, {last}
if {stuck}:
    memos.create = lambda *_: threading.Event().wait()
sys.exit(main(sys.argv[1:]))
"""


class Request:
    """A request to store a memo, whose body the server waits for."""

    def __init__(self, served: Served) -> None:
        host, port = served.url.removeprefix("http://").split(":")
        self.address = (host, int(port))
        self.connection = socket.create_connection(self.address, timeout=20)
        head = (
            f"POST /api/v1/memos HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {served.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\n"
            "Expect: 100-continue\r\n\r\n"
        )
        self.connection.sendall(head.encode())
        # The server says this when it reads the body, so it is at work.
        assert self.connection.recv(1024).startswith(b"HTTP/1.1 100 ")

    def wait_until_no_other_is_let_in(self) -> None:
        with suppress(ConnectionRefusedError):
            while True:
                socket.create_connection(self.address, timeout=20).close()

    def answer(self) -> tuple[int, dict[str, str], object]:
        """Status, headers and content, once the server closed the connection."""
        received = b"".join(iter(lambda: self.connection.recv(65536), b""))
        head, _, body = received.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        return int(status.split()[1]), headers, json.loads(body)


@contextmanager
def begun(served: Served) -> Iterator[Request]:
    request = Request(served)
    with request.connection:
        yield request


def hurried(*, grace: float, last: float = 5, stuck: bool = False) -> tuple[str, str]:
    return ("-c", HURRIED.format(grace=grace, last=last, stuck=stuck))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_request_under_way_is_answered(number: int) -> None:
    """Nobody new is let in; what was begun is done, and the exit code is 0."""
    with serving() as served, begun(served) as request:
        served.process.send_signal(number)
        request.wait_until_no_other_is_let_in()
        request.connection.sendall(BODY)
        status, _, memo = request.answer()

        assert served.ended() == (0, "")

    assert status == 200
    assert isinstance(memo, dict)
    assert memo["content"] == "kept"


def test_request_that_does_not_end_is_told_so() -> None:
    """503 when the time is over, in the form of every error, and no traceback."""
    with serving(program=hurried(grace=0)) as served, begun(served) as request:
        served.process.send_signal(signal.SIGTERM)
        status, headers, content = request.answer()
        code, errors = served.ended()

    assert status == 503
    assert headers["retry-after"] == "1"
    assert isinstance(content, dict)
    assert content["detail"].startswith("The server is stopping")
    assert code == 0
    assert "Traceback" not in errors


def test_work_that_cannot_be_stopped_does_not_keep_the_process() -> None:
    """It ends without it, with exit code 1 and one line that says so."""
    program = hurried(grace=0, last=0.2, stuck=True)
    with serving(program=program) as served, begun(served) as request:
        request.connection.sendall(BODY)
        served.process.send_signal(signal.SIGTERM)
        code, errors = served.ended()

    assert code == 1
    assert "a request did not end in time" in errors
    assert "Traceback" not in errors
