"""The API key is told to its server and to nobody else, whatever that server does with it."""

from __future__ import annotations

import html
import json
import logging
import pickle
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
import tblib.pickling_support

import memstack
from memstack import operations
from memstack._connecting import TransportName

from ..scripted import MEMO, SEARCH
from .connecting import Connect, bare as bare, connect as connect
from .faulty import Behaviour, answer, redirect, reset, serving, silent, site, speaks

tblib.pickling_support.install()  # errors are then pickled with all that they came from, as by Dask

PLAIN = "ms_sk_canary8f3b1dtail"
ODD = "ms_sk_canary8f3b\"\\/<&'>1dtail"
"""A key that looks otherwise in JSON, in HTML and in a URL."""
TRACES = ("canary8f3b", "1dtail")
"""What is left of a key however it is written."""

Make = Callable[[str], list[Behaviour]]


def escaped(text: str) -> bytes:
    """*text* as JSON may write it too."""
    return "".join(f"\\u{ord(character):04x}" for character in text).encode()


STEPS: dict[str, Make] = {
    "health": lambda key: [answer()],
    "no answer": lambda key: [silent, reset],
    "no JSON": lambda key: [answer(200, f"{{ {key}".encode())],
    "other shape": lambda key: [answer(200, json.dumps({"id": key, key: [key]}).encode())],
    "other words": lambda key: [answer(200, json.dumps({**MEMO, "tags": key}).encode())],
    "401 as JSON": lambda key: [
        answer(401, json.dumps({"detail": f"Invalid key {key}"}).encode(), {"X-Request-ID": key})
    ],
    "401 with escapes": lambda key: [answer(401, b'{"detail": "%b"}' % escaped(key))],
    "422 with places": lambda key: [
        answer(422, json.dumps({"detail": [{"loc": [key], "msg": key}]}).encode())
    ],
    "500 as text": lambda key: [answer(500, f"Bearer {key}\r\n".encode())] * 2,
    "500 as HTML": lambda key: [answer(500, html.escape(key).encode())] * 2,
    "500 as URL": lambda key: [answer(500, quote(key, safe="").encode())] * 2,
    "header": lambda key: [answer(403, b"", {"WWW-Authenticate": f"Bearer {key}"})],
    "location": lambda key: [redirect(307, f"http://other.localhost/?k={key}")],
    "no HTTP": lambda key: [speaks(f"220 {key}\r\n")] * 2,
    "no header": lambda key: [speaks(f"HTTP/1.1 200 OK\r\n{key} {key}\r\n\r\n")] * 2,
    "no length": lambda key: [speaks(f"HTTP/1.1 200 OK\r\nContent-Length: {key}\r\n\r\n")] * 2,
    "no chunk": lambda key: (
        [speaks(f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{key}\r\n")] * 2
    ),
    "no gzip": lambda key: [answer(200, key.encode(), {"Content-Encoding": "gzip"})] * 2,
    "cut": lambda key: [answer(200, b'"' + b"x" * (2000 - len(key)) + key.encode())],
    "cut error": lambda key: [answer(404, b'"' + b"x" * (2000 - len(key)) + key.encode())],
}


def texts_of(error: BaseException | None) -> Iterator[str]:
    """All that can be read of *error* and of what it came from."""
    if error is None:
        return
    yield "".join(traceback.format_exception(error))
    yield pickle.dumps(error).decode("latin-1")
    while error is not None:
        yield f"{error} {error!r} {error.args!r} {vars(error)!r}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def leaks(places: dict[str, Iterator[str]]) -> list[str]:
    """Where a part of a key can be read."""
    return [
        place for place, texts in places.items() if any(t in text for text in texts for t in TRACES)
    ]


def logged(records: list[logging.LogRecord]) -> Iterator[str]:
    for record in records:
        text = f"{record.getMessage()} {record.__dict__!r} {record.exc_text}"
        # httpcore's own log has the headers of all answers; whoever turns it on asks for that.
        if not (record.name.startswith("httpcore.") and "receive_response" in text):
            yield text


@pytest.mark.parametrize("key", [PLAIN, ODD], ids=["plain", "odd"])
@pytest.mark.parametrize("name", STEPS)
def test_the_key_is_told_nowhere(
    connect: Connect,
    transport: TransportName,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    name: str,
    key: str,
) -> None:
    """Not by errors, their causes and pickles, logs, events, warnings, or a repr."""
    caplog.set_level(logging.DEBUG)
    events: list[Any] = []
    with warnings.catch_warnings(record=True) as warned, serving(*STEPS[name](key)) as url:
        warnings.simplefilter("always")
        client = connect(
            url,
            api_key=key,
            timeout=0.2,
            max_retries=1,
            max_response_bytes=2000,
            on_attempt=events.append,
        )
        client.loop.set_debug(True)
        error: Any = None
        response: Any = None
        try:
            operation = operations.update_memo("m1", content="note")
            response = client.send_raw(operations.health_check() if name == "health" else operation)
        except memstack.MemStackError as caught:
            error = caught
    assert (error is None) == (name == "health")
    loggers = {"memstack", "httpcore.connection"} if transport == "httpx" else {"memstack"}
    assert {record.name for record in caplog.records} >= loggers
    assert len(events) == len((error or response).attempts)
    assert "".join(capfd.readouterr()) == ""
    assert not leaks(
        {
            "error": texts_of(error),
            "log": logged(caplog.records),
            "events": (f"{event!r} {vars(event)!r}" for event in events),
            "warnings": (f"{one.message} {one.message!r}" for one in warned),
            "client": (f"{it} {it!r}" for it in (client.client, client._settings)),
            "response": iter([repr(response)]),
        }
    )


def test_the_key_goes_to_no_other_origin(connect: Connect) -> None:
    """Nor does anything else: nobody so much as connects."""
    with site(answer()) as other:
        for place in (other.url, other.named("localhost"), f"//{other.authority}/{PLAIN}"):
            with serving(redirect(307, place)) as url, pytest.raises(memstack.APIError):
                connect(url, api_key=PLAIN).create_memo("note")

    assert other.connections == 0


def test_a_key_that_cannot_be_one_is_not_told(connect: Connect) -> None:
    """Given, or got from a function: it may be a real one with a line end too many."""
    for wrong in (f"{PLAIN}\n", f" {PLAIN}", PLAIN.removeprefix("ms_sk_"), f"{PLAIN}é", [PLAIN]):
        for key in (wrong, lambda: wrong):  # noqa: B023
            with serving(answer()) as url, pytest.raises(memstack.AuthenticationError) as caught:
                connect(url, api_key=key).health_check()
            assert not leaks({"error": texts_of(caught.value)})


def test_a_good_answer_is_left_as_it_is(connect: Connect) -> None:
    """What is stored may hold anything; only errors are masked."""
    body = json.dumps({**MEMO, "content": PLAIN}).encode()
    with serving(answer(200, body), answer(200, json.dumps(SEARCH).encode())) as url:
        client = connect(url, api_key=PLAIN)
        response = client.send_raw(operations.get_memo("m1"))
        assert client.search_memory("hiking").total == 0

    assert (response.result.content, response.content) == (PLAIN, body)
