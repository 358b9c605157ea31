"""Puts the server of a test on a port of loopback, for other processes and other HTTP clients."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from memstack._wire import WireRequest, WireResponse

if TYPE_CHECKING:
    from memstack.testing.stage import Played

__all__ = ["listening"]


class _Http(ThreadingHTTPServer):
    daemon_threads = False  # so that the end of the test waits for them

    def __init__(self, play: Callable[[WireRequest], Played]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.play = play
        self.over = threading.Event()
        self.connections: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        # Before its thread begins: `end` must know of it.
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a client may go first."""

    def end(self) -> None:
        """Stop, whatever clients still wait for."""
        self.over.set()
        self.shutdown()
        for connection in list(self.connections):
            with suppress(OSError):  # it is closed already
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def _http(self) -> _Http:
        assert isinstance(self.server, _Http)
        return self.server

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0))) or None
        request = WireRequest(self.command, self.path, dict(self.headers.items()), body, None)
        played = self._http.play(request)
        if played.takes:
            self._http.over.wait(played.takes)
        if played.answer is None:
            self._reset()
        else:
            self._say(played.answer)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve

    def _say(self, answer: WireResponse) -> None:
        self.send_response_only(answer.status)
        self.send_header("date", self.date_time_string())
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def _reset(self) -> None:
        self.close_connection = True
        linger = struct.pack("ii", 1, 0)  # a reset in place of an orderly end
        with suppress(OSError):  # the client may be gone
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the test looks at `requests`."""


@contextmanager
def listening(play: Callable[[WireRequest], Played]) -> Iterator[str]:
    """The URL at which *play* answers."""
    server = _Http(play)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
    )
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.end()
        thread.join()
