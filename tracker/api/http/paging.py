"""Keyset paging: an opaque cursor, a Link header, a stable order."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Response, request
from marshmallow import ValidationError, fields, validate

from tracker.api.http import routing
from tracker.api.http.fields import ClosedSchema

DEFAULT_LIMIT = 50
LONGEST = 200


class Cursor(fields.String):
    """The opaque place where a page begins; it loads to the key of the item before it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            key = base64.b64decode(text.encode(), altchars=b"-_", validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise ValidationError("is not a cursor from an earlier page") from error
        if not key or not key.isprintable() or len(key) > 200:  # noqa: PLR2004 - obvious from the line
            raise ValidationError("is not a cursor from an earlier page")
        return key


class IdCursor(Cursor):
    """A cursor over ids."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        key = super()._deserialize(value, attr, data, **kwargs)
        try:
            return str(fields.UUID().deserialize(key))
        except ValidationError as error:
            raise ValidationError("is not a cursor from an earlier page") from error


class PageSchema(ClosedSchema):
    """The query of every list."""

    after = IdCursor(metadata={"description": "The ``next_cursor`` of the previous page."})
    limit = fields.Integer(
        load_default=DEFAULT_LIMIT, strict=False, validate=validate.Range(1, LONGEST)
    )


def answer(
    rows: Sequence[Any],
    args: dict[str, Any],
    present: Callable[[Any], Any],
    *,
    key: Callable[[Any], str] = lambda row: str(row.id),
) -> Response:
    """A page of ``limit`` rows out of ``limit + 1`` read; the extra row shows there is more."""
    return answer_all(rows, args, lambda page: [present(row) for row in page], key=key)


def answer_all(
    rows: Sequence[Any],
    args: dict[str, Any],
    present: Callable[[Sequence[Any]], list[Any]],
    *,
    key: Callable[[Any], str] = lambda row: str(row.id),
) -> Response:
    """The same for rows that are presented together."""
    page = rows[: args["limit"]]
    cursor = None
    if len(rows) > len(page):
        cursor = base64.urlsafe_b64encode(key(page[-1]).encode()).decode()
    return _page(present(page), cursor)


def answer_page(items: list[Any], key: str | None) -> Response:
    """A page cut by a service; ``key`` is the place after it, if there is more."""
    return _page(items, base64.urlsafe_b64encode(key.encode()).decode() if key else None)


def _page(items: list[Any], cursor: str | None) -> Response:
    response = routing.answer({"items": items, "next": cursor})
    if cursor:
        query = urlencode({**request.args.to_dict(), "after": cursor})
        response.headers["Link"] = f'<{request.path}?{query}>; rel="next"'
    return response
