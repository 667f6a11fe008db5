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
from typing import Any

from tracker.domain import values
from tracker.language.voice import figure, in_words, money
from tracker.mail import today as todays
from tracker.mail.messages import (
    ComposedEmail,
    Phrases,
    Sentence,
    counted,
    greeting,
    laid_out,
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

    ``about`` is the activity's title, the employer's name or the name on record; ``reason`` is the
    decision maker's words. ``on`` is the day when it takes effect; ``before`` is the day that it
    replaces, or the day of the request that was decided. ``points_approved`` is what an approved
    activity brings, of ``points_claimed`` if that is more; ``points_total`` and ``points_required``
    are the certification's own. ``against`` is what was appealed or lifted: ``suspend``,
    ``revoke``, ``surrender``, ``renewal``. ``appeal_by`` is the last day to appeal, ``appeal_fee``
    the fee, ``refunded`` whether a successful appeal returns it; ``refund`` is the amount returned.
    ``again``: the award is not the holder's first. ``changed``: the holder was told otherwise
    before. ``closed``: the activity is of a cycle already renewed. ``until_on`` is the last day of
    a consent, ``with_points`` whether it covers points; ``was`` is an employer's former name.
    ``now`` is the standing on the day of sending, ``full_name`` the scheme's name with its
    abbreviation; messages stored by older versions lack both.
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
    again: bool = False
    changed: bool = False
    closed: bool = False
    until_on: date | None = None
    with_points: bool = False
    was: str = ""
    now: Today | None = None
    full_name: str = ""

    @property
    def is_ahead(self) -> bool:
        """Whether it takes effect after the day of sending."""
        return self.now is not None and self.on is not None and self.on > self.now.on


@dataclass(frozen=True, slots=True)
class NoticeLetter:
    """The facts of one message of notices: the holder's name, the language, the notices.

    ``link`` is the public page of the certification; empty if there is none to show. A message
    without an ``unsubscribe_link`` is always sent, and says so. ``issuer`` is the sender's name;
    it is empty in messages stored by older versions.
    """

    name: str
    language: str
    news: tuple[NoticeToCompose, ...]
    link: str = ""
    unsubscribe_link: str | None = None
    calendar: str = ""
    issuer: str = ""


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
    "extended",
    "requirement_raised",
    "requirement_reduced",
    "more_information",
    "rejected",
    "activity_reopened",
    "partly",
    "approved",
    "consent_asked",
    "listed",
    "employer_renamed",
    "employment_ended",
    "request_refused",
    "request_granted",
)
"""The kinds of events that a notice can tell, the most serious first."""
_OF_ACTIVITIES = frozenset(
    {"approved", "partly", "rejected", "more_information", "activity_reopened"}
)
_OF_EMPLOYERS = frozenset({"consent_asked", "listed", "employer_renamed", "employment_ended"})
_NEW_TERM = frozenset({"award", "renewal_approved"})


def compose_notice(facts: NoticeLetter) -> ComposedEmail:
    """Write one message of notices. Raises IndexError if there are none."""
    common = phrases(facts.language)
    say = {**common, **phrases(facts.language, "notices")}
    news = _in_order(facts.news)
    context = {
        "language": facts.language,
        "subject": _subject(say, news, facts.language),
        "greeting": greeting(common, facts.name),
        "sections": list(_sections(say, news, facts.language)),
        "enclosed": common["enclosed"] if facts.calendar else "",
        "button": common["button"],
        "link": facts.link,
        "signed": signed(common, facts.issuer),
        "reason": say["reason_type" if facts.unsubscribe_link else "reason_always"],
        "unsubscribe_link": facts.unsubscribe_link,
        "unsubscribe": say["unsubscribe_decisions"],
        "reversible": common["reversible"],
    }
    return laid_out(context, calendar=facts.calendar)


def _in_order(news: Sequence[NoticeToCompose]) -> list[NoticeToCompose]:
    """The most serious first, together with the others about the same certification."""
    grave = sorted(news, key=lambda one: TELLS.index(one.tells))
    numbers = [one.number for one in grave]
    return sorted(grave, key=lambda one: numbers.index(one.number))


def _subject(say: Phrases, news: Sequence[NoticeToCompose], language: str) -> str:
    first, others = news[0], len(news) - 1
    subject = sentence(say, f"{_lead(first)}_subject", _words(first, language))
    return subject + (counted(say, "subject_more", others) if others else "")


