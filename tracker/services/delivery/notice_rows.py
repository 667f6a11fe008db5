"""What is read of the subjects of notices: a row of each kind, and the statement that reads it.

``notice_facts`` reads them together. A statement takes the ``ids`` of the subjects, or of their
holders.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import BindParameter, Date, and_, bindparam, func, select
from sqlalchemy.orm import InstrumentedAttribute

from tracker.db import Base
from tracker.domain.credentials.certifications import CycleTerm, StandingSpan
from tracker.domain.credentials.fees import FeeState
from tracker.domain.employers.consents import ConsentPurpose, ConsentTerms
from tracker.models import (
    Activity,
    Adjustment,
    Appeal,
    AuditItem,
    Certification,
    ClaimAudit,
    Cycle,
    Decision,
    Employer,
    EmployerBar,
    Fee,
    FormerRenewalDecision,
    Holder,
    HolderRequest,
    Message,
    ModuleCertificate,
    Notice,
    OtherCredential,
    RecordMerge,
    Renewal,
    RosterEntry,
    Sharing,
    Span,
    StandingChange,
    WorkPermission,
)
from tracker.services.core.context import columns_of
from tracker.services.employers import roster
from tracker.services.standings.related_facts import SPAN

_IDS: BindParameter[Sequence[str]] = bindparam("ids", expanding=True)


def _columns(model: type[Base], names: Iterable[str]) -> list[InstrumentedAttribute[object]]:
    return [getattr(model, name) for name in names]


class MessageNotice(NamedTuple):
    """A notice in a message, and its holder."""

    message_id: str
    kind: str
    subject_id: str
    event: str
    holder_id: str
    recorded_at: datetime
    given_name: str
    family_name: str
    email: str
    second_email: str | None
    language: str
    time_zone: str


NOTICES = (
    select(
        Notice.message_id,
        Notice.kind,
        Notice.subject_id,
        Notice.event,
        Notice.holder_id,
        Notice.recorded_at,
        Holder.given_name,
        Holder.family_name,
        Holder.email,
        Holder.second_email,
        Holder.language,
        Holder.time_zone,
    )
    .join(Holder, Holder.id == Notice.holder_id)
    .where(Notice.message_id.in_(_IDS))
    .order_by(Notice.id)
)


class EarlierNotice(NamedTuple):
    """A notice to a holder, and the state of its message; None if it has none."""

    kind: str
    subject_id: str
    event: str
    recorded_at: datetime
    state: str | None


EARLIER = (
    select(*_columns(Notice, EarlierNotice._fields[:-1]), Message.state)
    .join(Message, Message.id == Notice.message_id, isouter=True)
    .where(Notice.holder_id.in_(_IDS))
    .order_by(Notice.id)
)


class NoticedCertification(NamedTuple):
    """A certification that a notice may be about, with one of its spans around today, if any."""

    certification_id: str
    holder_id: str
    scheme: str
    number: str
    awarded_on: date
    recorded_at: datetime
    sequence: int
    withdrawn_at: datetime | None
    replaced_on: date | None
    time_zone: str
    span: StandingSpan | None


CERTIFICATIONS = (
    select(
        Certification.id,
        *_columns(Certification, NoticedCertification._fields[1:-2]),
        Holder.time_zone,
        *SPAN,
    )
    .join(Holder, Holder.id == Certification.holder_id)
    .join(
        Span,
        and_(
            Span.certification_id == Certification.id,
            Span.from_on <= bindparam("last_day", type_=Date),
            Span.until_on > bindparam("first_day", type_=Date),
        ),
        isouter=True,
    )
    .where(Certification.holder_id.in_(_IDS))
    .order_by(Certification.id, Span.from_on)
)
CYCLES = (
    select(Cycle.certification_id, *_columns(Cycle, CycleTerm.__match_args__))
    .where(Cycle.certification_id.in_(_IDS))
    .order_by(Cycle.ordinal)
)


class NoticedDecision(NamedTuple):
    """A decision on an activity, and the activity as it is now; ``done_on`` is its last day."""

    id: str
    activity_id: str
    verdict: str
    decided_on: date
    points_limit: Decimal | None
    reason: str | None
    recorded_at: datetime
    undone_at: datetime | None
    title: str
    scheme: str
    state: str
    submitted_at: datetime | None
    done_on: date


class NoticedActivity(NamedTuple):
    """An activity as it is now."""

    id: str
    scheme: str
    title: str
    state: str
    submitted_at: datetime | None


ACTIVITIES = select(*_columns(Activity, NoticedActivity._fields)).where(Activity.id.in_(_IDS))
DECISIONS = (
    select(
        *_columns(Decision, NoticedDecision._fields[:8]),
        *_columns(Activity, NoticedDecision._fields[8:-1]),
        func.coalesce(Activity.completed_on, Activity.starts_on, type_=Date).label("done_on"),
    )
    .join(Activity, Activity.id == Decision.activity_id)
    .where(Decision.activity_id.in_(_IDS))
    .order_by(Decision.recorded_at, Decision.id)
)


class NoticedAttendance(NamedTuple):
    """An activity that an attendance list has brought, or changed, as it is now."""

    id: str
    title: str
    provider: str
    completed_on: date
    state: str


ATTENDED = select(*_columns(Activity, NoticedAttendance._fields)).where(Activity.id.in_(_IDS))


class NoticedAudit(NamedTuple):
    """An audited activity as it is now; ``no_answer`` is what follows without an answer."""

    id: str
    scheme: str
    title: str
    state: str
    due_on: date
    points: Decimal | None
    reason: str | None
    decided_at: datetime | None
    appealed_on: date | None
    appeal_due_on: date | None
    appeal_decided_at: datetime | None
    no_answer: str


AUDITS = (
    select(*columns_of(NoticedAudit, AuditItem, Activity, ClaimAudit))
    .join(Activity, Activity.id == AuditItem.activity_id)
    .join(ClaimAudit, ClaimAudit.id == AuditItem.audit_id)
    .where(AuditItem.id.in_(_IDS))
)


class NoticedRenewal(NamedTuple):
    """An application for renewal, with the decision in force if there is one."""

    id: str
    certification_id: str
    decision: str | None
    decided_on: date | None
    reason_code: str | None
    reason: str | None
    decided_by: str | None
    submitted_on: date
    withdrawn_on: date | None
    closed_at: datetime | None


RENEWALS = select(*_columns(Renewal, NoticedRenewal._fields)).where(Renewal.id.in_(_IDS))


class NoticedFormerDecision(NamedTuple):
    """A decision on a renewal that was taken back."""

    renewal_id: str
    decision: str
    reason: str | None


FORMER = (
    select(*_columns(FormerRenewalDecision, NoticedFormerDecision._fields))
    .where(FormerRenewalDecision.renewal_id.in_(_IDS))
    .order_by(FormerRenewalDecision.id)
)


class NoticedChange(NamedTuple):
    """A change of standing."""

    id: str
    certification_id: str
    kind: str
    effective_on: date
    reason: str
    recorded_at: datetime


STANDING_CHANGES = (
    select(*_columns(StandingChange, NoticedChange._fields))
    .where(StandingChange.certification_id.in_(_IDS))
    .order_by(StandingChange.effective_on, StandingChange.recorded_at, StandingChange.id)
)


class NoticedAppeal(NamedTuple):
    """An appeal, with its outcome if there is one; ``fee_state`` is None without a fee's row."""

    id: str
    certification_id: str
    change_id: str | None
    renewal_id: str | None
    filed_on: date
    due_on: date
    fee: Decimal
    fee_refunded: bool
    outcome: str | None
    decided_on: date | None
    reason: str | None
    fee_state: FeeState | None


