"""The facts on record about the subjects of notices, read in bulk; other modules judge them.

It takes a constant number of statements, however many messages there are, and skips those for
kinds of notices that no message contains. Nothing is written here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import NamedTuple, TypeVar

from sqlalchemy import BindParameter, Date, Executable, and_, bindparam, func, select
from sqlalchemy.orm import InstrumentedAttribute

from tracker.db import Base
from tracker.domain.credentials.certifications import ChangeKind, CycleTerm, StandingSpan
from tracker.domain.credentials.fees import FeeState
from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.delivery.queue_acts import MessageState
from tracker.domain.employers.consents import ConsentPurpose, ConsentTerms
from tracker.domain.periods import DAY
from tracker.domain.schemes.schemes import Scheme
from tracker.mail.today import Today
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
)
from tracker.services.core.context import ReadContext, columns_of
from tracker.services.delivery import due_stages, todays
from tracker.services.employers import employers, roster
from tracker.services.outbox import suppressions
from tracker.services.standings.related_facts import SPAN, CertificationKey
from tracker.services.standings.standings import CertificationPoints

CHANGES = {
    NoticeKind.SUSPENDED: ChangeKind.SUSPEND,
    NoticeKind.REINSTATED: ChangeKind.REINSTATE,
    NoticeKind.REVOKED: ChangeKind.REVOKE,
}
# Of these a copy is with the holder, or may be.
_OUT = (MessageState.SENT, MessageState.AMBIGUOUS, MessageState.TRANSMITTING)
_IDS: BindParameter[Sequence[str]] = bindparam("ids", expanding=True)

R = TypeVar("R")


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


_NOTICES = (
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


_EARLIER = (
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


_CERTIFICATIONS = (
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
_CYCLES = (
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


_ACTIVITIES = select(*_columns(Activity, NoticedActivity._fields)).where(Activity.id.in_(_IDS))
_DECISIONS = (
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


_ATTENDED = select(*_columns(Activity, NoticedAttendance._fields)).where(Activity.id.in_(_IDS))


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


_AUDITS = (
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


_RENEWALS = select(*_columns(Renewal, NoticedRenewal._fields)).where(Renewal.id.in_(_IDS))


class NoticedFormerDecision(NamedTuple):
    """A decision on a renewal that was taken back."""

    renewal_id: str
    decision: str
    reason: str | None


_FORMER = (
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


_STANDING_CHANGES = (
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


_APPEALS = (
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


_ADJUSTMENTS = (
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
        )


_ENTRIES = (
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


_REQUESTS = select(*_columns(HolderRequest, NoticedRequest._fields)).where(
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


_FEES = select(*_columns(Fee, NoticedFee._fields)).where(Fee.id.in_(_IDS))


class NoticedMerge(NamedTuple):
    """A merge of two records of the holder."""

    id: str
    undone_at: datetime | None


_MERGES = select(*_columns(RecordMerge, NoticedMerge._fields)).where(RecordMerge.id.in_(_IDS))


class NoticedModule(NamedTuple):
    """A certificate for a module."""

    id: str
    scheme: str
    module: str
    number: str
    passed_on: date
    withdrawn_at: datetime | None


_MODULES = select(*_columns(ModuleCertificate, NoticedModule._fields)).where(
    ModuleCertificate.id.in_(_IDS)
)


class NoticedCredential(NamedTuple):
    """A credential of another issuer."""

    id: str
    credential: str
    level: str
    expires_on: date | None
    withdrawn_at: datetime | None


_CREDENTIALS = select(*_columns(OtherCredential, NoticedCredential._fields)).where(
    OtherCredential.id.in_(_IDS)
)


@dataclass(frozen=True, slots=True)
class HeldToday:
    """A certification and its standing on its holder's day; ``now`` is None if it has none."""

    row: NoticedCertification
    scheme: Scheme
    now: Today | None = None
    points: CertificationPoints | None = None
    cycles: Sequence[CycleTerm] = ()

    @property
    def is_current(self) -> bool:
        """Whether it is the holder's current one: neither withdrawn nor replaced by an award."""
        row = self.row
        return self.now is not None and row.withdrawn_at is None and row.replaced_on is None


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """The facts on record now about every subject of the notices, by id.

    Facts that may repeat, such as decisions, are listed in full, the oldest first.
    """

    certifications: Mapping[str, HeldToday] = field(default_factory=dict)
    activities: Mapping[str, NoticedActivity] = field(default_factory=dict)
    decisions: Mapping[str, Sequence[NoticedDecision]] = field(default_factory=dict)
    renewals: Mapping[str, NoticedRenewal] = field(default_factory=dict)
    former: Mapping[str, Sequence[NoticedFormerDecision]] = field(default_factory=dict)
    changes: Mapping[str, Sequence[NoticedChange]] = field(default_factory=dict)
    appeals: Mapping[str, NoticedAppeal] = field(default_factory=dict)
    adjustments: Mapping[str, Sequence[NoticedAdjustment]] = field(default_factory=dict)
    entries: Mapping[str, Sequence[NoticedEntry]] = field(default_factory=dict)
    requests: Mapping[str, NoticedRequest] = field(default_factory=dict)
    merges: Mapping[str, NoticedMerge] = field(default_factory=dict)
    modules: Mapping[str, NoticedModule] = field(default_factory=dict)
    credentials: Mapping[str, NoticedCredential] = field(default_factory=dict)
    attended: Mapping[str, NoticedAttendance] = field(default_factory=dict)
    audits: Mapping[str, NoticedAudit] = field(default_factory=dict)
    fees: Mapping[str, NoticedFee] = field(default_factory=dict)
    earlier: Mapping[str, Sequence[EarlierNotice]] = field(default_factory=dict)
    suppressed: Collection[str] = ()

    def current(self, holder_id: str, scheme: str) -> HeldToday | None:
        """The holder's current certification under a scheme."""
        for held in self.certifications.values():
            if held.is_current and (held.row.holder_id, held.row.scheme) == (holder_id, scheme):
                return held
        return None

    def last_sent(self, subject_id: str, kind: str, *, undone_by: str) -> EarlierNotice | None:
        """The last notice of a kind about a subject that was, or may have been, sent.

        None if a notice of the other kind was sent after it.
        """
        of_both = (n for n in self.earlier.get(subject_id, ()) if n.kind in {kind, undone_by})
        sent = [n for n in of_both if n.state in _OUT]
        return sent[-1] if sent and sent[-1].kind == kind else None

    def is_unsent(self, subject_id: str, kind: str, event: str | None = None) -> bool:
        """Whether there is such a notice and none has been sent."""
        of_kind = [n for n in self.earlier.get(subject_id, ()) if n.kind == kind]
        of_event = [n for n in of_kind if event in {None, n.event}]
        return bool(of_event) and not any(n.state in _OUT for n in of_event)

    def was_sent(self, subject_id: str, kind: str, action: str) -> bool:
        """Whether a notice was, or may have been, sent whose event begins with this action."""
        of_kind = [n for n in self.earlier.get(subject_id, ()) if n.kind == kind]
        return any(n.event.startswith(action) and n.state in _OUT for n in of_kind)


