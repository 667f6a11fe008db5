"""History: who changed what and when, with the values before and after, for the staff."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from flask import Response
from marshmallow import Schema, fields

from tracker.api.http import paging
from tracker.api.http.fields import DayField, Sought, WordsField
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.services.core.context import ReadContext
from tracker.services.overview import history_pages
from tracker.services.overview.history_pages import HistoryFilter, HistoryLine

resource = Resource("history", __name__, description=__doc__)

_LAST_NUMBER = 2**63 - 1


class NumberCursor(paging.Cursor):
    """A cursor over numbers."""

    def place(self, key: str) -> object:
        """The number. Raises ValueError."""
        if not (key.isascii() and key.isdigit() and int(key) <= _LAST_NUMBER):
            raise ValueError(key)
        return int(key)


class HistoryPageSchema(paging.PageSchema):
    """The query of a record's history."""

    after = NumberCursor(metadata={"description": "The ``next_cursor`` of the previous page."})


class HistoryQuerySchema(HistoryPageSchema):
    """Filters. Days are UTC days, both included."""

    holder_id = fields.UUID(metadata={"description": "Only changes to the records of this person."})
    subject = WordsField(
        32, metadata={"description": "Only records of this kind, such as certification."}
    )
    subject_id = WordsField(64)
    actor = Sought(
        100,
        metadata={
            "description": "Only changes made with a token of this name, or by a part of the "
            "program such as system; people who signed in are found by ``account_id``."
        },
    )
    token_id = fields.UUID(metadata={"description": "Only changes made with this token."})
    account_id = fields.UUID(metadata={"description": "Only changes by whoever has this account."})
    action = WordsField(64)
    from_on = DayField(data_key="from")
    until_on = DayField(data_key="until")


class ChangeSchema(Schema):
    """The value of a field before and after a change."""

    field = fields.String(required=True)
    before = fields.Raw(required=True, allow_none=True)
    after = fields.Raw(required=True, allow_none=True)


class HistoryLineSchema(Schema):
    """One act on a record; a line never changes once it is written."""

    id = fields.Integer(required=True)
    at = fields.AwareDateTime(required=True)
    actor = fields.String(required=True)
    action = fields.String(required=True)
    subject = fields.String(required=True)
    subject_id = fields.String(required=True)
    detail = fields.Dict(required=True)
    changes = fields.List(fields.Nested(ChangeSchema), required=True)
    actor_role = fields.String(
        required=True, allow_none=True, metadata={"description": "Null in the oldest lines."}
    )
    token_id = fields.UUID(required=True, allow_none=True)
    account_id = fields.UUID(required=True, allow_none=True)
    session_id = fields.UUID(required=True, allow_none=True)
    request_id = fields.UUID(
        required=True,
        allow_none=True,
        metadata={"description": "The X-Request-ID of the answer to the request that did it."},
    )


def _answer(lines: list[HistoryLine], query: Loaded) -> Response:
    return paging.answer(lines, query, asdict)


def _filter(query: Loaded) -> HistoryFilter:
    filters = {key: value for key, value in query.items() if key not in {"limit", "holder_id"}}
    filters |= {key: str(filters[key]) for key in ("token_id", "account_id") if key in filters}
    return HistoryFilter(limit=query["limit"] + 1, **filters)


@resource.reads(
    "GET /history",
    "staff",
    query=HistoryQuerySchema,
    returns=page_of(HistoryLineSchema),
    errors=(404,),
)
def lines(reading: ReadContext, query: Loaded) -> Response:
    """History, the newest first, by person, record, actor, action or day."""
    holder_id = str(query["holder_id"]) if "holder_id" in query else None
    return _answer(history_pages.page(reading, _filter(query), holder_id=holder_id), query)


@resource.reads(
    "GET /holders/<uuid:holder_id>/history",
    "staff",
    query=HistoryPageSchema,
    returns=page_of(HistoryLineSchema),
    errors=(404,),
)
def of_holder(reading: ReadContext, query: Loaded, *, holder_id: str) -> Response:
    """The history of a person and of all their records, the newest first."""
    return _answer(history_pages.page(reading, _filter(query), holder_id=holder_id), query)


def _of_record(subject: str) -> Callable[..., Response]:
    def history(reading: ReadContext, query: Loaded, **path: str) -> Response:
        (subject_id,) = path.values()
        found = history_pages.of_record(reading, subject, subject_id, _filter(query))
        return _answer(found, query)

    history.__name__ = f"of_{subject}"
    history.__doc__ = f"The history of one {subject} and of what belongs to it, newest first."
    return history


for _subject, _plural in {
    "certification": "certifications",
    "activity": "activities",
    "renewal": "renewals",
    "assessment": "assessments",
    "fee": "fees",
    "employer": "employers",
    "center": "centers",
    "provider": "providers",
    "sponsor": "sponsors",
}.items():
    resource.reads(
        f"GET /{_plural}/<uuid:{_subject}_id>/history",
        "staff",
        query=HistoryPageSchema,
        returns=page_of(HistoryLineSchema),
        errors=(404,),
    )(_of_record(_subject))
