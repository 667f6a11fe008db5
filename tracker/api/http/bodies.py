"""JSON from callers, parsed in one place for every route: ambiguous or deep input is refused.

Programs disagree on the meaning of a repeated name, and few can write lone surrogates or a thousand
brackets back; so none of these gets past this module.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TypeVar

from flask import request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from tracker.domain.errors import Invalid

Value = TypeVar("Value")

DEEPEST = 20
"""The most lists and objects that may be nested; the API itself needs four."""


def sent() -> object:
    """The JSON of the request. Raises UnsupportedMediaType, and what ``read`` raises."""
    if not request.is_json:
        raise UnsupportedMediaType("The body must be application/json.")
    return read(request.get_data())


def read(body: bytes) -> object:
    """Parse a body.

    Raises BadRequest if it is not JSON in UTF-8, nests deeper than ``DEEPEST`` or has half of a
    surrogate pair; Invalid, with its name, for a field that is given twice.
    """
    try:
        document: object = json.loads(body.decode(), object_pairs_hook=_members)
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        raise BadRequest("The body must be JSON in UTF-8.") from error
    _check(document)
    return document


def each_once(pairs: Iterable[tuple[str, Value]]) -> dict[str, Value]:
    """The fields by name; a repeated field is refused, since one value would be lost."""
    fields: dict[str, Value] = {}
    for name, value in pairs:
        if name in fields:
            raise Invalid("A field appears more than once.", fields={name: "must appear only once"})
        fields[name] = value
    return fields


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """The members of an object, each name once."""
    for name, _ in pairs:
        _check_text(name)
    return each_once(pairs)


def _check(document: object) -> None:
    """Check every value without recursion: the sender chooses the depth."""
    level = [document]
    for depth in range(DEEPEST + 1):
        for value in level:
            if isinstance(value, str):
                _check_text(value)
        level = [inner for value in level for inner in _inside(value)]
        if depth == DEEPEST and level:
            raise _too_deep()


def _inside(value: object) -> Iterable[object]:
    """The values in a list or an object; an empty one counts as a level too."""
    if isinstance(value, dict):
        return value.values() or (None,)
    return (value or (None,)) if isinstance(value, list) else ()


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadRequest(r"The body holds half of a character, such as \ud800 alone.") from error


def _too_deep() -> BadRequest:
    return BadRequest(f"The body may nest lists and objects at most {DEEPEST} levels deep.")
