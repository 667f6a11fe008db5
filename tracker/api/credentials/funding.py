"""Who paid for attempts: a report as JSON and as CSV, for sponsors of those who consented."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import IO

from flask import Response
from marshmallow import Schema, fields

from tracker import tabular
from tracker.api.credentials.assessments import ShownFundingSchema
from tracker.api.http import attachments, paging, routing
from tracker.api.http.fields import AmountField, ClosedSchema, DayField, choice
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.domain.credentials import funding as rules
from tracker.domain.credentials.assessments import FUNDINGS
from tracker.domain.credentials.funding import FundingPeriod
from tracker.domain.periods import Period
from tracker.services.core.context import ReadContext
from tracker.services.credentials import funding
from tracker.services.credentials.funding import FundedAttempt, FundingFilter, NamedLine

resource = Resource("funding", __name__, description=__doc__)

_CSV = "text/csv"


class FundingQuerySchema(ClosedSchema):
    """The days on which the attempts were taken, both included, and which attempts."""

    since = DayField(required=True)
    until = DayField(required=True)
    period = choice(*FundingPeriod, load_default=FundingPeriod.QUARTER.value)
    funding = choice(*FUNDINGS)
    center_id = fields.UUID()
    result = choice("pass", "fail")


class FundingLineSchema(Schema):
    """The attempts of a period that have source, center and outcome in common.

    An attempt that several sources pay for is in a line for each.
    """

    starts_on = DayField(required=True)
    ends_on = DayField(required=True)
    funding = fields.String(required=True, allow_none=True)
    center_id = fields.UUID(required=True, allow_none=True)
    center = fields.String(required=True, allow_none=True)
    result = choice("pass", "fail", required=True)
    attempts = fields.Integer(required=True)
    firsts = fields.Integer(
        required=True,
        metadata={"description": "Of how many of them it is the first source, or the only one."},
    )
    without_amount = fields.Integer(
        required=True,
        metadata={"description": "For how many of them no amount of this source is on record."},
    )
    amount = AmountField(required=True)


class FundingReportSchema(Schema):
    """The lines of a report, and what they add up to."""

    attempts = fields.Integer(
        required=True, metadata={"description": "Each counted once, whoever pays for it."}
    )
    without_amount = fields.Integer(required=True)
    amount = AmountField(required=True)
    lines = fields.List(fields.Nested(FundingLineSchema), required=True)


class FundedAttemptsQuerySchema(paging.PageSchema):
    """The days on which the attempts were taken, both included."""

    since = DayField(required=True)
    until = DayField(required=True)


class FundedAttemptSchema(Schema):
    """An attempt, whose it is, and who paid for it."""

    id = fields.UUID(required=True)
    person = fields.String(required=True)
    scheme = fields.String(required=True)
    module = fields.String(required=True)
    taken_on = DayField(required=True)
    result = choice("pass", "fail", required=True)
    center = fields.String(required=True, allow_none=True)
    funding = fields.String(required=True, allow_none=True)
    amount = AmountField(required=True, allow_none=True)
    funding_reference = fields.String(required=True, allow_none=True)
    more_funding = fields.List(fields.Nested(ShownFundingSchema), required=True)


def lines(reading: ReadContext, query: Loaded) -> list[NamedLine]:
    """The lines of the report that a query asks for. Raises Invalid."""
    result = query.get("result")
    wanted = FundingFilter(
        within=Period(query["since"], query["until"]),
        funding=query.get("funding"),
        center_id=str(query["center_id"]) if "center_id" in query else None,
        passed=None if result is None else result == "pass",
    )
    return funding.report(reading, wanted, FundingPeriod(query["period"]))


def _present(found: NamedLine) -> dict[str, object]:
    line = found.line
    return {
        "starts_on": line.starts_on,
        "ends_on": line.ends_on,
        "funding": line.funding,
        "center_id": line.center_id,
        "center": found.center,
        "result": "pass" if line.passed else "fail",
        "attempts": line.attempts,
        "firsts": line.firsts,
        "without_amount": line.without_amount,
        "amount": line.amount,
    }


@resource.reads(
    "GET /reports/funding",
    "staff",
    "sponsor",
    query=FundingQuerySchema,
    returns=FundingReportSchema,
)
def report(reading: ReadContext, query: Loaded) -> Response:
    """Attempts and amounts by period, source, center and outcome.

    A sponsor's report is about the people who agreed that its case managers see their attempts.
    """
    found = lines(reading, query)
    return routing.answer(
        {
            "attempts": rules.attempts_of(
                [one.line for one in found], funding=query.get("funding")
            ),
            "without_amount": sum(one.line.without_amount for one in found),
            "amount": sum((one.line.amount for one in found), Decimal("0.00")),
            "lines": [_present(one) for one in found],
        }
    )


def _present_attempt(row: FundedAttempt) -> dict[str, object]:
    shown = row._asdict()
    shown["person"] = f"{shown.pop('given_name')} {shown.pop('family_name')}"
    shown["result"] = "pass" if shown.pop("passed") else "fail"
    return shown


@resource.reads(
    "GET /reports/funding/attempts",
    "staff",
    "sponsor",
    query=FundedAttemptsQuerySchema,
    returns=page_of(FundedAttemptSchema),
)
def attempts(reading: ReadContext, query: Loaded) -> Response:
    """The attempts that the report adds up, one by one."""
    within = Period(query["since"], query["until"])
    rows = funding.attempts(reading, within, after=query.get("after"), limit=query["limit"] + 1)
    return paging.answer(rows, query, _present_attempt)


@resource.reads(
    "GET /reports/funding.csv",
    "staff",
    "sponsor",
    query=FundingQuerySchema,
    returns=None,
    content=_CSV,
    errors=(429,),
)
def as_csv(reading: ReadContext, query: Loaded) -> Response:
    """The lines of the report as CSV."""
    return csv_file(reading, query)


def csv_file(reading: ReadContext, query: Loaded) -> Response:
    """The report as a file to save. Raises Invalid, TooManyAtOnce."""
    rows: Sequence[dict[str, object]] = [_present(one) for one in lines(reading, query)]

    def write(file: IO[bytes]) -> None:
        header = list(FundingLineSchema().fields)
        tabular.write_csv(file, header, ([row[name] for name in header] for row in rows))

    name = f"funding-{query['since']}-{query['until']}.csv"
    return attachments.attached(reading, write, content_type=f"{_CSV}; charset=utf-8", name=name)
