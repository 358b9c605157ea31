"""A forward proxy on loopback, for http and, by CONNECT, for https; it keeps what it was sent.

It takes every host for one on loopback, so that a name nobody knows proves that a request came
through it.
"""

from __future__ import annotations

import base64
import re
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_LIMIT = 5.0
"""Seconds that a connection may be idle."""


@dataclass
class Proxy:
    """A running proxy."""

    address: str
    """Host and port."""
    credentials: str | None = None
    """`user:password` that it asks for; None if anyone may use it."""
    refuses: int | None = None
    """Status that it answers every request with; None to let them through."""
    heads: list[str] = field(default_factory=list)
    """The first lines and headers of the requests to it."""
    heard: bytearray = field(default_factory=bytearray)
    """All that clients sent, also through tunnels."""

    @property
    def url(self) -> str:
        """Where it is, without credentials."""
        return f"http://{self.address}"

    def url_for(self, credentials: str) -> str:
        return f"http://{credentials}@{self.address}"

    @property
    def asked(self) -> list[str]:
        """Method and target of each request to it."""
        return [head.rsplit(" ", 1)[0] for head in (h.partition("\r\n")[0] for h in self.heads)]

    def serve(self, client: socket.socket) -> None:
        """One request or one tunnel."""
        received = b""
        while b"\r\n\r\n" not in received:
            data = self._hear(client)
            if not data:
                return
            received += data
        head_bytes, _, rest = received.partition(b"\r\n\r\n")
        head = head_bytes.decode("latin-1")
        self.heads.append(head)
        status = 407 if not self._may_pass(head) else self.refuses
        if status is not None:
            client.sendall(
                f"HTTP/1.1 {status} Refused\r\nProxy-Authenticate: Basic realm=test\r\n"
                "Content-Length: 0\r\nConnection: close\r\n\r\n".encode()
            )
            return
        method, target, _ = head.partition("\r\n")[0].split(" ")
        place = re.fullmatch(r"(?:http://)?[^/:]+:(\d+)(.*)", target)
        assert place is not None, f"a proxy cannot read {target!r}"
        with socket.create_connection(("127.0.0.1", int(place[1])), _LIMIT) as server:
            if method == "CONNECT":
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                lines = [f"{method} {place[2]} HTTP/1.1", *head.split("\r\n")[1:]]
                kept = [line for line in lines if not line.lower().startswith("proxy-")]
                server.sendall("\r\n".join([*kept, "", ""]).encode("latin-1") + rest)
            self._pump(client, server)

    def _may_pass(self, head: str) -> bool:
        if self.credentials is None:
            return True
        expected = base64.b64encode(self.credentials.encode()).decode()
        sent = re.search(r"(?im)^proxy-authorization: Basic (\S+)", head)
        return sent is not None and sent[1] == expected

    def _pump(self, client: socket.socket, server: socket.socket) -> None:
        """Hands bytes over both ways until one side ends."""
        while True:
            ready, _, _ = select.select([client, server], [], [], _LIMIT)
            if not ready:
                return
            for side in ready:
                data = self._hear(client) if side is client else server.recv(65536)
                if not data:
                    return
                (server if side is client else client).sendall(data)

    def _hear(self, client: socket.socket) -> bytes:
        data = client.recv(65536)
        self.heard += data
        return data


@contextmanager
def http_proxy(credentials: str | None = None, refuses: int | None = None) -> Iterator[Proxy]:
    """A proxy; see `Proxy` for the arguments."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = Proxy(f"127.0.0.1:{listener.getsockname()[1]}", credentials, refuses)
        threads: list[threading.Thread] = []

        def serve(client: socket.socket) -> None:
            with client, suppress(OSError):  # either side may go first
                client.settimeout(_LIMIT)
                proxy.serve(client)

        def accept() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:  # the test is over
                    return
                threads.append(threading.Thread(target=serve, args=(client,), daemon=True))
                threads[-1].start()

        acceptor = threading.Thread(target=accept, daemon=True)
        acceptor.start()
        try:
            yield proxy
        finally:
            listener.shutdown(socket.SHUT_RDWR)
    acceptor.join(_LIMIT)
