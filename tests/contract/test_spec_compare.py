"""What .ci/spec_compare.py finds between two documents, and what of it is breaking."""

from __future__ import annotations

from typing import Any

import pytest

from .planted import (
    HEADER,
    NUMBER,
    QUERY,
    TEXT,
    Schema,
    answering,
    document,
    fields,
    media,
    sending,
    taking,
    tool,
)
from .spec import load_spec


def compared(ours: dict[str, Any], theirs: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    """Each difference without the operation, which is always the same."""
    found = tool.differences(tool.Document(ours, "ours"), tool.Document(theirs, "theirs"))
    return [(row.where, row.ours, row.theirs, row.breaking) for row in found]


# Our schema, theirs, and whether it breaks what we send and what we are answered; None where it is
# no difference.
PLANTED: dict[str, tuple[Schema, Schema, bool, bool | None]] = {
    "another type": (TEXT, NUMBER, True, True),
    "null is not theirs": ({"type": ["string", "null"]}, TEXT, True, False),
    "a wider type": (NUMBER, {"type": "number"}, False, True),
    "a type within ours with a lower bound": (
        {"type": "number", "minimum": 3},
        {"type": "integer", "minimum": 1},
        True,
        True,
    ),
    "a free type": (TEXT, {}, False, True),
    "a new lower bound": (NUMBER, {"type": "integer", "minimum": 1}, True, False),
    "a new upper bound": (NUMBER, {"type": "integer", "maximum": 9}, True, False),
    "a higher lower bound": (TEXT | {"minLength": 1}, TEXT | {"minLength": 2}, True, False),
    "a lower upper bound": (TEXT | {"maxLength": 9}, TEXT | {"maxLength": 8}, True, False),
    "a new enum": (TEXT, {"enum": ["a", "b"]}, True, False),
    "fewer words in an enum": ({"enum": ["a", "b"]}, {"enum": ["a"]}, True, False),
    "other words in an enum": ({"enum": ["a", "b"]}, {"enum": ["a", "c"]}, True, True),
    "a new pattern": (TEXT, TEXT | {"pattern": "^a"}, True, False),
    "another pattern": (TEXT | {"pattern": "^b"}, TEXT | {"pattern": "^a"}, True, True),
    "a new format": (TEXT, TEXT | {"format": "date-time"}, True, False),
    "another keyword": (TEXT, TEXT | {"not": {"const": "."}}, True, False),
    "items of another type": (
        {"type": "array", "items": TEXT},
        {"type": "array", "items": NUMBER},
        True,
        True,
    ),
    "another of two forms": (
        {"anyOf": [fields(f=TEXT), fields(g=TEXT)]},
        {"anyOf": [fields(f=TEXT), fields(g=NUMBER)]},
        True,
        True,
    ),
    "a field of another type": (fields(f=TEXT), fields(f=NUMBER), True, True),
    "a field they require": (fields(f=TEXT), fields("f", f=TEXT), True, False),
    "a new field they require": (fields(), fields("f", f=TEXT), True, False),
    "a field they do not know": (fields(f=TEXT), fields(), True, False),
    "a field of ours they do not promise": (fields("f", f=TEXT), fields(), True, True),
    "a new field": (fields(), fields(f=TEXT), False, False),
    "any fields": (fields(f=TEXT), {"type": "object", "additionalProperties": True}, False, False),
    "only the fields they name": (
        {"type": "object", "additionalProperties": True},
        {"type": "object", "additionalProperties": False},
        True,
        None,
    ),
    "more fields of another type": (
        {"type": "object", "additionalProperties": TEXT},
        {"type": "object", "additionalProperties": NUMBER},
        True,
        True,
    ),
}
SAME: dict[str, tuple[Schema, Schema]] = {
    "null as a choice": ({"anyOf": [TEXT, {"type": "null"}]}, {"type": ["string", "null"]}),
    "null in OpenAPI 3.0": ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
    "one of two": ({"oneOf": [TEXT, NUMBER]}, {"type": ["integer", "string"]}),
    "a reference": ({"$ref": "#/components/schemas/Text"}, TEXT),
    "allOf of one": ({"allOf": [{"$ref": "#/components/schemas/Text"}], "default": "a"}, TEXT),
    "allOf bounds": (
        {"allOf": [{"minLength": 2, "maxLength": 9}, TEXT | {"minLength": 1, "maxLength": 5}]},
        TEXT | {"minLength": 2, "maxLength": 5},
    ),
    "allOf types": ({"allOf": [TEXT], "type": ["string", "null"]}, TEXT),
    "allOf enums": ({"allOf": [{"enum": ["a", "b"]}, {"enum": ["b", "c"]}]}, {"enum": ["b"]}),
    "allOf fields": (
        {"allOf": [fields("f", f=TEXT), fields("g", f={"minLength": 1}, g=TEXT)]},
        fields("f", "g", f=TEXT | {"minLength": 1}, g=TEXT),
    ),
    "an enum without null": ({"type": ["string", "null"], "enum": ["a"]}, {"enum": ["a"]}),
    "a constant": ({"const": "a"}, {"type": "string", "enum": ["a"]}),
    "texts": (TEXT | {"title": "T", "description": "D", "x-more": 1}, TEXT),
    "a number with a point": ({"type": "integer", "minimum": 1.0}, NUMBER | {"minimum": 1}),
    "a bound that is none": (TEXT | {"minLength": 0}, TEXT),
    "schemas that hold themselves": (
        {"$ref": "#/components/schemas/Tree"},
        {"$ref": "#/components/schemas/Wood"},
    ),
}


@pytest.mark.parametrize("kind", PLANTED)
def test_finds_and_classes_each_difference_of_schemas(kind: str) -> None:
    """In what we send and in what we are answered, and the other way round with sides swapped."""
    ours, theirs, breaks_sent, breaks_answered = PLANTED[kind]

    for build, breaks, reverse in (
        (sending, breaks_sent, breaks_answered),
        (answering, breaks_answered, breaks_sent),
    ):
        expected = [] if breaks is None else [breaks]
        assert [row[3] for row in compared(build(ours), build(theirs))] == expected
        if "field" not in kind:  # what only the server knows is kept, what only we know is not
            assert [row[3] for row in compared(build(theirs), build(ours))] == [reverse]


@pytest.mark.parametrize("form", SAME)
def test_takes_two_forms_of_one_schema_for_the_same(form: str) -> None:
    """A server need not say it as we do."""
    one, other = SAME[form]

    assert compared(sending(one), sending(other)) == []
    assert compared(answering(other), answering(one)) == []


@pytest.mark.parametrize(
    ("ours", "theirs", "rows"),
    [
        (
            taking(QUERY),
            taking(QUERY | {"schema": NUMBER}),
            [("query.q", "string", "integer", True)],
        ),
        (
            taking(QUERY),
            taking(QUERY | {"required": True}),
            [("query.q", "optional, string", "required, string", True)],
        ),
        (taking(QUERY), taking(), [("query.q", "optional, string", "absent", True)]),
        (taking(), taking(QUERY), [("query.q", "absent", "optional, string", False)]),
        (
            taking(),
            taking(QUERY | {"required": True}),
            [("query.q", "absent", "required, string", True)],
        ),
        (taking(HEADER), taking(), [("header.x-key", "optional, string", "absent", False)]),
        (taking(HEADER), taking(HEADER | {"name": "x-key"}), []),
        (taking(), taking(HEADER | {"name": "authorization", "required": True}), []),
    ],
)
def test_finds_and_classes_each_difference_of_parameters(
    ours: dict[str, Any], theirs: dict[str, Any], rows: list[Any]
) -> None:
    """One that we send must be known; a header need not be."""
    assert compared(ours, theirs) == rows


def test_matches_parameters_in_the_path_by_place() -> None:
    """Their names are the server's own affair; their types are not."""
    ours = taking({"name": "id", "in": "path", "required": True, "schema": TEXT})
    theirs = {"name": "thing", "in": "path", "required": True, "schema": TEXT}

    assert compared(ours, taking(theirs, path="/things/{thing}")) == []
    assert compared(ours, taking(theirs | {"schema": NUMBER}, path="/things/{thing}")) == [
        ("path.id", "string", "integer", True)
    ]


def test_an_operation_that_is_missing_is_breaking() -> None:
    """By path or by method."""
    row = ("path", "POST /things/{id}", "absent", True)

    assert compared(document(), document(path="/others/{id}")) == [row]
    assert compared(document(), document(method="put")) == [row]


def test_an_operation_at_its_alternative_path_is_a_note_and_compared() -> None:
    """The client looks there too."""
    ours, theirs = sending(TEXT), sending(NUMBER)
    ours["paths"]["/things/{id}"]["x-memstack-alternative-path"] = "/old/{thing}"
    theirs["paths"]["/old/{it}"] = theirs["paths"].pop("/things/{id}")

    assert compared(ours, theirs) == [
        ("body", "string", "integer", True),
        ("path", "/things/{id}", "/old/{it}", False),
    ]


def test_a_body_and_an_answer_may_be_missing_as_a_whole() -> None:
    """It breaks where the receiver needs it or the server does not know it; any 2xx will do."""
    created = document(responses={"201": {"content": media(TEXT)}})

    assert compared(sending(TEXT), document()) == [("body", "required, string", "absent", True)]
    assert compared(document(), sending(TEXT)) == [("body", "absent", "required, string", True)]
    assert compared(answering(TEXT), document(responses={"200": {}})) == [
        ("answer", "required, string", "absent", True)
    ]
    assert compared(document(responses={"200": {}}), answering(TEXT)) == [
        ("answer", "absent", "required, string", False)
    ]
    assert compared(answering(TEXT), created) == [("status", "200", "201", False)]
    assert compared(document(responses={"200": {}}), document()) == [
        ("status", "200", "none", True)
    ]


def test_names_the_place_within_lists_and_objects() -> None:
    """As a reader would reach it."""
    ours = answering({"type": "array", "items": fields(of=fields(f=TEXT))})
    theirs = answering({"type": "array", "items": fields(of=fields(f=NUMBER))})

    assert [row[0] for row in compared(ours, theirs)] == ["answer[].of.f"]


def test_a_long_keyword_is_cut_unless_only_its_end_tells_the_difference() -> None:
    """A row has to be read, and to say what differs."""
    long = TEXT | {"pattern": "a" * 100}
    cut, whole = f"string, pattern {'a' * 32}...", f"string, pattern {'a' * 100}"

    assert compared(sending(long), sending(TEXT)) == [("body", cut, "string", False)]
    assert compared(sending(long), sending(TEXT | {"pattern": "a" * 99})) == [
        ("body", whole, whole[:-1], True)
    ]


def test_our_document_does_not_differ_from_itself() -> None:
    """Whatever openapi.yaml comes to say."""
    assert compared(load_spec(), load_spec()) == []
