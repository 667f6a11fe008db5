"""Samples of every message about made-up people, for review before anybody gets one.

The facts are invented, the dates follow from the scheme, and the same scheme gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from tracker.domain.credentials import certifications as rules
from tracker.domain.credentials.appeals import AppealVerdict
from tracker.domain.credentials.certifications import ChangeKind
from tracker.domain.credentials.next_steps import NextStep
from tracker.domain.delivery import pages
from tracker.domain.periods import DAY
from tracker.domain.schemes.activity_types import translated
from tracker.domain.schemes.schemes import Scheme
from tracker.mail import accounts, calendars, envelopes, messages, notices, sign_in
from tracker.mail.accounts import AccountMessage
from tracker.mail.calendars import CalendarDay
from tracker.mail.envelopes import Envelope
from tracker.mail.messages import CertificationLine, ComposedEmail, ReminderMessage
from tracker.mail.notices import NoticeMessage, NoticeToCompose
from tracker.mail.sign_in import SignInMessage
from tracker.mail.today import Today

_EXPIRY = date(2027, 3, 15)
_NAMES = {"en": "Ana Gómez", "es": "José Núñez"}
_SITE = "https://tracker.example"
_WAYS_OUT = (
    "https://tracker.example/unsubscribe/{type}/made-up",
    "mailto:u-{type}+made-up@tracker.example?subject=unsubscribe",
)
_DOMAIN = "tracker.example"
_REQUIRED = Decimal(100)
_POINTS = {
    "nothing": Decimal(0),
    "incomplete": Decimal("45.00"),
    "complete": _REQUIRED,
    "pending": _REQUIRED,
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One message, when it would be sent, and its type (empty if it is always sent)."""

    name: str
    message: ComposedEmail
    at: datetime
    type: str
    issuer: str = ""

    def rendered(self, *, sender: str, reply_to: str) -> bytes:
        """The message as it would be sent."""
        link, mailto = (way.format(type=self.type) for way in _WAYS_OUT)
        return envelopes.render(
            self.message,
            Envelope(
                message_id=envelopes.message_id(b"samples", self.name, _DOMAIN),
                sender=envelopes.from_(sender, self.issuer),
                reply_to=reply_to,
                envelope_sender=f"b+sample@{_DOMAIN}",
                recipient="ana@example.com",
                date=self.at,
                unsubscribe_link=link if self.type else None,
                unsubscribe_mailto=mailto if self.type else None,
            ),
        )


def of_scheme(scheme: Scheme, language: str) -> Iterator[Sample]:
    """Every stage of the scheme's reminders in every state, and every kind of notice."""
    if scheme.reminders is not None and scheme.policies:
        for offset in scheme.reminders.offsets:
            complete = offset in scheme.reminders.offsets_when_complete
            for state in _states(offset, complete=complete):
                line = _line(scheme, offset, state, language)
                yield _reminder(f"reminder-{offset}-{state}", language, line)
    for news in _news(scheme, language):
        yield _notice(f"notice-{news.tells.replace('_', '-')}", scheme, language, news)


def of_several(schemes: Iterable[Scheme], language: str) -> Iterator[Sample]:
    """Messages about more than one certification or event, and the one of no scheme: to sign in."""
    yield _sign_in(language)
    yield from _about_accounts(language)
    renewed = [scheme for scheme in schemes if scheme.reminders is not None and scheme.policies]
    lines = [_line(scheme, 30, "incomplete", language) for scheme in renewed[:3]]
    if len(lines) > 1:
        second = replace(lines[1], points_counted=_REQUIRED, points_pending=Decimal(0))
        yield _reminder("several-reminders", language, lines[0], second, *lines[2:])
    if renewed:
        some = {news.tells: news for news in _news(renewed[0], language)}
        together = (some["approved"], some["partly"], some["rejected"])
        yield _notice("several-decisions", renewed[0], language, *together)


