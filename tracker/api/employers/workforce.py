"""An employer's workers on any day: the list, one worker, the numbers, the months ahead."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import IO
from urllib.parse import urlencode

from flask import Response
from marshmallow import Schema, fields

from tracker import tabular
from tracker.api.http import attachments, limits, paging, routing
from tracker.api.http.fields import ClosedSchema, DayField, Sought, WordsField, choice
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, PointsSchema, page_of
from tracker.domain.employers.consents import NotSharedReason
from tracker.domain.employers.looks import LookKind
from tracker.domain.employers.workforce import WORKER_STATUSES, WorkforceSegment, days_ahead
from tracker.domain.permissions import Role
from tracker.services.core.context import ReadContext
from tracker.services.employers import (
    looks,
    workforce,
    workforce_files,
    workforce_numbers,
    workforce_overview,
    workforce_selection,
)
from tracker.services.employers.workforce import Worker, WorkforcePlace
from tracker.services.employers.workforce_selection import WorkforceFilter

resource = Resource("workforce", __name__, description=__doc__)

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Writer = Callable[[IO[bytes], Sequence[str], Iterable[Sequence[object]]], object]
_PATH = "/employers/<uuid:employer_id>/workforce"
_MAY_ASK: tuple[Role, ...] = ("employer", "staff")


class WorkerCursor(paging.Cursor):
    """A cursor over workers: an expiry and an id."""

    def place(self, key: str) -> object:
        """The place. Raises ValueError or ValidationError."""
        day, _, id_ = key.partition("/")
        return WorkforcePlace(date.fromisoformat(day), str(fields.UUID().deserialize(id_)))


class GroupQuerySchema(ClosedSchema):
    """Which workers: of a site, department or shift. Any day may be given; consent is today's."""

    as_of = DayField(metadata={"description": "Default: today in the scheme's time zone."})
    scheme = WordsField(32, load_default="cpt")
    site = Sought(100)
    department = Sought(100)
    shift = Sought(32)


class WorkersQuerySchema(GroupQuerySchema):
    """Filters by field name. ``employee_id`` matches by its beginning.

    ``expires_from`` and ``expires_until`` select certifications that expire on those days and are
    neither suspended, revoked nor surrendered. ``segment`` is a part of the workforce, of which
    each worker is in one.
    """

    status = choice(*WORKER_STATUSES)
    valid = fields.Boolean(truthy={"true"}, falsy={"false"})
    employee_id = Sought(64)
    expires_from = DayField()
    expires_until = DayField()
    segment = choice(*WorkforceSegment)
    sort = choice(
        "urgency",
        "employee_id",
        load_default="urgency",
        metadata={"description": "By expiration date, expired ones first; or by employee_id."},
    )


class WorkforceQuerySchema(WorkersQuerySchema, paging.PageSchema):
    """A page of the selected workers."""

    after = WorkerCursor(metadata={"description": "The ``next_cursor`` of the previous page."})


class ExportQuerySchema(WorkersQuerySchema):
    """The same workers as a file; counting everybody's points takes time."""

    points = fields.Boolean(load_default=False, truthy={"true"}, falsy={"false"})


class OnQuerySchema(ClosedSchema):
    """The day and the scheme."""

    as_of = DayField()
    scheme = WordsField(32, load_default="cpt")


class PassedModuleSchema(Schema):
    """A module that a worker has passed; the day is null if dates are not shared."""

    module = fields.String(required=True)
    passed_on = DayField(required=True, allow_none=True)


class WorkerStandingSchema(Schema):
    """One worker. Without consent, the status is ``not_shared`` and the rest is null.

    Dates, points and modules are also null if they are not shared, and points if the scheme counts
    none. A worker who shares no dates is ``not_shared`` on any other day than today. ``reason``
    says why a worker is not shared: ``not_matched`` (the entry has nothing by which somebody could
    be found), ``not_asked``, ``asked`` or ``declined`` on a day, ``ended``. An entry that means
    nobody on record reads ``asked``, too.
    """

    id = fields.UUID(required=True)
    employee_id = fields.String(required=True)
    site = fields.String(required=True, allow_none=True)
    department = fields.String(required=True, allow_none=True)
    shift = fields.String(required=True, allow_none=True)
    shared = fields.Boolean(required=True)
    reason = choice(*NotSharedReason, required=True, allow_none=True)
    reason_on = DayField(required=True, allow_none=True)
    name = fields.String(required=True, allow_none=True)
    certificate_number = fields.String(required=True, allow_none=True)
    status = choice(*WORKER_STATUSES, required=True)
    valid = fields.Boolean(required=True, allow_none=True)
    expires_on = DayField(
        required=True, allow_none=True, metadata={"description": "Last valid day."}
    )
    window_opens_on = DayField(required=True, allow_none=True)
    window_closes_on = DayField(
        required=True,
        allow_none=True,
        metadata={"description": "Last day to apply in time."},
    )
    days_left = fields.Integer(required=True, allow_none=True)
    points = fields.Nested(PointsSchema, required=True, allow_none=True)
    modules = fields.List(fields.Nested(PassedModuleSchema), required=True, allow_none=True)


