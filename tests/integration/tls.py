"""Certificates of an authority that lives as long as a test, and what a TLS server needs of it."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import trustme
from cryptography.hazmat.primitives import serialization

PASSWORD = "opens-the-key-file"


@dataclass(frozen=True)
class ClientFiles:
    """A client's certificate, as files."""

    both: Path
    """Certificate and key in one file."""
    certificate: Path
    key: Path
    locked_key: Path
    """The key, encrypted with PASSWORD."""


class Authority:
    """A certificate authority, which nobody trusts who is not told to."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._ca = trustme.CA(organization_name=name)
        self._folder = folder / name
        self._folder.mkdir()
        self.file = self._folder / "ca.pem"
        """Its own certificate."""
        self._ca.cert_pem.write_to_path(str(self.file))

    def hashed_folder(self) -> Path:
        """Its certificate in a folder as OpenSSL looks it up, by the hash of its subject.

        Raises:
            FileNotFoundError: There is no `openssl` command to ask for the hash.
        """
        command = ["openssl", "x509", "-noout", "-subject_hash", "-in", str(self.file)]
        found = subprocess.run(command, check=True, capture_output=True, encoding="ascii")
        folder = self._folder / "hashed"
        folder.mkdir()
        shutil.copy(self.file, folder / f"{found.stdout.strip()}.0")
        return folder

    def context(self) -> ssl.SSLContext:
        """What a client needs to trust it, and it alone."""
        return ssl.create_default_context(cafile=str(self.file))

    def serves(
        self,
        *names: str,
        expired: bool = False,
        asks_for: Authority | None = None,
        newest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
    ) -> ssl.SSLContext:
        """A server's side of TLS, with a certificate for *names*.

        Args:
            asks_for: Whose certificate a client has to show; None for none.
            newest: The newest TLS that it speaks.
        """
        ends = datetime(2020, 1, 1, tzinfo=timezone.utc) if expired else None
        certificate = self._ca.issue_cert(*names, not_after=ends)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        context.maximum_version = newest
        if asks_for is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(asks_for.file)
        return context

    def client(self) -> ClientFiles:
        """A certificate that a client may show."""
        issued = self._ca.issue_cert("client@memstack.test")
        names = ("both.pem", "client.pem", "client.key", "locked.key")
        files = ClientFiles(*(self._folder / name for name in names))
        issued.private_key_and_cert_chain_pem.write_to_path(str(files.both))
        issued.cert_chain_pems[0].write_to_path(str(files.certificate))
        issued.private_key_pem.write_to_path(str(files.key))
        key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
        files.locked_key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(PASSWORD.encode()),
            )
        )
        return files