def _states(offset: int, *, complete: bool) -> Iterator[str]:
    """The states in which a stage's reminder is sent."""
    yield "incomplete"
    if offset > 0:
        yield "nothing"
    if complete:
        yield "complete"
    if offset <= 0:
        yield "pending"


def _span(scheme: Scheme, expires_on: date) -> rules.StandingSpan:
    """The last span of a first cycle that ends on about that day."""
    awarded_on = expires_on.replace(year=expires_on.year - 5)
    return rules.timeline(scheme, [rules.first_cycle(scheme, awarded_on)])[-1]


def _line(scheme: Scheme, offset: int, state: str, language: str) -> CertificationLine:
    span = _span(scheme, _EXPIRY)
    expires_on = span.expires_on or _EXPIRY
    opens = span.window_opens_on or expires_on
    waiting = Decimal("7.50") if state == "incomplete" else Decimal(0)
    since = expires_on - timedelta(days=20) if state == "pending" else None
    now = _today(
        scheme, span, expires_on - timedelta(days=offset), (_POINTS[state], waiting, since)
    )
    return CertificationLine(
        scheme_name=translated(scheme.title, language),
        full_name=scheme.full_name(language),
        number=f"{scheme.number_prefix}-7KQ2M-X9RTB",
        expires_on=expires_on,
        days_left=offset,
        stage=offset,
        points_counted=_POINTS[state],
        points_required=_REQUIRED,
        points_pending=waiting,
        window_opens_on=opens,
        pending_since=since,
        window_open=opens <= now.on <= (span.window_closes_on or expires_on),
        points_verified=state != "incomplete",
        grace_ends_on=span.grace_ends_on,
        closes_on=span.window_closes_on,
        now=now,
    )


def _today(
    scheme: Scheme,
    span: rules.StandingSpan,
    on: date,
    points: tuple[Decimal, Decimal, date | None] = (Decimal(61), Decimal(0), None),
) -> Today:
    """The standing of a made-up certification on a day.

    ``points`` are the points counted, the points waiting, and the day of the renewal application.
    """
    counted, waiting, since = points
    standing = rules.standing_on(replace(span, pending_since=since), on)
    missing, fees = max(_REQUIRED - counted - waiting, Decimal(0)), scheme.fees
    step = NextStep("wait_for_decision", applied_on=since)
    if since is None:
        step = _step(span, on, waiting, missing)
    credit = scheme.policies[-1].credit if scheme.policies else step.credit
    return Today(
        on=on,
        status=standing.status,
        valid=standing.valid,
        step=replace(step, credit=credit),
        expires_on=span.expires_on,
        opens_on=span.window_opens_on,
        last_day=span.grace_ends_on or span.window_closes_on,
        closes_on=span.window_closes_on,
        pending_since=since,
        fee=fees.renewal if fees else None,
        currency=fees.currency if fees else "",
        issuer=scheme.issuer,
    )


def _step(span: rules.StandingSpan, on: date, waiting: Decimal, missing: Decimal) -> NextStep:
    """The next step before an application, with points waiting and missing."""
    opens_on, closes_on, expires_on = span.window_opens_on, span.window_closes_on, span.expires_on
    if opens_on is None or closes_on is None or expires_on is None:
        return NextStep("none")
    if on > (span.grace_ends_on or expires_on):
        return NextStep("start_again")
    has_closed = closes_on < on <= expires_on
    if has_closed and span.grace_ends_on is None:
        return NextStep("too_late", closes_on)
    last_day = closes_on if on <= closes_on else span.grace_ends_on
    if missing:
        return NextStep("log_activities", last_day, missing=missing, waiting=waiting)
    if on < opens_on or has_closed:
        return NextStep("apply_from", opens_on if on < opens_on else expires_on + DAY)
    return NextStep("apply_now", last_day)


