"""On what terms a cycle is judged: lateness, extensions, other requirements, shared claims."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tests.domain.examples import (
    CLA,
    CPT,
    POLICY,
    claim,
    days,
    evaluate,
    grace,
    needing,
    policy,
    renewed,
    scheme_of,
    with_type,
)
from tests.domain.points.terms_cases import (
    AWARDED,
    EXPIRY,
    EXTENDED,
    EXTENSION,
    LATE,
    case,
    hours,
    judged,
    rung,
)
from tracker.domain.credentials import certifications
from tracker.domain.credentials.certifications import (
    Application,
    ChangeKind,
    ChangeOfStanding,
    CycleAdjustment,
)
from tracker.domain.periods import DAY, Duration, Period
from tracker.domain.points import cycle_rules
from tracker.domain.points.claims import Terms
from tracker.domain.points.cycle_rules import Case, Needs
from tracker.domain.schemes.activity_types import Limits, Tag
from tracker.domain.schemes.policies import (
    CarryOver,
    Duplicates,
    PointsSharing,
    Reduction,
    Reexamination,
)
from tracker.domain.schemes.schemes import Scheme

# What is needed.

NOTHING = Needs(record=False, past=False, attempts=False, schemes=frozenset())
RECORD = replace(NOTHING, record=True)
PAST = replace(RECORD, past=True)


def test_the_shipped_schemes_need_nothing_but_cycles_and_claims():
    for scheme in (CPT, CLA):
        assert cycle_rules.needs(scheme) == NOTHING
        assert cycle_rules.needs(scheme).nothing


@pytest.mark.parametrize(
    ("values", "needed"),
    [
        ({"late": grace(days(30))}, RECORD),
        ({"late": (rung(30, earns=True),)}, PAST),
        ({"extension": EXTENSION}, PAST),
        ({"carry_over": CarryOver(Decimal(40))}, PAST),
        ({"duplicates": Duplicates(("title",), Duration(9, "years"))}, PAST),
        ({"duplicates": Duplicates(("title",))}, NOTHING),
        ({"reexamination": Reexamination(())}, replace(NOTHING, attempts=True)),
        ({"late": (rung(9, by="reexamination"),)}, replace(RECORD, attempts=True)),
        (
            {"sharing": PointsSharing(frozenset({"clt", "cpt"}))},
            replace(NOTHING, schemes=frozenset({"clt"})),
        ),
        ({"reduction": Reduction((), Decimal("0.5"))}, NOTHING),
    ],
)
def test_each_rule_asks_for_what_it_depends_on(values, needed):
    found = cycle_rules.needs(scheme_of(policy(**values)))

    assert found == needed
    assert found.nothing == (needed == NOTHING)


def test_a_version_that_comes_into_force_by_application_needs_the_applications():
    later = policy(version="2027", effective_from=date(2027, 1, 1), applies="submission")

    assert cycle_rules.needs(scheme_of(POLICY, later)).record
    assert not cycle_rules.needs(scheme_of(POLICY, replace(later, applies="cycle_start"))).record


def test_without_any_such_rule_the_policy_alone_counts():
    course = hours("20", date(2025, 1, 1))
    found = judged(case(POLICY), LATE, course)

    assert found.terms == Terms()
    assert found.evaluation == evaluate(course, on=LATE)
    assert (found.policy, found.claims, found.earns_until) == (POLICY, (course,), EXPIRY)


@pytest.mark.parametrize("late", [(), grace(days(30)), (rung(30, earns=True),)])
def test_what_never_expires_is_not_judged(late):
    scheme = scheme_of(policy(late=late), lifetime_if_awarded_before=date(2025, 1, 1))
    held = Case(scheme, tuple(renewed(scheme, AWARDED)))

    assert cycle_rules.judge(held, [], on=LATE) is None
    assert cycle_rules.earning(held, LATE).starts_on == AWARDED
    assert cycle_rules.reexamination_terms(held, "safety", LATE) is None


# Lateness.

CCST = policy(late=(rung(30), rung(120, extra_points=Decimal("30.00"))))


@pytest.mark.parametrize(
    ("day", "required"),
    [
        (EXPIRY, "100"),
        (date(2029, 4, 14), "100"),
        (date(2029, 4, 15), "130"),
        (date(2029, 7, 13), "130"),
        (date(2029, 7, 14), "100"),
    ],
    ids=["in time", "first step", "second step", "its last day", "past the last"],
)
def test_lateness_raises_the_requirement(day, required):
    assert judged(case(CCST), day).evaluation.required == Decimal(required)


def test_a_late_step_may_raise_the_minimum_of_a_group():
    """5 of education in time, 25 of it late; the total is the same."""
    raising = rung(120, extra_minima={"CE": Decimal(20)})
    late = case(needing(policy(points_required=Decimal(30), late=(rung(30), raising)), CE="5"))
    done = hours("10", date(2026, 1, 1)), claim("volunteer", "20", date(2026, 1, 1))
    in_time, raised = (judged(late, day, *done).evaluation for day in (EXPIRY, date(2029, 4, 15)))

    assert in_time.complete
    assert [(s.of, s.subject, s.missing) for s in raised.shortfalls] == [
        ("category", "CE", Decimal(15))
    ]
    assert raised.categories[0].limits.minimum == Decimal(25)


def test_a_late_step_may_ask_for_a_minimum_where_there_was_none():
    raising = rung(120, extra_minima={"volunteer": Decimal(5)})
    late = case(policy(points_required=Decimal(30), late=(raising,)))
    done = hours("30", date(2026, 1, 1))

    assert judged(late, EXPIRY, done).evaluation.complete
    assert [s.of for s in judged(late, LATE, done).evaluation.shortfalls] == ["type"]
    helped = claim("volunteer", "5", date(2026, 1, 1))
    assert judged(late, LATE, done, helped).evaluation.complete


@pytest.mark.parametrize(
    ("application", "required"),
    [
        (Application(EXPIRY, None), "100"),
        (Application(EXPIRY, date(2029, 6, 1)), "100"),
        (Application(EXPIRY, date(2029, 5, 1)), "130"),
        (Application(EXPIRY, date(2029, 5, 20)), "130"),
        (Application(date(2029, 5, 2), None), "130"),
        (Application(date(2029, 5, 21), None), "130"),
    ],
    ids=[
        "under review",
        "decided later",
        "denied before",
        "denied that day",
        "made late",
        "made later",
    ],
)
def test_the_day_of_the_application_decides_about_lateness(application, required):
    held = case(CCST, applications=[application])

    assert judged(held, date(2029, 5, 20)).evaluation.required == Decimal(required)


def test_an_extension_moves_the_ladder():
    extension = CycleAdjustment(1, date(2029, 3, 1), extended_to=EXTENDED)
    held = case(CCST, adjustments=[extension])

    assert judged(held, EXTENDED).evaluation.required == 100
    assert judged(held, date(2029, 11, 1)).evaluation.required == 130
    before = replace(held, adjustments=[replace(extension, effective_on=date(2029, 6, 2))])
    assert judged(before, date(2029, 6, 1)).evaluation.required == 130


# The days that earn.


def test_late_days_earn_for_the_cycle_that_ended_as_long_as_the_steps_say_so():
    held = case(policy(late=(rung(30, earns=True), rung(60), rung(90, earns=True))))
    course = hours("20", LATE)

    found = judged(held, LATE, course, hours("5", date(2029, 4, 20)))
    assert (found.evaluation.total, found.terms.earns_until) == (Decimal(20), date(2029, 4, 14))
    assert found.cycle == Period(AWARDED, EXPIRY)
    assert cycle_rules.earning(held, LATE) == Period(AWARDED, date(2029, 4, 14))
    assert judged(held, EXPIRY, course).terms.earns_until is None
    assert cycle_rules.earning(held, EXPIRY) == Period(AWARDED, EXPIRY)


def test_late_days_earn_to_the_end_of_the_steps_while_no_renewal_is_known():
    held = case(policy(late=(rung(30, earns=True),)), decided=[date(2029, 4, 10)])

    assert cycle_rules.earning(held, LATE) == Period(AWARDED, date(2029, 4, 14))
    assert judged(held, LATE).earns_until == date(2029, 4, 14)


def test_the_days_of_a_cycle_earn_from_the_day_it_was_opened():
    decided = date(2029, 2, 1)
    held = case(policy(next_cycle="decision", extension=EXTENSION), decided=[decided])

    for day in (date(2024, 3, 1), date(2029, 1, 31)):
        assert judged(held, day).cycle == Period(AWARDED, EXPIRY)
    assert judged(held, decided).cycle == Period(AWARDED, decided)
    assert judged(held, decided + DAY).cycle == Period(decided + DAY, date(2034, 2, 1))


@pytest.mark.parametrize("anchor", ["old_expiry", "decision", "decision_to_old_end"])
def test_what_is_done_on_the_day_of_the_decision_counts_in_one_cycle(anchor):
    """worked_cases.md D2: no day lies in two cycles."""
    decided = date(2029, 2, 1)
    held = case(policy(next_cycle=anchor), decided=[decided])
    done = hours("20", decided)

    assert judged(held, decided, done).evaluation.total == 20
    assert judged(held, date(2030, 1, 1), done).evaluation.total == 0


def test_the_days_that_claims_are_taken_for_begin_with_the_cycle():
    decided = date(2029, 2, 1)
    held = case(policy(next_cycle="decision"), decided=[decided])

    assert cycle_rules.earning(held, date(2029, 1, 31)) == Period(AWARDED, EXPIRY)
    assert cycle_rules.earning(held, decided) == Period(AWARDED, decided)
    assert cycle_rules.earning(held, decided + DAY) == Period(decided + DAY, date(2034, 2, 1))
    assert cycle_rules.earning(held, date(2024, 3, 1)) == Period(AWARDED, EXPIRY)


def test_late_days_that_earn_are_no_part_of_the_next_cycle():
    decided = date(2029, 4, 10)
    held = case(policy(late=(rung(30, earns=True),)), decided=[decided])
    late, same, after = (hours("20", d) for d in (LATE, decided, date(2029, 4, 11)))

    before = judged(held, date(2029, 4, 9), late, same, after)
    assert before.evaluation.total == 20
    now = judged(held, date(2030, 1, 1), late, same, after)
    assert (now.cycle.starts_on, now.terms.earns_from) == (date(2029, 3, 16), date(2029, 4, 11))
    assert now.evaluation.total == 20
    assert [c.cuts[0].rule for c in now.evaluation.credits if c.cuts] == ["outside_cycle"] * 2


def test_without_late_earning_the_next_cycle_has_all_its_days():
    held = case(policy(late=(rung(30, earns=True),)), decided=[date(2029, 3, 10)])

    assert judged(held, date(2030, 1, 1), hours("20", LATE)).evaluation.total == 20
    assert judged(held, date(2029, 3, 12)).terms == Terms()


def test_an_extension_lengthens_the_cycle():
    extension = CycleAdjustment(1, date(2029, 3, 1), extended_to=EXTENDED)
    held = case(policy(extension=EXTENSION), adjustments=[extension])
    course = hours("20", date(2029, 9, 1))

    found = judged(held, date(2029, 9, 2), course)
    assert (found.evaluation.total, found.terms.earns_until) == (Decimal(20), EXTENDED)
    assert cycle_rules.earning(held, date(2029, 9, 2)) == Period(AWARDED, EXTENDED)
    assert judged(replace(held, adjustments=()), date(2029, 9, 2), course).evaluation.total == 0


def test_an_extension_counts_also_where_the_policy_no_longer_has_the_rule():
    extension = CycleAdjustment(
        1, date(2029, 3, 1), extended_to=EXTENDED, points_required=Decimal(50)
    )
    found = judged(case(POLICY, adjustments=[extension]), LATE, hours("20", LATE))

    assert (found.evaluation.total, found.evaluation.required) == (Decimal(20), Decimal(50))


def _extended(*, moves_cycle: bool, decided: date) -> Case:
    """A certification extended to September 15, 2029 and renewed."""
    scheme = scheme_of(policy(extension=replace(EXTENSION, moves_cycle=moves_cycle)))
    [first] = renewed(scheme, AWARDED)
    second = certifications.next_cycle(
        scheme, first, decided_on=decided, awarded_on=AWARDED, extended_to=EXTENDED
    )
    extension = CycleAdjustment(1, date(2029, 3, 1), extended_to=EXTENDED)
    return Case(scheme, (first, second), adjustments=[extension])


@pytest.mark.parametrize(
    ("decided", "since"),
    [(date(2029, 5, 1), date(2029, 5, 2)), (date(2029, 3, 10), None)],
    ids=["in the extension", "before it began"],
)
def test_an_extension_earns_until_the_next_cycle_was_opened(decided, since):
    held = _extended(moves_cycle=False, decided=decided)

    assert judged(held, date(2030, 1, 1)).terms.earns_from == since


def test_an_extension_that_moves_the_next_cycle_earns_to_its_end():
    held = _extended(moves_cycle=True, decided=date(2029, 5, 1))

    assert judged(held, date(2029, 6, 1)).terms.earns_until == EXTENDED
    after = judged(held, date(2030, 1, 1))
    assert (after.cycle.starts_on, after.terms.earns_from) == (date(2029, 9, 16), None)


def test_a_cycle_cut_short_by_the_next_one_earns_no_longer():
    base = policy(extension=EXTENSION, next_cycle="decision")
    held = case(base, decided=[date(2029, 2, 1)])
    extension = CycleAdjustment(1, date(2028, 1, 1), extended_to=EXTENDED)

    found = judged(replace(held, adjustments=[extension]), date(2029, 2, 2))
    assert (found.cycle.starts_on, found.terms.earns_from) == (date(2029, 2, 2), None)


# Another requirement.


def test_a_reduction_lowers_the_requirement_from_its_day_on():
    base = policy(reduction=Reduction(("unemployment",), Decimal("0.5")))
    lowered = CycleAdjustment(1, date(2028, 1, 1), points_required=Decimal("50.00"))
    held = case(base, adjustments=[lowered])

    assert judged(held, date(2027, 12, 31)).evaluation.required == 100
    assert judged(held, date(2028, 1, 1)).evaluation.required == 50


def _spans(awarded_on: date, *changes: ChangeOfStanding) -> Sequence[certifications.StandingSpan]:
    return certifications.timeline(CPT, renewed(CPT, awarded_on), changes=changes)


@pytest.mark.parametrize(
    ("spans", "required"),
    [
        ((), "100"),
        (_spans(date(2025, 1, 1)), "45"),
        (_spans(date(2028, 6, 2)), "100"),
        (_spans(date(2023, 1, 1)), "100"),
        (_spans(date(2025, 1, 1), ChangeOfStanding(ChangeKind.SUSPEND, date(2026, 1, 1))), "100"),
    ],
    ids=["none", "held", "awarded later", "expired", "suspended"],
)
def test_who_holds_another_scheme_on_the_day_needs_its_points(spans, required):
    sharing = PointsSharing(frozenset({"clt"}), points_required=Decimal(45))
    held = case(policy(sharing=sharing), others={"clt": spans})

    assert judged(held, date(2028, 6, 1)).evaluation.required == Decimal(required)


@pytest.mark.parametrize(
    ("approved", "complete", "alone"), [("14.99", False, False), ("15", True, False)]
)
def test_who_holds_another_scheme_needs_its_minima_instead(approved, complete, alone):
    """45 instead of 60, of which 15 of volunteering instead of 20."""
    sharing = PointsSharing(frozenset({"clt"}), Decimal(45), {"volunteer": Decimal(15)})
    base = policy(points_required=Decimal(60), sharing=sharing)
    rules = with_type(base, "volunteer", limits=Limits(minimum=Decimal(20)))
    done = hours("60", date(2026, 1, 1)), claim("volunteer", approved, date(2026, 1, 1))
    both = case(rules, others={"clt": _spans(date(2025, 1, 1))})

    assert judged(both, date(2028, 6, 1), *done).evaluation.complete is complete
    assert judged(case(rules), date(2028, 6, 1), *done).evaluation.complete is alone


def test_lateness_adds_to_the_minimum_of_who_holds_another_scheme():
    sharing = PointsSharing(frozenset({"clt"}), Decimal(45), {"safety": Decimal(15)})
    safety = Tag(
        "safety",
        {"en": "Safety", "es": "Seguridad"},
        Limits(minimum=Decimal(20)),
        POLICY.provenance,
    )
    rules = policy(
        sharing=sharing,
        tags={"safety": safety},
        late=(rung(30, extra_minima={"safety": Decimal(3)}),),
    )
    both = case(rules, others={"clt": _spans(date(2025, 1, 1))})
    found = judged(both, LATE).evaluation

    assert found.tags[0].limits.minimum == 18
    assert [s.minimum for s in found.shortfalls if s.of == "tag"] == [Decimal(18)]
    assert [s.minimum for s in judged(case(rules), LATE).evaluation.shortfalls] == [Decimal(23)]


def test_a_reduction_goes_before_what_another_scheme_asks_for():
    sharing = PointsSharing(frozenset({"clt"}), points_required=Decimal(45))
    lowered = CycleAdjustment(1, date(2025, 1, 1), points_required=Decimal(60))
    others = {"clt": _spans(date(2025, 1, 1))}
    held = case(policy(sharing=sharing), others=others, adjustments=[lowered])

    assert judged(held, date(2028, 6, 1)).evaluation.required == 60


# Shared activities.


def test_activities_of_a_shared_scheme_count_where_the_policy_knows_them():
    held = case(policy(sharing=PointsSharing(frozenset({"clt", "cla"}))))
    theirs = hours("20", date(2025, 1, 1))
    unknown = replace(theirs, ref="u", type="mission")
    elsewhere = replace(theirs, ref="e", category="X", title="Elsewhere")
    mine = hours("10", date(2025, 2, 1))

    found = judged(held, LATE, mine, clt=[theirs, unknown, elsewhere], cam=[hours("5", AWARDED)])
    assert found.evaluation.total == 30
    assert list(found.claims) == [mine, theirs]


def test_an_activity_recorded_under_several_schemes_counts_once():
    held = case(policy(sharing=PointsSharing(frozenset({"clt", "cla"})), duplicates=None))
    mine = hours("10", date(2025, 2, 1))
    other = hours("7", date(2025, 2, 1))
    again, twice = replace(mine, ref="again"), replace(other, ref="twice")

    found = judged(held, LATE, mine, clt=[again, other], cla=[twice])
    assert found.evaluation.total == 17


def test_a_policy_that_shares_nothing_counts_its_own_only():
    mine = hours("10", date(2025, 2, 1))
    shared = {"clt": [hours("7", date(2025, 2, 1))]}

    assert cycle_rules.claims_under(POLICY, [mine], shared) == [mine]
    sharing = policy(sharing=PointsSharing(frozenset({"clt"})))
    assert cycle_rules.claims_under(sharing, [mine], {}) == [mine]


def test_only_what_was_opened_by_the_day_is_seen():
    held: Case = case(CCST, decided=[date(2029, 5, 1)])

    assert judged(held, date(2029, 4, 20)).evaluation.required == 130
    assert judged(held, date(2024, 3, 1)).cycle.starts_on == AWARDED
    assert cycle_rules.earning(held, date(2024, 3, 1)) == Period(AWARDED, EXPIRY)


def test_schemes_are_told_apart_by_what_they_say():
    """Two schemes of one code, as tests make them, do not share what was found of the other."""
    late: Scheme = scheme_of(CCST)

    assert late.code == CPT.code
    assert cycle_rules.needs(late).record
    assert not cycle_rules.needs(CPT).record


# What counted before.

ONCE_IN_NINE_YEARS = Duplicates(("title",), Duration(9, "years"))


def test_what_counted_in_a_cycle_before_counts_no_more():
    """Three cycles: what counted in the first is remembered in the third."""
    rules = policy(duplicates=ONCE_IN_NINE_YEARS)
    held = case(rules, decided=[date(2029, 2, 1), date(2034, 2, 1)])
    first = hours("10", date(2028, 6, 1), title="Lean")
    again = hours("12", date(2037, 5, 31), title="Lean")
    later = hours("12", date(2037, 6, 1), title="Lean")

    assert judged(held, date(2038, 1, 1), first, again).evaluation.total == 0
    assert judged(held, date(2038, 1, 1), first, later).evaluation.total == 12


def test_what_did_not_count_in_its_own_cycle_displaces_nothing_later():
    """In its cycle the limit of volunteering was used up already."""
    rules = policy(duplicates=ONCE_IN_NINE_YEARS)
    held = case(rules, decided=[date(2029, 2, 1)])
    most = rules.categories["X"].limits.maximum
    full = claim("volunteer", str(most), date(2025, 1, 1))
    idle = claim("volunteer", "5", date(2026, 1, 1), title="Fair")
    again = claim("volunteer", "5", date(2030, 1, 1), title="Fair")
    on = date(2031, 1, 1)

    assert judged(held, on, full, idle, again).evaluation.total == 5
    assert judged(held, on, idle, again).evaluation.total == 0
