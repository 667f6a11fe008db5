"""Which rows of a table an actor may see: the condition for every SELECT of rows of others.

Who works for the certification body sees all rows; a holder sees what belongs to their record, who
acts for an organization what belongs to it. What an employer sees of workers who share with it is
no row of its own and is in ``services.employers``. A row that is not seen is answered like one that
does not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import ColumnElement, and_, false, select, true

from tracker.db import Base
from tracker.domain.permissions import ORGANIZATIONS, Actor, Role
from tracker.models import (
    Activity,
    Adjustment,
    Appeal,
    Apprenticeship,
    Assessment,
    AttendanceCode,
    AuditItem,
    CenterResult,
    Certification,
    Course,
    Employer,
    EmployerLook,
    EmploymentConfirmation,
    Evidence,
    Fee,
    Holder,
    HolderRequest,
    ImportRun,
    JobRequirement,
    ManagedCase,
    Message,
    ModuleCertificate,
    OtherCredential,
    PathwayChoice,
    Provider,
    Renewal,
    RosterEntry,
    Sharing,
    Sponsor,
    StaffingMinimum,
    WorkerSeen,
    WorkPermission,
)

RowRule = Callable[[str], ColumnElement[bool]]
"""The condition that a row belongs to the holder, or to the organization, with that id."""


def scope(actor: Actor, table: type[Base]) -> ColumnElement[bool]:
    """The condition of the rows of a table that the actor may see.

    Raises KeyError for a table that has no rule yet: nothing is seen by default.
    """
    rules = _RULES[table]
    if actor.is_of_the_body:
        return true()
    rule, id_ = rules.get(actor.role), actor.organization_id
    if actor.role == "holder":
        id_ = actor.holder_id
    return false() if rule is None or id_ is None else rule(id_)


def _certified(column: ColumnElement[str]) -> RowRule:
    """The rule of rows that belong to a certification."""

    def rule(holder_id: str) -> ColumnElement[bool]:
        theirs = select(Certification.id).where(Certification.holder_id == holder_id)
        return column.in_(theirs.correlate(None))

    return rule


def _of_activity(holder_id: str) -> ColumnElement[bool]:
    theirs = select(Activity.id).where(Activity.holder_id == holder_id)
    return Evidence.activity_id.in_(theirs.correlate(None))


def _of_sponsor(table: type[Apprenticeship | ManagedCase]) -> RowRule:
    """The rule of the rows of a sponsor that it sees: those whose holders consent."""
    consents = table.consented_at.is_not(None), table.consent_ended_at.is_(None)
    return lambda sponsor_id: and_(table.sponsor_id == sponsor_id, *consents)


def _is(column: ColumnElement[str] | ColumnElement[str | None]) -> RowRule:
    return lambda id_: column == id_


def _of_holders(rule: RowRule) -> Mapping[Role, RowRule]:
    return {"holder": rule}


def _of_employers(rule: RowRule) -> Mapping[Role, RowRule]:
    return {"employer": rule}


def _of_both(table: type[EmploymentConfirmation | WorkPermission]) -> Mapping[Role, RowRule]:
    return {
        "holder": _is(table.holder_id.expression),
        "employer": _is(table.employer_id.expression),
    }


_RULES: Mapping[type[Base], Mapping[Role, RowRule]] = {
    Holder: _of_holders(_is(Holder.id.expression)),
    Assessment: {
        "holder": _is(Assessment.holder_id.expression),
        "center": _is(Assessment.center_id.expression),
    },
    CenterResult: {"center": _is(CenterResult.center_id.expression)},
    ModuleCertificate: _of_holders(_is(ModuleCertificate.holder_id.expression)),
    Certification: _of_holders(_is(Certification.holder_id.expression)),
    Activity: _of_holders(_is(Activity.holder_id.expression)),
    AuditItem: _of_holders(_is(AuditItem.holder_id.expression)),
    Evidence: _of_holders(_of_activity),
    Fee: _of_holders(_is(Fee.holder_id.expression)),
    HolderRequest: _of_holders(_is(HolderRequest.holder_id.expression)),
    Renewal: _of_holders(_certified(Renewal.certification_id.expression)),
    Appeal: _of_holders(_certified(Appeal.certification_id.expression)),
    Adjustment: _of_holders(_certified(Adjustment.certification_id.expression)),
    OtherCredential: _of_holders(_is(OtherCredential.holder_id.expression)),
    PathwayChoice: _of_holders(_is(PathwayChoice.holder_id.expression)),
    Apprenticeship: {
        "holder": _is(Apprenticeship.holder_id.expression),
        "sponsor": _of_sponsor(Apprenticeship),
    },
    ManagedCase: {
        "holder": _is(ManagedCase.holder_id.expression),
        "sponsor": _of_sponsor(ManagedCase),
    },
    Employer: _of_employers(_is(Employer.id.expression)),
    Course: {"provider": _is(Course.provider_id.expression)},
    AttendanceCode: {"provider": _is(AttendanceCode.provider_id.expression)},
    Provider: {"provider": _is(Provider.id.expression)},
    Sponsor: {"sponsor": _is(Sponsor.id.expression)},
    RosterEntry: _of_employers(_is(RosterEntry.employer_id.expression)),
    Message: {
        "holder": _is(Message.holder_id.expression),
        "employer": _is(Message.employer_id.expression),
    },
    Sharing: {
        "holder": _is(Sharing.holder_id.expression),
        "employer": _is(Sharing.employer_id.expression),
    },
    EmployerLook: _of_employers(_is(EmployerLook.employer_id.expression)),
    JobRequirement: _of_employers(_is(JobRequirement.employer_id.expression)),
    StaffingMinimum: _of_employers(_is(StaffingMinimum.employer_id.expression)),
    EmploymentConfirmation: _of_both(EmploymentConfirmation),
    WorkPermission: _of_both(WorkPermission),
    WorkerSeen: _of_holders(_is(WorkerSeen.holder_id.expression)),
    ImportRun: {role: _is(getattr(ImportRun, f"{role}_id").expression) for role in ORGANIZATIONS},
}
"""For each table the rule of each role that sees some of its rows; without one, none is seen."""
TABLES = frozenset(_RULES)
"""The tables whose rows are seen through ``scope()``."""
