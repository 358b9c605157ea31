"""What a client does after each kind of failure, found out by failing that way.

`python -m tests.client.retry_table` writes the table in docs/reliability.md anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from memstack import MemStackClient, MemStackError
from memstack.exceptions import Attempt

from ..colours import Driven, FakeTime
from ..scripted import MEMO, Answer, ScriptedServer

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- retry table -->\n", "<!-- end -->\n"

Fault = Answer | Exception

FAULTS: list[tuple[str, Fault]] = [
    ("connection refused, host not known", httpx.ConnectError("refused")),
    ("no connection in time", httpx.ConnectTimeout("slow")),
    ("no free connection in time", httpx.PoolTimeout("full")),
    ("proxy that lets nothing through", httpx.ProxyError("502 Bad Gateway")),
    ("proxy that wants a password", httpx.ProxyError("407 Proxy Authentication Required")),
    ("URL that cannot be sent", httpx.UnsupportedProtocol("ftp")),
    ("connection broke before the answer", httpx.ReadError("reset")),
    ("no answer in time", httpx.ReadTimeout("slow")),
    ("answer cut or garbled", httpx.RemoteProtocolError("cut")),
    ("408", Answer(408)),
    ("429", Answer(429)),
    ("429, Retry-After: 7", Answer(429, headers={"Retry-After": "7"})),
    ("429, Retry-After: 3600", Answer(429, headers={"Retry-After": "3600"})),
    ("500", Answer(500)),
    ("501", Answer(501)),
    ("502", Answer(502)),
    ("503, Retry-After: 7", Answer(503, headers={"Retry-After": "7"})),
    ("503, x-should-retry: true", Answer(503, headers={"x-should-retry": "true"})),
    ("503, x-should-retry: false", Answer(503, headers={"x-should-retry": "false"})),
    ("504", Answer(504)),
    ("507", Answer(507)),
    ("520", Answer(520)),
    ("307 to another origin", Answer(307, headers={"Location": "https://elsewhere.test/"})),
    ("400", Answer(400)),
    ("401", Answer(401)),
    ("404", Answer(404, {"detail": "Memo not found"})),
    ("409", Answer(409)),
    ("409, x-should-retry: true", Answer(409, headers={"x-should-retry": "true"})),
    ("422", Answer(422)),
    ("success that cannot be read", Answer(200, b"<html>")),
]

NO_LOOK = (Answer(403), Answer(403))
"""To the health check and the list by which a doubtful create is settled."""

CALLS: dict[str, tuple[str, tuple[str, ...], tuple[Answer, ...]]] = {
    "create": ("create_memo", ("note",), NO_LOOK),
    "delete_episode": ("delete_episode", ("n",), ()),
    "any other": ("update_memo", ("m1", "new"), ()),
}


@dataclass(frozen=True)
class Row:
    """What a client did after one kind of failure."""

    fault: str
    outcome: str
    """Of the attempt that failed."""
    calls: tuple[str, ...]
    """For each of CALLS: `again`, `looks` or `no`."""
    pause: str

    def __str__(self) -> str:
        return f"| {' | '.join((self.fault, self.outcome, *self.calls, self.pause))} |"


def row(client: Driven, server: ScriptedServer, time: FakeTime, what: str, fault: Fault) -> Row:
    """The row of *fault*, as *client* behaves."""
    did, first, pause = [], None, ""
    for name, arguments, looks in CALLS.values():
        server.requests.clear()
        time.pauses.clear()
        server.script[:] = [fault, *(looks or [Answer(body=MEMO)]), Answer(body=MEMO)]
        try:
            getattr(client, name)(*arguments)
            attempts: tuple[Attempt, ...] = ()
        except MemStackError as error:
            attempts = error.attempts
        first = attempts[0] if attempts else first
        sent = [request.method for request in server.requests]
        did.append("again" if sent.count(sent[0]) > 1 else "looks" if len(sent) > 1 else "no")
        if time.pauses:
            pause = f"{time.pauses[0]:g} s"
    return Row(what, _outcome(client, server, fault), tuple(did), pause)


def _outcome(client: Driven, server: ScriptedServer, fault: Fault) -> str:
    server.script[:] = [fault]
    try:
        client.with_options(max_retries=0).update_memo("m1", "new")
    except MemStackError as error:
        return error.outcome
    return "applied"


def table(client: Driven, server: ScriptedServer, time: FakeTime) -> Iterator[str]:
    """The whole table as Markdown."""
    yield f"| what happened | outcome | {' | '.join(CALLS)} | first pause |"
    yield f"|---|---|{'---|' * len(CALLS)}---|"
    for what, fault in FAULTS:
        yield str(row(client, server, time, what, fault))


def committed() -> str:
    """The table as it stands in the docs."""
    page = PAGE.read_text("utf-8")
    return page[page.index(BEGIN) + len(BEGIN) : page.index(END)]


if __name__ == "__main__":
    import asyncio

    fake = FakeTime()
    scripted = ScriptedServer(fake)
    http = httpx.Client(transport=httpx.MockTransport(scripted))
    with http, MemStackClient("ms_sk_test", http_client=http) as blocking:
        fake.install(blocking)
        driven = Driven(blocking, asyncio.new_event_loop())
        text = "\n".join(table(driven, scripted, fake)) + "\n"
    before, rest = PAGE.read_text("utf-8").split(BEGIN)
    PAGE.write_text(before + BEGIN + text + END + rest.split(END)[1], "utf-8")
