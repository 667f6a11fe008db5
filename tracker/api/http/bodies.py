"""JSON from callers, parsed in one place for every route: ambiguous or deep input is refused.

Programs disagree on the meaning of a repeated name, and few can write lone surrogates or a thousand
brackets back; so none of these gets past this module.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from flask import request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from tracker.domain.errors import Invalid

DEEPEST = 20
"""The most lists and objects that may be nested; the API itself needs four."""


def sent() -> Any:
    """The JSON of the request. Raises UnsupportedMediaType, and what ``read`` raises."""
    if not request.is_json:
        raise UnsupportedMediaType("The body must be application/json.")
    return read(request.get_data())


def read(body: bytes) -> Any:
    """Parse a body.

    Raises BadRequest if it is not JSON in UTF-8, nests deeper than ``DEEPEST`` or has half of a
    surrogate pair; Invalid, with its name, for a field that is given twice.
    """
    try:
        told = json.loads(body.decode(), object_pairs_hook=_members)
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        raise BadRequest("The body must be JSON in UTF-8.") from error
    _check(told)
    return told


def each_once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The fields by name; a repeated field is refused, since one value would be lost."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise Invalid("A field appears more than once.", fields={name: "must appear only once"})
        found[name] = value
    return found


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The members of an object, each name once."""
    for name, _ in pairs:
        _check_text(name)
    return each_once(pairs)


def _check(told: Any) -> None:
    """Check every value without recursion: the sender chooses the depth."""
    level = [told]
    for depth in range(DEEPEST + 1):
        for one in level:
            if isinstance(one, str):
                _check_text(one)
        level = [item for one in level for item in _inside(one)]
        if depth == DEEPEST and level:
            raise _too_deep()


def _inside(told: Any) -> Iterable[Any]:
    """The values in a list or an object; an empty one counts as a level too."""
    if isinstance(told, dict):
        return told.values() or (None,)
    return (told or (None,)) if isinstance(told, list) else ()


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadRequest(r"The body holds half of a character, such as \ud800 alone.") from error


def _too_deep() -> BadRequest:
    return BadRequest(f"The body may nest lists and objects at most {DEEPEST} levels deep.")
