"""The facts on record about the subjects of notices, read in bulk; other modules judge them.

It takes a constant number of statements, however many messages there are, and skips those for
kinds of notices that no message contains. Nothing is written here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from typing import TypeVar

from sqlalchemy import Executable

from tracker.domain.credentials.certifications import CycleTerm, StandingSpan
from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.delivery.queue_acts import MessageState
from tracker.domain.periods import DAY
from tracker.domain.schemes.schemes import Scheme
from tracker.mail.today import Today
from tracker.services.core.context import ReadContext
from tracker.services.delivery import due_stages, todays
from tracker.services.delivery.notice_rows import (
    ACTIVITIES,
    ADJUSTMENTS,
    APPEALS,
    ATTENDED,
    AUDITS,
    CERTIFICATIONS,
    CREDENTIALS,
    CYCLES,
    DECISIONS,
    EARLIER,
    ENTRIES,
    FEES,
    FORMER,
    MERGES,
    MODULES,
    NOTICES,
    PERMISSIONS,
    RENEWALS,
    REQUESTS,
    STANDING_CHANGES,
    EarlierNotice,
    MessageNotice,
    NoticedActivity,
    NoticedAdjustment,
    NoticedAppeal,
    NoticedAttendance,
    NoticedAudit,
    NoticedCertification,
    NoticedChange,
    NoticedCredential,
    NoticedDecision,
    NoticedEntry,
    NoticedFee,
    NoticedFormerDecision,
    NoticedMerge,
    NoticedModule,
    NoticedPermission,
    NoticedRenewal,
    NoticedRequest,
)
from tracker.services.employers import employers
from tracker.services.outbox import suppressions
from tracker.services.standings.related_facts import SPAN, CertificationKey
from tracker.services.standings.standings import CertificationPoints

# Of these a copy is with the holder, or may be.
_OUT = (MessageState.SENT, MessageState.AMBIGUOUS, MessageState.TRANSMITTING)

R = TypeVar("R")


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
    permissions: Mapping[str, NoticedPermission] = field(default_factory=dict)
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
    notices = _read(reading, MessageNotice, NOTICES, ids)
    return _grouped(notices, lambda notice: notice.message_id)


_WITHOUT_CERTIFICATION = frozenset(
    {"employer", "request", "merge", "module", "credential", "attendance", "fee", "permission"}
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
    decisions = read(NoticedDecision, DECISIONS, subjects["activity"])
    former = read(NoticedFormerDecision, FORMER, subjects["renewal"])
    changes = read(NoticedChange, STANDING_CHANGES, about)
    adjustments = read(NoticedAdjustment, ADJUSTMENTS, about)
    entries = read(NoticedEntry, ENTRIES, of_employers, today=employers.today(reading))
    return NoticeFacts(
        certifications=_with_points(reading, certifications) if about else {},
        activities={a.id: a for a in read(NoticedActivity, ACTIVITIES, subjects["activity"])},
        decisions=_grouped(decisions, lambda decision: decision.activity_id),
        renewals={r.id: r for r in read(NoticedRenewal, RENEWALS, subjects["renewal"])},
        former=_grouped(former, lambda decision: decision.renewal_id),
        changes=_grouped(changes, lambda change: change.certification_id),
        appeals={a.id: a for a in read(NoticedAppeal, APPEALS, about)},
        adjustments=_grouped(adjustments, lambda adjustment: adjustment.certification_id),
        entries=_grouped(entries, lambda entry: entry.employer_id),
        attended={a.id: a for a in read(NoticedAttendance, ATTENDED, subjects["attendance"])},
        audits={a.id: a for a in read(NoticedAudit, AUDITS, subjects["audit"])},
        fees={f.id: f for f in read(NoticedFee, FEES, subjects["fee"])},
        permissions={p.id: p for p in read(NoticedPermission, PERMISSIONS, subjects["permission"])},
        requests={r.id: r for r in read(NoticedRequest, REQUESTS, subjects["request"])},
        merges={m.id: m for m in read(NoticedMerge, MERGES, subjects["merge"])},
        modules={m.id: m for m in read(NoticedModule, MODULES, subjects["module"])},
        credentials={c.id: c for c in read(NoticedCredential, CREDENTIALS, subjects["credential"])},
        earlier=_grouped(read(EarlierNotice, EARLIER, holder_ids), lambda n: n.subject_id),
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
        "permission",
    }
)


def _source(kind: str) -> str:
    """What kind of record the subject of a notice is."""
    if kind in {
        NoticeKind.CONSENT_ASKED,
        NoticeKind.LISTED,
        NoticeKind.EMPLOYER_RENAMED,
        NoticeKind.EMPLOYMENT_ENDED,
        NoticeKind.EMPLOYER_NUDGE,
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
    for row in reading.rows(CERTIFICATIONS, values):
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
    for id_, *columns in reading.rows(CYCLES, {"ids": sorted(certifications)}):
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
