"""Which workers an employer sees, and what consent reveals of them, in SQL.

Dates are read through ``consents.dated`` alone. A worker who shares no dates is seen as of today
alone: by asking about other days, an employer would find out the dates.

Invariant: a certification, a standing and a name are reached from a roster entry only through the
live consent of its holder, so a worker without one has no data to leak: the joins find none.
Consent is always checked for today, whatever day is asked about, and reveals no day before it was
given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVarTuple

from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal,
    null,
    or_,
    select,
)

from tracker.domain.credentials.certifications import Status
from tracker.domain.employers.consents import ConsentAnswer, NotSharedReason
from tracker.domain.employers.workforce import (
    DUE,
    NEVER,
    NOT_CERTIFIED,
    NOT_SHARED,
    SEGMENTS,
    WorkforceSegment,
)
from tracker.domain.schemes.schemes import Scheme
from tracker.models import Certification, Holder, RosterEntry, Sharing, Span
from tracker.services.core.batched import ON
from tracker.services.core.context import ReadContext
from tracker.services.employers import employers
from tracker.services.employers.consents import SHARES_DATES, dated
from tracker.services.employers.roster import CONSENTED, EMPLOYED
from tracker.services.standings import snapshots, standings

Columns = TypeVarTuple("Columns")

FILTERS = (
    "status",
    "valid",
    "site",
    "department",
    "shift",
    "employee_id",
    "expires_from",
    "expires_until",
    "segment",
)

STATUS = case(
    (Sharing.id.is_(None), NOT_SHARED),
    (Span.certification_id.is_(None), NOT_CERTIFIED),
    # That the window is open is a date by another name.
    (and_(~SHARES_DATES, standings.STATUS == Status.RENEWAL_OPEN), Status.ACTIVE.value),
    else_=standings.STATUS,
)
VALID = case((Span.certification_id.is_(None), null()), (standings.VALID, True), else_=False)
# A consent does not reveal what was so before it, nor any other day than today without the dates.
CONSENTED_BY = and_(
    CONSENTED,
    Sharing.consented_on <= ON,
    or_(SHARES_DATES, bindparam("scheme_today", type_=Date) == ON),
)
EXPIRES_ON = dated(Span.expires_on)
URGENCY = func.coalesce(EXPIRES_ON, NEVER)
NAME = Holder.given_name + " " + Holder.family_name
# Suspended, revoked and surrendered certifications do not fall due.
FALLS_DUE = and_(SHARES_DATES, Span.certification_id.is_not(None), Span.hold.is_(None))
# As far as the employer may know: nothing depends on whom the entry means.
REASON = case(
    (Sharing.id.is_not(None), null()),
    (RosterEntry.answer == ConsentAnswer.ACCEPTED, NotSharedReason.ENDED.value),
    (RosterEntry.answer == ConsentAnswer.DECLINED, NotSharedReason.DECLINED.value),
    (
        func.coalesce(
            RosterEntry.given_holder_ref, RosterEntry.given_email, RosterEntry.given_number
        ).is_(None),
        NotSharedReason.NOT_MATCHED.value,
    ),
    (RosterEntry.asked_at.is_not(None), NotSharedReason.ASKED.value),
    else_=NotSharedReason.NOT_ASKED.value,
)
DATES = (
    EXPIRES_ON.label("expires_on"),
    dated(Span.window_opens_on).label("window_opens_on"),
    dated(Span.window_closes_on).label("window_closes_on"),
)


@dataclass(frozen=True, slots=True)
class WorkforceFilter:
    """The workers to show, in which scheme, on which day; None means any.

    ``expires_from`` and ``expires_until`` select certifications that fall due on those days.
    """

    employer_id: str
    scheme: Scheme
    on: date
    status: str | None = None
    valid: bool | None = None
    site: str | None = None
    department: str | None = None
    shift: str | None = None
    employee_id: str | None = None
    expires_from: date | None = None
    expires_until: date | None = None
    segment: WorkforceSegment | None = None

    @property
    def group(self) -> WorkforceFilter:
        """Everybody of the same site, department and shift."""
        return WorkforceFilter(
            self.employer_id,
            self.scheme,
            self.on,
            site=self.site,
            department=self.department,
            shift=self.shift,
        )


def question(
    reading: ReadContext, employer_id: str, scheme: str, *, on: date | None
) -> WorkforceFilter:
    """A filter for all workers that the actor may use: the employer is theirs, the scheme known.

    Raises NotFound, UnknownScheme.
    """
    employers.get(reading, employer_id)
    found = reading.schemes[scheme]
    return WorkforceFilter(employer_id, found, on or reading.today(found))


def shared_holders(
    reading: ReadContext, selection: WorkforceFilter
) -> tuple[Select[*tuple[str]], Mapping[str, object]]:
    """The holders who share among those whom a filter finds: a statement and its parameters."""
    statement = selected(select(Sharing.holder_id), selection).where(Sharing.id.is_not(None))
    return statement.distinct(), parameters(reading, selection)


def parameters(reading: ReadContext, selection: WorkforceFilter) -> dict[str, object]:
    """The parameters of a statement by ``selected()``."""
    due = reading.settings.employers.thresholds.within
    return {
        "today": employers.today(reading),
        "on": selection.on,
        "scheme_today": reading.today(selection.scheme),
        **{f"until_{one}": selection.on + timedelta(days) for one, days in due.items()},
    }


def selected(statement: Select[*Columns], selection: WorkforceFilter) -> Select[*Columns]:
    """Join what consent reveals to the employer's entries, and apply the filter."""
    statement = (
        statement.select_from(RosterEntry)
        .join(Sharing, CONSENTED_BY, isouter=True)
        .join(
            Certification,
            and_(
                Certification.holder_id == Sharing.holder_id,
                Certification.scheme == selection.scheme.code,
                snapshots.COUNTING,
            ),
            isouter=True,
        )
        .join(
            Span,
            and_(Span.certification_id == Certification.id, standings.ON_SPAN),
            isouter=True,
        )
        .where(RosterEntry.employer_id == selection.employer_id, EMPLOYED)
    )
    return statement.where(*_conditions(selection))


