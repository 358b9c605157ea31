"""Answers by which a server shows its generation."""

from __future__ import annotations

from ..scripted import Answer, ScriptedServer

NO_ROUTE = Answer(404, {"detail": "Not Found"})
V0_1_HEALTH = Answer(body={"status": "healthy"})
V0_2_HEALTH = Answer(body={"status": "ok", "version": "0.2.0"})
CURRENT_HEALTH = Answer(body={"status": "ok", "version": "0.1.0", "capabilities": ["filters"]})


def paths(server: ScriptedServer) -> list[str]:
    return [request.url.path for request in server.requests]
