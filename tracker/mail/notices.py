"""Writing notices about what happened to a holder's certifications.

Here is the wording; the phrases are in ``notices.toml`` of the catalogues, those shared with
reminders in ``phrases.toml``. Not here: whether a notice is still true and who receives it.

Invariant: an event is told as it was; the standing of a certification and the next step are those
on the day of sending, given once after all notices about it, so that no two sentences of a message
contradict each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby

from tracker.domain import values
from tracker.language import consents
from tracker.language.voice import Quantity, figure, in_words, money
from tracker.mail import today as todays
from tracker.mail.messages import (
    ComposedEmail,
    MessageLayout,
    MessageSection,
    Phrases,
    Sentence,
    button,
    composed_email,
    counted,
    greeting,
    phrases,
    printable,
    sentence,
    signed,
)
from tracker.mail.today import Today

_LONGEST_QUOTE = 1000


@dataclass(frozen=True, slots=True)
class NoticeToCompose:
    """One thing that happened; which facts it has depends on what it ``tells`` (see ``TELLS``).

    ``about`` is the activity's title, the module's name, the employer's name or the name on record;
    ``reason`` is the decision maker's words. ``on`` is the day when it takes effect; ``before`` is
    the day that it replaces, or the day of the request that was decided. ``points_approved`` is
    what an approved activity brings, of ``points_claimed`` if that is more; ``points_total`` and
    ``points_required`` are the certification's own. ``against`` is what was appealed or lifted:
    ``suspend``, ``revoke``, ``surrender``, ``renewal``. ``appeal_by`` is the last day to appeal,
    ``appeal_fee`` the fee, ``refunded`` whether a successful appeal returns it; ``refund`` is the
    amount returned, ``amount`` that of a fee. ``again``: the award is not the holder's first.
    ``changed``: the holder was told otherwise before. ``closed``: the activity is of a cycle
    already renewed. ``until_on`` is the last day of a consent, ``with_points`` whether it covers
    points; ``was`` is an employer's former name, or the name of a course's provider. ``asks`` are
    the sets of facts that an employer asks for, with a space between them, and ``purpose`` is why;
    ``shares``: the holder shares something with it already. ``now`` is the standing on the day of
    sending, ``full_name`` the scheme's name with its abbreviation; messages stored by older
    versions lack both.
    """

    tells: str
    scheme_name: str = ""
    number: str = ""
    about: str = ""
    on: date | None = None
    reason: str = ""
    points_claimed: Decimal | None = None
    points_approved: Decimal | None = None
    points_total: Decimal | None = None
    points_required: Decimal | None = None
    expires_on: date | None = None
    window_opens_on: date | None = None
    appeal_by: date | None = None
    before: date | None = None
    against: str = ""
    appeal_fee: Decimal | None = None
    refunded: bool = False
    refund: Decimal | None = None
    amount: Decimal | None = None
    again: bool = False
    changed: bool = False
    closed: bool = False
    until_on: date | None = None
    with_points: bool = False
    was: str = ""
    asks: str = "standing dates"
    purpose: str = "employment"
    shares: bool = False
    now: Today | None = None
    full_name: str = ""

    @property
    def is_ahead(self) -> bool:
        """Whether it takes effect after the day of sending."""
        return self.now is not None and self.on is not None and self.on > self.now.on


@dataclass(frozen=True, slots=True)
class NoticeMessage:
    """The facts of one message of notices: the holder's name, the language, the notices.

    ``link`` is the page that the button opens; without one there is no button. A message
    without an ``unsubscribe_link`` is always sent, and says so; another one is of a ``type`` that
    can be switched off. ``issuer`` is the sender's name;
    it is empty in messages stored by older versions.
    """

    name: str
    language: str
    news: tuple[NoticeToCompose, ...]
    link: str = ""
    unsubscribe_link: str | None = None
    type: str = "decisions"
    calendar: str = ""
    issuer: str = ""


_ASKED = ("correction", "exemption", "extension")
TELLS = (
    "revoked",
    "suspended",
    "award_withdrawn",
    "renewal_denied",
    "appeal_dismissed",
    "renewal_reopened",
    "appeal_upheld",
    "reinstated",
    "award_restored",
    "extension_ended",
    "renewal_approved",
    "award",
    "award_corrected",
    "module_withdrawn",
    "module_restored",
    "module_corrected",
    "module_passed",
    "extended",
    "requirement_raised",
    "requirement_reduced",
    "audit_rejected",
    "audit_reduced",
    "audit_reminded",
    "audit_asked",
    "more_information",
    "rejected",
    "activity_reopened",
    "partly",
    "approved",
    "audit_confirmed",
    "audit_called_off",
    "audit_appealed",
    "appeal_received",
    "renewal_received",
    "activity_submitted",
    "consent_asked",
    "listed",
    "employer_renamed",
    "employment_ended",
    "employer_nudge",
    "permission_given",
    "request_refused",
    "request_granted",
    *(f"request_{state}_{kind}" for state in ("refused", "granted") for kind in _ASKED),
    "records_merged",
    "records_parted",
    "fee_due",
    "fee_refund_due",
    "fee_refunded",
    "fee_waived",
    "fee_paid",
    "credential_expires",
    "attendance_removed",
    "attendance_changed",
    "attendance_draft",
)
"""The kinds of events that a notice can tell, the most serious first."""
_OF_ACTIVITIES = frozenset(
    {
        "approved",
        "partly",
        "rejected",
        "more_information",
        "activity_reopened",
        "activity_submitted",
        "audit_asked",
        "audit_reminded",
        "audit_confirmed",
        "audit_reduced",
        "audit_rejected",
        "audit_called_off",
        "audit_appealed",
    }
)
_OF_MODULES = frozenset(
    {"module_withdrawn", "module_restored", "module_corrected", "module_passed"}
)
_OF_ORGANIZATIONS = frozenset(
    {
        "consent_asked",
        "listed",
        "employer_renamed",
        "employment_ended",
        "employer_nudge",
        "permission_given",
        "attendance_draft",
        "attendance_changed",
        "attendance_removed",
    }
)
_OF_RECORDS = frozenset(
    {
        "request_granted",
        "request_refused",
        *(f"request_{state}_{kind}" for state in ("granted", "refused") for kind in _ASKED),
        "records_merged",
        "records_parted",
        "credential_expires",
        "fee_due",
        "fee_paid",
        "fee_waived",
        "fee_refund_due",
        "fee_refunded",
    }
)
"""What employers and training providers have a part in, and so their words."""
_NEW_TERM = frozenset({"award", "renewal_approved"})


def compose_notice(facts: NoticeMessage) -> ComposedEmail:
    """Write one message of notices. Raises IndexError if there are none."""
    common = phrases(facts.language)
    say = {**common, **phrases(facts.language, "notices")}
    news = _in_order(facts.news)
    layout: MessageLayout = {
        "language": facts.language,
        "subject": _subject(say, news, facts.language),
        "greeting": greeting(common, facts.name),
        "sections": list(_sections(say, news, facts.language)),
        "enclosed": common["enclosed"] if facts.calendar else "",
        "button": button(common, facts.link),
        "link": facts.link,
        "signed": signed(common, facts.issuer),
        "reason": say[_reason(facts)],
        "unsubscribe_link": facts.unsubscribe_link,
        "unsubscribe": say[_unsubscribe(facts)],
        "reversible": common["reversible"],
    }
    return composed_email(layout, calendar=facts.calendar)


def _reason(facts: NoticeMessage) -> str:
    """The key of the sentence that says why the holder receives the message."""
    if not facts.unsubscribe_link:
        return "reason_always"
    return "reason_reminders" if facts.type == "reminders" else "reason_type"


def _unsubscribe(facts: NoticeMessage) -> str:
    return "unsubscribe" if facts.type == "reminders" else "unsubscribe_decisions"


def _in_order(news: Sequence[NoticeToCompose]) -> list[NoticeToCompose]:
    """The most serious first, together with the others about the same certification."""
    grave = sorted(news, key=lambda notice: TELLS.index(notice.tells))
    numbers = [notice.number for notice in grave]
    return sorted(grave, key=lambda notice: numbers.index(notice.number))


def _subject(say: Phrases, news: Sequence[NoticeToCompose], language: str) -> str:
    first, others = news[0], len(news) - 1
    subject = sentence(say, f"{_lead(first)}_subject", _words(first, language))
    return subject + (counted(say, "subject_more", others) if others else "")


# What happened.
def _lead(notice: NoticeToCompose) -> str:
    """The key of the sentence that says what happened; the subject's key is built from it."""
    valid = notice.now is None or notice.now.valid
    if notice.changed:
        return f"{notice.tells}_changed"
    if notice.tells in _CHANGES:
        if notice.is_ahead:
            return f"{notice.tells}_ahead"
        return (
            f"lifted_{notice.against}"
            if notice.tells == "reinstated" and not valid
            else notice.tells
        )
    if notice.tells == "consent_asked":
        return "consent_asked_more" if notice.shares else "consent_asked"
    if notice.tells == "award":
        return "award_recorded" if not valid else "award_again" if notice.again else "award"
    return f"{notice.tells}_{notice.against}" if notice.tells in _APPEALS else notice.tells