def _conditions(selection: WorkforceFilter) -> Iterator[ColumnElement[bool]]:
    for key in ("site", "department", "shift"):
        if (value := getattr(selection, key)) is not None:
            yield getattr(RosterEntry, key) == value
    if selection.employee_id is not None:
        yield RosterEntry.employee_id.istartswith(selection.employee_id, autoescape=True)
    if selection.status is not None:
        status = STATUS
        yield status == selection.status
    if selection.valid is not None:
        yield VALID.is_(selection.valid)
    if selection.segment is not None:
        part = SEGMENT
        yield part == str(selection.segment)
    if selection.expires_from is not None:
        yield and_(FALLS_DUE, selection.expires_from <= EXPIRES_ON)
    if selection.expires_until is not None:
        yield and_(FALLS_DUE, selection.expires_until >= EXPIRES_ON)


def _segment() -> ColumnElement[str]:
    """The part of the workforce of a row, by the rule ``tracker.domain.employers.workforce``."""
    due = case(
        *((bindparam(f"until_{one}", type_=Date) >= EXPIRES_ON, str(one)) for one in DUE),
        else_=str(WorkforceSegment.LATER),
    )
    by_status = (
        (STATUS.in_(statuses), due if one == WorkforceSegment.LATER else literal(str(one)))
        for one, statuses in SEGMENTS.items()
    )
    return case(*by_status, else_=str(WorkforceSegment.STOPPED))


SEGMENT = _segment()


def days_left(expires_on: date | None, on: date) -> int | None:
    """The days from a day to the expiry, negative after it; None without an expiry."""
    return None if expires_on is None else (expires_on - on).days