@dataclass(frozen=True, slots=True)
class DueNotice:
    """One notice, and all notices of the same message in their order (``beside``)."""

    reading: ReadContext
    facts: NoticeFacts
    row: MessageNotice
    beside: Sequence[MessageNotice]

    def of_kind(self, *kinds: str) -> list[MessageNotice]:
        """The message's notices of these kinds about the same subject, the oldest first."""
        subject_id = self.row.subject_id
        return [n for n in self.beside if n.kind in kinds and n.subject_id == subject_id]


def of_messages(reading: ReadContext, ids: Collection[str]) -> dict[str, list[MessageNotice]]:
    """The notices of each message, in the order in which they were recorded."""
    notices = _read(reading, MessageNotice, _NOTICES, ids)
    return _grouped(notices, lambda notice: notice.message_id)


_WITHOUT_CERTIFICATION = frozenset(
    {"employer", "request", "merge", "module", "credential", "attendance", "fee"}
)
"""Subjects of which no certification's facts are told."""


def of_subjects(reading: ReadContext, rows: Sequence[MessageNotice]) -> NoticeFacts:
    """The facts about the subjects of these notices."""
    if not rows:
        return NoticeFacts()
    holder_ids = {row.holder_id for row in rows}
    subjects: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        subjects[_source(row.kind)].add(row.subject_id)
    certifications = _certifications(reading, holder_ids)
    about = {*certifications} if subjects.keys() - _WITHOUT_CERTIFICATION else set()
    of_employers = holder_ids if subjects["employer"] else ()
    read = partial(_read, reading)
    decisions = read(NoticedDecision, _DECISIONS, subjects["activity"])
    former = read(NoticedFormerDecision, _FORMER, subjects["renewal"])
    changes = read(NoticedChange, _STANDING_CHANGES, about)
    adjustments = read(NoticedAdjustment, _ADJUSTMENTS, about)
    entries = read(NoticedEntry, _ENTRIES, of_employers, today=employers.today(reading))
    return NoticeFacts(
        certifications=_with_points(reading, certifications) if about else {},
        activities={a.id: a for a in read(NoticedActivity, _ACTIVITIES, subjects["activity"])},
        decisions=_grouped(decisions, lambda decision: decision.activity_id),
        renewals={r.id: r for r in read(NoticedRenewal, _RENEWALS, subjects["renewal"])},
        former=_grouped(former, lambda decision: decision.renewal_id),
        changes=_grouped(changes, lambda change: change.certification_id),
        appeals={a.id: a for a in read(NoticedAppeal, _APPEALS, about)},
        adjustments=_grouped(adjustments, lambda adjustment: adjustment.certification_id),
        entries=_grouped(entries, lambda entry: entry.employer_id),
        attended={a.id: a for a in read(NoticedAttendance, _ATTENDED, subjects["attendance"])},
        audits={a.id: a for a in read(NoticedAudit, _AUDITS, subjects["audit"])},
        fees={f.id: f for f in read(NoticedFee, _FEES, subjects["fee"])},
        requests={r.id: r for r in read(NoticedRequest, _REQUESTS, subjects["request"])},
        merges={m.id: m for m in read(NoticedMerge, _MERGES, subjects["merge"])},
        modules={m.id: m for m in read(NoticedModule, _MODULES, subjects["module"])},
        credentials={
            c.id: c for c in read(NoticedCredential, _CREDENTIALS, subjects["credential"])
        },
        earlier=_grouped(read(EarlierNotice, _EARLIER, holder_ids), lambda n: n.subject_id),
        suppressed=suppressions.of_holders(reading, rows, now=reading.now),
    )


