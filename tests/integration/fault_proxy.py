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


class Proxy(ThreadingHTTPServer):
    """Before the server at *upstream*; without *idempotency* no key reaches it."""

    daemon_threads = True

    def __init__(self, upstream: str, handler: type[Handler], *, idempotency: bool) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.upstream = urlsplit(upstream).netloc
        self.idempotency = idempotency

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield
        finally:
            self.shutdown()
            thread.join()
            self.server_close()


class Handler(BaseHTTPRequestHandler):
    """What becomes of a request is for `serve` to say."""

    protocol_version = "HTTP/1.1"
    server: Proxy

    def serve(self, body: bytes) -> None:
        raise NotImplementedError

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if not self.server.idempotency and self.path == "/health":
            self.answer(200, b'{"status": "ok"}', {})
        else:
            self.serve(body)

    do_GET = do_POST = do_PATCH = do_DELETE = _serve

    def pass_on(self, body: bytes) -> None:
        """The answer of the server."""
        status, headers, answer = self.forward(body)
        self.answer(status, answer, headers)

    def forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
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

    def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def drop(self) -> None:
        """No answer; the connection is reset."""
        self.close_connection = True
        linger = struct.pack("ii", 1, 0)  # a reset in place of an orderly end
        with suppress(OSError):  # the client may be gone
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the test reads what became of each call."""


class FaultProxy(Proxy):
    """Fails by a lot that *seed* fixes."""

    def __init__(self, upstream: str, seed: int, *, idempotency: bool) -> None:
        super().__init__(upstream, _FaultHandler, idempotency=idempotency)
        self.faults = 0
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def draw(self) -> float:
        with self._lock:
            return self._random.random()


class _FaultHandler(Handler):
    server: FaultProxy

    def serve(self, body: bytes) -> None:
        lot = self.server.draw()
        self.server.faults += lot < RESET + UNAVAILABLE + LOST
        if lot < RESET:
            self.drop()
        elif lot < RESET + UNAVAILABLE:
            self.answer(503, b'{"detail": "Service unavailable"}', {})
        elif lot < RESET + UNAVAILABLE + LOST:
            self.forward(body)
            self.drop()
        else:
            self.pass_on(body)


@contextmanager
def fault_proxy(upstream: str, *, seed: int, idempotency: bool) -> Iterator[FaultProxy]:
    """A proxy before *upstream*; without *idempotency* no key reaches the server."""
    proxy = FaultProxy(upstream, seed, idempotency=idempotency)
    with proxy.running():
        yield proxy
