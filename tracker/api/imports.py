"""Imports: files sent over HTTP, imported completely or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from flask import Response
from marshmallow import Schema, fields
from werkzeug.exceptions import RequestEntityTooLarge

from tracker.api.http import paging, routing
from tracker.api.http.fields import ClosedSchema, DayField, choice
from tracker.api.http.organizations import OrganizationIdsSchema
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, ProblemSchema, page_of
from tracker.api.http.uploads import File, Upload
from tracker.domain.errors import NotAllowed, Refusal
from tracker.domain.permissions import ORGANIZATIONS, Actor, Role
from tracker.services import imports
from tracker.services.core.context import Container, ReadContext, UnitOfWork
from tracker.services.imports import apart, import_runs
from tracker.services.imports.import_runs import ImportRunRow
from tracker.settings import Settings
from tracker.tabular import Dates, Encoding

resource = Resource("imports", __name__, description=__doc__)

_LONGEST_NAME = 200
_SENT_BY: Mapping[Role, frozenset[str]] = {
    "employer": frozenset({"roster"}),
    "provider": frozenset({"attendance"}),
    "center": frozenset({"center_results"}),
}
"""The kinds of files that those who act for an organization may send."""
_COUNTS = ("rows", "created", "changed", "unchanged")


class NewImportSchema(ClosedSchema):
    """A CSV or XLSX file of one kind.

    An organization sends its own: an employer its roster, a provider its attendance lists, a center
    its results.
    """

    kind = choice(*imports.KINDS, required=True)
    file = File(required=True)
    dry_run = fields.Boolean(
        truthy={"true"},
        falsy={"false"},
        load_default=False,
        metadata={"description": "Check everything; store nothing."},
    )
    new_centers = fields.Boolean(
        truthy={"true"},
        falsy={"false"},
        load_default=False,
        metadata={"description": "Add assessment centers that are not on record."},
    )
    ends_missing = fields.Boolean(
        truthy={"true"},
        falsy={"false"},
        load_default=False,
        metadata={
            "description": "An employer's own roster is its whole list: the employment of whoever "
            "is not in it ends today. A dry run names them as warnings."
        },
    )
    dates = choice(
        *(d.value for d in Dates),
        load_default=Dates.ISO.value,
        metadata={
            "description": "How to read dates such as 03/04/2026. ISO dates are always read."
        },
    )
    encoding = choice(
        *(e.value for e in Encoding),
        load_default=Encoding.UTF_8.value,
        metadata={"description": "The encoding of a CSV file."},
    )


class BadRowSchema(Schema):
    """Why a cell or row was refused; the header is row 1."""

    file = fields.String(required=True)
    row = fields.Integer(required=True)
    column = fields.String(required=True)
    value = fields.String(required=True)
    rule = fields.String(required=True)


class ImportFaultSchema(Schema):
    """A bad field of the request, or a bad row of the file."""

    field = fields.String()
    message = fields.String()
    file = fields.String()
    row = fields.Integer()
    column = fields.String()
    value = fields.String()
    rule = fields.String()


class ImportProblemSchema(ProblemSchema):
    """Why a file was not imported: the first thousand of ``total`` errors."""

    errors = fields.List(fields.Nested(ImportFaultSchema))
    total = fields.Integer()
    import_id = fields.UUID()


class WarningSchema(Schema):
    """Something that would be refused in live use, but is imported as history."""

    row = fields.Integer(required=True)
    column = fields.String(required=True)
    message = fields.String(required=True)


class ImportRunSchema(OrganizationIdsSchema):
    """A run and how it ended; the counts are null if the file was refused.

    It names the organization whose person sent the file.
    """

    id = fields.UUID(required=True)
    kind = choice(*imports.KINDS, required=True)
    filename = fields.String(required=True)
    dry_run = fields.Boolean(required=True)
    outcome = choice("stored", "checked", "refused", required=True)
    recorded_at = fields.AwareDateTime(required=True)
    rows = fields.Integer(required=True, allow_none=True)
    created = fields.Integer(required=True, allow_none=True)
    changed = fields.Integer(required=True, allow_none=True)
    unchanged = fields.Integer(required=True, allow_none=True)
    total_warnings = fields.Integer(required=True)
    total_consequences = fields.Integer(required=True)
    total_errors = fields.Integer(required=True)


class AwardChangeSchema(Schema):
    """What a file changed about an award on record; null: it did not stand, or does not now."""

    holder_ref = fields.String(required=True)
    number = fields.String(required=True)
    scheme = fields.String(required=True)
    what = fields.String(required=True)
    before = DayField(required=True, allow_none=True)
    after = DayField(required=True, allow_none=True)


class ImportReportSchema(ImportRunSchema):
    """The same, row by row, with up to a thousand rows of each kind."""

    warnings = fields.List(fields.Nested(WarningSchema), required=True)
    errors = fields.List(fields.Nested(BadRowSchema), required=True)
    consequences = fields.List(fields.Nested(AwardChangeSchema), required=True)
    effects = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata={"description": "Changes to awards that followed from the rows."},
    )


class ImportQuerySchema(paging.PageSchema):
    """Filter by kind."""

    kind = choice(*imports.KINDS)


def _summary(row: ImportRunRow) -> dict[str, object]:
    report = row.report
    return {
        "id": row.id,
        "kind": row.kind,
        "filename": row.filename,
        "dry_run": row.dry_run,
        "outcome": row.outcome,
        "employer_id": row.employer_id,
        "center_id": row.center_id,
        "provider_id": row.provider_id,
        "sponsor_id": row.sponsor_id,
        "recorded_at": row.recorded_at,
        **{name: report.get(name) for name in _COUNTS},
        "total_warnings": report.get("total_warnings", 0),
        "total_consequences": report.get("total_consequences", 0),
        "total_errors": report.get("total", 0),
    }


def _present(row: ImportRunRow) -> dict[str, object]:
    report = row.report
    return {
        **_summary(row),
        "warnings": report.get("warnings", []),
        "errors": report.get("errors", []),
        "consequences": report.get("consequences", []),
        "effects": report.get("effects", {}),
    }


def _maximum(settings: Settings, actor: Actor) -> int:
    """The largest file the caller may send: organizations send their own, staff large ones."""
    limits = settings.imports
    return limits.maximum_bytes if actor.is_staff else limits.employer_maximum_bytes


def _too_large(maximum: int) -> Exception:
    return RequestEntityTooLarge(f"The file must have at most {maximum:,} bytes.")


def _keep(container: Container, actor: Actor, refusal: Refusal) -> None:
    """Record a refused file in a transaction of its own: the import's was rolled back."""
    if isinstance(refusal, imports.ImportRefused):
        with container.work(actor) as work:
            refusal.facts["import_id"] = imports.record_run(work, refusal)