_CHANGES, _APPEALS = ("suspended", "revoked", "reinstated"), ("appeal_upheld", "appeal_dismissed")
_APPEALED = ("appeal", "appeal_zone", "appeal_fee", "appeal_fee_refunded")
_SENTENCES: Mapping[str, tuple[str, ...]] = {
    "approved": ("brings", "brings_part"),
    "partly": ("claimed_approved", "reason"),
    "rejected": ("reason", "rejected_next", "activity_over"),
    "more_information": ("missing", "more_information_next", "activity_over"),
    "activity_reopened": ("activity_reopened_next",),
    "activity_submitted": ("received_next",),
    "audit_asked": ("audit_next", "audit_unanswered"),
    "audit_reminded": ("audit_next", "audit_unanswered"),
    "audit_reduced": ("audit_points", "reason", "audit_appeal"),
    "audit_rejected": ("reason", "audit_appeal"),
    "audit_called_off": ("audit_called_off_next",),
    "audit_appealed": ("appeal_received_next",),
    "renewal_received": ("received_next",),
    "appeal_received": ("appeal_received_next",),
    "renewal_denied": ("reason", *_APPEALED),
    "suspended": ("reason", "suspended_seen", *_APPEALED),
    "revoked": ("reason", "revoked_seen", *_APPEALED),
    "reinstated": ("reason", "reinstated_seen"),
    "appeal_upheld": ("reason", "refund"),
    "appeal_dismissed": ("reason",),
    "extended": ("reason",),
    "extension_ended": ("reason",),
    "requirement_raised": ("reason",),
    "requirement_reduced": ("reason",),
    "award_corrected": ("same_number",),
    "award_restored": ("same_number",),
    "award_withdrawn": ("withdrawn_seen", "questions"),
    "module_passed": ("module_keeps",),
    "module_corrected": ("same_number",),
    "module_restored": ("same_number",),
    "module_withdrawn": ("module_withdrawn_seen", "questions"),
    "consent_asked": (
        "consent_nothing",
        "consent_before",
        "consent_fields",
        "consent_purpose",
        "consent_next",
    ),
    "listed": ("listed_points", "listed_no_points", "listed_until", "listed_next"),
    "employer_renamed": ("employer_renamed_next",),
    "employment_ended": ("employment_ended_now", "employment_ended_ahead", "questions"),
    "employer_nudge": ("employer_nudge_next", "employer_nudge_sees"),
    "permission_given": ("permission_words", "permission_next"),
    "request_granted": ("name_now",),
    "request_refused": ("reason",),
    **{
        f"request_{state}_{kind}": ("reason",)
        for state in ("granted", "refused")
        for kind in _ASKED
    },
    "records_merged": ("records_merged_next", "questions"),
    "records_parted": ("records_parted_next", "questions"),
    "fee_due": ("fee_amount", "fee_due_next"),
    "fee_paid": ("fee_amount",),
    "fee_waived": ("fee_amount", "reason"),
    "fee_refund_due": ("fee_amount", "fee_refund_due_next"),
    "fee_refunded": ("fee_amount",),
    "credential_expires": ("credential_expires_next",),
    "attendance_draft": ("attendance_draft_next",),
    "attendance_changed": ("questions",),
    "attendance_removed": ("questions",),
}
"""The sentences about the event itself that may follow the first one."""


