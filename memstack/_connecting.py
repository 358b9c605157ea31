"""Works out how connections to one server are made: certificates, keys and a proxy."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from urllib.parse import urlsplit

from .exceptions import ValidationError

if TYPE_CHECKING:
    import ssl

    import httpx

__all__ = ["Cert", "Connecting", "TransportName", "Verify", "origin_of", "place_of"]

File = str | os.PathLike[str]
Verify: TypeAlias = "bool | File | ssl.SSLContext"
Cert = File | tuple[File, File] | tuple[File, File, str]
TransportName = Literal["httpx", "pyreqwest"]


def is_of_connections(variable: str) -> bool:
    """Whether an environment variable says how connections are made."""
    return _is_of_proxies(variable) or variable.startswith("SSL_CERT_")


def _is_of_proxies(variable: str) -> bool:
    return variable.upper().endswith("_PROXY")


@dataclass(frozen=True)
class Connecting:
    """What a user says of connections; the repr holds no secret."""

    verify: Verify = True
    cert: Cert | None = field(default=None, repr=False)
    proxy: str | None = field(default=None, repr=False)
    transport: TransportName = "httpx"

    def is_plain(self) -> bool:
        """Whether nothing was said."""
        return self == Connecting()

    def cannot_fail(self) -> bool:
        """Whether neither the user nor the environment says anything that may be wrong."""
        return self.is_plain() and not any(map(is_of_connections, os.environ))

    def can_travel(self) -> bool:
        """Whether another process can connect in the same way."""
        return isinstance(self.verify, (bool, str, os.PathLike))

    def ssl_context(self) -> ssl.SSLContext:
        """The context for TLS.

        Raises:
            ValidationError: A file cannot be read, or `verify` or `cert` is of no known kind.
        """
        import ssl

        if isinstance(self.verify, ssl.SSLContext):
            if self.cert is not None:
                raise ValidationError("cert: load it into the context that verify= gives")
            return self.verify
        if self.verify is True and self.cert is None:
            # Both are read when a context is made.
            return _default_context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
        context = self._trusting()
        if self.cert is not None:
            self.identify(context)
        return context

    def proxy_for(self, base_url: str) -> httpx.Proxy | None:
        """The proxy between here and *base_url*; None for none.

        Raises:
            ValidationError: Its URL cannot be read.
        """
        url, place = self.proxy, "proxy"
        if url is None:
            url, place = _proxy_of_environment(base_url), "a proxy of the environment"
        if url is None:
            return None
        import httpx

        try:
            proxy = httpx.Proxy(url)
            port = proxy.url.port
            has_place = proxy.url.host and (port is None or 0 < port < 65536)
            if has_place and proxy.url.scheme in ("http", "https", "socks5", "socks5h"):
                return proxy
        except (ValueError, TypeError, httpx.InvalidURL):
            pass
        # Without the URL and the cause: both may hold a password.
        raise ValidationError(f"{place}: must be a URL such as 'http://proxy.example.com:3128'")

    def _trusting(self) -> ssl.SSLContext:
        if isinstance(self.verify, bool):
            import httpx

            return httpx.create_ssl_context(verify=self.verify)
        if not isinstance(self.verify, (str, os.PathLike)) or not os.fspath(self.verify):
            raise ValidationError("verify: must be True, False, a file or folder, or an SSLContext")
        import ssl

        path = Path(self.verify)
        try:
            if path.is_dir():
                return ssl.create_default_context(capath=path)
            return ssl.create_default_context(cafile=path)
        except (OSError, ValueError) as error:
            raise ValidationError(
                f"verify: {os.fspath(path)!r} holds no certificates that can be read ({error})"
            ) from error

    def identify(self, context: ssl.SSLContext) -> None:
        """Load `cert` into *context*.

        Raises:
            ValidationError: It cannot be used.
        """
        parts: tuple[Any, ...] = self.cert if isinstance(self.cert, tuple) else (self.cert,)
        if not 1 <= len(parts) <= 3 or not all(isinstance(p, (str, os.PathLike)) for p in parts):
            raise ValidationError(
                "cert: must be a file with certificate and key, or a tuple of certificate file, "
                "key file and, where the key has one, password"
            )
        try:
            # Without a password, OpenSSL would ask for one at the terminal.
            password = parts[2] if len(parts) == 3 else ""
            context.load_cert_chain(parts[0], parts[1] if len(parts) > 1 else None, password)
        except (OSError, ValueError) as error:
            raise ValidationError(
                f"cert: the certificate, its key or its password cannot be used ({error})"
            ) from error


@lru_cache(maxsize=4)
def _default_context(file: str | None, folder: str | None) -> ssl.SSLContext:
    # Building one reads all certificate authorities, about 50 ms; it may be shared.
    import httpx

    try:
        return httpx.create_ssl_context()
    except OSError as error:
        raise ValidationError(
            f"the environment names certificates that cannot be used ({error}); "
            f"look at SSL_CERT_FILE, which is {file!r}, and SSL_CERT_DIR, which is {folder!r}"
        ) from error


def _proxy_of_environment(base_url: str) -> str | None:
    if sys.platform not in ("darwin", "win32") and not any(map(_is_of_proxies, os.environ)):
        return None  # as below, without what it takes to import that
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(base_url)
    proxies = getproxies()
    url = proxies.get(parts.scheme) or proxies.get("all")
    if not url or proxy_bypass(parts.netloc):
        return None
    return url if "://" in url else f"http://{url}"


def origin_of(base_url: str) -> str:
    """Scheme, host and port of *base_url*."""
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}"


def place_of(proxy: httpx.Proxy | None) -> str | None:
    """Where *proxy* is, without its password."""
    return None if proxy is None else f"{proxy.url.scheme}://{proxy.url.netloc.decode()}"
