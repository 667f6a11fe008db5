"""The contents of an employer's digest: numbers and names, as far as each worker consents.

Invariant: everything about a person is reached through the same live consent as on the workforce
page (``roster.CONSENTED``), so a digest never says more than the page. Points and addresses are not
read at all. Workers who do not share are counted, but not named; events have a day, so those who
share no dates are not named for one.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import NamedTuple, NotRequired, TypedDict, TypeVar

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from tracker.db import Instant
from tracker.domain.credentials.certifications import Status
from tracker.domain.credentials.renewals import RenewalVerdict
from tracker.domain.errors import Invalid
from tracker.domain.periods import DAY, Period
from tracker.models import (
    Certification,
    Holder,
    Renewal,
    RosterEntry,
    Sharing,
    StandingChange,
)
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext
from tracker.services.employers import employers, staffing, workforce, workforce_numbers
from tracker.services.employers.consents import SHARES_DATES
from tracker.services.employers.roster import CONSENTED
from tracker.services.employers.workforce import Worker
from tracker.services.employers.workforce_selection import WorkforceFilter
from tracker.services.outbox import notices
from tracker.services.standings import snapshots

SHOWN = 100
"""The maximum number of names in a section."""
SECTIONS = ("expired", "pending", "due", "changed", "sharing")
"""In the order of the message."""
_PENDING = Status.PENDING_RENEWAL

_Day = InstrumentedAttribute[date] | InstrumentedAttribute[date | None]
_Moment = InstrumentedAttribute[datetime] | ColumnElement[datetime]
_Statement = Select[*tuple[object, ...]]
Shown = TypeVar("Shown")


class SchemeNumbers(TypedDict):
    """The counts under one scheme; ``due`` by days ahead. Older digests have no ``pending``."""

    scheme: str
    total: int
    valid: int
    not_shared: int
    not_certified: int
    pending: NotRequired[int]
    due: dict[str, int]


class DigestRow(TypedDict):
    """A worker, by roster entry: what happened or will (``what``), and on which day."""

    entry: str
    employee_id: str
    name: str
    scheme: NotRequired[str]
    on: str
    what: str
    closes: NotRequired[str]


class DigestSection(TypedDict):
    """The rows of a section, and whether there are more."""

    rows: list[DigestRow]
    more: bool


class StaffingRow(TypedDict):
    """A place that has or will have too few: what is required and where, and from which day on."""

    place: list[str]
    count: int
    least: int
    on: str
    then: int


class Contents(TypedDict):
    """A digest as JSON, with the digest of the consents at that time; days are in ISO form.

    Older digests have no ``staffing``.
    """

    from_on: str
    through_on: str
    consents: str
    numbers: list[SchemeNumbers]
    sections: dict[str, DigestSection]
    staffing: NotRequired[list[StaffingRow]]


# Consents.
class LiveConsent(NamedTuple):
    """A consent in force, and whether it covers dates."""

    id: str
    with_dates: bool


LiveConsents = Mapping[str, LiveConsent]
"""The consents in force with one employer, by roster entry."""


def consents(reading: ReadContext, employer_ids: Collection[str]) -> dict[str, LiveConsents]:
    """The live consents of each employer's living workers."""
    by_employer: dict[str, dict[str, LiveConsent]] = defaultdict(dict)
    for ids in bulk.chunks(employer_ids):
        statement = (
            select(
                RosterEntry.employer_id,
                RosterEntry.id,
                Sharing.id.label("consent"),
                Sharing.with_dates,
            )
            .join(Sharing, CONSENTED)
            .join(Holder, Holder.id == Sharing.holder_id)
            .where(RosterEntry.employer_id.in_(ids), Holder.deceased_on.is_(None))
        )
        for row in reading.rows(statement, {"today": employers.today(reading)}):
            by_employer[row.employer_id][row.id] = LiveConsent(row.consent, row.with_dates)
    return dict(by_employer)


def fingerprint(live: LiveConsents) -> str:
    """A digest that differs for any two sets of consents; what one covers never changes."""
    listed = ",".join(f"{entry}={consent.id}" for entry, consent in sorted(live.items()))
    return hashlib.sha256(listed.encode()).hexdigest()


