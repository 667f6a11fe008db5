"""The facts on record about the subjects of notices, read in bulk; other modules judge them.

It takes a constant number of statements, however many messages there are, and skips those for
kinds of notices that no message contains. Nothing is written here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import BindParameter, Date, and_, bindparam, func, select

from tracker.domain.credentials.certifications import ChangeKind
from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.delivery.queue_acts import MessageState
from tracker.domain.periods import DAY
from tracker.domain.schemes.schemes import Scheme
from tracker.mail.today import Today
from tracker.models import (
    Activity,
    Adjustment,
    Appeal,
    Certification,
    Cycle,
    Decision,
    Employer,
    EmployerBar,
    FormerRenewalDecision,
    Holder,
    HolderRequest,
    Message,
    Notice,
    Renewal,
    RosterEntry,
    Sharing,
    Span,
    StandingChange,
)
from tracker.services.core.context import ReadContext
from tracker.services.delivery import due_stages, todays
from tracker.services.employers import employers, roster
from tracker.services.outbox import suppressions
from tracker.services.standings.neighbours import SPAN
from tracker.services.standings.standings import CertificationPoints

CHANGES = {
    NoticeKind.SUSPENDED: ChangeKind.SUSPEND,
    NoticeKind.REINSTATED: ChangeKind.REINSTATE,
    NoticeKind.REVOKED: ChangeKind.REVOKE,
}
# Of these a copy is with the holder, or may be.
_OUT = (MessageState.SENT, MessageState.AMBIGUOUS, MessageState.TRANSMITTING)
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)

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
_EARLIER = (
    select(
        Notice.kind,
        Notice.subject_id,
        Notice.event,
        Notice.recorded_at,
        Message.state,
    )
    .join(Message, Message.id == Notice.message_id, isouter=True)
    .where(Notice.holder_id.in_(_IDS))
    .order_by(Notice.id)
)
_CERTIFICATIONS = (
    select(
        Certification.id.label("certification_id"),
        Certification.holder_id,
        Certification.scheme,
        Certification.number,
        Certification.public_id,
        Certification.awarded_on,
        Certification.recorded_at,
        Certification.sequence,
        Certification.withdrawn_at,
        Certification.replaced_on,
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
    select(
        Cycle.certification_id,
        Cycle.ordinal,
        Cycle.starts_on,
        Cycle.opened_on,
        Cycle.expires_on,
        Cycle.policy,
    )
    .where(Cycle.certification_id.in_(_IDS))
    .order_by(Cycle.ordinal)
)
_DECISIONS = (
    select(
        Decision.id,
        Decision.activity_id,
        Decision.verdict,
        Decision.decided_on,
        Decision.points_limit,
        Decision.reason,
        Decision.recorded_at,
        Decision.undone_at,
        Activity.title,
        Activity.scheme,
        Activity.state,
        Activity.submitted_at,
        func.coalesce(Activity.completed_on, Activity.starts_on, type_=Date).label("done_on"),
    )
    .join(Activity, Activity.id == Decision.activity_id)
    .where(Decision.activity_id.in_(_IDS))
    .order_by(Decision.recorded_at, Decision.id)
)
_RENEWALS = select(
    Renewal.id,
    Renewal.certification_id,
    Renewal.decision,
    Renewal.decided_on,
    Renewal.reason,
    Renewal.submitted_on,
    Renewal.withdrawn_on,
    Renewal.closed_at,
).where(Renewal.id.in_(_IDS))
_FORMER = (
    select(
        FormerRenewalDecision.id,
        FormerRenewalDecision.renewal_id,
        FormerRenewalDecision.decision,
        FormerRenewalDecision.reason,
    )
    .where(FormerRenewalDecision.renewal_id.in_(_IDS))
    .order_by(FormerRenewalDecision.id)
)
_STANDING_CHANGES = (
    select(
        StandingChange.id,
        StandingChange.certification_id,
        StandingChange.kind,
        StandingChange.effective_on,
        StandingChange.reason,
        StandingChange.recorded_at,
    )
    .where(StandingChange.certification_id.in_(_IDS))
    .order_by(StandingChange.effective_on, StandingChange.recorded_at, StandingChange.id)
)
_APPEALS = select(
    Appeal.id,
    Appeal.certification_id,
    Appeal.change_id,
    Appeal.renewal_id,
    Appeal.filed_on,
    Appeal.fee,
    Appeal.fee_refunded,
    Appeal.outcome,
    Appeal.decided_on,
    Appeal.reason,
).where(Appeal.certification_id.in_(_IDS))
_ADJUSTMENTS = (
    select(
        Adjustment.id,
        Adjustment.certification_id,
        Adjustment.ordinal,
        Adjustment.number,
        Adjustment.extended_to,
        Adjustment.points_required,
        Adjustment.reason,
    )
    .where(Adjustment.certification_id.in_(_IDS))
    .order_by(Adjustment.ordinal, Adjustment.number)
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
_REQUESTS = select(
    HolderRequest.id,
    HolderRequest.state,
    HolderRequest.proposal,
    HolderRequest.reason,
    HolderRequest.requested_on,
).where(HolderRequest.id.in_(_IDS))


@dataclass(frozen=True, slots=True)
class HeldToday:
    """A certification and its standing on its holder's day; ``now`` is None if it has none."""

    row: Any
    scheme: Scheme
    now: Today | None = None
    points: CertificationPoints | None = None
    cycles: Sequence[Any] = ()

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
    decisions: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    renewals: Mapping[str, Any] = field(default_factory=dict)
    former: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    changes: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    appeals: Mapping[str, Any] = field(default_factory=dict)
    adjustments: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    entries: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    requests: Mapping[str, Any] = field(default_factory=dict)
    earlier: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    silent: Collection[str] = ()

    def current(self, holder_id: str, scheme: str) -> HeldToday | None:
        """The holder's current certification under a scheme."""
        for one in self.certifications.values():
            if one.is_current and (one.row.holder_id, one.row.scheme) == (holder_id, scheme):
                return one
        return None

    def last_told(self, subject_id: str, *kinds: str) -> Any:
        """The last notice of these kinds about a subject that was, or may have been, sent."""
        found = self.earlier.get(subject_id, ())
        return next((n for n in reversed(found) if n.kind in kinds and n.state in _OUT), None)

    def is_untold(self, subject_id: str, kind: str, event: str | None = None) -> bool:
        """Whether there is such a notice and none has been sent."""
        found = [n for n in self.earlier.get(subject_id, ()) if n.kind == kind]
        of_event = [n for n in found if event in {None, n.event}]
        return bool(of_event) and not any(n.state in _OUT for n in of_event)