def _reminder(name: str, language: str, *lines: CertificationLine) -> Sample:
    at = datetime(lines[0].today.year, lines[0].today.month, lines[0].today.day, 14, tzinfo=UTC)
    days = [day for line in lines for day in _days(line)]
    message = messages.compose_reminder(
        ReminderMessage(
            name=translated(_NAMES, language),
            language=language,
            lines=lines,
            link=_button(*((pages.REMINDER, line.number) for line in lines)),
            issuer=lines[0].standing.issuer,
            unsubscribe_link=_WAYS_OUT[0].format(type="reminders"),
            calendar=calendars.published(days, language=language, at=at, domain=_DOMAIN),
        )
    )
    return Sample(f"{name}.{language}", message, at, "reminders", lines[0].standing.issuer)


def _sign_in(language: str) -> Sample:
    message = sign_in.compose(
        SignInMessage(
            name=translated(_NAMES, language),
            language=language,
            code="048213",
            link="https://tracker.example/sign-in/link/made-up",
            minutes=10,
            site="Tracker",
            issuer="Tracker",
        )
    )
    at = datetime.combine(_EXPIRY, datetime.min.time(), UTC)
    return Sample(f"sign-in.{language}", message, at, "")


_ACCOUNT_SAMPLES = {
    "invitation_employer": 7,
    "invitation_center": 7,
    "invitation_provider": 7,
    "invitation_sponsor": 7,
    "invitation_reviewer": 7,
    "invitation_staff": 7,
    "invitation_admin": 7,
    "reset": 60,
    "password_changed": 0,
    "password_removed": 0,
    "factor_changed": 0,
    "factor_reset": 0,
    "recovery_codes": 0,
    "passkey_added": 0,
    "passkey_removed": 0,
    "provider_bound": 0,
    "address_changed": 0,
    "provider_unbound": 0,
    "erasure_refused": 0,
    "rights_changed": 0,
    "deactivated": 0,
    "results_accepted": 0,
    "results_sent_back": 0,
}


def _about_accounts(language: str) -> Iterator[Sample]:
    at = datetime.combine(_EXPIRY, datetime.min.time(), UTC)
    for tells, lasts in _ACCOUNT_SAMPLES.items():
        message = accounts.compose(
            AccountMessage(
                tells=tells,
                name=translated(_NAMES, language),
                language=language,
                site="Tracker",
                link=_button((tells, None)) if tells in pages.OPENS else f"{_SITE}/made-up",
                lasts=lasts,
                facts=(("by", "Kim Soto"), ("place", "Palmetto Motors"), ("why", "Who are you?")),
                issuer="Tracker",
            )
        )
        yield Sample(f"account-{tells.replace('_', '-')}.{language}", message, at, "")


def _days(line: CertificationLine) -> Iterator[CalendarDay]:
    return calendars.ahead(
        line.number,
        line.scheme_name,
        on=line.today,
        opens_on=line.window_opens_on,
        closes_on=line.closes_on,
        expires_on=line.expires_on,
    )


_WORDS = {
    "en": (
        "Robot Safety, Level 2",
        "Acme Manufacturing",
        "The certificate shows ten hours, not sixteen.",
        "Somebody else sat the assessment.",
    ),
    "es": (
        "Seguridad con robots, nivel 2",
        "Manufacturas Acme",
        "El certificado muestra diez horas, no dieciséis.",
        "Otra persona presentó la evaluación.",
    ),
}
_DECISIONS = frozenset(
    {
        "award",
        "approved",
        "partly",
        "rejected",
        "more_information",
        "activity_reopened",
        "activity_submitted",
        "renewal_received",
        "renewal_approved",
        "renewal_denied",
        "renewal_reopened",
        "attendance_draft",
        "attendance_changed",
        "attendance_removed",
    }
)