def _event_keys(notice: NoticeToCompose) -> list[str]:
    """The keys of the sentences that follow the first one and are true."""
    return [key for key in _SENTENCES.get(notice.tells, ()) if _is_said(key, notice)]


def _is_said(key: str, notice: NoticeToCompose) -> bool:
    condition = _CONDITIONS.get(key)
    return condition is None or condition(notice)


def _is_over(notice: NoticeToCompose) -> bool:
    """Whether it is too late to submit the activity again."""
    return notice.closed or (notice.now is not None and not notice.now.takes_activities)


def _can_appeal(notice: NoticeToCompose) -> bool:
    return notice.appeal_by is not None and (
        notice.now is None or notice.appeal_by >= notice.now.on
    )


_CONDITIONS: Mapping[str, Callable[[NoticeToCompose], bool]] = {
    "brings": lambda notice: notice.points_approved is not None and notice.points_claimed is None,
    "brings_part": lambda notice: None not in {notice.points_approved, notice.points_claimed},
    "claimed_approved": lambda notice: None not in {notice.points_approved, notice.points_claimed},
    "reason": lambda notice: bool(notice.reason),
    "missing": lambda notice: bool(notice.reason),
    "rejected_next": lambda notice: not _is_over(notice),
    "more_information_next": lambda notice: not _is_over(notice),
    "activity_over": _is_over,
    "suspended_seen": lambda notice: not notice.is_ahead,
    "revoked_seen": lambda notice: not notice.is_ahead,
    "reinstated_seen": lambda notice: (
        not notice.is_ahead and (notice.now is None or notice.now.valid)
    ),
    "appeal": _can_appeal,
    "appeal_zone": lambda notice: (
        _can_appeal(notice) and notice.now is not None and bool(notice.now.zone)
    ),
    "appeal_fee": lambda notice: (
        _can_appeal(notice) and bool(notice.appeal_fee) and not notice.refunded
    ),
    "appeal_fee_refunded": lambda notice: (
        _can_appeal(notice) and bool(notice.appeal_fee) and notice.refunded
    ),
    "audit_unanswered": lambda notice: notice.against == "reject",
    "audit_points": lambda notice: notice.points_approved is not None,
    "audit_appeal": _can_appeal,
    "fee_amount": lambda notice: notice.amount is not None,
    "refund": lambda notice: bool(notice.refund),
    "consent_nothing": lambda notice: not notice.shares,
    "consent_before": lambda notice: notice.shares,
    "listed_points": lambda notice: notice.with_points,
    "listed_no_points": lambda notice: not notice.with_points,
    "listed_until": lambda notice: notice.until_on is not None,
    "employment_ended_now": lambda notice: not notice.is_ahead,
    "employment_ended_ahead": lambda notice: notice.is_ahead,
    "name_now": lambda notice: bool(notice.about),
}
"""The condition of each sentence that is not always said."""