class NumberSchema(Schema):
    """A number, and a link to the rows behind it."""

    count = fields.Integer(required=True)
    link = fields.String(required=True)


class StatusNumberSchema(NumberSchema):
    """How many workers are in a status."""

    status = choice(*WORKER_STATUSES, required=True)


class DueNumberSchema(NumberSchema):
    """How many certifications in force expire within a number of days, the last day included."""

    days = fields.Integer(required=True)
    until_on = DayField(required=True)


class SummarySchema(Schema):
    """The numbers of a workforce on a day; those of ``statuses`` add up to ``total``."""

    as_of = DayField(required=True)
    scheme = fields.String(required=True)
    total = fields.Nested(NumberSchema, required=True)
    valid = fields.Nested(NumberSchema, required=True)
    not_shared = fields.Nested(NumberSchema, required=True)
    not_certified = fields.Nested(NumberSchema, required=True)
    statuses = fields.List(fields.Nested(StatusNumberSchema), required=True)
    due = fields.List(fields.Nested(DueNumberSchema), required=True)


class MonthNumberSchema(NumberSchema):
    """How many certifications in force expire in a month."""

    month = fields.String(required=True, metadata={"example": "2026-11"})


class ForecastSchema(Schema):
    """Expiries by month for 24 months, from the given day."""

    as_of = DayField(required=True)
    scheme = fields.String(required=True)
    months = fields.List(fields.Nested(MonthNumberSchema), required=True)


def selection_of(reading: ReadContext, employer_id: str, query: Loaded) -> WorkforceFilter:
    """The filter that a query asks for. Raises NotFound, UnknownScheme."""
    filters = {k: v for k, v in query.items() if k not in _NOT_FILTERS}
    everybody = workforce_selection.question(
        reading, employer_id, query["scheme"], on=query.get("as_of")
    )
    return replace(everybody, **filters)


_NOT_FILTERS = {"as_of", "scheme", "after", "limit", "sort", "points"}


def _present(worker: Worker) -> dict[str, object]:
    """A worker; the keys are written out, so that no other ever appears."""
    points = worker.points
    return {
        "id": worker.id,
        "employee_id": worker.employee_id,
        "site": worker.site,
        "department": worker.department,
        "shift": worker.shift,
        "shared": bool(worker.shared),
        "reason": worker.reason,
        "reason_on": worker.reason_on,
        "name": worker.name,
        "certificate_number": worker.certificate_number,
        "status": worker.status,
        "valid": worker.valid,
        "expires_on": worker.expires_on,
        "window_opens_on": worker.window_opens_on,
        "window_closes_on": worker.window_closes_on,
        "days_left": worker.days_left,
        "points": points
        and {
            "counted": points.total,
            "required": points.required,
            "missing": points.missing,
            "verified": points.verified,
        },
        "modules": worker.modules and [module._asdict() for module in worker.modules],
    }


@resource.reads(
    f"GET {_PATH}",
    *_MAY_ASK,
    query=WorkforceQuerySchema,
    returns=page_of(WorkerStandingSchema),
    errors=(404,),
)
def of_employer(reading: ReadContext, query: Loaded, *, employer_id: str) -> Response:
    """The workers with their standings on ``as_of``; without consent: not shared, no data."""
    selection = selection_of(reading, employer_id, query)
    rows = workforce.page(
        reading, selection, after=query.get("after"), limit=query["limit"] + 1, sort=query["sort"]
    )
    _record(reading, selection, LookKind.LIST, rows[: query["limit"]])
    return paging.answer(rows, query, _present, key=_cursor)


def _cursor(worker: Worker) -> str:
    return place_key(worker.place)


def place_key(place: WorkforcePlace) -> str:
    """The key of a place, as ``WorkerCursor`` reads it."""
    return f"{place.expires_on}/{place.id}"


@resource.reads(
    f"GET {_PATH}/<uuid:entry_id>",
    *_MAY_ASK,
    query=OnQuerySchema,
    returns=WorkerStandingSchema,
    errors=(404,),
)
def show(reading: ReadContext, query: Loaded, *, employer_id: str, entry_id: str) -> Response:
    """One worker who shares; one who does not is answered like an unknown id."""
    selection = selection_of(reading, employer_id, query)
    worker = workforce.one(reading, selection, entry_id)
    _record(reading, selection, LookKind.WORKER, [worker])
    return routing.answer(_present(worker))


def _record(
    reading: ReadContext, selection: WorkforceFilter, kind: LookKind, shown: Iterable[Worker]
) -> None:
    """Record who is about to be shown or was asked about; nothing is if nobody shares."""
    rows = list(shown)
    if selection.employee_id is not None or any(worker.holder_id for worker in rows):
        with routing.container().work(reading.actor) as work:
            workforce_overview.note_workers(work, selection, kind, rows)


