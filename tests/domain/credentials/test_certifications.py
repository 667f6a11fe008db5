"""Cycles, standings and what may change them, by example."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import product

import pytest

from tests.domain.examples import (
    CLA,
    CPT,
    days,
    grace,
    policy,
    renewed,
    scheme_of,
    span_on,
    standing,
    window,
)
from tracker.domain.credentials.certifications import (
    Application,
    ChangeKind,
    ChangeOfStanding,
    Hold,
    cycle_on,
    days_of,
    first_cycle,
    hold_on,
    next_cycle,
    standing_on,
    timeline,
    withdrawn,
)
from tracker.domain.credentials.certifications import span_on as find_span
from tracker.domain.credentials.standing_changes import (
    allowed_on,
    check_awarded,
    check_bar,
    check_change,
    effective_day,
)
from tracker.domain.errors import IllegalTransition, Invalid
from tracker.domain.periods import DAY, Duration, Period
from tracker.domain.schemes.policies import ApplicationWindow

AWARDED = date(2024, 3, 15)
EXPIRES = date(2029, 3, 15)
BY_DECISION = scheme_of(policy(next_cycle="decision"))


def test_awarded_15_march_2024_it_is_valid_through_15_march_2029():
    """worked_cases.md D1."""
    (cycle,) = renewed(CPT, AWARDED)

    assert (cycle.starts_on, cycle.expires_on) == (AWARDED, EXPIRES)


def test_the_next_cycle_starts_the_day_after_so_that_no_day_lies_in_two():
    """worked_cases.md D2."""
    first, second = renewed(CPT, AWARDED, date(2029, 1, 10))

    assert (second.starts_on, second.expires_on) == (date(2029, 3, 16), date(2034, 3, 15))
    assert days_of([first, second], first).ends_on < second.starts_on


def test_a_leap_day_award_expires_on_28_february_until_2044():
    """worked_cases.md D3, case 1: counted from the anchor, never chained."""
    decided = [date(2029, 1, 5), date(2034, 1, 5), date(2039, 1, 5)]
    cycles = renewed(CPT, date(2024, 2, 29), *decided)

    assert [cycle.expires_on for cycle in cycles] == [
        date(2029, 2, 28),
        date(2034, 2, 28),
        date(2039, 2, 28),
        date(2044, 2, 29),
    ]


@pytest.mark.parametrize(
    ("anchor", "starts_on", "expires_on"),
    [
        ("old_expiry", date(2026, 6, 16), date(2031, 6, 15)),
        ("decision", date(2026, 3, 18), date(2031, 3, 17)),
    ],
)
def test_the_next_cycle_is_anchored_as_the_policy_says(anchor, starts_on, expires_on):
    """worked_cases.md D6: approved March 17, 2026 for the expiry June 15, 2026."""
    scheme = scheme_of(policy(next_cycle=anchor))
    _, second = renewed(scheme, date(2021, 6, 15), date(2026, 3, 17))

    assert (second.starts_on, second.expires_on) == (starts_on, expires_on)


def test_a_cycle_without_end_has_no_next_one():
    (cycle,) = renewed(CLA, AWARDED)
    with pytest.raises(ValueError, match=r"^a cycle without end has no next one$"):
        next_cycle(CLA, cycle, decided_on=EXPIRES, awarded_on=AWARDED)


def test_the_cla_never_expires():
    held = standing(CLA, renewed(CLA, AWARDED), date(2999, 1, 1))

    assert (held.status, held.valid, held.expires_on) == ("active", True, None)
    assert held.window_opens_on is None
    assert days_of(renewed(CLA, AWARDED), renewed(CLA, AWARDED)[0]).ends_on == date.max


@pytest.mark.parametrize(
    ("day", "status"),
    [
        (AWARDED, "active"),
        (date(2028, 12, 14), "active"),
        (date(2028, 12, 15), "renewal_open"),
        (EXPIRES, "renewal_open"),
        (date(2029, 3, 16), "expired"),
        (date(2050, 1, 1), "expired"),
    ],
)
def test_the_dates_decide_where_nothing_else_was_recorded(day, status):
    """worked_cases.md D1, D5: the expiry is the last valid day, the window includes both ends."""
    held = standing(CPT, renewed(CPT, AWARDED), day)

    assert (held.status, held.valid) == (status, status != "expired")


@pytest.mark.parametrize(
    ("opening", "opens_on"),
    [
        (window(90), date(2028, 11, 30)),
        (window(3, "months"), date(2028, 11, 28)),
        (ApplicationWindow(Duration(1, "years"), "start"), date(2025, 2, 28)),
        (ApplicationWindow(Duration(9, "years"), "start"), date(2029, 2, 28)),
    ],
)
def test_the_window_is_counted_back_in_its_own_unit(opening, opens_on):
    """worked_cases.md D5: expiry February 28, 2029 opens November 30, 2028."""
    scheme = scheme_of(policy(window=opening))
    held = standing(scheme, renewed(scheme, date(2024, 2, 29)), date(2026, 1, 1))

    assert held.window_opens_on == opens_on


def test_a_scheme_without_policies_expires_without_a_window_or_grace():
    scheme = scheme_of()
    cycles = renewed(scheme, AWARDED)

    assert [standing(scheme, cycles, EXPIRES + timedelta(n)).status for n in (0, 1)] == [
        "active",
        "expired",
    ]
    assert standing(scheme, cycles, EXPIRES).window_opens_on is None
    pending = standing(scheme, cycles, date(2029, 4, 1), applications=[Application(EXPIRES, None)])
    assert (pending.status, pending.valid) == ("pending_renewal", False)


def test_there_is_no_span_before_the_award():
    spans = timeline(CPT, renewed(CPT, AWARDED))

    assert find_span(spans, AWARDED - timedelta(1)) is None
    assert find_span([], AWARDED) is None


def test_a_renewal_approved_in_the_window_moves_the_expiry_at_once_and_the_cycle_later():
    """worked_cases.md S3."""
    cycles = renewed(CPT, AWARDED, date(2029, 1, 10))
    before = standing(CPT, cycles, date(2029, 1, 9))
    after = standing(CPT, cycles, date(2029, 1, 10))
    later = standing(CPT, cycles, date(2029, 3, 16))

    assert (before.status, before.expires_on, before.cycle) == ("renewal_open", EXPIRES, 1)
    assert (after.status, after.expires_on, after.cycle) == ("active", date(2034, 3, 15), 1)
    assert (later.status, later.cycle, later.cycle_starts_on) == ("active", 2, date(2029, 3, 16))
    assert after.window_opens_on == date(2033, 12, 15)


def test_an_application_undecided_at_expiry_is_pending_from_its_submission():
    """worked_cases.md D8: in time but undecided at the expiry."""
    cycles = renewed(CPT, AWARDED, date(2029, 4, 20))
    review = [Application(date(2029, 3, 1), date(2029, 4, 20))]

    def on(day):
        held = standing(CPT, cycles, day, applications=review)
        return held.status, held.valid, held.pending_since

    assert on(date(2029, 2, 28)) == ("renewal_open", True, None)
    assert on(EXPIRES) == ("renewal_open", True, date(2029, 3, 1))
    assert on(date(2029, 3, 16)) == ("pending_renewal", False, date(2029, 3, 1))
    assert on(date(2029, 4, 19)) == ("pending_renewal", False, date(2029, 3, 1))
    assert on(date(2029, 4, 20)) == ("active", True, None)


def test_pending_is_valid_where_the_policy_says_so():
    """worked_cases.md D8: whether it is valid follows the policy."""
    scheme = scheme_of(policy(valid_while_pending=True))
    held = standing(
        scheme,
        renewed(scheme, AWARDED),
        date(2029, 4, 1),
        applications=[Application(EXPIRES, None)],
    )

    assert (held.status, held.valid) == ("pending_renewal", True)


@pytest.mark.parametrize("closed_on", [None, date(2029, 5, 1)])
def test_an_application_after_expiry_never_counts_as_pending(closed_on):
    late = [Application(date(2029, 3, 16), closed_on)]
    held = standing(CPT, renewed(CPT, AWARDED), date(2029, 4, 1), applications=late)

    assert (held.status, held.pending_since) == ("expired", None)


def test_a_refused_application_leaves_what_the_dates_say():
    refused = [Application(date(2029, 1, 2), date(2029, 1, 20))]
    cycles = renewed(CPT, AWARDED)

    assert standing(CPT, cycles, date(2029, 1, 20), applications=refused).pending_since is None
    assert standing(CPT, cycles, date(2029, 3, 16), applications=refused).status == "expired"


def test_of_two_applications_under_review_the_earlier_one_is_told():
    review = [Application(date(2029, 2, 1), None), Application(date(2029, 1, 20), None)]
    held = standing(CPT, renewed(CPT, AWARDED), EXPIRES, applications=review)

    assert held.pending_since == date(2029, 1, 20)


@pytest.mark.parametrize("title", [True, False])
def test_grace_lasts_as_long_as_the_policy_says_and_is_valid_only_if_it_says_so(title):
    """worked_cases.md D7: no grace unless the policy has one."""
    scheme = scheme_of(policy(late=grace(days(30), title=title)))
    cycles = renewed(scheme, AWARDED)

    def on(day):
        held = standing(scheme, cycles, day)
        return held.status, held.valid

    assert on(date(2029, 3, 15)) == ("renewal_open", True)
    assert on(date(2029, 3, 16)) == ("grace", title)
    assert on(date(2029, 4, 14)) == ("grace", title)
    assert on(date(2029, 4, 15)) == ("expired", False)


def test_an_application_in_grace_is_pending_to_its_decision():
    scheme = scheme_of(policy(late=grace(days(30))))
    review = [Application(date(2029, 4, 14), None)]
    held = standing(scheme, renewed(scheme, AWARDED), date(2029, 6, 1), applications=review)

    assert held.status == "pending_renewal"


SUSPEND = ChangeOfStanding(ChangeKind.SUSPEND, date(2026, 1, 1))
SURRENDER = ChangeOfStanding(ChangeKind.SURRENDER, date(2026, 2, 1))
REVOKE = ChangeOfStanding(ChangeKind.REVOKE, date(2026, 3, 1))


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ([SUSPEND], "suspended"),
        ([SUSPEND, SURRENDER], "surrendered"),
        ([SURRENDER, REVOKE], "revoked"),
        ([SUSPEND, REVOKE], "revoked"),
        ([SUSPEND, SURRENDER, REVOKE], "revoked"),
        ([REVOKE, replace(SUSPEND, effective_on=date(2026, 4, 1))], "revoked"),
        ([SURRENDER, replace(SUSPEND, effective_on=date(2026, 4, 1))], "surrendered"),
    ],
)
@pytest.mark.parametrize("day", [date(2026, 5, 1), EXPIRES, date(2029, 5, 1)])
def test_revoked_goes_before_surrendered_before_suspended_before_the_dates(changes, status, day):
    """worked_cases.md S4."""
    review = [Application(date(2029, 1, 2), None)]
    held = standing(CPT, renewed(CPT, AWARDED), day, applications=review, changes=changes)

    assert (held.status, held.valid) == (status, False)


def test_a_change_holds_from_its_effective_day():
    cycles = renewed(CPT, AWARDED)

    assert standing(CPT, cycles, date(2026, 2, 28), changes=[REVOKE]).status == "active"
    assert standing(CPT, cycles, date(2026, 3, 1), changes=[REVOKE]).status == "revoked"


def test_a_reinstatement_clears_everything_and_what_comes_after_holds_again():
    changes = [
        SUSPEND,
        REVOKE,
        ChangeOfStanding(ChangeKind.REINSTATE, date(2026, 4, 1)),
        ChangeOfStanding(ChangeKind.SUSPEND, date(2026, 5, 1)),
    ]

    assert [hold_on(changes, date(2026, month, 1)) for month in range(1, 6)] == [
        "suspended",
        "suspended",
        "revoked",
        None,
        "suspended",
    ]


def test_what_is_recorded_later_may_hold_earlier():
    assert hold_on([REVOKE, SUSPEND], date(2026, 2, 1)) == "suspended"


@pytest.mark.parametrize(
    ("reinstated_on", "gap"),
    [(date(2026, 3, 1), []), (date(2026, 3, 2), [date(2026, 3, 1)])],
    ids=["no gap", "a gap of one day"],
)
def test_a_reinstatement_of_the_revocations_own_day_leaves_no_gap(reinstated_on, gap):
    """worked_cases.md case 13: restored with or without the gap."""
    changes = [REVOKE, ChangeOfStanding(ChangeKind.REINSTATE, reinstated_on)]
    cycles = renewed(CPT, AWARDED)
    around = [date(2026, 2, 27) + timedelta(n) for n in range(6)]

    assert [d for d in around if not standing(CPT, cycles, d, changes=changes).valid] == gap


LAWFUL = {
    ("suspend", None),
    ("surrender", None),
    ("surrender", "suspended"),
    ("revoke", None),
    ("revoke", "suspended"),
    ("revoke", "surrendered"),
    ("reinstate", "suspended"),
    ("reinstate", "revoked"),
    ("reinstate", "surrendered"),
}
LEADING_TO = {
    None: [],
    "suspended": [SUSPEND],
    "surrendered": [SURRENDER],
    "revoked": [REVOKE],
}


@pytest.mark.parametrize(("kind", "hold"), list(product(ChangeKind, [None, *Hold])))
def test_only_the_changes_of_the_table_are_lawful(kind, hold):
    assert (kind in allowed_on(LEADING_TO[hold], date(2026, 6, 1))) is ((kind, hold) in LAWFUL)
    if (kind, hold) in LAWFUL:
        check_change(kind, LEADING_TO[hold], effective_on=date(2026, 6, 1))
    else:
        with pytest.raises(IllegalTransition, match=kind) as refused:
            check_change(kind, LEADING_TO[hold], effective_on=date(2026, 6, 1))
        told = hold or "neither suspended, revoked nor surrendered"
        assert told in refused.value.facts.values()


def test_a_change_is_judged_by_what_holds_on_its_effective_day():
    check_change(ChangeKind.SUSPEND, [REVOKE], effective_on=date(2026, 2, 28))
    with pytest.raises(IllegalTransition):
        check_change(ChangeKind.SUSPEND, [REVOKE], effective_on=date(2026, 3, 1))


@pytest.mark.parametrize("kind", ChangeKind)
def test_nothing_is_taken_away_before_it_was_awarded(kind):
    awarded_on = date(2024, 3, 15)
    check_awarded(kind, effective_on=awarded_on, awarded_on=awarded_on)
    if kind == "reinstate":  # lifts what is on record, wherever the award is now
        check_awarded(kind, effective_on=awarded_on - DAY, awarded_on=awarded_on)
    else:
        with pytest.raises(Invalid) as refused:
            check_awarded(kind, effective_on=awarded_on - DAY, awarded_on=awarded_on)
        assert refused.value.fields == {"effective_on": "must not be before the award (2024-03-15)"}


def test_facts_that_change_nothing_do_not_cut_a_span():
    reinstated = ChangeOfStanding(ChangeKind.REINSTATE, REVOKE.effective_on)
    again = date(2027, 1, 1)

    def dates(*changes):
        spans = timeline(CPT, renewed(CPT, AWARDED), changes=changes)
        return [(span.from_on, span.until_on) for span in spans]

    assert dates(REVOKE, reinstated) == [(AWARDED, None)]
    assert dates(REVOKE, reinstated, ChangeOfStanding(ChangeKind.SUSPEND, again)) == [
        (AWARDED, again),
        (again, None),
    ]


def test_where_a_later_cycle_starts_early_it_rules_so_that_no_day_lies_in_two():
    """Anchor ``decision``: approved before the old cycle ended."""
    cycles = renewed(BY_DECISION, AWARDED, date(2029, 1, 10))
    first, second = cycles

    assert days_of(cycles, first) == Period(AWARDED, date(2029, 1, 10))
    assert cycle_on(cycles, date(2029, 1, 10)) is first
    assert cycle_on(cycles, date(2029, 1, 11)) is second


def test_between_two_cycles_the_last_one_opened_rules():
    """worked_cases.md S2: the cycle that contains the day, otherwise the last one opened."""
    scheme = scheme_of(policy(next_cycle="decision", late=grace(days(30))))
    cycles = renewed(scheme, AWARDED, date(2029, 4, 1))

    assert cycle_on(cycles, date(2029, 3, 31)) is cycles[0]
    assert cycle_on(cycles, date(2029, 4, 1)) is cycles[1]
    assert cycle_on(cycles, date(2040, 1, 1)) is cycles[1]
    assert days_of(cycles, cycles[0]) == Period(AWARDED, EXPIRES)


def test_a_cycle_is_not_seen_before_it_was_opened():
    cycles = renewed(CPT, AWARDED, date(2029, 4, 20))

    assert cycle_on(cycles, date(2029, 4, 19)) is cycles[0]
    assert cycle_on(cycles, date(2029, 4, 20)) is cycles[1]


def test_before_the_award_the_first_cycle_stands_in():
    cycles = renewed(CPT, AWARDED)

    assert cycle_on(cycles, date(2020, 1, 1)) is cycles[0]


def test_the_standing_carries_the_dates_it_was_decided_by():
    span = span_on(CPT, renewed(CPT, AWARDED), date(2026, 1, 1))

    assert (span.cycle, span.cycle_starts_on, span.expires_on) == (1, AWARDED, EXPIRES)
    assert (span.window_opens_on, span.grace_ends_on) == (date(2028, 12, 15), None)


def test_a_withdrawn_award_is_withdrawn_from_its_day_on():
    (span,) = withdrawn(first_cycle(CPT, AWARDED))

    assert (span.from_on, span.until_on, span.expires_on) == (AWARDED, None, None)
    for day in (AWARDED, date(2199, 1, 1)):
        found = standing_on(span, day)
        assert (found.status, found.valid) == ("withdrawn", False)


@pytest.mark.parametrize(
    ("kind", "code", "day"),
    [
        ("reinstate", "mistake", date(2026, 3, 1)),
        ("reinstate", "appeal_upheld", date(2026, 3, 1)),
        ("reinstate", "fee", date(2026, 6, 1)),
        ("suspend", "mistake", date(2026, 6, 1)),
    ],
)
def test_what_was_a_mistake_is_undone_from_its_own_day(kind, code, day):
    changes = [
        ChangeOfStanding(ChangeKind.SUSPEND, date(2025, 1, 1)),
        ChangeOfStanding(ChangeKind.REINSTATE, date(2025, 2, 1)),
        ChangeOfStanding(ChangeKind.SUSPEND, date(2026, 3, 1)),
        ChangeOfStanding(ChangeKind.SUSPEND, date(2026, 7, 1)),
    ]
    assert effective_day(kind, code, changes, today=date(2026, 6, 1)) == day
    assert effective_day(kind, code, [], today=date(2026, 6, 1)) == date(2026, 6, 1)


def test_a_bar_is_said_of_a_revocation_and_not_before_it():
    day = date(2026, 1, 1)
    check_bar(ChangeKind.REVOKE, effective_on=day, barred_until=day)
    check_bar(ChangeKind.SUSPEND, effective_on=day, barred_until=None)
    with pytest.raises(Invalid, match="last day of the bar") as of_another:
        check_bar(ChangeKind.SUSPEND, effective_on=day, barred_until=day)
    with pytest.raises(Invalid, match="last day of the bar") as before:
        check_bar(ChangeKind.REVOKE, effective_on=day, barred_until=date(2025, 12, 31))
    assert "barred_until" in of_another.value.fields
    assert "barred_until" in before.value.fields
