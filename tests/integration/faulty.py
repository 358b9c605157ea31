"""A server on loopback that answers, or breaks its connections, in a chosen way."""

from __future__ import annotations

import gzip
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

Behaviour = Callable[[socket.socket], None]

OK = b'{"status": "ok"}'


@dataclass
class Site:
    """A running server."""

    url: str
    """Its base URL; the host is 127.0.0.1."""
    connections: int = 0
    """How many it has accepted."""

    @property
    def authority(self) -> str:
        """Host and port."""
        return self.url.partition("://")[2]

    def named(self, host: str) -> str:
        """Its base URL with another name for the host."""
        return self.url.replace("127.0.0.1", host)


def read_request(connection: socket.socket) -> bytes:
    """A request, whole: closing with unread bytes would be a reset.

    Raises:
        ConnectionError: The client is gone.
    """
    received = b""
    while not _is_whole(received):
        received += _more(connection)
    return received


def _is_whole(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head.lower())
    return bool(end) and (length is None or len(body) >= int(length[1]))


def _more(connection: socket.socket, flags: int = 0) -> bytes:
    data = connection.recv(65536, flags)
    if not data:
        raise ConnectionError("the client closed the connection")
    return data


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def reset_unread(connection: socket.socket) -> None:
    """A reset when the request has come, and before any of it is read."""
    while not _is_whole(_more(connection, socket.MSG_PEEK)):
        pass
    _reset(connection)


def reset(connection: socket.socket) -> None:
    """A reset in place of an answer, after the request was read."""
    read_request(connection)
    _reset(connection)


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
    _drip(connection, b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 100)


def drip_body(connection: socket.socket) -> None:
    """The head at once, then a byte of the body now and then."""
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    _drip(connection, b" " * 100)


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
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(OK), OK))


def answer(
    status: int = 200,
    body: bytes = OK,
    headers: Mapping[str, str] | None = None,
    *,
    seen: list[bytes] | None = None,
    chunked: bool = False,
    keep: bool = False,
) -> Behaviour:
    """An answer that is well-formed.

    Args:
        headers: `{host}` in a value becomes the Host of the request.
        seen: Where to keep the request.
        chunked: Whether the body comes in chunks, without a length at the beginning.
        keep: Whether the connection may be used again.
    """

    def behave(connection: socket.socket) -> None:
        request = read_request(connection)
        if seen is not None:
            seen.append(request)
        host = re.search(r"(?im)^host: (\S+)", request.decode("latin-1"))
        lines = [f"HTTP/1.1 {status} Whatever"]
        for name, value in (headers or {}).items():
            lines.append(f"{name}: {value.replace('{host}', host[1] if host else '')}")
        lines.append("Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}")
        lines += [] if keep else ["Connection: close"]
        connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        connection.sendall(_chunks(body) if chunked else body)

    return behave


def _chunks(body: bytes, size: int = 65536) -> bytes:
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in [*parts, b""])


def speaks(text: str) -> Behaviour:
    """Any *text* for an answer."""

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(text.encode())

    return behave


def zipped(body: bytes) -> Behaviour:
    """A good answer, compressed."""
    return answer(200, gzip.compress(body), {"Content-Encoding": "gzip"})


def redirect(status: int, location: str, *, seen: list[bytes] | None = None) -> Behaviour:
    """A redirect; `{host}` in *location* is the host and port of the server itself."""
    return answer(status, b"", {"Location": location}, seen=seen)


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """Several on one connection, one after the other."""

    def behave(connection: socket.socket) -> None:
        for behaviour in behaviours:
            behaviour(connection)

    return behave


@contextmanager
def site(*behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    """A server whose n-th connection behaves like the n-th of *behaviours*."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        scheme = "http" if tls is None else "https"
        running = Site(f"{scheme}://127.0.0.1:{listener.getsockname()[1]}")

        def serve() -> None:
            for behaviour in behaviours:
                try:
                    connection, _ = listener.accept()
                except OSError:  # the test is over
                    return
                running.connections += 1
                with suppress(OSError):  # the client may go first
                    _serve(connection, behaviour, tls)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield running
        finally:
            listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)
    assert not thread.is_alive()


def _serve(connection: socket.socket, behaviour: Behaviour, tls: ssl.SSLContext | None) -> None:
    connection.settimeout(5)
    if tls is None:
        with connection:
            behaviour(connection)
        return
    with (
        connection.dup() as below,
        tls.wrap_socket(connection, True, do_handshake_on_connect=False) as secured,
    ):
        try:
            secured.do_handshake()
        except ssl.SSLError:
            # Unread bytes would make the end a reset, which overtakes the alert.
            below.shutdown(socket.SHUT_WR)
            while below.recv(65536):
                pass
            raise
        behaviour(secured)


@contextmanager
def serving(*behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The base URL of such a server."""
    with site(*behaviours, tls=tls) as running:
        yield running.url


def closed_port() -> int:
    """A port of loopback where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
