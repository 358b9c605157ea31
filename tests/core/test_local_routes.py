"""Paths, methods and query parameters that the embedded server refuses."""

from __future__ import annotations

import pytest

from memstack._wire import WireRequest
from memstack.local import EmbeddedServer

from .local import EPISODES, KEYS, MEMOS, SEARCH, ask, told


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "",
        "*",
        "//health",
        "/health/",
        "/Health",
        "/api/v1/episodes",
        "/api/v1/memos/",
        "/api/v1/memos/a/b",
        "/api/v1/auth%2Fkeys",
        "/api/v1/auth/keys/",
        "http://host/health",
        "/api/v1/memos/é",
        "/api/v1/\ud800",
    ],
)
def test_unknown_route_is_not_found(server: EmbeddedServer, target: str) -> None:
    """404 with the words of deployed servers, key or not."""
    response = server.handle(WireRequest("GET", target, {}, None, None))

    assert (response.status, response.body) == (404, b'{"detail":"Not Found"}')


@pytest.mark.parametrize(
    ("method", "target", "allow"),
    [
        ("HEAD", "/health", "GET"),
        ("POST", "/health", "GET"),
        ("PUT", MEMOS, "POST, GET"),
        ("get", MEMOS, "POST, GET"),
        ("PUT", MEMOS + "/x", "GET, PATCH, DELETE"),
        ("GET", KEYS + "/x", "DELETE"),
        ("GET", SEARCH, "POST"),
        ("OPTIONS", EPISODES + "x", "GET, DELETE"),
    ],
)
def test_other_method_is_not_allowed(
    server: EmbeddedServer, method: str, target: str, allow: str
) -> None:
    """405 with the methods that are, key or not."""
    response = server.handle(WireRequest(method, target, {}, None, None))

    assert (response.status, told(response)) == (405, {"detail": "Method Not Allowed"})
    assert response.headers["allow"] == allow


@pytest.mark.parametrize(
    "segment",
    ["a%2Fb", "a%5Cb", "%00", "a%0Ab", "%7F", "%C2%80", ".", "..", "%2E%2E", "%FF", "%ED%A0%80"],
)
@pytest.mark.parametrize("path", [EPISODES, MEMOS + "/"])
def test_path_segment_that_names_nothing_is_refused(
    server: EmbeddedServer, path: str, segment: str
) -> None:
    """A slash, a control character, a dot or broken UTF-8 in a name is 422, and no other route."""
    response = ask(server, "GET", path + segment)

    assert response.status == 422
    assert told(response)["detail"][0]["loc"][0] == "path"


@pytest.mark.parametrize(
    ("target", "name", "kind"),
    [
        (MEMOS + "?limit=0", "limit", "greater_than_equal"),
        (MEMOS + "?limit=1001", "limit", "less_than_equal"),
        (MEMOS + "?limit=abc", "limit", "int_parsing"),
        (MEMOS + "?limit=", "limit", "int_parsing"),
        (MEMOS + "?limit=1.0", "limit", "int_parsing"),
        (MEMOS + "?limit=1_0", "limit", "int_parsing"),
        (MEMOS + "?limit=%EF%BC%91", "limit", "int_parsing"),
        (MEMOS + "?limit=" + "9" * 5000, "limit", "int_parsing"),
        (MEMOS + "?offset=-1", "offset", "greater_than_equal"),
        (MEMOS + "?offset=2147483648", "offset", "less_than_equal"),
        (MEMOS + "?limit=5&limit=0", "limit", "greater_than_equal"),
        (EPISODES + "?limit=201", "limit", "less_than_equal"),
        (EPISODES + "?tenant_id=", "tenant_id", "string_too_short"),
        (EPISODES + "?project_id=%00", "project_id", "value_error"),
    ],
)
def test_bad_query_parameter_is_refused(
    server: EmbeddedServer, target: str, name: str, kind: str
) -> None:
    """422, which says where, what was sent and which rule it breaks."""
    response = ask(server, "GET", target)

    assert response.status == 422
    (detail,) = told(response)["detail"]
    assert (detail["loc"], detail["type"]) == (["query", name], kind)
    assert isinstance(detail["input"], str)


def test_query_that_is_not_utf8_is_refused(server: EmbeddedServer) -> None:
    """422, not a guess."""
    assert ask(server, "GET", EPISODES + "?tenant_id=%FF").status == 422
