"""A proxy on loopback that loses answers, resets connections and answers 503, by a fixed lot."""

from __future__ import annotations

import http.client
import random
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

LOST = 0.15
"""Share of requests whose answer is lost after the server has applied them."""
RESET = 0.05
"""Share of requests that are dropped before the server sees them."""
UNAVAILABLE = 0.05
"""Share of requests that are answered 503 before the server sees them."""


class _Proxy(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, upstream: str, seed: int, idempotency: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = urlsplit(upstream).netloc
        self.idempotency = idempotency
        self.faults = 0
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def draw(self) -> float:
        with self._lock:
            return self._random.random()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Proxy

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        lot = self.server.draw()
        if not self.server.idempotency and self.path == "/health":
            self._answer(200, b'{"status": "ok"}', {})
        elif lot < RESET:
            self._drop()
        elif lot < RESET + UNAVAILABLE:
            self.server.faults += 1
            self._answer(503, b'{"detail": "Service unavailable"}', {})
        else:
            status, headers, answer = self._forward(body)
            if lot < RESET + UNAVAILABLE + LOST:
                self._drop()
            else:
                self._answer(status, answer, headers)

    do_GET = do_POST = do_PATCH = do_DELETE = _serve

    def _forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        headers = dict(self.headers.items())
        if not self.server.idempotency:
            headers = {k: v for k, v in headers.items() if k.lower() != "idempotency-key"}
        upstream = http.client.HTTPConnection(self.server.upstream, timeout=10)
        upstream.request(self.command, self.path, body, headers)
        answer = upstream.getresponse()
        content = answer.read()
        upstream.close()
        kept = {"date", "content-type", "idempotency-replayed"}
        return answer.status, {k: v for k, v in answer.getheaders() if k.lower() in kept}, content

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _drop(self) -> None:
        self.server.faults += 1
        self.close_connection = True
        linger = struct.pack("ii", 1, 0)  # a reset in place of an orderly end
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        with suppress(OSError):
            self.connection.close()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the test reads what became of each call."""


@contextmanager
def fault_proxy(upstream: str, *, seed: int, idempotency: bool) -> Iterator[_Proxy]:
    """A proxy before *upstream*; without *idempotency* no key reaches the server."""
    proxy = _Proxy(upstream, seed, idempotency)
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()
