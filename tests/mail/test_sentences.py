"""Every sentence that a message can say, read against the standing on the day it leaves.

A phrase without a rule here fails, and so does one that no message ever says.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mail import standings
from tests.mail.standings import Case
from tracker.language.voice import in_words
from tracker.mail.messages import ComposedEmail, ReminderMessage, compose_reminder, phrases
from tracker.mail.notices import TELLS, NoticeMessage, NoticeToCompose, compose_notice
from tracker.mail.today import Today

Rule = Callable[[Any, Any], bool]


def always(notice: Any, now: Any) -> bool:
    """What happened: as true after any standing."""
    del notice, now
    return True


def can_apply(notice: Any, now: Any) -> bool:
    del notice
    in_window = now.opens_on is not None and now.last_day is not None
    return in_window and now.opens_on <= now.on <= now.last_day and not now.is_held


def is_asked_to_renew(notice: Any, now: Any) -> bool:
    del notice
    in_time = now.last_day is not None and now.on <= now.last_day
    return in_time and not now.is_held


def is_early(notice: Any, now: Any) -> bool:
    return is_asked_to_renew(notice, now) and now.opens_on is not None and now.on < now.opens_on


def is_open_on(notice: Any, now: Any) -> bool:
    """In the window itself, with points missing."""
    in_time = now.step.on is not None and now.step.on <= now.expires_on
    return can_apply(notice, now) and now.step.missing > 0 and in_time


def starts_later(notice: Any, now: Any) -> bool:
    """Before the window, or between its end and the late steps."""
    return is_asked_to_renew(notice, now) and now.step.on > now.on


def can_appeal(notice: Any, now: Any) -> bool:
    kinds = {"suspended", "revoked", "renewal_denied"}
    return notice.tells in kinds and notice.appeal_by is not None and notice.appeal_by >= now.on


def is_past(notice: Any, now: Any) -> bool:
    del notice
    return now.expires_on is not None and now.expires_on < now.on


def is_status(status: str, *, valid: bool | None = None) -> Rule:
    def rule(notice: Any, now: Any) -> bool:
        over = is_past(notice, now) or status in {"suspended", "revoked", "surrendered"}
        return now.status == status and over and (valid is None or now.valid is valid)

    return rule


STANDING: dict[str, Rule] = {
    "valid_through": lambda _, now: (
        now.valid and now.expires_on is not None and now.expires_on >= now.on
    ),
    "no_expiry": lambda _, now: now.expires_on is None and now.valid,
    "now_expired": is_status("expired", valid=False),
    "now_pending_renewal": is_status("pending_renewal", valid=False),
    "now_pending_renewal_valid": is_status("pending_renewal", valid=True),
    "now_grace": is_status("grace", valid=False),
    "now_grace_valid": is_status("grace", valid=True),
    "now_suspended": is_status("suspended"),
    "now_revoked": is_status("revoked"),
    "now_surrendered": is_status("surrendered"),
}
"""Of these a letter says one at most about a certification."""
STEPS: dict[str, Rule] = {
    "step_log_early": lambda one, now: is_early(one, now) and now.step.missing > 0,
    "step_log": lambda one, now: (
        can_apply(one, now) and now.step.missing > 0 and now.step.on > now.expires_on
    ),
    "step_log_opens": lambda one, now: is_open_on(one, now) and now.opens_on == now.on,
    "step_log_open": lambda one, now: is_open_on(one, now) and now.opens_on < now.on < now.step.on,
    "step_log_last": lambda one, now: is_open_on(one, now) and now.step.on == now.on,
    "step_log_minima_early": is_early,
    "step_log_minima": can_apply,
    "step_log_applied": lambda one, now: (
        can_apply(one, now) and now.pending_since is not None and now.step.missing > 0
    ),
    "step_log_applied_minima": lambda one, now: (
        can_apply(one, now) and now.pending_since is not None
    ),
    "step_review_first": starts_later,
    "step_review": lambda one, now: can_apply(one, now) and now.step.waiting > 0,
    "step_apply_from": starts_later,
    "step_apply_now": lambda one, now: can_apply(one, now) and now.pending_since is None,
    "step_apply_if_approved": lambda one, now: (
        can_apply(one, now) and now.pending_since is None and now.step.waiting > 0
    ),
    "step_reapply": lambda one, now: can_apply(one, now) and now.pending_since is None,
    "step_wait_for_decision": lambda _, now: now.pending_since is not None and not now.is_held,
    "step_pass_again": lambda one, now: can_apply(one, now) and is_past(one, now),
    "step_start_again": lambda one, now: is_past(one, now) and now.status == "expired",
    "step_too_late": can_apply,
    "step_closed": lambda one, now: not is_past(one, now) and now.step.on < now.on,
    "step_contact_issuer": lambda _, now: now.is_held,
    "opens": lambda _, now: now.opens_on is not None and now.opens_on > now.on and now.valid,
}
"""Of these, too."""
RULES: dict[str, Rule] = {
    **STANDING,
    **STEPS,
    "step_answer": lambda one, now: (
        now.step.questions > 0
        and not now.is_held
        and (one.tells != "more_information" or one.closed)
    ),
    "step_apply_then": lambda _, now: (
        now.step.on > now.on and now.pending_since is None and not now.is_held
    ),
    "now_last_day": is_past,
    "now_until_then": lambda one, now: now.valid and one.on > now.on,
    "step_waiting": lambda _, now: now.step.waiting > 0,
    "step_earned_by": lambda _, now: now.step.earned_by < now.on,
    "step_last_day_ahead": lambda one, now: (
        can_apply(one, now) and now.step.on > now.on and not now.zone
    ),
    "step_last_day_today": lambda one, now: (
        can_apply(one, now) and now.step.on == now.on and not now.zone
    ),
    "step_last_day_ahead_zone": lambda one, now: (
        can_apply(one, now) and now.step.on > now.on and bool(now.zone)
    ),
    "step_last_day_today_zone": lambda one, now: (
        can_apply(one, now) and now.step.on == now.on and bool(now.zone)
    ),
    "step_zone": lambda _, now: bool(now.zone),
    "step_how": is_asked_to_renew,
    "fee": lambda one, now: is_asked_to_renew(one, now) and now.fee > 0 and not now.late_fee,
    "fee_late": lambda one, now: is_asked_to_renew(one, now) and is_past(one, now),
    "award": lambda _, now: now.valid,
    "award_again": lambda one, now: now.valid and one.again,
    "award_recorded": lambda _, now: not now.valid,
    "needs": lambda _, now: now.expires_on is not None and now.expires_on > now.on,
    "rejected_next": lambda one, now: now.takes_activities and not one.closed,
    "more_information_next": lambda one, now: now.takes_activities and not one.closed,
    "activity_over": lambda one, now: one.closed or not now.takes_activities,
    "suspended": lambda one, now: one.on <= now.on,
    "suspended_ahead": lambda one, now: one.on > now.on,
    "suspended_seen": lambda one, now: one.on <= now.on,
    "revoked": lambda one, now: one.on <= now.on,
    "revoked_ahead": lambda one, now: one.on > now.on,
    "revoked_seen": lambda one, now: one.on <= now.on,
    "reinstated": lambda one, now: now.valid and one.on <= now.on,
    "reinstated_ahead": lambda one, now: one.on > now.on,
    "reinstated_seen": lambda one, now: now.valid and one.on <= now.on,
    "lifted_suspend": lambda _, now: not now.valid,
    "lifted_revoke": lambda _, now: not now.valid,
    "lifted_surrender": lambda _, now: not now.valid,
    "appeal": can_appeal,
    "appeal_zone": lambda one, now: can_appeal(one, now) and bool(now.zone),
    "appeal_fee": lambda one, now: can_appeal(one, now) and not one.refunded,
    "appeal_fee_refunded": lambda one, now: can_appeal(one, now) and one.refunded,
    "audit_unanswered": lambda one, _: one.against == "reject",
    "audit_appeal": lambda one, now: one.appeal_by >= now.on,
    "refund": lambda one, _: one.tells == "appeal_upheld" and one.refund > 0,
    "listed_points": lambda one, _: one.with_points,
    "consent_asked": lambda one, _: not one.shares,
    "consent_nothing": lambda one, _: not one.shares,
    "consent_asked_more": lambda one, _: one.shares,
    "consent_before": lambda one, _: one.shares,
    "listed_no_points": lambda one, _: not one.with_points,
    "listed_until": lambda one, _: one.until_on is not None,
    "employment_ended_now": lambda one, now: one.on <= now.on,
    "employment_ended_ahead": lambda one, now: one.on > now.on,
    "name_now": lambda one, _: bool(one.about),
}
# What happened, whatever holds today, and what goes with it.
RULES |= dict.fromkeys(
    [
        "award_corrected",
        "award_restored",
        "award_withdrawn",
        "withdrawn_seen",
        "credential_expires",
        "credential_expires_next",
        "employer_nudge",
        "employer_nudge_next",
        "employer_nudge_sees",
        "module_passed",
        "module_keeps",
        "module_corrected",
        "module_restored",
        "module_withdrawn",
        "module_withdrawn_seen",
        "same_number",
        *(
            f"{verdict}{changed}"
            for changed in ("", "_changed")
            for verdict in (
                "approved",
                "partly",
                "rejected",
                "more_information",
                "renewal_approved",
                "renewal_denied",
            )
        ),
        "activity_reopened",
        "activity_reopened_next",
        "activity_submitted",
        *(
            f"audit_{what}"
            for what in (
                "asked",
                "reminded",
                "confirmed",
                "reduced",
                "rejected",
                "called_off",
                "called_off_next",
                "points",
                "appealed",
                "next",
            )
        ),
        "renewal_received",
        "received_next",
        "appeal_received",
        "appeal_received_next",
        "renewal_reopened",
        "extended",
        "extension_ended",
        "requirement_reduced",
        "requirement_raised",
        *(
            f"appeal_{outcome}_{what}"
            for outcome in ("upheld", "dismissed")
            for what in ("suspend", "revoke", "renewal")
        ),
        "consent_fields",
        "consent_purpose",
        "consent_next",
        "listed",
        "listed_next",
        "employer_renamed",
        "employer_renamed_next",
        "employment_ended",
        "permission_given",
        "permission_words",
        "permission_next",
        "attendance_draft",
        "attendance_draft_next",
        "attendance_changed",
        "attendance_removed",
        "fee_due",
        "fee_due_next",
        "fee_amount",
        "fee_paid",
        "fee_waived",
        "fee_refund_due",
        "fee_refund_due_next",
        "fee_refunded",
        "request_granted",
        "request_refused",
        *(
            f"request_{state}_{kind}"
            for state in ("granted", "refused")
            for kind in ("correction", "exemption", "extension")
        ),
        "records_merged",
        "records_merged_next",
        "records_parted",
        "records_parted_next",
        "brings",
        "brings_part",
        "claimed_approved",
        "total",
        "reason",
        "missing",
        "questions",
    ],
    always,
)
REMINDERS: dict[str, Rule] = {
    **dict.fromkeys(("points", "unverified"), always),
    "points_pending": lambda _, now: now.on <= now.last_day,
    "deadline_long": lambda _, now: now.expires_on > now.on,
    "deadline_ahead": lambda _, now: now.expires_on > now.on,
    "deadline_tomorrow": lambda _, now: now.expires_on == now.on + timedelta(days=1),
    "deadline_today": lambda _, now: now.expires_on == now.on,
    "deadline_yesterday": lambda _, now: now.expires_on == now.on - timedelta(days=1),
    "deadline_past": is_past,
    "after_ahead": lambda one, now: not is_past(one, now) and now.pending_since is None,
    "after_closed": lambda _, now: now.last_day < now.on <= now.expires_on,
    "after_closed_grace": lambda _, now: now.on <= now.expires_on < now.last_day,
    "after_today": lambda _, now: now.expires_on == now.on and now.pending_since is None,
    "after_pending": lambda one, now: not is_past(one, now) and now.pending_since is not None,
    "after_pending_past": is_status("pending_renewal"),
    "after_grace": lambda one, now: not is_past(one, now) and now.last_day > now.expires_on,
    "after_in_grace": is_status("grace"),
    "after_past": is_status("expired"),
}
FRAME = {
    "subject_ahead",
    "subject_today",
    "subject_past",
    "subject_complete",
    "subject_pending",
    "subject_more_one",
    "subject_more_other",
    "signed",
    "left_one",
    "left_other",
    "ago_one",
    "ago_other",
    "months",
    "years_one",
    "years_other",
    "greeting",
    "greeting_nameless",
    "number",
    "share",
    "enclosed",
    "button_certification",
    "button_account",
    "button_public",
    "unsubscribe",
    "reversible",
    "reason_type",
    "reason_always",
    "reason_reminders",
    "unsubscribe_decisions",
}
"""What frames a message and says nothing of a certification."""
UNREACHED: set[str] = {"step_log_minima_early", "step_log_minima", "step_log_applied_minima"}
"""What only policies with minima say; other tests compose them."""


def check(message: ComposedEmail, notice: NoticeToCompose, now: Today, name: str) -> None:
    """Read each sentence of a message against the standing."""
    for key in message.keys:
        rule = {**RULES, **REMINDERS}[key]
        assert rule(notice, now), f"{name}: {notice.tells} says {key}"
    for exclusive in (STANDING, STEPS):
        assert len(exclusive.keys() & set(message.keys)) <= 1, (name, message.keys)
    wanted = {
        "step_log",
        "step_log_opens",
        "step_log_open",
        "step_log_last",
        "step_apply_now",
        "step_apply_if_approved",
        "step_reapply",
        "step_pass_again",
        "step_apply_from",
        "step_log_early",
    } & set(message.keys)
    if wanted and now.fee is not None:
        assert {"fee", "fee_late"} & set(message.keys), f"{name}: {notice.tells} names no fee"
    if can_appeal(notice, now) and notice.appeal_fee:
        assert {"appeal_fee", "appeal_fee_refunded"} & set(message.keys), f"{name}: {notice.tells}"
    if not now.valid:
        assert "valid until" not in message.text


def news(tells: str, of: Case, **facts: object) -> NoticeToCompose:
    """News of a kind about a certification as it stands."""
    now = of.today
    given: dict[str, object] = {
        "scheme_name": "CPT",
        "number": "CPT-1",
        "about": "Robot Safety",
        "on": now.on,
        "reason": "A reason.",
        "points_claimed": Decimal(16),
        "points_approved": Decimal(10),
        "points_total": Decimal(45),
        "points_required": Decimal(100),
        "expires_on": now.expires_on,
        "window_opens_on": now.opens_on,
        "appeal_by": now.on + timedelta(days=30),
        "before": now.on - timedelta(days=5),
        "against": "suspend",
        "appeal_fee": Decimal(50),
        "amount": Decimal(75),
        "now": now,
    }
    if is_of_no_certification(tells):
        given["number"] = ""
    return NoticeToCompose(tells, **{**given, **facts})  # type: ignore[arg-type]


def is_of_no_certification(tells: str) -> bool:
    """Whether news of a kind names no certification, so that no sentence is about its standing."""
    return tells in {
        "consent_asked",
        "listed",
        "employer_renamed",
        "employment_ended",
        "employer_nudge",
        "permission_given",
        "credential_expires",
    } or tells.startswith(("request", "records", "attendance", "fee"))


def variants(tells: str, of: Case) -> Iterator[NoticeToCompose]:
    """The news whole, and in every other way that it can be."""
    now = of.today
    yield news(tells, of)
    yield news(tells, of, appeal_by=now.on)
    yield news(tells, of, appeal_by=now.on - timedelta(days=1))
    match tells:
        case "suspended" | "revoked" | "reinstated" | "employment_ended":
            yield news(tells, of, on=now.on + timedelta(days=9))
            yield from (news(tells, of, against=kind) for kind in ("revoke", "surrender"))
            yield news(tells, of, refunded=True)
        case "approved" | "partly" | "rejected" | "more_information":
            yield news(tells, of, changed=True, closed=True)
            yield news(tells, of, points_claimed=None)
        case "renewal_approved" | "renewal_denied":
            yield news(tells, of, changed=True, refunded=True)
        case "appeal_upheld" | "appeal_dismissed":
            yield from (news(tells, of, against=what) for what in ("revoke", "renewal"))
            if tells == "appeal_upheld":
                yield news(tells, of, refund=Decimal(50))
        case "audit_asked" | "audit_reminded":
            yield news(tells, of, against="reject")
        case "award":
            yield news(tells, of, again=True)
        case "consent_asked":
            yield news(tells, of, shares=True)
        case "listed":
            yield news(tells, of, with_points=True, until_on=now.on)


def composed(*some: NoticeToCompose, language: str = "en") -> ComposedEmail:
    return compose_notice(NoticeMessage("Ana", language, some, "https://t.example/verify/x"))


CASES = list(standings.every_case())


@pytest.mark.no_cover
@pytest.mark.parametrize("tells", TELLS)
def test_every_kind_of_news_says_nothing_untrue_in_any_standing(tells):
    for case in CASES[::10] if is_of_no_certification(tells) else CASES:
        for notice in variants(tells, case):
            message = composed(notice)
            check(message, notice, case.today, case.name)
        assert composed(notice, language="es").keys == message.keys


@pytest.mark.no_cover
def test_every_reminder_says_nothing_untrue_in_any_standing():
    for case in CASES:
        line = standings.line_of(case)
        if line is None:
            continue
        both = [
            compose_reminder(ReminderMessage("Ana", of, (line,), "https://t.example/v", "MSSC"))
            for of in ("en", "es")
        ]
        check(both[0], news("reminder", case), case.today, case.name)
        assert both[0].keys == both[1].keys


@pytest.mark.no_cover
def test_news_of_one_certification_together_says_how_it_stands_once():
    for case in CASES:
        closed = news("more_information", case, closed=True)
        some = (closed, news("renewal_approved", case), news("approved", case))
        message = composed(*some)
        keys = [key for key in message.keys if key in STANDING or key in STEPS]
        assert len(keys) == len(set(keys))
        assert message.text.index("Your renewal was approved") < message.text.index("More info")
        assert "more_information_next" not in message.keys
        for key in keys:
            assert RULES[key](some[1], case.today), (case.name, key)


@pytest.mark.no_cover
def test_every_phrase_has_a_rule_and_is_said_by_some_message():
    catalogue = {*phrases("en"), *phrases("en", "notices")}
    subjects = {key for key in catalogue if key.endswith("_subject")}
    assert catalogue - subjects - FRAME == RULES.keys() | REMINDERS.keys()
    unsaid = (RULES.keys() | REMINDERS.keys()) - UNREACHED
    for tells, case in nearly_all_first():
        unsaid -= said(tells, case)
        if not unsaid:
            return
    assert unsaid == set()


def nearly_all_first() -> Iterator[tuple[str, Case]]:
    """Every kind of message in every standing, with those first that say nearly all phrases.

    Those are all kinds in twenty standings that are far apart, and then, in every standing, a
    reminder and the news that tells most of how a certification stands.
    """
    apart = random.Random(1).sample(CASES, len(CASES))
    kinds = [*TELLS, "reminder"]
    yield from product(kinds, apart[:20])
    yield from product(("revoked", "reminder"), apart)
    yield from product(kinds, apart)


def said(tells: str, case: Case) -> set[str]:
    """The keys of all that messages of a kind say in a standing."""
    if tells != "reminder":
        return {key for notice in variants(tells, case) for key in composed(notice).keys}
    line = standings.line_of(case)
    if line is None:
        return set()
    return set(compose_reminder(ReminderMessage("Ana", "en", (line,), "", "MSSC")).keys)


def test_a_denial_after_the_expiry_offers_no_deadline_that_is_past():
    case = standings.case("past", standings.CPT, "enough", "", standings.EXPIRY + timedelta(9))
    text = composed(news("renewal_denied", case)).text
    assert "It expired on March 15, 2027." in text
    assert "It can no longer be renewed." in text
    assert f"You can appeal until {in_words(case.today.on + timedelta(30), 'en')}" in text
    assert "An appeal costs $50.00." in text
    assert "valid" not in text.partition("We always send")[0]
    assert "reapply" not in text


@given(
    label=st.sampled_from(sorted(standings.SCHEMES)),
    state=st.sampled_from(standings.STATES),
    hold=st.sampled_from(standings.HOLDS),
    tells=st.sampled_from(TELLS),
    awarded=st.dates(date(2019, 1, 1), date(2024, 2, 29)),
    data=st.data(),
)
def test_random_facts_make_no_untrue_sentence(*, label, state, hold, tells, awarded, data):
    scheme = standings.SCHEMES[label]
    on = awarded + timedelta(data.draw(st.integers(4, 2300)))
    case = standings.case(
        label, scheme, state if scheme.policies else "nothing", hold, on, awarded=awarded
    )
    shift, appeal = (timedelta(data.draw(st.integers(-40, 40))) for _ in range(2))
    notice = news(
        tells, case, on=on + shift, appeal_by=on + appeal, closed=data.draw(st.booleans())
    )
    check(composed(notice), notice, case.today, case.name)
    if line := standings.line_of(case):
        message = compose_reminder(ReminderMessage("Ana", "en", (line,), "", "MSSC"))
        check(message, news("reminder", case), case.today, case.name)
