"""domain/credentials/renewals.py: who may apply, and what an approval requires."""

from datetime import date
from decimal import Decimal

import pytest

from tests.domain.examples import (
    AWARDED,
    CLA,
    CPT,
    EARLY,
    EARLY_CLOSING,
    IN_WINDOW,
    LADDER,
    claim,
    days,
    evaluate,
    grace,
    held_on,
    needing,
    policy,
    renewed,
    scheme_of,
)
from tracker.domain.credentials.certifications import (
    Application,
    ChangeKind,
    ChangeOfStanding,
    CycleAdjustment,
)
from tracker.domain.credentials.renewals import (
    ApplicationFacts,
    RenewalCondition,
    check_application,
    check_confirmed,
    check_points,
    conditions,
    contradictions,
    objections,
)
from tracker.domain.errors import (
    CertificationExpired,
    CheckMissing,
    Invalid,
    NotRenewable,
    PointsMissing,
    PointsPending,
    ReexaminationMissing,
    RenewalPending,
    WindowClosed,
    WindowNotOpen,
)
from tracker.domain.schemes.policies import PracticalCheck

ENOUGH = evaluate(claim("college_credit", "20", date(2025, 1, 1)))
TOO_FEW = evaluate(claim("college_credit", "19.99", date(2025, 1, 1)))


@pytest.mark.parametrize("day", [date(2028, 12, 15), IN_WINDOW, date(2029, 3, 15)])
def test_an_application_with_enough_points_is_lawful_from_the_first_to_the_last_day(day):
    """worked_cases.md D5: the window includes both ends."""
    check_application(held_on(day), ApplicationFacts(ENOUGH))


@pytest.mark.parametrize(
    ("day", "refusal", "facts", "told"),
    [
        (
            date(2028, 12, 14),
            WindowNotOpen,
            {"opens_on": date(2028, 12, 15)},
            "The renewal window opens on 2028-12-15.",
        ),
        (
            date(2029, 3, 16),
            CertificationExpired,
            {"expired_on": date(2029, 3, 15)},
            "It expired on 2029-03-15.",
        ),
    ],
)
def test_an_application_outside_the_window_is_refused_by_name(day, refusal, facts, told):
    """worked_cases.md D5, D7."""
    with pytest.raises(refusal) as refused:
        check_application(held_on(day), ApplicationFacts(ENOUGH))

    assert (refused.value.facts, refused.value.detail) == (facts, told)


def test_in_grace_a_renewal_may_still_be_applied_for():
    """worked_cases.md D7: no grace unless the policy has one."""
    scheme = scheme_of(policy(late=grace(days(30))))

    check_application(held_on(date(2029, 4, 14), scheme), ApplicationFacts(ENOUGH))
    with pytest.raises(CertificationExpired):
        check_application(held_on(date(2029, 4, 15), scheme), ApplicationFacts(ENOUGH))


def test_missing_points_are_told_to_the_cent():
    with pytest.raises(PointsMissing) as refused:
        check_application(held_on(IN_WINDOW), ApplicationFacts(TOO_FEW))

    assert refused.value.facts == {"missing": Decimal("0.05")}
    assert refused.value.detail == "99.95 of 100.00 points are counted; 0.05 are missing."


def test_missing_category_minima_are_told_by_category():
    evaluation = evaluate(
        claim("college_credit", "20", date(2025, 1, 1)), policy=needing(CE="50.00", X="5.00")
    )
    with pytest.raises(PointsMissing) as refused:
        check_application(held_on(IN_WINDOW), ApplicationFacts(evaluation))

    assert refused.value.facts == {
        "missing": Decimal("0.00"),
        "missing_by_category": {"X": "5.00"},
    }


def test_every_minimum_beside_the_total_is_told_by_what_it_is_of():
    evaluation = evaluate(
        claim("college_credit", "20", date(2025, 1, 1)),
        policy=needing(policy(minimum_per_year=Decimal("2.00")), X="5.00"),
    )
    with pytest.raises(PointsMissing) as refused:
        check_application(held_on(IN_WINDOW), ApplicationFacts(evaluation))

    assert refused.value.detail == (
        "100.00 of 100.00 points are counted; 0.00 are missing. Minima not reached: "
        "5.00 of category X, 2.00 of year 2025-03-15, 2.00 of year 2026-03-15, "
        "2.00 of year 2027-03-15, 2.00 of year 2028-03-15."
    )
    assert refused.value.facts["missing_by_year"] == {
        f"{year}-03-15": "2.00" for year in range(2025, 2029)
    }


