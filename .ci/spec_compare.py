"""Decides where two OpenAPI documents differ and what breaks a client; spec_diff has the rules."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from spec_document import APART, LOWER, UPPER, Document, Folded, Operation, is_anything

T = TypeVar("T")


class Difference(NamedTuple):
    """One row of the table."""

    operation: str
    where: str
    ours: str
    theirs: str
    breaking: bool


class _Part(NamedTuple):
    """A parameter, body, answer or field of one side."""

    schema: Any
    required: bool

    @property
    def need(self) -> str:
        return "required" if self.required else "optional"


_Row = tuple[str, str, str, bool]
_Facet = tuple[str, str, bool]
_LONG = 40
"""Characters of a keyword that a row shows, if they tell the difference."""


def differences(ours: Document, theirs: Document) -> list[Difference]:
    """Where *theirs* differs for the operations of *ours*; sorted, those that break come first."""
    places = {(other.method, _shape(other.path)): other for other in theirs.operations()}
    names: dict[_Row, list[str]] = defaultdict(list)
    compared = 0
    for mine in ours.operations():
        name = mine.raw["operationId"]
        other = places.get((mine.method, _shape(mine.path)))
        if other is None and mine.alternative is not None:
            other = places.get((mine.method, _shape(mine.alternative)))
            if other is not None:
                names["path", mine.path, other.path, False].append(name)
        if other is None:
            names["path", f"{mine.method} {mine.path}", "absent", True].append(name)
            continue
        compared += 1
        for row in _of_operation(ours, theirs, mine, other):
            names[row].append(name)
    found = []
    for row, who in names.items():
        is_general = 1 < len(who) == compared
        found.append(Difference("every operation" if is_general else ", ".join(sorted(who)), *row))
    return sorted(found, key=lambda row: (not row.breaking, row))


def _shape(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def _of_operation(
    ours: Document, theirs: Document, mine: Operation, other: Operation
) -> Iterator[_Row]:
    sent, answered = _Comparison(ours, theirs, sent=True), _Comparison(ours, theirs, sent=False)
    for place in ("path", "query", "header", "cookie"):
        named = _parameters(mine, mine, place), _parameters(other, mine, place)
        yield from sent.parts(f"{place}.", *named, unknown_breaks=place != "header")
    yield from sent.parts("", _body(ours, mine), _body(theirs, other), unknown_breaks=True)
    if mine.success != other.success:
        # The client takes any 2xx for a success.
        yield "status", mine.success, other.success, other.success == "none"
    yield from answered.parts("", _answer(ours, mine), _answer(theirs, other), unknown_breaks=False)


def _parameters(operation: Operation, mine: Operation, place: str) -> dict[str, _Part]:
    """Those of one place; in the path by the names that they have in *mine*."""
    in_path = [re.findall(r"\{([^}]*)\}", path) for path in (operation.path, mine.path)]
    renamed = dict(zip(*in_path, strict=True))
    found = {}
    for parameter in operation.parameters:
        name = parameter["name"]
        if parameter["in"] == "header":
            name = name.lower()
            if name in ("accept", "authorization", "content-type"):
                continue  # OpenAPI says that these mean nothing here
        if parameter["in"] == place:
            name = renamed.get(name, name) if place == "path" else name
            found[name] = _Part(parameter.get("schema", {}), parameter.get("required", False))
    return found


def _body(document: Document, operation: Operation) -> dict[str, _Part]:
    body = document.resolved(operation.raw.get("requestBody", {}))
    return _json_of("body", body, body.get("required", False))


def _answer(document: Document, operation: Operation) -> dict[str, _Part]:
    answers = {str(status): it for status, it in operation.raw.get("responses", {}).items()}
    return _json_of("answer", document.resolved(answers.get(operation.success, {})), True)


def _json_of(name: str, holder: Mapping[str, Any], required: bool) -> dict[str, _Part]:
    for kind, media in holder.get("content", {}).items():
        if re.fullmatch(r"application/(.+\+)?json(;.*)?", kind):
            return {name: _Part(media.get("schema", {}), required)}
    return {}


class _Comparison:
    """Of what goes one way: from us to the server if *sent*, else from the server to us."""

    def __init__(self, ours: Document, theirs: Document, *, sent: bool) -> None:
        self._ours, self._theirs, self._sent = ours, theirs, sent
        self._open: set[tuple[str, str]] = set()

    def _ways(self, ours: T, theirs: T) -> tuple[T, T]:
        """Sender and receiver."""
        return (ours, theirs) if self._sent else (theirs, ours)

    def parts(
        self,
        prefix: str,
        ours: Mapping[str, _Part],
        theirs: Mapping[str, _Part],
        *,
        unknown_breaks: bool,
    ) -> Iterator[_Row]:
        """Differences of what has a name, which may be unknown to the receiver."""
        for name in sorted({*ours, *theirs}):
            mine, other = ours.get(name), theirs.get(name)
            if mine is not None and other is not None:
                yield from self._part(prefix + name, mine, other)
                continue
            _, receiver = self._ways(mine, other)
            breaks = unknown_breaks if receiver is None else receiver.required
            yield prefix + name, _alone(self._ours, mine), _alone(self._theirs, other), breaks

    def _part(self, where: str, mine: _Part, other: _Part) -> Iterator[_Row]:
        """One row for the two themselves, then those of what is in them."""
        pair = (repr(mine.schema), repr(other.schema))
        if pair in self._open:
            return  # a schema that holds itself
        self._open.add(pair)
        ours, theirs = self._ours.folded(mine.schema), self._theirs.folded(other.schema)
        pairs = _pairs(ours, theirs)
        facets = [(_words(ours), _words(theirs), _refuses(*self._ways(ours, theirs)))]
        if mine.required != other.required:
            _, receiver = self._ways(mine, other)
            facets.insert(0, (mine.need, other.need, receiver.required))
        for own, its in pairs:
            facets += self._keywords(own, its)
        if any(a != b for a, b, _ in facets):
            texts = zip(*[(a, b) for a, b, _ in facets], strict=True)
            a, b = (", ".join(filter(None, column)) for column in texts)
            yield where, a, b, any(breaks for _, _, breaks in facets)
        for own, its in pairs:
            if "items" in own or "items" in its:
                items = (_Part(array.get("items", {}), True) for array in (own, its))
                yield from self._part(f"{where}[]", *items)
            yield from self._fields(where, own, its)
        self._open.remove(pair)

    def _keywords(self, own: dict[str, Any], its: dict[str, Any]) -> Iterator[_Facet]:
        for name in sorted({*own, *its} - APART):
            a, b = own.get(name), its.get(name)
            if a != b:
                texts = _keyword(name, a), _keyword(name, b)
                short = _short(texts[0]), _short(texts[1])
                shown = texts if short[0] == short[1] else short
                yield *shown, _is_stricter(name, *self._ways(a, b))

    def _fields(self, where: str, own: dict[str, Any], its: dict[str, Any]) -> Iterator[_Row]:
        ours, theirs = _fields_of(own), _fields_of(its)
        _, receiver = self._ways(own, its)
        takes_more = receiver.get("additionalProperties")
        if takes_more and not receiver.get("properties"):
            if ours or theirs:
                yield where, _listed(ours), _listed(theirs), False
        else:
            unknown_breaks = not takes_more if self._sent else takes_more is False
            yield from self.parts(f"{where}.", ours, theirs, unknown_breaks=unknown_breaks)
        a, b = own.get("additionalProperties"), its.get("additionalProperties")
        gives, takes = self._ways(a, b)
        if gives and takes not in (None, True):
            yield from self._part(f"{where}.*", _Part(a, False), _Part(b, False))


def _alone(document: Document, part: _Part | None) -> str:
    return "absent" if part is None else f"{part.need}, {_words(document.folded(part.schema))}"


def _fields_of(schema: dict[str, Any]) -> dict[str, _Part]:
    required = schema.get("required", [])
    fields = schema.get("properties", {}).items()
    return {name: _Part(field, name in required) for name, field in fields}


def _listed(fields: Mapping[str, _Part]) -> str:
    return f"fields {', '.join(sorted(fields))}" if fields else "any fields"


def _words(folded: Folded) -> str:
    if is_anything(folded):
        return "anything"
    return " or ".join(sorted(folded, key=lambda kind: (kind == "null", kind))) or "nothing"


def _match(kind: str, folded: Folded) -> dict[str, Any] | None:
    """What *folded* says of values of the type *kind*; every integer is a number."""
    return folded.get(kind, folded.get("number") if kind == "integer" else None)


def _pairs(ours: Folded, theirs: Folded) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The keywords of the types that both have."""
    if is_anything(ours) or is_anything(theirs):
        return []
    pairs = [(own, _match(kind, theirs)) for kind, own in sorted(ours.items())]
    if "number" in ours and "integer" in theirs and "number" not in theirs:
        pairs.append((ours["number"], theirs["integer"]))
    return [(own, its) for own, its in pairs if its is not None]


def _refuses(sender: Folded, receiver: Folded) -> bool:
    """Whether there is a type that *sender* may send and *receiver* does not allow."""
    if is_anything(sender):
        return not is_anything(receiver)
    return any(_match(kind, receiver) is None for kind in sender)


def _is_stricter(name: str, given: Any, taken: Any) -> bool:
    """Whether a receiver whose keyword is *taken* may refuse what keeps to *given*."""
    if given is None or taken is None:
        return taken is not None
    if name in LOWER or name in UPPER:
        return bool(given < taken if name in LOWER else given > taken)
    if name == "enum":
        return any(value not in taken for value in given)
    return True  # they differ, and that one lies within the other is more than we can tell


def _short(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[:_LONG]}..."


def _keyword(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "enum":
        return f"one of {', '.join(map(str, value))}"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    return f"{name} {text}"