# At the cut-off.
def snapshot(reading: ReadContext, employer_id: str, period: Period) -> Contents:
    """Everything that a digest of the period says, as of the end of the period."""
    live = consents(reading, [employer_id]).get(employer_id, {})
    passed = list(_passed(reading, employer_id, period))
    sections: dict[str, Iterable[DigestRow]] = {
        "expired": [row for row in passed if row["what"] != _PENDING],
        "pending": [row for row in passed if row["what"] == _PENDING],
        "due": _due(reading, employer_id, period.ends_on),
        "changed": _changed(reading, employer_id, period),
        "sharing": _sharing(reading, employer_id, period),
    }
    return {
        "from_on": str(period.starts_on),
        "through_on": str(period.ends_on),
        "consents": fingerprint(live),
        "numbers": numbers(reading, employer_id, period.ends_on),
        "sections": {
            name: _kept(row for row in rows if _may_name(live, name, row))
            for name, rows in sections.items()
        },
        "staffing": short_places(reading, employer_id),
    }


def _may_name(live: LiveConsents, section: str, row: DigestRow) -> bool:
    """Whether the consents in force cover a row: all but those of who began to share say dates."""
    consent = live.get(row["entry"])
    return consent is not None and (consent.with_dates or section == "sharing")


def as_of_now(
    reading: ReadContext, employer_id: str, contents: Contents, live: LiveConsents
) -> Contents:
    """The contents limited to consents in force now: workers who ended theirs are left out.

    If no consent has changed, the contents stay the same.
    """
    if contents["consents"] == fingerprint(live):
        return contents
    on = date.fromisoformat(contents["through_on"])
    sections: dict[str, DigestSection] = {
        name: {**section, "rows": [row for row in section["rows"] if _may_name(live, name, row)]}
        for name, section in contents["sections"].items()
    }
    return {
        **contents,
        "consents": fingerprint(live),
        "sections": sections,
        "numbers": numbers(reading, employer_id, on),
        "staffing": short_places(reading, employer_id),
    }


def is_empty(contents: Contents) -> bool:
    """Whether there is nobody to name and no place with too few; such a digest is not sent."""
    named = any(section["rows"] for section in contents["sections"].values())
    return not named and not contents.get("staffing")


def short_places(reading: ReadContext, employer_id: str) -> list[StaffingRow]:
    """The places that have too few now, or will within the farthest threshold if nobody renews.

    No worker is named.
    """
    try:
        found = staffing.report(reading, employer_id)
    except Invalid:  # too many workers to count at once
        return []
    return [
        {
            "place": list(one.minimum.place),
            "count": one.outlook.count,
            "least": one.minimum.least,
            "on": str(breaks.on),
            "then": breaks.count,
        }
        for one in found.places
        if (breaks := one.outlook.breaks) and breaks.on <= found.on + _farthest(reading)
    ]


def numbers(reading: ReadContext, employer_id: str, on: date) -> list[SchemeNumbers]:
    """The counts by scheme: total, valid, not shared, not certified, pending and due.

    Schemes in which no worker has a standing are left out, unless that leaves none.
    """
    every = [
        _numbers(reading, WorkforceFilter(employer_id, scheme, on)) for scheme in reading.schemes
    ]
    some = [
        counts
        for counts in every
        if counts["not_shared"] + counts["not_certified"] < counts["total"]
    ]
    return some or every[:1]


def _numbers(reading: ReadContext, selection: WorkforceFilter) -> SchemeNumbers:
    summary = workforce_numbers.summary(reading, selection)
    return {
        "scheme": selection.scheme.code,
        "total": summary.total,
        "valid": summary.valid,
        "not_shared": summary.by_status["not_shared"],
        "not_certified": summary.by_status["not_certified"],
        "pending": summary.by_status[_PENDING],
        "due": {str(expiring.days): expiring.count for expiring in summary.due},
    }


def _kept(rows: Iterable[DigestRow]) -> DigestSection:
    """The first rows, and whether there are more."""
    listed = list(rows)
    return {"rows": listed[:SHOWN], "more": len(listed) > SHOWN}


