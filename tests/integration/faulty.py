"""A server on loopback that breaks connections in a chosen way."""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Behaviour = Callable[[socket.socket], None]


def read_request(connection: socket.socket) -> None:
    """Reads head and body whole: closing with unread bytes would be a reset."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head.lower())
    while length and len(body) < int(length[1]):
        body += connection.recv(65536)


def reset(connection: socket.socket) -> None:
    """A reset in place of an answer, after the request was read."""
    read_request(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hang_up(connection: socket.socket) -> None:
    """The connection is closed without an answer."""
    read_request(connection)


def cut(connection: socket.socket) -> None:
    """Half of an answer."""
    read_request(connection)
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"status"')


def silent(connection: socket.socket) -> None:
    """No answer until the client goes away."""
    read_request(connection)
    connection.recv(1)


def drip_head(connection: socket.socket) -> None:
    """A byte of the head now and then, never all of it."""
    read_request(connection)
    _drip(connection, b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1000)


def drip_body(connection: socket.socket) -> None:
    """The head at once, then a byte of the body now and then."""
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    _drip(connection, b" " * 1000)


def _drip(connection: socket.socket, data: bytes) -> None:
    gone = threading.Event()
    for byte in data:
        connection.sendall(bytes([byte]))
        gone.wait(0.02)


def garble(connection: socket.socket) -> None:
    """An answer that is not HTTP."""
    read_request(connection)
    connection.sendall(b"220 mail.test ESMTP\r\n")


def plain(connection: socket.socket) -> None:
    """Plain text to whoever wants to speak TLS."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def healthy(connection: socket.socket) -> None:
    """A good answer, after which the connection is closed although it said keep-alive."""
    read_request(connection)
    body = b'{"status": "ok"}'
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


@contextmanager
def serving(*behaviours: Behaviour) -> Iterator[str]:
    """The base URL of a server whose n-th connection behaves like the n-th of *behaviours*."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for behaviour in behaviours:
                try:
                    connection, _ = listener.accept()
                except OSError:  # the test is over
                    return
                with connection, suppress(ConnectionError):  # the client may go first
                    connection.settimeout(5)
                    behaviour(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def closed_port() -> int:
    """A port of loopback where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