def test_a_step_by_re_examination_takes_no_points():
    scheme = scheme_of(LADDER)
    late, later = (held_on(day, scheme) for day in (date(2029, 4, 14), date(2029, 4, 15)))
    again = evaluate(reexamined_on=date(2029, 4, 10))

    check_application(late, ApplicationFacts(ENOUGH, LADDER))
    check_application(later, ApplicationFacts(again, LADDER))
    with pytest.raises(ReexaminationMissing) as refused:
        check_application(later, ApplicationFacts(ENOUGH, LADDER))
    assert refused.value.detail == (
        "After 2029-03-15 it can be renewed only by passing the re-examination."
    )
    with pytest.raises(PointsMissing):
        check_application(late, ApplicationFacts(TOO_FEW, LADDER))


def test_every_check_of_the_policy_is_confirmed():
    name = {"en": "check", "es": "prueba"}
    checking = policy(checks=(PracticalCheck("practical", name), PracticalCheck("vision", name)))

    check_confirmed(checking, ["vision", "practical"])
    with pytest.raises(CheckMissing) as missing:
        check_confirmed(checking, ["vision"])
    assert missing.value.facts == {"missing": ["practical"]}
    with pytest.raises(CheckMissing) as missing:
        check_confirmed(checking, [])
    assert missing.value.facts == {"missing": ["practical", "vision"]}
    assert missing.value.detail == "Not confirmed: practical, vision."


@pytest.mark.parametrize(
    ("checks", "told"),
    [
        ((), "hearing, sight: not required by the policy; must be empty"),
        (
            ("practical", "vision"),
            "hearing, sight: not required by the policy; must be one or more of: practical, vision",
        ),
    ],
    ids=["none", "others"],
)
def test_a_check_that_the_policy_does_not_ask_for_is_answered_with_those_it_does(checks, told):
    name = {"en": "check", "es": "prueba"}
    asking = policy(checks=tuple(PracticalCheck(code, name) for code in checks))
    with pytest.raises(Invalid) as refused:
        check_confirmed(asking, ["sight", *checks, "hearing"])

    assert refused.value.detail == "The policy does not require this check."
    assert refused.value.fields == {"checks": told}


@pytest.mark.parametrize("day", [IN_WINDOW, date(2029, 5, 1)])
def test_a_second_application_is_refused_while_one_is_under_review(day):
    since = date(2029, 1, 10)
    with pytest.raises(RenewalPending) as refused:
        check_application(
            held_on(day, applications=[Application(since, None)]), ApplicationFacts(ENOUGH)
        )

    assert refused.value.facts == {"since": since}
    assert refused.value.detail == "The application of 2029-01-10 is under review."


@pytest.mark.parametrize(
    ("kind", "status"),
    [("suspend", "suspended"), ("revoke", "revoked"), ("surrender", "surrendered")],
)
def test_what_is_suspended_or_ended_is_not_renewed(kind, status):
    held = held_on(IN_WINDOW, changes=[ChangeOfStanding(kind, date(2028, 1, 1))])
    with pytest.raises(NotRenewable) as refused:
        check_application(held, ApplicationFacts(ENOUGH))

    assert refused.value.facts == {"standing": status}
    assert refused.value.detail == f"The certification is {status}."


@pytest.mark.parametrize(
    ("scheme", "judged"),
    [(CLA, None), (CPT, None), (scheme_of(), ApplicationFacts(ENOUGH))],
    ids=["never expires", "not judged", "no policy, so no window"],
)
def test_a_certification_without_expiry_or_rules_is_never_renewed(scheme, judged):
    with pytest.raises(NotRenewable) as refused:
        check_application(held_on(IN_WINDOW, scheme), judged)

    assert refused.value.detail == "A certification that never expires cannot be renewed."


HELD_TWICE = evaluate(
    claim("college_credit", "19", date(2025, 1, 1)), claim("third_party", "4.99", IN_WINDOW)
)
HELD_ONCE = evaluate(claim("college_credit", "19", date(2025, 1, 1)))
EVERYTHING = evaluate(
    claim("college_credit", "19", date(2025, 1, 1)), claim("third_party", "5", IN_WINDOW)
)


@pytest.mark.parametrize("day", [date(2028, 12, 15), IN_WINDOW, date(2029, 3, 15)])
def test_points_that_wait_admit_an_application(day):
    check_application(held_on(day), ApplicationFacts(HELD_ONCE, policy(), EVERYTHING))