# By standing: through the same query as the workforce page.
def _passed(reading: ReadContext, employer_id: str, period: Period) -> Iterator[DigestRow]:
    """Workers whose last valid day passed in the period without renewal.

    Those who applied in time and wait for a decision are marked as pending.
    """
    return _standings(
        reading,
        employer_id,
        period.ends_on,
        Period(period.starts_on - DAY, period.ends_on - DAY),
    )


def _due(reading: ReadContext, employer_id: str, on: date) -> Iterator[DigestRow]:
    """Workers whose certification expires within the farthest threshold, the soonest first."""
    return _standings(reading, employer_id, on, Period(on, on + _farthest(reading)))


def _farthest(reading: ReadContext) -> timedelta:
    return timedelta(days=reading.settings.employers.thresholds.third)


def _standings(
    reading: ReadContext, employer_id: str, on: date, expiry: Period
) -> Iterator[DigestRow]:
    workers: list[tuple[date, Worker, str]] = []
    for scheme in reading.schemes:
        selection = WorkforceFilter(
            employer_id, scheme, on, expires_from=expiry.starts_on, expires_until=expiry.ends_on
        )
        page = workforce.page(reading, selection, after=None, limit=SHOWN + 1, sort="urgency")
        workers += [
            (worker.expires_on, worker, scheme.code) for worker in page if worker.expires_on
        ]
    for expires_on, worker, code in sorted(workers, key=lambda row: (row[0], row[1].employee_id)):
        row: DigestRow = {
            "entry": worker.id,
            "employee_id": worker.employee_id,
            "name": worker.name or "",
            "scheme": code,
            "on": str(expires_on),
            "what": worker.status,
        }
        # The last day of the renewal window, if it comes before an expiry in the future.
        closes_on = worker.window_closes_on
        if closes_on is not None and closes_on < expires_on >= on:
            row["closes"] = str(closes_on)
        yield row


# By event: joined through the same consent.
_WORKER = (
    RosterEntry.id.label("entry"),
    RosterEntry.employee_id,
    (Holder.given_name + " " + Holder.family_name).label("name"),
)


_DECIDED_AT = func.coalesce(Renewal.closed_at, Renewal.recorded_at, type_=Instant)


def _workers(employer_id: str) -> _Statement:
    """The employer's workers who share now, with their names."""
    return (
        select(*_WORKER)
        .select_from(RosterEntry)
        .join(Sharing, CONSENTED)
        .join(Holder, Holder.id == Sharing.holder_id)
        .where(RosterEntry.employer_id == employer_id, Holder.deceased_on.is_(None))
    )


class _WorkerChange(NamedTuple):
    entry: str
    employee_id: str
    name: str
    scheme: str
    on: date
    what: str


class _Withdrawal(NamedTuple):
    entry: str
    employee_id: str
    name: str
    scheme: str
    withdrawn_at: datetime


class _BeganToShare(NamedTuple):
    entry: str
    employee_id: str
    name: str
    on: date


def _named(
    reading: ReadContext, kind: type[Shown], statement: _Statement, order: _Day | _Moment
) -> list[Shown]:
    ordered = statement.order_by(order, RosterEntry.employee_id, RosterEntry.id)
    today = {"today": employers.today(reading)}
    return reading.rows_as(kind, ordered.limit(SHOWN + 1), today)


