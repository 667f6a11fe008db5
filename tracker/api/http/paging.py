"""Keyset paging: an opaque cursor, a Link header, a stable order."""

from __future__ import annotations

import base64
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Response, request
from marshmallow import ValidationError, fields, validate

from tracker.api.http import routing
from tracker.api.http.fields import ClosedSchema, NumberInQuery
from tracker.api.http.schemas import Loaded

DEFAULT_LIMIT = 50
LONGEST = 200

Row = TypeVar("Row")
_id_of = operator.attrgetter("id")


class Cursor(fields.String):
    """The opaque place where a page begins; it loads to the key of the item before it."""

    def _deserialize(
        self, value: object, attr: str | None, data: Mapping[str, object] | None, **kwargs: object
    ) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return self.place(_key(text))
        except (ValueError, ValidationError) as error:
            raise ValidationError("is not a cursor from an earlier page") from error

    def place(self, key: str) -> object:
        """What the key says. Raises ValueError or ValidationError if a page gave no such key."""
        return key


class IdCursor(Cursor):
    """A cursor over ids."""

    def place(self, key: str) -> object:
        """The id. Raises ValidationError."""
        return str(fields.UUID().deserialize(key))


class PageSchema(ClosedSchema):
    """The query of every list."""

    after: Cursor = IdCursor(metadata={"description": "The ``next_cursor`` of the previous page."})
    limit = NumberInQuery(load_default=DEFAULT_LIMIT, validate=validate.Range(1, LONGEST))


def _key(text: str) -> str:
    """The key in a cursor. Raises ValueError."""
    key = base64.b64decode(text.encode(), altchars=b"-_", validate=True).decode()
    if not key or not key.isprintable() or len(key) > 200:  # noqa: PLR2004 - obvious from the line
        raise ValueError(text)
    return key


def _id(row: object) -> str:
    return str(_id_of(row))


def answer(
    rows: Sequence[Row],
    args: Loaded,
    present: Callable[[Row], object],
    *,
    key: Callable[[Row], str] = _id,
) -> Response:
    """A page of ``limit`` rows out of ``limit + 1`` read; the extra row shows there is more."""
    return answer_all(rows, args, lambda page: [present(row) for row in page], key=key)


def answer_all(
    rows: Sequence[Row],
    args: Loaded,
    present: Callable[[Sequence[Row]], Sequence[object]],
    *,
    key: Callable[[Row], str] = _id,
) -> Response:
    """The same for rows that are presented together."""
    page = rows[: args["limit"]]
    cursor = None
    if len(rows) > len(page):
        cursor = cursor_of(key(page[-1]))
    return _page(present(page), cursor)


def answer_page(items: Sequence[object], key: str | None) -> Response:
    """A page cut by a service; ``key`` is the place after it, if there is more."""
    return _page(items, cursor_of(key) if key else None)


def cursor_of(key: str) -> str:
    """A key as the opaque place where the next page begins."""
    return base64.urlsafe_b64encode(key.encode()).decode()


def _page(items: Sequence[object], cursor: str | None) -> Response:
    response = routing.answer({"items": items, "next": cursor})
    if cursor:
        query = urlencode({**request.args.to_dict(), "after": cursor})
        response.headers["Link"] = f'<{request.path}?{query}>; rel="next"'
    return response