def test_a_hundredth_below_the_requirement_is_refused_whatever_waits():
    with pytest.raises(PointsMissing) as refused:
        check_application(held_on(IN_WINDOW), ApplicationFacts(HELD_ONCE, policy(), HELD_TWICE))

    assert refused.value.facts == {"missing": Decimal("0.01"), "waiting": Decimal("4.99")}
    assert refused.value.detail == (
        "95.00 of 100.00 points are counted; 4.99 wait for a decision; 0.01 are missing beside"
        " them."
    )


def test_where_waiting_points_do_not_admit_they_are_named_and_count_later():
    strict = policy(pending_points_admit=False)
    with pytest.raises(PointsMissing) as refused:
        check_application(held_on(IN_WINDOW), ApplicationFacts(HELD_ONCE, strict, EVERYTHING))

    assert refused.value.facts == {"missing": Decimal("5.00"), "waiting": Decimal("5.00")}
    assert refused.value.detail == (
        "95.00 of 100.00 points are counted; 5.00 wait for a decision and count once they are"
        " approved; 5.00 are missing."
    )


def test_a_minimum_that_what_waits_reaches_admits_an_application():
    under = needing(X="5.00")
    known = claim("college_credit", "20", date(2025, 1, 1))
    counted = evaluate(known, policy=under)
    for hours, admitted in (("5", True), ("4.99", False)):
        waits = claim("volunteer", hours, date(2025, 1, 1))
        judged = ApplicationFacts(counted, under, evaluate(known, waits, policy=under))
        found = objections(held_on(IN_WINDOW), judged)
        assert (found == []) is admitted


def test_a_renewal_is_not_approved_before_what_waits_is_decided():
    with pytest.raises(PointsPending) as refused:
        check_points(ApplicationFacts(HELD_ONCE, policy(), EVERYTHING), None, ["a", "b"])

    assert refused.value.facts == {"missing": Decimal("5.00"), "waiting": ["a", "b"]}
    assert refused.value.detail == (
        "95.00 of 100.00 points are counted; first decide on the activities waiting for a "
        "decision: a, b."
    )


def test_a_renewal_is_not_approved_without_its_points_but_with_them():
    check_points(ApplicationFacts(EVERYTHING, policy()), None, ["a"])
    with pytest.raises(PointsMissing) as refused:
        check_points(ApplicationFacts(HELD_ONCE, policy(), EVERYTHING), None, [])
    assert refused.value.detail == "95.00 of 100.00 points are counted; 5.00 are missing."


def test_a_renewal_by_re_examination_is_approved_once_it_was_passed():
    later = LADDER.late[-1]
    check_points(ApplicationFacts(evaluate(reexamined_on=date(2029, 4, 10)), LADDER), later, [])
    with pytest.raises(ReexaminationMissing):
        check_points(ApplicationFacts(ENOUGH, LADDER), later, ["a"])


@pytest.mark.parametrize(
    ("day", "told"),
    [
        (date(2028, 12, 14), "The renewal window opens on 2028-12-15, Hawaii time."),
        (date(2029, 3, 16), "It expired on 2029-03-15, at midnight Hawaii time."),
    ],
)
def test_a_refusal_says_by_whose_clock_its_day_ends(day, told):
    (refusal,) = objections(held_on(day), ApplicationFacts(ENOUGH), zone="Pacific/Honolulu")

    assert refusal.detail == told
    assert refusal.facts["time_zone"] == "Pacific/Honolulu"


@pytest.mark.parametrize(
    ("day", "facts", "found"),
    [
        (IN_WINDOW, {}, []),
        (date(2028, 12, 14), {}, [WindowNotOpen]),
        (date(2029, 3, 16), {}, [CertificationExpired]),
        (date(2024, 3, 14), {}, [NotRenewable]),
        (
            IN_WINDOW,
            {"changes": [ChangeOfStanding(ChangeKind.REVOKE, date(2028, 1, 1))]},
            [NotRenewable],
        ),
        (IN_WINDOW, {"changes": [ChangeOfStanding(ChangeKind.REVOKE, date(2029, 1, 16))]}, []),
    ],
    ids=["in the window", "early", "late", "before the award", "revoked", "revoked later"],
)
def test_an_approval_contradicts_a_state_that_cannot_be_renewed(day, facts, found):
    cycles = renewed(CPT, AWARDED)

    assert [type(one) for one in contradictions(CPT, cycles, on=day, **facts)] == found