APPEALS = (
    select(*_columns(Appeal, NoticedAppeal._fields[:-1]), Fee.state.label("fee_state"))
    .join(Fee, Fee.id == Appeal.fee_id, isouter=True)
    .where(Appeal.certification_id.in_(_IDS))
)


class NoticedAdjustment(NamedTuple):
    """An adjustment of a cycle."""

    id: str
    certification_id: str
    ordinal: int
    extended_to: date | None
    points_required: Decimal | None
    reason: str


ADJUSTMENTS = (
    select(*_columns(Adjustment, NoticedAdjustment._fields))
    .where(Adjustment.certification_id.in_(_IDS))
    .order_by(Adjustment.ordinal, Adjustment.number)
)


class NoticedEntry(NamedTuple):
    """A holder's entry in a roster, the employer's name, and the consent if there is one."""

    id: str
    holder_id: str
    employer_id: str
    ended_on: date | None
    name: str
    sharing_id: str | None
    until_on: date | None
    with_points: bool | None
    shared_at: datetime | None
    asked_at: datetime | None
    answered_at: datetime | None
    purpose: str | None
    asks_dates: bool
    asks_points: bool
    asks_modules: bool
    asks_credentials: bool
    barred: bool

    @property
    def is_asked(self) -> bool:
        """Whether the employer asks for consent, and has neither an answer nor a consent since."""
        if self.answered_at is not None:
            return False
        shared = self.shared_at
        return shared is None or (self.asked_at is not None and shared < self.asked_at)

    @property
    def terms(self) -> ConsentTerms:
        """What the employer asks for."""
        if self.purpose is None:
            return ConsentTerms()
        return ConsentTerms(
            ConsentPurpose(self.purpose),
            with_dates=self.asks_dates,
            with_points=self.asks_points,
            with_modules=self.asks_modules,
            with_credentials=self.asks_credentials,
        )