@dataclass(frozen=True, slots=True)
class DueNotice:
    """One notice, and all notices of the same message in their order (``beside``)."""

    reading: ReadContext
    known: NoticeFacts
    row: Any
    beside: Sequence[Any]

    def of_kind(self, *kinds: str) -> list[Any]:
        """The message's notices of these kinds about the same subject, the oldest first."""
        mine = self.row.subject_id
        return [one for one in self.beside if one.kind in kinds and one.subject_id == mine]


def told(reading: ReadContext, ids: Collection[str]) -> dict[str, list[Any]]:
    """The notices of each message, in the order in which they were recorded."""
    found: dict[str, list[Any]] = defaultdict(list)
    for row in reading.rows(_NOTICES, {"ids": list(ids)}) if ids else ():
        found[row.message_id].append(row)
    return found


def known(reading: ReadContext, rows: Sequence[Any]) -> NoticeFacts:
    """The facts about the subjects of these notices."""
    if not rows:
        return NoticeFacts()
    holder_ids = {row.holder_id for row in rows}
    subjects: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        subjects[_source(row.kind)].add(row.subject_id)
    held = _certifications(reading, holder_ids)
    renewals = _by_id(_read(reading, _RENEWALS, subjects["renewal"]))
    about = {*held} if subjects.keys() - {"employer", "request"} else set()
    entries = subjects["employer"] and holder_ids
    today = {"today": employers.today(reading)}
    return NoticeFacts(
        certifications=_with_points(reading, held) if about else {},
        decisions=_grouped(_read(reading, _DECISIONS, subjects["activity"]), "activity_id"),
        renewals=renewals,
        former=_grouped(_read(reading, _FORMER, subjects["renewal"]), "renewal_id"),
        changes=_grouped(_read(reading, _STANDING_CHANGES, about), "certification_id"),
        appeals=_by_id(_read(reading, _APPEALS, about)),
        adjustments=_grouped(_read(reading, _ADJUSTMENTS, about), "certification_id"),
        entries=_grouped(_read(reading, _ENTRIES, entries, **today), "employer_id"),
        requests=_by_id(_read(reading, _REQUESTS, subjects["request"])),
        earlier=_grouped(_read(reading, _EARLIER, holder_ids), "subject_id"),
        silent=suppressions.of_holders(reading, rows, now=reading.now),
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
    first, _, _ = kind.partition("_")
    return first if first in {"activity", "renewal", "appeal", "request"} else "certification"


def _read(reading: ReadContext, statement: Any, ids: Collection[str], **more: Any) -> Sequence[Any]:
    return reading.rows(statement, {"ids": sorted(ids), **more}) if ids else ()


def _by_id(rows: Iterable[Any]) -> dict[str, Any]:
    return {row.id: row for row in rows}


def _grouped(rows: Iterable[Any], key: str) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[getattr(row, key)].append(row)
    return dict(found)


# The standing of certifications.
def _certifications(reading: ReadContext, holder_ids: Collection[str]) -> dict[str, list[Any]]:
    """The holders' certifications with the spans around today, by id."""
    day = reading.now.date()  # no holder's local date differs from it by more than a day
    days = {"first_day": day - DAY, "last_day": day + DAY}
    return _grouped(_read(reading, _CERTIFICATIONS, holder_ids, **days), "certification_id")


def _with_points(reading: ReadContext, held: Mapping[str, Sequence[Any]]) -> dict[str, HeldToday]:
    """Each certification with its standing and points on its holder's day."""
    standing = {id_: one for id_, rows in held.items() if (one := _standing(reading, rows))}
    points = due_stages.points_of(
        reading,
        [row for row, _ in standing.values()],
        lambda row: standing[row.certification_id][1],
    )
    cycles = _grouped(_read(reading, _CYCLES, held.keys()), "certification_id")
    found: dict[str, HeldToday] = {}
    for id_, (first, *_) in held.items():
        scheme = reading.schemes[first.scheme]
        bare = HeldToday(first, scheme, points=points.get(id_), cycles=cycles.get(id_, ()))
        row, on = standing.get(id_, (first, None))
        now = todays.today_of(scheme, row, bare.points, on=on) if on else None
        found[id_] = replace(bare, row=row, now=now)
    return found


def _standing(reading: ReadContext, rows: Sequence[Any]) -> tuple[Any, date] | None:
    """The row for the holder's day, and that day; None without a standing.

    If the holder's day is still the day before the award, the day of the award counts.
    """
    first = rows[0]
    on = reading.day_of(reading.schemes[first.scheme], first.time_zone)
    spans = [row for row in rows if row.from_on is not None and row.until_on > on]
    if not spans or first.withdrawn_at is not None:
        return None
    return spans[0], max(on, spans[0].from_on)


def day_at(reading: ReadContext, held: HeldToday, instant: datetime) -> date:
    """The date of an instant in the time zone by which the certification's days are counted."""
    return replace(reading, now=instant).day_of(held.scheme, held.row.time_zone)
