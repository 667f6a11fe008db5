"""Extensions and reduced requirements: what the policy's rule lets, and what they bring about."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.domain.examples import CLA, CPT, policy, renewed, scheme_of
from tracker.domain.credentials import adjustments as rules
from tracker.domain.credentials.adjustments import ExtensionRequest, Noted, check_reason, given_back
from tracker.domain.credentials.certifications import (
    ChangeKind,
    ChangeOfStanding,
    CycleAdjustment,
    extended,
    extension_of,
    first_cycle,
    hold_on,
    moved_to,
    next_cycle,
    requirement_of,
    span_on,
    standing_on,
    timeline,
)
from tracker.domain.errors import (
    AlreadyRecorded,
    ExtensionTooLate,
    ExtensionTooLong,
    Invalid,
    NotExtendable,
    ReductionRefused,
    TooLittleEarned,
)
from tracker.domain.periods import Duration, Period
from tracker.domain.schemes.policies import ExtensionRule, Reduction

AWARDED, EXPIRES = date(2024, 3, 15), date(2029, 3, 15)
CYCLE = first_cycle(CPT, AWARDED)
YEAR, MONTH = Duration(1, "years"), Duration(30, "days")
RULE = ExtensionRule(
    at_most=YEAR,
    moves_cycle=True,
    request_by=MONTH,
    share_earned=Decimal("0.50"),
    reasons=("illness",),
    exempt=("military",),
)
HALF = Reduction(reasons=("unemployment",), share=Decimal("0.50"))


def asked(**values):
    given: dict[str, Any] = {
        "extended_to": date(2029, 9, 15),
        "requested_on": date(2029, 2, 13),
        "in_force": EXPIRES,
        "share_earned": Decimal("0.50"),
        "reason": "illness",
    }
    return ExtensionRequest(**given | values)


def facts(refusal):
    return refusal.value.facts["field"], refusal.value.facts["value"], refusal.value.facts["rule"]


def test_an_extension_within_the_rule_is_let():
    rules.check_extension(RULE, CYCLE, asked())
    rules.check_extension(RULE, CYCLE, asked(extended_to=date(2030, 3, 15)))


def test_a_policy_without_a_rule_extends_nothing():
    with pytest.raises(NotExtendable) as refusal:
        rules.check_extension(None, CYCLE, asked())
    assert facts(refusal) == (
        "extended_to",
        date(2029, 9, 15),
        "is not allowed by the policy",
    )
    assert refusal.value.detail == "Policy 2015 does not allow extensions."


def test_a_reason_that_is_not_listed_is_refused_with_those_that_are():
    with pytest.raises(NotExtendable) as refusal:
        rules.check_extension(RULE, CYCLE, asked(reason="holidays"))
    assert facts(refusal) == ("reason_code", "holidays", "must be one of: illness, military")
    assert refusal.value.detail == (
        "'holidays' is not a reason for an extension; the reasons are: illness, military."
    )


def test_a_rule_that_lists_no_reasons_takes_any():
    rules.check_extension(replace(RULE, reasons=()), CYCLE, asked(reason="holidays"))


def test_an_extension_reaches_no_further_than_the_rule_lets():
    with pytest.raises(ExtensionTooLong) as refusal:
        rules.check_extension(RULE, CYCLE, asked(extended_to=date(2030, 3, 16)))
    assert facts(refusal) == (
        "extended_to",
        date(2030, 3, 16),
        "must not be after 2030-03-15",
    )
    assert refusal.value.facts["latest_on"] == date(2030, 3, 15)
    assert refusal.value.detail == "The cycle may be extended to 2030-03-15, not to 2030-03-16."


def test_it_counts_from_the_cycles_own_expiry_however_often_it_was_extended():
    again = asked(in_force=date(2029, 9, 15), requested_on=date(2029, 8, 1))
    rules.check_extension(RULE, CYCLE, replace(again, extended_to=date(2030, 3, 15)))
    with pytest.raises(ExtensionTooLong):
        rules.check_extension(RULE, CYCLE, replace(again, extended_to=date(2030, 3, 16)))


def test_it_is_asked_for_in_time():
    with pytest.raises(ExtensionTooLate) as refusal:
        rules.check_extension(RULE, CYCLE, asked(requested_on=date(2029, 2, 14)))
    assert facts(refusal) == (
        "requested_on",
        date(2029, 2, 14),
        "must not be after 2029-02-13",
    )
    assert refusal.value.facts["due_on"] == date(2029, 2, 13)
    assert refusal.value.detail == (
        "Extensions had to be requested by 2029-02-13; this one was requested on 2029-02-14."
    )


def test_without_a_lead_it_is_asked_for_until_the_expiry_in_force():
    rule = replace(RULE, request_by=None)
    rules.check_extension(rule, CYCLE, asked(requested_on=EXPIRES))
    late = asked(requested_on=date(2029, 3, 16))
    with pytest.raises(ExtensionTooLate):
        rules.check_extension(rule, CYCLE, late)
    rules.check_extension(rule, CYCLE, replace(late, in_force=date(2029, 4, 15)))


def test_enough_must_be_earned():
    with pytest.raises(TooLittleEarned) as refusal:
        rules.check_extension(RULE, CYCLE, asked(share_earned=Decimal("0.49999")))
    assert facts(refusal) == ("share_earned", Decimal("0.49999"), "must be at least 0.50")
    assert refusal.value.detail == (
        "49.99 % of the requirement has been earned; an extension needs 50 %."
    )


def test_a_rule_that_asks_for_no_points_takes_none():
    rules.check_extension(replace(RULE, share_earned=None), CYCLE, asked(share_earned=Decimal(0)))


def test_military_service_is_held_to_the_length_only():
    late = asked(reason="military", requested_on=date(2029, 4, 1), share_earned=Decimal(0))
    rules.check_extension(RULE, CYCLE, late)
    with pytest.raises(ExtensionTooLong):
        rules.check_extension(RULE, CYCLE, replace(late, extended_to=date(2030, 3, 16)))


def test_an_extension_is_taken_back_whatever_the_rule_says():
    rules.check_extension(None, CYCLE, asked(extended_to=EXPIRES, in_force=date(2029, 9, 15)))


def test_what_never_expires_has_no_rule():
    rules.check_extension(None, first_cycle(CLA, AWARDED), asked())
    with pytest.raises(NotExtendable) as refusal:
        rules.check_adjustable(first_cycle(CLA, AWARDED), None)
    assert refusal.value.detail == (
        "A certification that never expires cannot be extended, and has no requirement to reduce."
    )


@pytest.mark.parametrize("hold", ["revoked", "surrendered"])
def test_what_was_ended_for_good_is_not_adjusted(hold):
    with pytest.raises(NotExtendable) as refusal:
        rules.check_adjustable(CYCLE, hold)
    assert refusal.value.detail == f"The certification is {hold}."
    assert refusal.value.facts == {"standing": hold}


@pytest.mark.parametrize("hold", [None, "suspended"])
def test_what_may_come_back_is(hold):
    assert rules.check_adjustable(CYCLE, hold) == EXPIRES


@pytest.mark.parametrize("day", [EXPIRES, date(2029, 3, 14)])
def test_an_extension_is_later_than_the_cycles_own_expiry(day):
    with pytest.raises(Invalid) as refusal:
        rules.check_later(day, expires_on=EXPIRES, in_force=EXPIRES)
    assert refusal.value.fields == {
        "extended_to": "must be after the expiration date without extension (2029-03-15)"
    }
    assert refusal.value.detail == "The new expiration date must be later than the present one."


def test_an_extension_changes_the_expiry_in_force():
    rules.check_later(date(2029, 3, 16), expires_on=EXPIRES, in_force=EXPIRES)
    moved = date(2029, 9, 15)
    rules.check_later(date(2029, 6, 1), expires_on=EXPIRES, in_force=moved)
    rules.check_later(EXPIRES, expires_on=EXPIRES, in_force=moved)  # takes it back
    with pytest.raises(AlreadyRecorded) as refusal:
        rules.check_later(moved, expires_on=EXPIRES, in_force=moved)
    assert refusal.value.detail == "The cycle is already extended to 2029-09-15."


HUNDRED = Decimal("100.00")


@pytest.mark.parametrize(
    ("points", "in_force", "refused"),
    [
        ("99.99", None, None),
        ("100.00", None, Invalid),
        ("100.01", "50.00", Invalid),
        ("100.00", "50.00", None),
        ("50.00", "50.00", AlreadyRecorded),
        ("60.00", "50.00", None),
        ("100.00", "100.00", AlreadyRecorded),
    ],
)
def test_a_reduction_is_lower_than_the_policys_requirement(points, in_force, refused):
    before = Decimal(in_force) if in_force else None
    if refused is None:
        rules.check_lower(Decimal(points), required=HUNDRED, in_force=before)
        return
    with pytest.raises(refused):
        rules.check_lower(Decimal(points), required=HUNDRED, in_force=before)


def test_a_requirement_that_is_not_lower_is_answered_with_the_policys():
    with pytest.raises(Invalid) as refusal:
        rules.check_lower(HUNDRED, required=HUNDRED, in_force=None)
    assert refusal.value.detail == "The new requirement must be lower than the present one."
    assert refusal.value.fields == {
        "points_required": "must be less than the 100.00 that the policy requires"
    }


def test_a_requirement_that_is_in_force_is_answered_as_such():
    with pytest.raises(AlreadyRecorded) as refusal:
        rules.check_lower(Decimal("50.00"), required=HUNDRED, in_force=Decimal("50.00"))
    assert refusal.value.detail == "The requirement is already 50.00."


def reduce(rule, points, reason="unemployment", required=HUNDRED):
    rules.check_reduction(rule, required=required, points_required=Decimal(points), reason=reason)


def test_a_reduction_takes_at_most_its_share():
    reduce(HALF, "50.00")
    with pytest.raises(ReductionRefused) as refusal:
        reduce(HALF, "49.99")
    assert facts(refusal) == ("points_required", Decimal("49.99"), "must be at least 50.00")
    assert refusal.value.facts["least"] == Decimal("50.00")
    assert refusal.value.detail == "The requirement may be reduced to 50.00, not to 49.99."


def test_what_is_taken_away_is_rounded_down():
    reduce(HALF, "12.52", required=Decimal("25.03"))
    with pytest.raises(ReductionRefused):
        reduce(HALF, "12.51", required=Decimal("25.03"))


def test_a_reduction_needs_a_rule_and_one_of_its_reasons():
    with pytest.raises(ReductionRefused) as refusal:
        reduce(None, "99.00")
    assert facts(refusal) == (
        "points_required",
        Decimal("99.00"),
        "is not allowed by the policy",
    )
    assert refusal.value.detail == "The policy does not allow a lower requirement."
    with pytest.raises(ReductionRefused) as refusal:
        reduce(replace(HALF, reasons=("unemployment", "illness")), "99.00", reason="military")
    assert facts(refusal) == ("reason_code", "military", "must be one of: unemployment, illness")
    assert refusal.value.detail == (
        "'military' is not a reason for a reduction; the reasons are: unemployment, illness."
    )


def test_a_reduction_is_taken_back_whatever_the_rule_says():
    reduce(None, "100.00")
    with pytest.raises(ReductionRefused):
        reduce(None, "99.99")


# What they bring about.
MOVED = CycleAdjustment(1, date(2029, 1, 10), extended_to=date(2029, 9, 15))
BACK = CycleAdjustment(1, date(2029, 2, 1), extended_to=EXPIRES)
LESS = CycleAdjustment(1, date(2029, 2, 1), points_required=Decimal("60.00"))


def test_an_extension_holds_from_its_effective_day_on():
    assert extension_of(CYCLE, [MOVED], date(2029, 1, 9)) is None
    assert extension_of(CYCLE, [MOVED], date(2029, 1, 10)) == date(2029, 9, 15)
    assert extended(CYCLE, [MOVED], date(2029, 1, 9)) == CYCLE
    assert extended(CYCLE, [MOVED], EXPIRES).expires_on == date(2029, 9, 15)


def test_the_last_one_recorded_rules_value_by_value():
    both = [MOVED, LESS]
    assert extension_of(CYCLE, both, EXPIRES) == date(2029, 9, 15)
    assert requirement_of(CYCLE, both, EXPIRES) == Decimal("60.00")
    assert requirement_of(CYCLE, both, date(2029, 1, 31)) is None
    earlier = CycleAdjustment(1, date(2029, 1, 5), extended_to=date(2029, 6, 1))
    assert extension_of(CYCLE, [MOVED, earlier], EXPIRES) == date(2029, 6, 1)
    assert extension_of(CYCLE, [replace(MOVED, ordinal=2)], EXPIRES) is None


def test_an_extension_never_shortens_a_cycle():
    assert extension_of(CYCLE, [MOVED, BACK], EXPIRES) is None
    later = first_cycle(CPT, date(2024, 12, 1))  # the award was corrected since
    assert extended(later, [MOVED], date(2029, 2, 1)) == later
    assert extension_of(first_cycle(CLA, AWARDED), [MOVED], EXPIRES) is None


def standing(day, *adjustments, scheme=CPT, changes=()):
    spans = timeline(
        scheme, [first_cycle(scheme, AWARDED)], changes=changes, adjustments=adjustments
    )
    span = span_on(spans, day)
    assert span is not None
    return standing_on(span, day)


def test_before_its_effective_day_the_old_expiry_stands():
    before, after = standing(date(2029, 1, 9), MOVED), standing(date(2029, 1, 10), MOVED)
    assert (before.expires_on, before.status) == (EXPIRES, "renewal_open")
    assert (after.expires_on, after.status) == (date(2029, 9, 15), "active")
    assert after.window_opens_on == date(2029, 6, 17)
    assert standing(date(2029, 9, 15), MOVED).status == "renewal_open"
    assert standing(date(2029, 9, 16), MOVED).status == "expired"


def test_an_extension_decided_after_the_expiry_leaves_the_gap_unless_it_is_effective_before():
    late = replace(MOVED, effective_on=date(2029, 4, 1))
    assert [standing(date(2029, 3, 31), one).status for one in (late, MOVED)] == [
        "expired",
        "active",
    ]
    assert standing(date(2029, 4, 1), late).status == "active"


def test_a_reduction_leaves_the_timeline_as_it_is():
    cycles = [CYCLE]
    assert timeline(CPT, cycles, adjustments=[LESS]) == timeline(CPT, cycles)


def test_a_revoked_certification_stays_revoked():
    changes = [ChangeOfStanding(ChangeKind.REVOKE, date(2028, 1, 1))]
    assert hold_on(changes, EXPIRES) == "revoked"
    assert standing(EXPIRES, MOVED, changes=changes).status == "revoked"


def following(rule, **scheme_values):
    valid_through = scheme_values.pop("valid_through", "anniversary")
    scheme = scheme_of(policy(extension=rule, **scheme_values), valid_through=valid_through)
    last = renewed(scheme, AWARDED)[0]
    found = next_cycle(
        scheme,
        last,
        decided_on=date(2029, 8, 1),
        awarded_on=AWARDED,
        extended_to=date(2029, 9, 15),
    )
    return found.starts_on, found.expires_on


@pytest.mark.parametrize(
    ("moves", "anchor", "expected"),
    [
        (True, "old_expiry", (date(2029, 9, 16), date(2034, 9, 15))),
        (False, "old_expiry", (date(2029, 3, 16), date(2034, 3, 15))),
        (True, "decision", (date(2029, 8, 2), date(2034, 8, 1))),
        (False, "decision", (date(2029, 8, 2), date(2034, 8, 1))),
        (True, "decision_to_old_end", (date(2029, 8, 2), date(2034, 9, 15))),
        (False, "decision_to_old_end", (date(2029, 8, 2), date(2034, 3, 15))),
    ],
)
def test_the_next_cycle_follows_the_extended_one_where_the_policy_says_so(moves, anchor, expected):
    assert following(replace(RULE, moves_cycle=moves), next_cycle=anchor) == expected


def test_an_extension_that_no_rule_provided_for_does_not_move_the_next_cycle():
    assert following(None) == (date(2029, 3, 16), date(2034, 3, 15))


@pytest.mark.parametrize(
    ("valid_through", "ends"),
    [
        ("day_before", date(2034, 9, 15)),
        ("end_of_month", date(2034, 9, 30)),
        ("end_of_year", date(2034, 12, 31)),
    ],
)
def test_the_moved_cycle_is_as_long_as_any(valid_through, ends):
    assert following(RULE, valid_through=valid_through) == (date(2029, 9, 16), ends)


# Days given back.
WINDOW = Period(date(2025, 6, 3), date(2025, 9, 1))
JUNE_10, JULY_1, SEPT_5 = date(2025, 6, 10), date(2025, 7, 1), date(2025, 9, 5)


def _held(kind="suspend", effective_on=JUNE_10, recorded_on=None):
    return Noted(kind, effective_on, recorded_on or effective_on)


def _undone(recorded_on, effective_on=JUNE_10):
    return Noted(ChangeKind.REINSTATE, effective_on, recorded_on)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ([_held(), _undone(SEPT_5)], (date(2025, 11, 27), 84)),
        ([_held(), _undone(date(2025, 7, 10))], (date(2025, 10, 1), 30)),
        ([_held(), _undone(JUNE_10)], None),
        ([_held(recorded_on=date(2025, 8, 1)), _undone(SEPT_5)], (date(2025, 10, 6), 32)),
        ([_held(), _undone(SEPT_5, SEPT_5)], None),
        ([_held(), _undone(SEPT_5, JULY_1)], None),
        ([_held("surrender"), _undone(SEPT_5)], None),
        ([_held("revoke"), _undone(SEPT_5)], (date(2025, 11, 27), 84)),
        ([_held(effective_on=date(2025, 1, 1)), _undone(date(2025, 6, 3), date(2025, 1, 1))], None),
        (
            [_held(effective_on=date(2025, 1, 1)), _undone(date(2025, 6, 4), date(2025, 1, 1))],
            (date(2025, 9, 2), 1),
        ),
        ([_held(effective_on=date(2025, 9, 2)), _undone(SEPT_5, date(2025, 9, 2))], None),
        (
            [
                _held(effective_on=date(2025, 8, 1), recorded_on=JULY_1),
                _undone(date(2025, 8, 11), date(2025, 8, 1)),
            ],
            (date(2025, 9, 11), 10),
        ),
        ([_held(), _undone(SEPT_5), _undone(date(2025, 9, 9))], None),
        ([_held()], None),
    ],
    ids=[
        "over the expiry",
        "within the window",
        "at once",
        "backdated: felt when recorded",
        "later: not undone",
        "from July: not undone",
        "surrendered",
        "revoked",
        "before the window",
        "one day of the window",
        "after the window",
        "decided ahead",
        "undone twice",
        "not undone",
    ],
)
def test_an_undone_hold_gives_back_the_days_of_the_window_that_it_took(changes, found):
    assert given_back(changes, window=WINDOW, expires_on=WINDOW.ends_on) == found


def test_a_hold_that_another_one_covers_gives_back_what_it_alone_took():
    """Suspended in June, revoked in July: undoing the suspension alone frees the days in June."""
    held = [_held(), _held("revoke", JULY_1), _undone(SEPT_5)]

    assert given_back(held, window=WINDOW, expires_on=WINDOW.ends_on) == (date(2025, 9, 25), 21)


def test_two_holds_undone_one_after_the_other_give_back_each_day_once():
    changes = [_held(), _held("revoke", JULY_1), _undone(SEPT_5, JULY_1)]
    first = date(2025, 11, 6)
    assert given_back(changes, window=WINDOW, expires_on=WINDOW.ends_on) == (first, 63)

    again = [*changes, _undone(SEPT_5)]
    assert given_back(again, window=Period(WINDOW.starts_on, first), expires_on=first) == (
        date(2025, 11, 27),
        21,
    )


def test_nobody_may_give_the_reason_of_days_given_back():
    check_reason("military")
    with pytest.raises(Invalid) as refused:
        check_reason("gap_restored")
    assert "reason_code" in refused.value.fields


def test_days_given_back_do_not_move_the_next_cycle():
    given = replace(MOVED, reason_code="gap_restored")

    assert extension_of(CYCLE, [given], EXPIRES) == MOVED.extended_to
    assert moved_to(CYCLE, [given], EXPIRES) is None
    assert moved_to(CYCLE, [MOVED, given], EXPIRES) == MOVED.extended_to