def _news(scheme: Scheme, language: str) -> Iterator[NoticeToCompose]:
    """One piece of news of each kind that the scheme can bring."""
    grave = translated(_WORDS, language)[3]
    span, next_span = _span(scheme, _EXPIRY), _span(scheme, _EXPIRY.replace(year=2032))
    today = (span.expires_on or _EXPIRY) - timedelta(days=30)
    base = NoticeToCompose(
        "award",
        scheme_name=translated(scheme.title, language),
        full_name=scheme.full_name(language),
        number=f"{scheme.number_prefix}-7KQ2M-X9RTB",
        on=today,
        now=_today(scheme, span, today),
    )
    renewed = replace(base, now=_today(scheme, next_span, today, (Decimal(0), Decimal(0), None)))
    required = _REQUIRED if scheme.policies else None
    yield replace(renewed, points_required=required)
    yield replace(base, tells="award_corrected", before=today - timedelta(days=9))
    yield replace(base, tells="award_restored")
    yield replace(base, tells="award_withdrawn")
    module = replace(base, about=translated(scheme.modules[0].name, language), now=None)
    yield replace(module, tells="module_passed")
    yield replace(module, tells="module_corrected", before=today - timedelta(days=9))
    yield replace(module, tells="module_restored")
    yield replace(module, tells="module_withdrawn")
    for tells, hold in (("suspended", "suspended"), ("revoked", "revoked")):
        held = _today(scheme, replace(span, hold=hold), today)  # type: ignore[arg-type]
        news = replace(base, tells=tells, reason=grave, now=held)
        yield _with_appeal(news, scheme, today)
    yield replace(base, tells="reinstated", reason=grave, against=ChangeKind.SUSPEND)
    yield replace(base, tells="appeal_received", before=today, on=today + timedelta(days=60))
    for outcome in (AppealVerdict.UPHELD, AppealVerdict.DISMISSED):
        fee = scheme.appeals.fee if scheme.appeals and outcome == AppealVerdict.UPHELD else None
        yield replace(
            base,
            tells=f"appeal_{outcome}",
            against="renewal",
            reason=grave,
            refund=fee,
            before=today - timedelta(days=14),
        )
    yield from _without_certification(language, today)
    if scheme.policies:
        yield from _of_policy(scheme, language, base, renewed)


def _with_appeal(news: NoticeToCompose, scheme: Scheme, today: date) -> NoticeToCompose:
    rule = scheme.appeals
    if rule is None:
        return news
    return replace(
        news,
        appeal_by=today + timedelta(days=rule.due_days),
        appeal_fee=rule.fee,
        refunded=rule.refunded_on_success,
    )


def _without_certification(language: str, today: date) -> Iterator[NoticeToCompose]:
    name, (_, employer, reason, _) = translated(_NAMES, language), translated(_WORDS, language)
    now = Today(on=today, status="", valid=False, step=NextStep("none"))
    yield NoticeToCompose("consent_asked", about=employer, now=now)
    yield NoticeToCompose("consent_asked", about=employer, shares=True, now=now)
    yield NoticeToCompose("listed", about=employer, until_on=today + timedelta(days=365), now=now)
    yield NoticeToCompose("employer_renamed", about=employer, was=f"{employer} 2", now=now)
    yield NoticeToCompose("employment_ended", about=employer, on=today, now=now)
    yield NoticeToCompose(
        "employer_nudge", about=employer, full_name="Certified Production Technician (CPT)", now=now
    )
    yield NoticeToCompose("permission_given", about=employer, on=today, reason=reason, now=now)
    title, _, _, _ = translated(_WORDS, language)
    for tells in ("attendance_draft", "attendance_changed", "attendance_removed"):
        yield NoticeToCompose(tells, about=title, was="Ivy Tech", on=today, now=now)
    yield NoticeToCompose("request_granted", about=name, before=today, now=now)
    yield NoticeToCompose("request_refused", reason=reason, before=today, now=now)
    for kind in ("correction", "exemption", "extension"):
        yield NoticeToCompose(f"request_granted_{kind}", before=today, now=now)
        yield NoticeToCompose(f"request_refused_{kind}", reason=reason, before=today, now=now)
    paying = NoticeToCompose("fee_due", amount=Decimal(75), now=replace(now, currency="USD"))
    for tells in ("fee_due", "fee_paid", "fee_refund_due", "fee_refunded"):
        yield replace(paying, tells=tells)
    yield replace(paying, tells="fee_waived", reason=reason)
    yield NoticeToCompose("records_merged", now=now)
    yield NoticeToCompose("records_parted", now=now)
    expires_on = today + timedelta(days=30)
    yield NoticeToCompose("credential_expires", about="OSHA 10", on=expires_on, now=now)