_FIRST_WORDS = frozenset(
    {
        "activity",
        "renewal",
        "appeal",
        "request",
        "module",
        "credential",
        "attendance",
        "audit",
        "fee",
    }
)


def _source(kind: str) -> str:
    """What kind of record the subject of a notice is."""
    if kind in {
        NoticeKind.CONSENT_ASKED,
        NoticeKind.LISTED,
        NoticeKind.EMPLOYER_RENAMED,
        NoticeKind.EMPLOYMENT_ENDED,
    }:
        return "employer"
    if kind == NoticeKind.RECORDS_MERGED:
        return "merge"
    first, _, _ = kind.partition("_")
    return first if first in _FIRST_WORDS else "certification"


def _read(
    reading: ReadContext,
    kind: Callable[..., R],
    statement: Executable,
    ids: Collection[str],
    **values: object,
) -> Sequence[R]:
    return reading.rows_as(kind, statement, {"ids": sorted(ids), **values}) if ids else ()


def _grouped(rows: Iterable[R], key: Callable[[R], str]) -> dict[str, list[R]]:
    groups: dict[str, list[R]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return dict(groups)


# The standing of certifications.
_Spans = Mapping[str, Sequence[NoticedCertification]]


def _certifications(reading: ReadContext, holder_ids: Collection[str]) -> _Spans:
    """The holders' certifications with the spans around today, by id."""
    day = reading.now.date()  # no holder's local date differs from it by more than a day
    values = {"first_day": day - DAY, "last_day": day + DAY, "ids": sorted(holder_ids)}
    rows = []
    for row in reading.rows(_CERTIFICATIONS, values):
        span = None if row.from_on is None else StandingSpan(*row[-len(SPAN) :])
        rows.append(NoticedCertification._make((*row[: -len(SPAN)], span)))
    return _grouped(rows, lambda row: row.certification_id)


def _with_points(reading: ReadContext, certifications: _Spans) -> dict[str, HeldToday]:
    """Each certification with its standing and points on its holder's day."""
    standing = {id_: s for id_, rows in certifications.items() if (s := _standing(reading, rows))}
    keys = {
        id_: CertificationKey(id_, rows[0].holder_id, rows[0].scheme)
        for id_, rows in certifications.items()
    }
    points = due_stages.points_of(reading, {keys[id_]: on for id_, (_, on) in standing.items()})
    cycles: dict[str, list[CycleTerm]] = defaultdict(list)
    for id_, *columns in reading.rows(_CYCLES, {"ids": sorted(certifications)}):
        cycles[id_].append(CycleTerm(*columns))
    held: dict[str, HeldToday] = {}
    for id_, rows in certifications.items():
        scheme = reading.schemes[rows[0].scheme]
        now = None
        if id_ in standing:
            span, on = standing[id_]
            now = todays.today_of(scheme, span, points.get(id_), on=on)
        held[id_] = HeldToday(rows[0], scheme, now, points.get(id_), cycles[id_])
    return held


def _standing(
    reading: ReadContext, rows: Sequence[NoticedCertification]
) -> tuple[StandingSpan, date] | None:
    """The span of the holder's day, and that day; None without a standing.

    If the holder's day is still the day before the award, the day of the award counts.
    """
    first = rows[0]
    on = reading.day_of(reading.schemes[first.scheme], first.time_zone)
    spans = (row.span for row in rows if row.span is not None)
    span = next((span for span in spans if span.until_on is None or span.until_on > on), None)
    if span is None or first.withdrawn_at is not None:
        return None
    return span, max(on, span.from_on)


def day_at(reading: ReadContext, held: HeldToday, instant: datetime) -> date:
    """The date of an instant in the time zone by which the certification's days are counted."""
    return replace(reading, now=instant).day_of(held.scheme, held.row.time_zone)