# The standing.
def _closing_keys(group: Sequence[NoticeToCompose]) -> Iterator[str]:
    """The keys of the closing sentences: the certification's standing and the next step."""
    kinds, now = {notice.tells for notice in group}, group[-1].now
    if now is None or "award_withdrawn" in kinds or kinds & _OF_MODULES:
        return
    if any(notice.is_ahead and notice.tells in {"suspended", "revoked"} for notice in group):
        yield from ["now_until_then"] * now.valid
        return
    activities_only = kinds <= _OF_ACTIVITIES
    held_by_this = any(notice.tells == now.status and not notice.is_ahead for notice in group)
    if held_by_this:
        yield from ["now_last_day"] * now.is_over
    elif not activities_only or not now.valid or now.is_over:
        yield from todays.standing_keys(now)
    if now.is_held:
        yield from [] if any(_can_appeal(notice) for notice in group) else ["step_contact_issuer"]
    elif kinds & _NEW_TERM and now.step.action in {"none", "log_activities"}:
        yield from _new_term_keys(group, now)
    elif not activities_only or not _is_early(now):
        asks = any(notice.tells == "more_information" and not notice.closed for notice in group)
        known = {"step_answer"} if asks else set()  # the notice itself asks for it
        yield from (key for key in _step_keys(kinds, now) if key not in known)


def _is_early(now: Today) -> bool:
    """Whether points are missing but the window is not open yet; the total is enough then."""
    early = now.opens_on is not None and now.on < now.opens_on
    return early and now.step.action == "log_activities"


def _new_term_keys(group: Sequence[NoticeToCompose], now: Today) -> Iterator[str]:
    """What lies ahead in a cycle that has just begun."""
    if now.expires_on is None or now.is_over:
        return
    needs = "award" in {notice.tells for notice in group} and group[-1].points_required is not None
    if now.opens_on is not None and now.opens_on > now.on:
        yield from ["needs"] * needs
        yield "opens"
    elif now.step.action != "none":
        yield from todays.step_keys(now)


