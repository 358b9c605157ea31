"""Each thing that is done on every server to compare them.

    python -m tests.contract.closures    # writes docs/congruence.md

A closure with a `why` is a difference that is known; any other fails.
"""

from __future__ import annotations

from memstack import MemStackClient

from . import congruence
from .congruence import Closure, as_recorded, at, call, raw_memo, the_key, the_memo
from .spec import ROOT

PAGE = ROOT / "docs" / "congruence.md"
UNKNOWN = "00000000-0000-0000-0000-000000000000"
EPISODE = (
    "User Preference",
    "Alice loves hiking in Yosemite with Bob",
    "text",
    "Chat message",
    "user_123",
    {"session": "s1", "n": 1},
)

# Why servers differ, where that has several cases.
EMPTY = "deployed servers take empty texts; openapi.yaml does not"
NUL = "PostgreSQL cannot store NUL, so openapi.yaml does not allow it anywhere"
SLASH = "deployed servers redirect; the client follows, which was not recorded"
UNCHECKED = "v0.2 does not check what a search asks for"
NO_MEMO = "v0.2 fails on every new memo"
RANGE = "deployed servers do not check it, and their database or calendar fails"

CREATE, BODIES = "episodes-create", "request-bodies-that-are-not-json-objects"
EPISODES, SEARCH, MEMOS, KEYS = "episodes-list-get-delete", "memory-search", "memos", "api-keys"

CALLS = [
    Closure(
        "health",
        (call("health_check"),),
        {
            "v0.1": [("health", "health under /api/v1, no auth")],
            "v0.2": [("health", "health at root, no auth")],
        },
    ),
    Closure(
        "a key that nobody has",
        (call("list_api_keys"),),
        at("authentication-failures", "unknown key, right prefix"),
        stranger=True,
    ),
    Closure("create an episode", (call("create_episode", *EPISODE),), at(CREATE, "full SDK body")),
    Closure(
        "list episodes",
        (call("list_episodes", 1, 1),),
        at("dates-as-iso", "list limit=1 offset=1"),
    ),
    Closure(
        "get an episode",
        (call("get_episode", "Scoped"),),
        at(EPISODES, "get by name"),
        why="v0.1 has no such operation; v0.2 fails on times of its graph engine",
    ),
    Closure(
        "get an unknown episode",
        (call("get_episode", "no-such-episode"),),
        at(EPISODES, "get unknown", only="v0.2"),
    ),
    Closure(
        "delete an episode",
        (call("delete_episode", "Scoped"),),
        at(EPISODES, "delete by name"),
        why="v0.1 has no such operation",
    ),
    Closure(
        "delete an episode twice",
        (call("delete_episode", "Scoped"), call("delete_episode", "Scoped")),
        at(EPISODES, "delete by name", "delete again", only="v0.2"),
    ),
    Closure("search", (call("search_memory", "hiking"),), at(SEARCH, "hits")),
    Closure(
        "create a memo",
        (call("create_memo", "second memo", "PUBLIC", ["a", "b"]),),
        at(MEMOS, "create, all fields"),
        why=NO_MEMO,
    ),
    Closure("list memos", (call("list_memos", 1, 1),), at(MEMOS, "list limit=1 offset=1")),
    Closure("get a memo", (call("get_memo", the_memo),), at(MEMOS, "get")),
    Closure("get an unknown memo", (call("get_memo", UNKNOWN),), at(MEMOS, "get unknown id")),
    Closure(
        "update a memo",
        (call("update_memo", the_memo, "first memo, edited"),),
        at(MEMOS, "patch content only"),
    ),
    Closure("update nothing of a memo", (raw_memo({}),), at(MEMOS, "patch {}")),
    Closure(
        "update a memo to nulls",
        (raw_memo({"content": "n", "visibility": None, "tags": None}),),
        at(MEMOS, "patch explicit nulls"),
        why="null leaves a field as it is, but v0.2 refuses it; the client never sends it",
    ),
    Closure(
        "update an unknown memo",
        (call("update_memo", "nope", "x"),),
        at(MEMOS, "patch unknown id"),
    ),
    Closure(
        "replace a memo by PUT",
        (raw_memo({"content": "x"}, method="PUT"),),
        at(MEMOS, "PUT instead of PATCH"),
    ),
    Closure(
        "delete a memo twice",
        (call("delete_memo", the_memo), call("delete_memo", the_memo)),
        at(MEMOS, "delete", "delete again"),
        why="v0.2 answers, but the memo stays",
    ),
    Closure(
        "create a key",
        (call("create_api_key", "k-30", ["read"], 30),),
        at(KEYS, "create, expires_in_days 30"),
    ),
    Closure("list keys", (call("list_api_keys"),), at(KEYS, "list")),
    Closure(
        "revoke a key",
        (call("revoke_api_key", the_key),),
        {
            "v0.1": [(KEYS, "delete that key (k-none)")],
            "v0.2": [(KEYS, "revoke it through the API")],
        },
    ),
    Closure(
        "revoke a key twice",
        (call("revoke_api_key", the_key), call("revoke_api_key", the_key)),
        at(KEYS, "delete that key (k-none)", "delete it again", only="v0.1"),
    ),
    Closure(
        "revoke an unknown key",
        (call("revoke_api_key", UNKNOWN),),
        at(KEYS, "delete unknown id"),
    ),
]