# What happened.
def _lead(one: NoticeToCompose) -> str:
    """The key of the sentence that says what happened; the subject's key is built from it."""
    valid = one.now is None or one.now.valid
    if one.changed:
        return f"{one.tells}_changed"
    if one.tells in _CHANGES:
        if one.is_ahead:
            return f"{one.tells}_ahead"
        return f"lifted_{one.against}" if one.tells == "reinstated" and not valid else one.tells
    if one.tells == "award":
        return "award_recorded" if not valid else "award_again" if one.again else "award"
    return f"{one.tells}_{one.against}" if one.tells in _APPEALS else one.tells


_CHANGES, _APPEALS = ("suspended", "revoked", "reinstated"), ("appeal_upheld", "appeal_dismissed")
_APPEALED = ("appeal", "appeal_zone", "appeal_fee", "appeal_fee_refunded")
_SENTENCES: Mapping[str, tuple[str, ...]] = {
    "approved": ("brings", "brings_part"),
    "partly": ("claimed_approved", "reason"),
    "rejected": ("reason", "rejected_next", "activity_over"),
    "more_information": ("missing", "more_information_next", "activity_over"),
    "activity_reopened": ("activity_reopened_next",),
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
    "consent_asked": ("consent_nothing", "consent_fields", "consent_next"),
    "listed": ("listed_points", "listed_no_points", "listed_until", "listed_next"),
    "employer_renamed": ("employer_renamed_next",),
    "employment_ended": ("employment_ended_now", "employment_ended_ahead", "questions"),
    "request_granted": ("name_now",),
    "request_refused": ("reason",),
}
"""The sentences about the event itself that may follow the first one."""


def _event_keys(one: NoticeToCompose) -> list[str]:
    """The keys of the sentences that follow the first one and are true."""
    return [key for key in _SENTENCES.get(one.tells, ()) if _is_said(key, one)]


def _is_said(key: str, one: NoticeToCompose) -> bool:
    condition = _CONDITIONS.get(key)
    return condition is None or condition(one)


def _is_over(one: NoticeToCompose) -> bool:
    """Whether it is too late to submit the activity again."""
    return one.closed or (one.now is not None and not one.now.takes_activities)


def _can_appeal(one: NoticeToCompose) -> bool:
    return one.appeal_by is not None and (one.now is None or one.appeal_by >= one.now.on)


_CONDITIONS: Mapping[str, Callable[[NoticeToCompose], bool]] = {
    "brings": lambda one: one.points_approved is not None and one.points_claimed is None,
    "brings_part": lambda one: None not in {one.points_approved, one.points_claimed},
    "claimed_approved": lambda one: None not in {one.points_approved, one.points_claimed},
    "reason": lambda one: bool(one.reason),
    "missing": lambda one: bool(one.reason),
    "rejected_next": lambda one: not _is_over(one),
    "more_information_next": lambda one: not _is_over(one),
    "activity_over": _is_over,
    "suspended_seen": lambda one: not one.is_ahead,
    "revoked_seen": lambda one: not one.is_ahead,
    "reinstated_seen": lambda one: not one.is_ahead and (one.now is None or one.now.valid),
    "appeal": _can_appeal,
    "appeal_zone": lambda one: _can_appeal(one) and one.now is not None and bool(one.now.zone),
    "appeal_fee": lambda one: _can_appeal(one) and bool(one.appeal_fee) and not one.refunded,
    "appeal_fee_refunded": lambda one: _can_appeal(one) and bool(one.appeal_fee) and one.refunded,
    "refund": lambda one: bool(one.refund),
    "listed_points": lambda one: one.with_points,
    "listed_no_points": lambda one: not one.with_points,
    "listed_until": lambda one: one.until_on is not None,
    "employment_ended_now": lambda one: not one.is_ahead,
    "employment_ended_ahead": lambda one: one.is_ahead,
    "name_now": lambda one: bool(one.about),
}
"""The condition of each sentence that is not always said."""


# The standing.
def _closing_keys(group: Sequence[NoticeToCompose]) -> Iterator[str]:
    """The keys of the closing sentences: the certification's standing and the next step."""
    told, now = {one.tells for one in group}, group[-1].now
    if now is None or "award_withdrawn" in told:
        return
    if any(one.is_ahead and one.tells in {"suspended", "revoked"} for one in group):
        yield from ["now_until_then"] * now.valid
        return
    activities_only = told <= _OF_ACTIVITIES
    held_by_this = any(one.tells == now.status and not one.is_ahead for one in group)
    if held_by_this:
        yield from ["now_last_day"] * now.is_over
    elif not activities_only or not now.valid or now.is_over:
        yield from todays.standing_keys(now)
    if now.is_held:
        yield from [] if any(_can_appeal(one) for one in group) else ["step_contact_issuer"]
    elif told & _NEW_TERM and now.step.action in {"none", "log_activities"}:
        yield from _new_term_keys(group, now)
    elif not activities_only or not _is_early(now):
        asks = any(one.tells == "more_information" and not one.closed for one in group)
        said = {"step_answer"} if asks else set()  # the notice itself asks for it
        yield from (key for key in _step_keys(told, now) if key not in said)