def _ask(reading: ReadContext, body: Loaded) -> None:
    """Whether the caller may send files of that kind. Raises NotAllowed."""
    role, kinds = reading.actor.role, _SENT_BY.get(reading.actor.role, frozenset())
    if not reading.actor.is_staff and body["kind"] not in kinds:
        own = ", ".join(sorted(kinds)) or "none"
        raise NotAllowed(
            f"The role {role} may import only its own kinds of file: {own}.", role=role
        )


@contextmanager
def _prepared(container: Container, actor: Actor, body: Loaded) -> Iterator[Loaded]:
    """The file as texts, read before the transaction opens; for a dry run, the report."""
    encoding = Encoding(body["encoding"])
    read = apart.unpacked(container.settings, body["kind"], body["file"].stream, encoding=encoding)
    with read as table:
        options: imports.RunOptions = {
            "filename": shown_name(body["file"].filename),
            "dates": Dates(body["dates"]),
            "employer_id": None if actor.is_staff else actor.employer_id,
            "new_centers": body["new_centers"],
            "ends_missing": body["ends_missing"],
        }
        report = None
        if body["dry_run"]:
            report = apart.check(container, actor, body["kind"], table, **options)
        yield {"kind": body["kind"], "table": table, "options": options, "report": report}


@resource.writes(
    "POST /imports",
    "staff",
    *ORGANIZATIONS,
    body=NewImportSchema,
    returns=ImportReportSchema,
    status=201,
    errors=(409, 503),
    upload=Upload(
        _maximum,
        _too_large,
        ask=_ask,
        prepare=_prepared,
        refused=_keep,
        problem=ImportProblemSchema,
    ),
)
def run(work: UnitOfWork, body: Loaded) -> Response:
    """Import a file: every row of it, or none, with a report of each bad one."""
    report = body["report"]
    if report is None:
        report = imports.run(work, body["kind"], body["table"], **body["options"])
    else:
        imports.keep_checked(work, report, employer_id=body["options"]["employer_id"])
    location = f"/api/v1/imports/{report.id}"
    return routing.answer(_present(imports.get(work, report.id)), status=201, location=location)


def shown_name(name: str) -> str:
    """The end of a name, without characters that do not print."""
    return "".join(letter for letter in name if letter.isprintable())[-_LONGEST_NAME:]


@resource.reads(
    "GET /imports",
    "staff",
    *ORGANIZATIONS,
    query=ImportQuerySchema,
    returns=page_of(ImportRunSchema),
)
def runs(reading: ReadContext, query: Loaded) -> Response:
    """The imports on record; an organization sees its own."""
    rows = import_runs.page(
        reading, after=query.get("after"), limit=query["limit"] + 1, kind=query.get("kind")
    )
    return paging.answer(rows, query, _summary)


@resource.reads(
    "GET /imports/<uuid:run_id>", "staff", *ORGANIZATIONS, returns=ImportReportSchema, errors=(404,)
)
def show(reading: ReadContext, *, run_id: str) -> Response:
    """One import with its report."""
    return routing.answer(_present(imports.get(reading, run_id)))
