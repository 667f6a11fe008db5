"""Where a page of a list begins, as its address says."""

from __future__ import annotations

from uuid import UUID

from flask import request

from tracker.domain.errors import NotFound


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