def _is_early(now: Today) -> bool:
    """Whether points are missing but the window is not open yet; the total is enough then."""
    early = now.opens_on is not None and now.on < now.opens_on
    return early and now.step.action == "log_activities"


def _new_term_keys(group: Sequence[NoticeToCompose], now: Today) -> Iterator[str]:
    """What lies ahead in a cycle that has just begun."""
    if now.expires_on is None or now.is_over:
        return
    needs = "award" in {one.tells for one in group} and group[-1].points_required is not None
    if now.opens_on is not None and now.opens_on > now.on:
        yield from ["needs"] * needs
        yield "opens"
    elif now.step.action != "none":
        yield from todays.step_keys(now)


def _step_keys(told: set[str], now: Today) -> Iterator[str]:
    """The next step; after a denial it is to apply again."""
    denied = "renewal_denied" in told
    for key in todays.step_keys(now):
        again = denied and key in {"step_apply_now", "step_apply_if_approved"}
        yield "step_reapply" if again else key


# The message.
def _sections(
    say: Phrases, news: Sequence[NoticeToCompose], language: str
) -> Iterator[dict[str, object]]:
    """One section for each notice; a certification is named first and its standing given last."""
    for number, some in groupby(news, key=lambda one: one.number):
        group = list(some)
        alone = [[one] for one in group] if not number else [group]
        for together in alone:
            for place, one in enumerate(together):
                last = place == len(together) - 1
                closing = group if number and last else []
                yield _section(say, one, language, first=place == 0, closing=closing)


def _section(
    say: Phrases,
    one: NoticeToCompose,
    language: str,
    *,
    first: bool,
    closing: Sequence[NoticeToCompose],
) -> dict[str, object]:
    words = _words(one, language)
    said = [sentence(say, key, words) for key in _event_keys(one)]
    return {
        "title": _title(one, words) if first else None,
        "lead": sentence(say, _lead(one), words),
        "number": say["number"].format_map(words) if one.number and first else "",
        "percent": None,
        "share": "",
        "paragraphs": [*((line,) for line in said), *_closing(say, closing, language)],
    }


def _title(one: NoticeToCompose, words: Mapping[str, str]) -> str | None:
    if one.tells in {"request_granted", "request_refused"}:
        return None
    return words["about" if one.tells in _OF_EMPLOYERS else "full_name"]


def _closing(
    say: Phrases, group: Sequence[NoticeToCompose], language: str
) -> Iterator[tuple[Sentence, ...]]:
    """The last paragraphs about a certification: its points, its standing, the next step."""
    if not group:
        return
    words = _words(group[-1], language)
    if {"total", "required"} <= words.keys() and any(o.tells in _OF_ACTIVITIES for o in group):
        yield (sentence(say, "total", words),)
    if closing := tuple(sentence(say, key, words) for key in _closing_keys(group)):
        yield closing


def _words(one: NoticeToCompose, language: str) -> dict[str, Any]:
    """The facts as the sentences show them."""
    days = {
        "on": one.on,
        "expires": one.expires_on,
        "opens": one.window_opens_on,
        "appeal_by": one.appeal_by,
        "before": one.before,
        "until": one.until_on,
    }
    points = {
        "claimed": one.points_claimed,
        "approved": one.points_approved,
        "total": one.points_total,
        "required": one.points_required,
    }
    currency = one.now.currency if one.now else ""
    sums = {"appeal_fee": one.appeal_fee, "refund": one.refund}
    return {
        **{name: in_words(day, language) for name, day in days.items() if day},
        "credit": todays.credit_of(one.now, language),
        **(todays.words(one.now, language) if one.now else {}),
        "scheme": printable(one.scheme_name),
        "full_name": printable(one.full_name or one.scheme_name),
        "number": printable(one.number),
        "about": _about(one, one.about),
        "was": _about(one, one.was),
        "reason": _quoted(one.reason),
        **{name: figure(number) for name, number in points.items() if number is not None},
        **{name: money(sum_, currency) for name, sum_ in sums.items() if sum_ is not None},
    }


def _about(one: NoticeToCompose, text: str) -> str:
    """What the notice is about; a company's name cannot look like a sender or a link."""
    line = printable(text)
    return values.harmless(line) if one.tells in _OF_EMPLOYERS else line


def _quoted(reason: str) -> str:
    """A reason on one line, shortened to ``_LONGEST_QUOTE`` characters."""
    line = printable(reason)
    return line if len(line) <= _LONGEST_QUOTE else line[: _LONGEST_QUOTE - 1] + "…"