def test_an_application_renews_one_cycle_only():
    """The same application again would renew the cycle that it opened, long before its window."""
    cycles = renewed(CPT, AWARDED, date(2029, 1, 20))
    (found,) = contradictions(CPT, cycles, on=IN_WINDOW)

    assert found.detail == "The renewal window opens on 2033-12-15."


def test_a_late_step_takes_late_approvals():
    scheme = scheme_of(policy(late=grace(days(30))))
    cycles = renewed(scheme, AWARDED)

    assert contradictions(scheme, cycles, on=date(2029, 4, 14)) == []
    assert len(contradictions(scheme, cycles, on=date(2029, 4, 15))) == 1


def test_an_extension_moves_the_days_of_an_approval():
    cycles = renewed(CPT, AWARDED)
    longer = [CycleAdjustment(1, date(2029, 1, 1), extended_to=date(2029, 9, 15))]
    late = date(2029, 3, 16)

    assert contradictions(CPT, cycles, on=date(2029, 9, 1), adjustments=longer) == []
    assert [type(one) for one in contradictions(CPT, cycles, on=late, adjustments=longer)] == [
        WindowNotOpen
    ]


def test_all_objections_are_named_the_gravest_first():
    held = held_on(
        date(2028, 1, 1), changes=[ChangeOfStanding(ChangeKind.SUSPEND, date(2027, 1, 1))]
    )

    assert [type(o) for o in objections(held, ApplicationFacts(TOO_FEW))] == [
        NotRenewable,
        WindowNotOpen,
        PointsMissing,
    ]


# Windows that close before the expiry.


@pytest.mark.parametrize(
    ("day", "closed"),
    [(EARLY_CLOSING, False), (date(2029, 2, 14), True), (date(2029, 3, 15), True)],
)
def test_after_a_window_that_closed_early_no_application_is_taken(day, closed):
    under = policy(window=EARLY)
    found = objections(held_on(day), ApplicationFacts(ENOUGH, under))

    assert [type(one) for one in found] == ([WindowClosed] if closed else [])


def test_the_refusal_names_the_true_last_day_and_the_way_on():
    day = date(2029, 2, 14)
    under = policy(window=EARLY, late=grace(days(30)))
    (plain,) = objections(
        held_on(day), ApplicationFacts(ENOUGH, policy(window=EARLY)), zone="Etc/UTC"
    )
    (late,) = objections(held_on(day), ApplicationFacts(ENOUGH, under))

    assert plain.detail == "Applications closed on 2029-02-13, at midnight Etc/UTC time."
    assert plain.facts == {"closed_on": EARLY_CLOSING, "time_zone": "Etc/UTC"}
    assert late.detail == (
        "Applications closed on 2029-02-13. Late applications are accepted from 2029-03-16 on."
    )


def test_what_was_applied_for_in_time_is_under_review_after_the_window():
    held = held_on(date(2029, 2, 20), applications=[Application(EARLY_CLOSING, None)])
    found = objections(held, ApplicationFacts(ENOUGH, policy(window=EARLY)))

    assert [type(one) for one in found] == [RenewalPending]


def test_an_approval_of_a_day_after_the_window_is_a_contradiction():
    scheme = scheme_of(policy(window=EARLY))
    cycles = renewed(scheme, AWARDED)

    assert contradictions(scheme, cycles, on=EARLY_CLOSING) == []
    (found,) = contradictions(scheme, cycles, on=date(2029, 2, 14))
    assert isinstance(found, WindowClosed)


@pytest.mark.parametrize(
    ("day", "points", "open_ones"),
    [
        (IN_WINDOW, ENOUGH, {}),
        (IN_WINDOW, TOO_FEW, {"points": "points_missing"}),
        (date(2028, 12, 14), TOO_FEW, {"window": "window_not_open", "points": "points_missing"}),
        (date(2029, 3, 16), ENOUGH, {"window": "certification_expired"}),
    ],
)
def test_every_condition_of_an_application_is_met_or_has_its_objection(day, points, open_ones):
    told = conditions(objections(held_on(day), ApplicationFacts(points)))

    assert list(told) == list(RenewalCondition)
    assert {str(key): found.code for key, found in told.items() if found} == open_ones


def test_what_is_neither_the_window_nor_points_stands_in_the_way_and_the_first_is_told():
    found = [RenewalPending("a"), NotRenewable("b")]

    assert conditions(found)[RenewalCondition.NOTHING_ELSE] is found[0]