ENTRIES = (
    select(
        RosterEntry.id,
        RosterEntry.holder_id,
        RosterEntry.employer_id,
        RosterEntry.ended_on,
        Employer.name,
        Sharing.id.label("sharing_id"),
        Sharing.until_on,
        Sharing.with_points,
        Sharing.recorded_at.label("shared_at"),
        RosterEntry.asked_at,
        RosterEntry.answered_at,
        RosterEntry.purpose,
        RosterEntry.asks_dates,
        RosterEntry.asks_points,
        RosterEntry.asks_modules,
        RosterEntry.asks_credentials,
        EmployerBar.holder_id.is_not(None).label("barred"),
    )
    .join(Employer, Employer.id == RosterEntry.employer_id)
    .join(
        Sharing,
        and_(
            Sharing.holder_id == RosterEntry.holder_id,
            Sharing.employer_id == RosterEntry.employer_id,
            roster.CONSENT,
        ),
        isouter=True,
    )
    .join(
        EmployerBar,
        and_(
            EmployerBar.holder_id == RosterEntry.holder_id,
            EmployerBar.employer_id == RosterEntry.employer_id,
        ),
        isouter=True,
    )
    .where(RosterEntry.holder_id.in_(_IDS))
    .order_by(RosterEntry.id)
)


class NoticedRequest(NamedTuple):
    """A holder's request."""

    id: str
    kind: str
    state: str
    proposal: Mapping[str, object]
    reason: str | None
    requested_on: date


REQUESTS = select(*_columns(HolderRequest, NoticedRequest._fields)).where(
    HolderRequest.id.in_(_IDS)
)


class NoticedFee(NamedTuple):
    """A fee as it is now."""

    id: str
    amount: Decimal
    currency: str
    state: str
    refund_due: bool
    reason: str | None


FEES = select(*_columns(Fee, NoticedFee._fields)).where(Fee.id.in_(_IDS))


class NoticedMerge(NamedTuple):
    """A merge of two records of the holder."""

    id: str
    undone_at: datetime | None


MERGES = select(*_columns(RecordMerge, NoticedMerge._fields)).where(RecordMerge.id.in_(_IDS))


class NoticedModule(NamedTuple):
    """A certificate for a module."""

    id: str
    scheme: str
    module: str
    number: str
    passed_on: date
    withdrawn_at: datetime | None


MODULES = select(*_columns(ModuleCertificate, NoticedModule._fields)).where(
    ModuleCertificate.id.in_(_IDS)
)


class NoticedCredential(NamedTuple):
    """A credential of another issuer."""

    id: str
    credential: str
    level: str
    expires_on: date | None
    withdrawn_at: datetime | None


CREDENTIALS = select(*_columns(OtherCredential, NoticedCredential._fields)).where(
    OtherCredential.id.in_(_IDS)
)


class NoticedPermission(NamedTuple):
    """An employer's permission to work, as it is now."""

    id: str
    name: str
    ends_on: date
    words: str
    ended_at: datetime | None


PERMISSIONS = (
    select(
        WorkPermission.id,
        Employer.name,
        WorkPermission.ends_on,
        WorkPermission.words,
        WorkPermission.ended_at,
    )
    .join(Employer, Employer.id == WorkPermission.employer_id)
    .where(WorkPermission.id.in_(_IDS))
)