def _step_keys(kinds: set[str], now: Today) -> Iterator[str]:
    """The next step; after a denial it is to apply again."""
    denied = "renewal_denied" in kinds
    for key in todays.step_keys(now):
        again = denied and key in {"step_apply_now", "step_apply_if_approved"}
        yield "step_reapply" if again else key


# The message.
def _sections(
    say: Phrases, news: Sequence[NoticeToCompose], language: str
) -> Iterator[MessageSection]:
    """One section for each notice; a certification is named first and its standing given last."""
    for number, some in groupby(news, key=lambda notice: notice.number):
        group = list(some)
        alone = [[notice] for notice in group] if not number else [group]
        for together in alone:
            for place, notice in enumerate(together):
                last = place == len(together) - 1
                closing = group if number and last else []
                yield _section(say, notice, language, first=place == 0, closing=closing)


def _section(
    say: Phrases,
    notice: NoticeToCompose,
    language: str,
    *,
    first: bool,
    closing: Sequence[NoticeToCompose],
) -> MessageSection:
    words = _words(notice, language)
    sentences = [sentence(say, key, words) for key in _event_keys(notice)]
    return {
        "title": _title(notice) if first else None,
        "lead": sentence(say, _lead(notice), words),
        "number": say["number"].format_map(words) if notice.number and first else "",
        "percent": None,
        "share": "",
        "paragraphs": [*((line,) for line in sentences), *_closing(say, closing, words)],
    }


def _title(notice: NoticeToCompose) -> str | None:
    if notice.tells in _OF_RECORDS or notice.tells == "employer_nudge":  # the lead names both
        return None
    return _about(notice, notice.about) if notice.tells in _OF_ORGANIZATIONS else _full_name(notice)


def _closing(
    say: Phrases, group: Sequence[NoticeToCompose], words: dict[str, str | Quantity]
) -> Iterator[tuple[Sentence, ...]]:
    """The last paragraphs about a certification: its points, its standing, the next step.

    ``words`` are those of the last notice of the group.
    """
    if not group:
        return
    if {"total", "required"} <= words.keys() and any(o.tells in _OF_ACTIVITIES for o in group):
        yield (sentence(say, "total", words),)
    if closing := tuple(sentence(say, key, words) for key in _closing_keys(group)):
        yield closing


def _words(notice: NoticeToCompose, language: str) -> dict[str, str | Quantity]:
    """The facts as the sentences show them."""
    days = {
        "on": notice.on,
        "expires": notice.expires_on,
        "opens": notice.window_opens_on,
        "appeal_by": notice.appeal_by,
        "before": notice.before,
        "until": notice.until_on,
    }
    points = {
        "claimed": notice.points_claimed,
        "approved": notice.points_approved,
        "total": notice.points_total,
        "required": notice.points_required,
    }
    currency = notice.now.currency if notice.now else ""
    sums = {"appeal_fee": notice.appeal_fee, "refund": notice.refund, "amount": notice.amount}
    return {
        **{name: in_words(day, language) for name, day in days.items() if day},
        "credit": todays.credit_of(notice.now, language),
        **(todays.words(notice.now, language) if notice.now else {}),
        "scheme": printable(notice.scheme_name),
        "full_name": _full_name(notice),
        "number": printable(notice.number),
        "about": _about(notice, notice.about),
        "was": _about(notice, notice.was),
        "reason": _quoted(_about(notice, notice.reason)),
        **consents.words(notice.asks.split(), notice.purpose, language),
        **{name: figure(number) for name, number in points.items() if number is not None},
        **{name: money(sum_, currency) for name, sum_ in sums.items() if sum_ is not None},
    }


def _full_name(notice: NoticeToCompose) -> str:
    return printable(notice.full_name or notice.scheme_name)


def _about(notice: NoticeToCompose, text: str) -> str:
    """What the notice is about; an organization's words cannot look like a sender or a link."""
    line = printable(text)
    return values.harmless(line) if notice.tells in _OF_ORGANIZATIONS else line


def _quoted(line: str) -> str:
    """A reason, shortened to ``_LONGEST_QUOTE`` characters."""
    return line if len(line) <= _LONGEST_QUOTE else line[: _LONGEST_QUOTE - 1] + "…"
