"""A system keyring for tests: the file that KEYRING_FILE names, for any process."""

from __future__ import annotations

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend


class KeyringOfAFile(KeyringBackend):
    priority = 1

    @property
    def _path(self) -> Path:
        return Path(os.environ["KEYRING_FILE"])

    def _all(self) -> dict[str, str]:
        return json.loads(self._path.read_text()) if self._path.exists() else {}

    def get_password(self, service: str, username: str) -> str | None:
        return self._all().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._path.write_text(json.dumps({**self._all(), f"{service}/{username}": password}))

    def delete_password(self, service: str, username: str) -> None:
        kept = self._all()
        del kept[f"{service}/{username}"]
        self._path.write_text(json.dumps(kept))