def _changed(reading: ReadContext, employer_id: str, period: Period) -> list[DigestRow]:
    """The certifications that changed in the period, in order of date.

    These are renewed, suspended, reinstated, revoked, surrendered, or withdrawn as recorded in
    error. Nothing from before a worker's consent is included.
    """
    held = and_(Certification.holder_id == Sharing.holder_id, snapshots.NOT_WITHDRAWN)
    effective_on, decided_on = StandingChange.effective_on, Renewal.decided_on
    by_staff = StandingChange.ref.is_(None)
    changes = (
        _workers(employer_id)
        .add_columns(
            Certification.scheme,
            StandingChange.kind.label("what"),
            effective_on.label("on"),
        )
        .join(Certification, held)
        .join(StandingChange, StandingChange.certification_id == Certification.id)
        .where(
            SHARES_DATES,
            effective_on >= Sharing.consented_on,
            _told_in(reading, period, effective_on, StandingChange.recorded_at, by_staff),
        )
    )
    renewals = (
        _workers(employer_id)
        .add_columns(
            Certification.scheme,
            Renewal.decision.label("what"),
            decided_on.label("on"),
        )
        .join(Certification, held)
        .join(Renewal, Renewal.certification_id == Certification.id)
        .where(
            Renewal.decision == RenewalVerdict.APPROVED,
            SHARES_DATES,
            decided_on >= Sharing.consented_on,
            _told_in(reading, period, decided_on, _DECIDED_AT, false()),
        )
    )
    rows = [
        *_named(reading, _WorkerChange, changes, effective_on),
        *_named(reading, _WorkerChange, renewals, decided_on),
    ]
    listed = [*map(_as_json, rows), *_taken_back(reading, employer_id, period)]
    return sorted(listed, key=lambda row: (row["on"], row["employee_id"]))


def _as_json(change: _WorkerChange) -> DigestRow:
    return {
        "entry": change.entry,
        "employee_id": change.employee_id,
        "name": change.name,
        "scheme": change.scheme,
        "on": str(change.on),
        "what": change.what,
    }


def _taken_back(reading: ReadContext, employer_id: str, period: Period) -> Iterator[DigestRow]:
    """Awards that were withdrawn in the period, after the employer could see them."""
    begins, ends = instants(reading, period)
    statement = (
        _workers(employer_id)
        .add_columns(Certification.scheme, Certification.withdrawn_at)
        .join(Certification, Certification.holder_id == Sharing.holder_id)
        .where(
            SHARES_DATES,
            Certification.withdrawn_at >= begins,
            Certification.withdrawn_at < ends,
            Certification.recorded_at < begins,
            Certification.withdrawn_at >= Sharing.recorded_at,
        )
    )
    for row in _named(reading, _Withdrawal, statement, Certification.withdrawn_at):
        zone = reading.schemes[row.scheme].time_zone
        yield {
            "entry": row.entry,
            "employee_id": row.employee_id,
            "name": row.name,
            "scheme": row.scheme,
            "on": str(row.withdrawn_at.astimezone(zone).date()),
            "what": "withdrawn",
        }


def _told_in(
    reading: ReadContext,
    period: Period,
    effective_on: _Day,
    recorded_at: _Moment,
    decided_then: ColumnElement[bool],
) -> ColumnElement[bool]:
    """Whether a fact belongs to the period: the first in which it was both true and known.

    A fact recorded late is history, not news, if it is too old for a notice (``notices.OLD``). A
    decision made when it was recorded is always news, whatever day it takes effect.
    """
    begins, ends = instants(reading, period)
    return or_(
        and_(effective_on.between(period.starts_on, period.ends_on), recorded_at < ends),
        and_(
            effective_on < period.starts_on,
            recorded_at >= begins,
            recorded_at < ends,
            or_(decided_then, effective_on >= period.starts_on - notices.OLD),
        ),
    )


def instants(reading: ReadContext, period: Period) -> tuple[datetime, datetime]:
    """The first instant of a period and the first after it, in the zone where days begin last."""
    zones = {scheme.time_zone for scheme in reading.schemes}
    first, after = period.starts_on, period.ends_on + DAY
    return (
        max(datetime.combine(first, time.min, tzinfo=zone) for zone in zones),
        max(datetime.combine(after, time.min, tzinfo=zone) for zone in zones),
    )


def _sharing(reading: ReadContext, employer_id: str, period: Period) -> list[DigestRow]:
    """Workers who began to share in the period."""
    statement = (
        _workers(employer_id)
        .add_columns(Sharing.consented_on.label("on"))
        .where(Sharing.consented_on.between(period.starts_on, period.ends_on))
    )
    rows = _named(reading, _BeganToShare, statement, Sharing.consented_on)
    return [
        {
            "entry": row.entry,
            "employee_id": row.employee_id,
            "name": row.name,
            "on": str(row.on),
            "what": "sharing",
        }
        for row in rows
    ]