# Past the client's own checks of arguments: group, case and why servers differ.
AS_RECORDED = [
    as_recorded(*row)
    for row in (
        ("authentication-failures", "bad key + invalid body: which error wins?"),
        (CREATE, "without name", "deployed servers make one from the content"),
        (CREATE, "missing content"),
        (CREATE, "content null"),
        (CREATE, "content ''", EMPTY),
        (CREATE, "content is a number"),
        (CREATE, "source_type unknown value", "v0.2 does not look at source_type"),
        (CREATE, "metadata not an object"),
        (
            CREATE,
            "project_id with a space",
            "the graph engine of v0.2 takes only letters, digits, `-` and `_`",
        ),
        (CREATE, "NUL character in content", NUL),
        (CREATE, "unknown extra field"),
        (CREATE, "name with a slash"),
        (CREATE, "valid_at unparsable"),
        (CREATE, "without trailing slash", SLASH),
        (BODIES, "invalid JSON"),
        (BODIES, "JSON array"),
        (BODIES, "empty body"),
        (BODIES, "JSON body, Content-Type text/plain"),
        (BODIES, "form body"),
        (BODIES, "search: invalid JSON"),
        (BODIES, "search: JSON array"),
        (EPISODES, "list limit=0", "v0.1 gives an empty page; openapi.yaml starts at 1"),
        (EPISODES, "list limit=abc"),
        (EPISODES, "list limit=201"),
        (EPISODES, "list offset=-1"),
        (EPISODES, "list project_id=p1"),
        (EPISODES, "list, no trailing slash", SLASH),
        (
            EPISODES,
            "get name with slash (%2F)",
            "v0.2 takes the slash for a part of the path, and has nothing there",
        ),
        (SEARCH, "no hits"),
        (
            SEARCH,
            "query ''",
            "v0.1 finds nothing; the others refuse it, v0.2 with a status of its own",
        ),
        (SEARCH, "query of spaces"),
        (SEARCH, "query missing", UNCHECKED),
        (SEARCH, "query is a number", UNCHECKED),
        (SEARCH, "limit 0", UNCHECKED),
        (SEARCH, "limit -1", UNCHECKED),
        (SEARCH, "limit 101", UNCHECKED),
        (SEARCH, "limit '5' (string)", f"v0.1 reads a text as a number; {UNCHECKED}"),
        (SEARCH, "limit null", UNCHECKED),
        (
            SEARCH,
            "tenant_id that owns nothing",
            "v0.1 does not keep relations of tenants apart",
        ),
        (
            SEARCH,
            "tenant_id t1 (its episode was created with tenant_id t1, project_id p1)",
            "v0.2 searches the project that is called like the tenant",
        ),
        (SEARCH, "project_id p1"),
        (
            SEARCH,
            "filters object",
            "deployed servers pass over filters; one that is not applied shows too much",
        ),
        (SEARCH, "filters not an object", UNCHECKED),
        (SEARCH, "GET instead of POST"),
        (SEARCH, "trailing slash", SLASH),
        (MEMOS, "create, missing content"),
        (MEMOS, "create, content ''", f"{EMPTY}; {NO_MEMO}"),
        (MEMOS, "create, visibility unknown", f"v0.1 stores any word; {NO_MEMO}"),
        (MEMOS, "create, NUL character in content", NUL),
        (MEMOS, "create, tags null"),
        (MEMOS, "create, trailing slash", SLASH),
        (MEMOS, "list limit=0", "deployed servers give an empty list; openapi.yaml starts at 1"),
        (MEMOS, "list limit=-1", RANGE),
        (MEMOS, "list offset=-1", RANGE),
        (MEMOS, "list limit=abc"),
        (MEMOS, "delete unknown id"),
        (KEYS, "create, expires_in_days 0", "deployed servers take 0 for never"),
        (KEYS, "create, expires_in_days -1", "deployed servers make a key that has expired"),
        (KEYS, "create, expires_in_days 1.5"),
        (KEYS, "create, expires_in_days '7' (string)", "deployed servers read a text as a number"),
        (KEYS, "create, expires_in_days 10000000", RANGE),
        (KEYS, "create, permissions omitted", "deployed servers give `read` and `write`"),
        (KEYS, "create, permissions []", "deployed servers make a key without permissions"),
        (KEYS, "create, unknown permission", "deployed servers store any word"),
        (KEYS, "create, name missing"),
        (KEYS, "create, name ''", EMPTY),
        (KEYS, "create, trailing slash", SLASH),
        (KEYS, "delete id that is no UUID"),
        ("routing", "method not allowed"),
    )
]
CLOSURES = [*CALLS, *AS_RECORDED]


def compare() -> str:
    """The page, from doing everything."""
    compared = []
    for closure in CLOSURES:
        found = {}
        for server in congruence.SERVERS:
            with congruence.client_of(MemStackClient, server) as client:
                found[server] = congruence.outcome(closure, server, client)
        compared.append((closure, found))
    return congruence.page(compared)


if __name__ == "__main__":
    PAGE.write_text(compare(), encoding="utf-8", newline="\n")
