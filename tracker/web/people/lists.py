"""Where a page of a list begins, as its address says, and where the next one does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode
from uuid import UUID

from flask import request

from tracker.domain.errors import NotFound

LISTED = 50
"""How many rows a page of a list shows."""
RowShown = TypeVar("RowShown")
ChosenCode = TypeVar("ChosenCode", bound=StrEnum)


def place() -> str | None:
    """The id after which the page begins; None at the beginning. Raises NotFound for no id."""
    return id_in_address("after")


def id_in_address(name: str) -> str | None:
    """The id that the address says under a name; None without one. Raises NotFound for no id."""
    if not (given := request.args.get(name)):
        return None
    try:
        return str(UUID(given))
    except ValueError as error:
        raise NotFound from error


def choice_in_address(name: str, choices: type[ChosenCode]) -> ChosenCode | None:
    """The code that the address says under a name; None without one. Raises NotFound for another.

    Everything instead of what was asked for would look like an answer.
    """
    if not (given := request.args.get(name)):
        return None
    try:
        return choices(given)
    except ValueError as error:
        raise NotFound from error


def cut(
    rows: Sequence[RowShown], key: Callable[[RowShown], object], here: str = ""
) -> tuple[Sequence[RowShown], str | None]:
    """The rows of a page, and the address of the next one if there is one more row.

    ``here`` is the list's own address, where it is shown after a form with another one, too.
    """
    shown = rows[:LISTED]
    if len(rows) <= LISTED:
        return shown, None
    query = {**request.args.to_dict(), "after": str(key(shown[-1]))}
    return shown, f"{here or request.path}?{urlencode(query)}"