def _record_numbers(reading: ReadContext, selection: WorkforceFilter) -> None:
    with routing.container().work(reading.actor) as work:
        looks.record_numbers(work, selection)


def _link(selection: WorkforceFilter, **more: object) -> str:
    """The link to the rows behind a number: the same query, narrowed."""
    filters = {"as_of": selection.on, "scheme": selection.scheme.code} | {
        key: getattr(selection, key)
        for key in ("site", "department", "shift")
        if getattr(selection, key) is not None
    }
    return f"/api/v1/employers/{selection.employer_id}/workforce?{urlencode(filters | more)}"


@resource.reads(
    f"GET {_PATH}/summary", *_MAY_ASK, query=GroupQuerySchema, returns=SummarySchema, errors=(404,)
)
def summary(reading: ReadContext, query: Loaded, *, employer_id: str) -> Response:
    """How many are in each status, valid, and due within the days of each threshold."""
    selection = selection_of(reading, employer_id, query)
    _record_numbers(reading, selection)
    counts = workforce_numbers.summary(reading, selection)
    by_status = {
        status: {"count": count, "link": _link(selection, status=status)}
        for status, count in counts.by_status.items()
    }
    due = [
        {
            "days": one.days,
            "until_on": one.period.ends_on,
            "count": one.count,
            "link": _link(
                selection, expires_from=one.period.starts_on, expires_until=one.period.ends_on
            ),
        }
        for one in counts.due
    ]
    return routing.answer(
        {
            "as_of": selection.on,
            "scheme": selection.scheme.code,
            "total": {"count": counts.total, "link": _link(selection)},
            "valid": {"count": counts.valid, "link": _link(selection, valid="true")},
            "not_shared": by_status["not_shared"],
            "not_certified": by_status["not_certified"],
            "statuses": [{"status": status, **one} for status, one in by_status.items()],
            "due": due,
        }
    )


@resource.reads(
    f"GET {_PATH}/forecast",
    *_MAY_ASK,
    query=GroupQuerySchema,
    returns=ForecastSchema,
    errors=(404,),
)
def forecast(reading: ReadContext, query: Loaded, *, employer_id: str) -> Response:
    """How many certifications in force expire in each of the next 24 months."""
    selection = selection_of(reading, employer_id, query)
    _record_numbers(reading, selection)
    months = []
    for month, count in workforce_numbers.forecast(reading, selection):
        days = days_ahead(month, on=selection.on)
        link = _link(selection, expires_from=days.starts_on, expires_until=days.ends_on)
        months.append({"month": f"{month:%Y-%m}", "count": count, "link": link})
    return routing.answer(
        {"as_of": selection.on, "scheme": selection.scheme.code, "months": months}
    )


@resource.reads(
    f"GET {_PATH}.csv",
    *_MAY_ASK,
    query=ExportQuerySchema,
    returns=None,
    content=CSV,
    errors=(404, 429),
)
def as_csv(reading: ReadContext, query: Loaded, *, employer_id: str) -> Response:
    """The list as CSV."""
    return as_file(reading, query, employer_id, tabular.write_csv, f"{CSV}; charset=utf-8")


@resource.reads(
    f"GET {_PATH}.xlsx",
    *_MAY_ASK,
    query=ExportQuerySchema,
    returns=None,
    content=XLSX,
    errors=(404, 429),
)
def as_xlsx(reading: ReadContext, query: Loaded, *, employer_id: str) -> Response:
    """The list as an XLSX workbook."""
    return as_file(reading, query, employer_id, tabular.write_xlsx, XLSX)


def as_file(
    reading: ReadContext,
    query: Loaded,
    employer_id: str,
    writer: Writer,
    content_type: str,
) -> Response:
    """The list as a file to save. Raises NotFound, UnknownScheme, TooOften, TooManyAtOnce."""
    selection = selection_of(reading, employer_id, query)
    limits.exported(reading.actor)
    with routing.container().work(reading.actor) as work:
        looks.record_file(work, selection)

    def write(file: IO[bytes]) -> None:
        lines = workforce_files.export(
            reading, selection, sort=query["sort"], with_points=query["points"]
        )
        writer(file, _columns(query), lines)

    name = _filename(selection, "xlsx" if content_type == XLSX else "csv")
    return attachments.attached(reading, write, content_type=content_type, name=name)


def _columns(query: Loaded) -> tuple[str, ...]:
    return workforce_files.COLUMNS + (workforce_files.POINTS_COLUMNS if query["points"] else ())


def _filename(selection: WorkforceFilter, ending: str) -> str:
    """Scheme, day and filters, so that the name of a saved file says what is in it."""
    filters = [
        f"{key}-{value}"
        for key in workforce_selection.FILTERS
        if (value := getattr(selection, key)) is not None
    ]
    name = "_".join(["workforce", selection.scheme.code, str(selection.on), *filters])
    return f"{re.sub('[^A-Za-z0-9._-]+', '-', name)[:150]}.{ending}"
