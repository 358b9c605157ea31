"""Does the same on the embedded server and on what was recorded of the deployed ones.

A `Closure` does one thing with a client; `closures` has them all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import memstack
from memstack import MemStackAsyncClient, MemStackClient, operations
from memstack.operations import Operation

from ..cassettes.files import FOLDER, GENERATIONS, HOST, playing_chosen, read, recorded
from ..cassettes.routes import asked_before
from .replay import KNOWN, operation_for

SERVERS = ("embedded", *GENERATIONS)
NOT_RECORDED = "not recorded"


@dataclass(frozen=True)
class There:
    """The ids of a key and a memo that are there before a closure begins."""

    key: str
    memo: str


RECORDED = {
    "v0.1": There("3e49c403-58fa-4f2e-8f29-a5d6620e1545", "1067b167-b2db-490c-ba4c-848b9447813f"),
    "v0.2": There("a27957ca-35a8-4790-81c6-a30764c7ab0a", "11111111-1111-4111-8111-111111111111"),
}
Act = Callable[[There], Operation[Any]]
Cases = dict[str, list[tuple[str, str]]]


@dataclass(frozen=True)
class Closure:
    """One thing to do, where it was recorded, and why servers differ."""

    name: str
    acts: tuple[Act, ...]
    cases: Cases
    """By generation, group and case of each exchange; empty where it was not recorded."""
    why: str = ""
    """Empty where servers must not differ."""
    stranger: bool = False
    """Whether it is done with a key that nobody has."""

    def __call__(self, client: Any, there: There) -> str:
        """What came of it: status, and result or error, of each act."""
        if self.stranger:
            client = client.with_options(api_key="ms_sk_unknown")
        return ", then ".join(_outcome(client, act(there)) for act in self.acts)


def _outcome(client: Any, operation: Operation[Any]) -> str:
    try:
        # Without a look for what became of a create that failed, which is not to be compared.
        response = client.send_raw(replace(operation, sends_idempotency_key=False))
    except memstack.MemStackError as error:
        return f"{getattr(error, 'status_code', None)} {type(error).__name__}"
    result = response.result
    if isinstance(result, memstack.MemoryResponse):
        return f"{response.status_code} {'some' if result.results else 'no'} results"
    kind = list if isinstance(result, list) else type(result)
    return f"{response.status_code} {kind.__name__.replace('NoneType', 'None')}"


def call(name: str, *arguments: Any) -> Act:
    """An operation as its users call it; an argument that is a function is given what is there."""

    def act(there: There) -> Operation[Any]:
        given = (a(there) if callable(a) else a for a in arguments)
        operation: Operation[Any] = getattr(operations, name)(*given)
        return operation

    return act


def raw_memo(body: Any, **changes: Any) -> Act:
    """An update of the memo that is there to *body*, past every check of arguments."""
    content = json.dumps(body, separators=(",", ":")).encode()

    def act(there: There) -> Operation[Any]:
        path = f"/api/v1/memos/{there.memo}"
        return replace(KNOWN["update_memo"], path=path, body=content, **changes)

    return act


def as_recorded(group: str, case: str, why: str = "") -> Closure:
    """The very request of that case, which must name nothing that is not everywhere."""
    found = {
        g: e for g in GENERATIONS for e in read(FOLDER / g / f"{group}.yaml") if e.case == case
    }
    operation = operation_for(next(iter(found.values())))
    operation = replace(operation, moves=KNOWN[operation.id].moves)
    words = re.sub(r"^(create, |list,? |get |search: )", "", case)
    return Closure(
        f"`{operation.id}`, {words}",
        (lambda there: operation,),
        {generation: [(group, case)] for generation in found},
        why,
        stranger=group == "authentication-failures",
    )


def the_key(there: There) -> str:
    return there.key


def the_memo(there: There) -> str:
    return there.memo


def at(group: str, *cases: str, only: str | None = None) -> Cases:
    """The same cases of both generations, or only of one."""
    return {g: [(group, case) for case in cases] for g in GENERATIONS if only in (None, g)}


def client_of(kind: type[MemStackClient] | type[MemStackAsyncClient], server: str) -> Any:
    """A client of *kind* for one of `SERVERS`."""
    if server == "embedded":
        return kind.local()
    return kind("ms_sk_test", HOST, max_retries=0, on_unsupported="ignore")


def outcome(closure: Closure, server: str, client: Any) -> str:
    """What comes of *closure* on one of `SERVERS`, by a client of it."""
    if server == "embedded":
        client.create_episode("Scoped", "Frank works at Initech", tenant_id="t1", project_id="p1")
        client.create_episode("Hiking", "Alice loves hiking in Yosemite with Bob")
        there = There(client.create_api_key("k", ["read"]).key_id, client.create_memo("x").id)
        return closure(client.with_options(max_retries=0), there)
    exchanges = [recorded(server, *case) for case in closure.cases.get(server, [])]
    if not exchanges:
        return NOT_RECORDED
    # A client learns only once where a path is.
    with playing_chosen(*asked_before(exchanges[0]), *exchanges) as cassette:
        found = closure(client, RECORDED[server])
    assert cassette.all_played, f"{closure.name}: not all that {server} was recorded to do is used"
    return found


def differ(outcomes: dict[str, str]) -> bool:
    """Whether servers differ, as far as they were recorded."""
    return len(set(outcomes.values()) - {NOT_RECORDED}) > 1


INTRODUCTION = """\
# Where servers differ

The same calls were made on the embedded server and were recorded of both deployed generations, \
{all} in all.
In {same} of them all that were recorded agree: in status, and in the type of the result or error.
In the others they differ on purpose, or because a deployed server has a fault.
Those that name a method of the client were sent past its own checks of arguments.
A difference that is not in this table fails the tests; `make congruence` writes it.

| call | embedded | v0.1 | v0.2 | why |
|---|---|---|---|---|
"""


def page(compared: list[tuple[Closure, dict[str, str]]]) -> str:
    """docs/congruence.md, from what came of each closure on each of `SERVERS`."""
    differing = [(closure, found) for closure, found in compared if differ(found)]
    introduction = INTRODUCTION.format(all=len(compared), same=len(compared) - len(differing))
    rows = [[closure.name, *found.values(), closure.why] for closure, found in differing]
    return introduction + "".join(f"| {' | '.join(row)} |\n" for row in rows)
