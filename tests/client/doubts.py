"""Creates whose outcome is unknown, and lists to look for them in."""

from __future__ import annotations

from datetime import datetime, timezone
from email.utils import formatdate
from typing import Any

import httpx
import pytest

from ..colours import Driven
from ..conftest import Make
from ..scripted import MEMO, Answer, ScriptedServer

RESET = httpx.ReadError("reset by peer")
SLOW = httpx.ReadTimeout("slow")
UNKNOWN_SERVER = Answer(body={"status": "fine"})
STARTED = 1000.0  # of FakeTime


def at(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat()


def memo(id: str, created: float, content: str = "note", **more: Any) -> dict[str, Any]:
    return {**MEMO, "id": id, "content": content, "tags": [], "created_at": at(created), **more}


def listed(*rows: Any, date: float = STARTED) -> Answer:
    """A list as the server has it at *date*, by its own clock."""
    return Answer(body=list(rows), headers={"Date": formatdate(date, usegmt=True)})


def methods(server: ScriptedServer) -> list[str]:
    return [request.method for request in server.requests]


@pytest.fixture
def patient(make: Make) -> Driven:
    """A client that looks again after two seconds: `client = patient` in files about doubt."""
    return make(settle_grace=2.0)
