"""Where on the server an operation is: at its path, its alternative, or where a redirect leads."""

from __future__ import annotations

from typing import Any

from ._reading import is_no_route, redirect_of
from ._server import Server
from ._settings import Settings
from ._wire import WireResponse
from .operations import Operation

MAX_REDIRECTS = 5
"""In one call; more are a loop."""


class Place:
    """The place that one call sends its operation to."""

    def __init__(self, operation: Operation[Any], settings: Settings, server: Server) -> None:
        self._operation = operation
        self._settings = settings
        self._server = server
        self._moved = operation.moves is not None and operation.moves[0] in server.moved
        self._looked_elsewhere = False
        self._redirected: str | None = None
        self.redirects = 0
        """How many were followed."""

    @property
    def path(self) -> str:
        """From the root of the API, without a redirect."""
        return self._operation.path_at(self._moved)

    @property
    def target(self) -> str:
        """Path and query on the server's origin."""
        if self._redirected is not None:
            return self._redirected
        path, query = self._settings.root + self.path, self._operation.query
        return f"{path}?{query}" if query else path

    def changes(self, response: WireResponse) -> bool:
        """Whether *response* only says that the operation is elsewhere; then it is changed."""
        return self._is_moved(response) or self._is_redirected(response)

    def learn(self, response: WireResponse) -> None:
        """Let the server remember which place *response* came from, if there was a choice."""
        if self._looked_elsewhere and self._operation.moves and not is_no_route(response):
            self._server.learn_place(self._operation.moves[0], self._moved)

    def forget_redirects(self) -> None:
        """The next attempt asks anew."""
        self._redirected = None

    def _is_moved(self, response: WireResponse) -> bool:
        if self._operation.moves is None or self._looked_elsewhere or not is_no_route(response):
            return False
        self._looked_elsewhere = True
        self._moved = not self._moved
        self._redirected = None
        return True

    def _is_redirected(self, response: WireResponse) -> bool:
        if not 300 <= response.status < 400 or self.redirects == MAX_REDIRECTS:
            return False
        origin = self._settings.base_url.removesuffix(self._settings.root)
        target = redirect_of(response, self._operation.method, origin + self.target)
        if target is None:
            return False
        self.redirects += 1
        self._redirected = target
        return True
