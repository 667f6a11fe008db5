"""Numbers that are none, or that nobody can mean, at every field of a body that takes a number.

The fields are found in the OpenAPI document, so that a new one is tried as well. Numbers stand in
the JSON as they are, not as text: NaN and Infinity are what some programs write. What people type
as text is tried in tests/domain and tests/tabular.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from tests.api.access.access_cases import UNKNOWN
from tests.api.conftest import Caller
from tracker.api import PREFIX

Document = dict[str, Any]
METHODS = {"post", "put", "patch", "delete"}
NUMBERS = ("NaN", "Infinity", "-Infinity", "1e309", "-1e309", "-5", "1e-400", f"1{'0' * 400}")
STRANGE = (*NUMBERS, "0.5", "true", '"\uff15"', '"1e3"', '" -1"', '"NaN"')
_DIGITS = "^[0-9]{1,"


def fields_of(document: Document) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Method and path of each operation, and the way to each field of its body with a number."""
    for path, operations in document["paths"].items():
        for method in METHODS & operations.keys():
            operation = operations[method]
            content = operation.get("requestBody", {}).get("content", {})
            if "application/json" in content:
                for way in _ways(document, content["application/json"]["schema"]):
                    yield method, path.removeprefix(PREFIX), way


def _ways(document: Document, schema: Document) -> Iterator[tuple[str, ...]]:
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    kind = schema.get("type")
    is_number = {"integer", "number"} & {*(kind if isinstance(kind, list) else [kind])}
    if is_number or str(schema.get("pattern", "")).startswith(_DIGITS):
        yield ()
    for name, inner in schema.get("properties", {}).items():
        yield from ((name, *way) for way in _ways(document, inner))
    if "items" in schema:
        yield from (("0", *way) for way in _ways(document, schema["items"]))
    for inner in [*schema.get("anyOf", []), *schema.get("allOf", [])]:
        yield from _ways(document, inner)


def body(way: tuple[str, ...], number: str) -> bytes:
    """A body that says nothing but the number, as it stands in JSON."""
    text = number
    for name in reversed(way):
        text = f"[{text}]" if name == "0" else f'{{"{name}": {text}}}'
    return text.encode()


def send(who: Caller, method: str, path: str, content: bytes) -> Any:
    """Send a body; whose record it is about is nobody's, since the body is read first."""
    where = re.sub(r"{[a-z_]+}", UNKNOWN, path)
    headers = {"If-Match": '"1"', "Content-Type": "application/json"}
    return who.call(method.upper(), where, data=content, headers=headers)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_what_is_no_number_is_refused_by_the_name_of_its_field(app, caller):
    """Case 13, on one database: nothing but the caller's token is read before the body is."""
    admin = caller("admin")
    found = list(fields_of(app.test_client().get(f"{PREFIX}/openapi.json").json))
    assert len(found) >= 20
    assert ("post", "/certifications/{certification_id}/activities", ("quantity",)) in found
    for method, path, way in found:
        for number in STRANGE:
            answer = send(admin, method, path, body(way, number))
            assert answer.status_code == 422, (method, path, way, number, answer.text)
            named = {error["field"] for error in answer.json["errors"]}
            assert ".".join(way) in named, (method, path, way, number, named)


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_nor_is_it_by_the_other_database(caller):
    admin = caller("admin")
    ways = {
        "/certifications/{id}/activities": ("quantity",),
        "/holders/{id}/apprenticeships": ("instruction_hours",),
        "/courses/{id}/attendance-codes": ("most",),
    }
    for path, way in ways.items():
        for number in NUMBERS:
            answer = send(admin, "post", path, body(way, number))
            assert answer.status_code == 422, (path, number)
            assert ".".join(way) in {error["field"] for error in answer.json["errors"]}


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_nor_is_it_in_a_query(app, caller):
    """Of every operation that takes a number in its query."""
    admin, tried = caller("admin"), 0
    document = app.test_client().get(f"{PREFIX}/openapi.json").json
    for path, operations in document["paths"].items():
        for parameter in operations.get("get", {}).get("parameters", []):
            if "integer" not in str(parameter.get("schema")) or parameter["in"] != "query":
                continue
            tried += 1
            for text in (
                "NaN",
                "Infinity",
                "1e309",
                "-5",
                "1e-400",
                "1" * 400,
                "0.5",
                "\uff15",
                "1_0",
                " 7",
            ):
                where = re.sub(r"{[a-z_]+}", UNKNOWN, path.removeprefix(PREFIX))
                answer = admin.get(where, query_string={parameter["name"]: text})
                assert answer.status_code == 422, (path, text, answer.text)
                assert parameter["name"] in {error["field"] for error in answer.json["errors"]}
    assert tried >= 60


def test_the_way_to_a_field_is_found_and_written():
    schema = {"properties": {"a": {"items": {"properties": {"n": {"type": ["integer", "null"]}}}}}}

    assert list(_ways({}, schema)) == [("a", "0", "n")]
    assert orjson.loads(body(("a", "0", "n"), "7")) == {"a": [{"n": 7}]}