def _of_policy(
    scheme: Scheme, language: str, base: NoticeToCompose, renewed: NoticeToCompose
) -> Iterator[NoticeToCompose]:
    """What is told of activities, renewals and adjustments."""
    title, _, reason, _ = translated(_WORDS, language)
    decided = replace(base, about=title, points_total=Decimal(61), points_required=_REQUIRED)
    yield replace(decided, tells="approved", points_approved=Decimal(16))
    yield replace(
        decided,
        tells="partly",
        reason=reason,
        points_claimed=Decimal(16),
        points_approved=Decimal(10),
    )
    for tells in ("rejected", "more_information"):
        yield replace(decided, tells=tells, reason=reason)
    yield replace(decided, tells="activity_reopened")
    yield replace(base, tells="activity_submitted", about=title)
    asked = replace(base, about=title, on=(base.on or _EXPIRY) + timedelta(days=30))
    yield replace(asked, tells="audit_asked")
    yield replace(asked, tells="audit_reminded", against="reject")
    yield replace(asked, tells="audit_appealed", before=base.on)
    yield replace(base, tells="audit_confirmed", about=title)
    yield replace(base, tells="audit_called_off", about=title)
    for tells in ("audit_reduced", "audit_rejected"):
        news = replace(decided, tells=tells, reason=reason, points_approved=Decimal(10))
        yield _with_appeal(news, scheme, base.on or _EXPIRY)
    yield replace(renewed, tells="renewal_approved")
    denied = replace(base, tells="renewal_denied", reason=reason)
    yield _with_appeal(denied, scheme, base.on or _EXPIRY)
    yield replace(base, tells="renewal_reopened")
    yield replace(base, tells="renewal_received")
    for tells in ("extended", "extension_ended", "requirement_reduced", "requirement_raised"):
        yield replace(base, tells=tells, reason=reason, points_required=Decimal(80))


def _notice(name: str, scheme: Scheme, language: str, *news: NoticeToCompose) -> Sample:
    on = news[0].on or _EXPIRY
    at = datetime(on.year, on.month, on.day, 14, 10, tzinfo=UTC)
    type_ = "decisions" if news[0].tells in _DECISIONS else ""
    type_ = "reminders" if news[0].tells == "credential_expires" else type_
    days = [
        day
        for notice in news
        if notice.tells in {"award", "renewal_approved"}
        if notice.now is not None
        for day in calendars.ahead(
            notice.number,
            translated(scheme.title, language),
            on=notice.now.on,
            opens_on=notice.now.opens_on,
            closes_on=notice.now.closes_on,
            expires_on=notice.now.expires_on,
        )
    ]
    message = notices.compose_notice(
        NoticeMessage(
            name=translated(_NAMES, language),
            language=language,
            news=news,
            link=_button(*((one.tells, one.number or None) for one in news)),
            unsubscribe_link=_WAYS_OUT[0].format(type=type_) if type_ else None,
            type=type_,
            calendar=calendars.published(days, language=language, at=at, domain=_DOMAIN),
            issuer=scheme.issuer,
        )
    )
    return Sample(f"{name}.{language}", message, at, type_, scheme.issuer)


def _button(*told: tuple[str, str | None]) -> str:
    """The page that the button opens; a number stands for the id of its certification."""
    return f"{_SITE}{pages.path_of(told)}"


def index(folders: Mapping[str, Sequence[Sample]]) -> str:
    """An HTML page with links to all samples, by folder."""
    return messages.page("samples.html", folders=folders)
