"""What would close the gap, example by example; ``test_gap_properties`` holds it to the engine."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.domain.examples import CYCLE, POLICY, capped, claim, evaluate, job, policy, with_type
from tracker.domain.periods import Duration, Period
from tracker.domain.points import gap
from tracker.domain.points.claims import Claim
from tracker.domain.points.gap import Gap
from tracker.domain.schemes.activity_types import Limits, Tag
from tracker.domain.schemes.policies import Duplicates, Kinds, Policy, WindowMinimum

D = Decimal
DAY = date(2026, 5, 1)
ON = date(2026, 11, 21)
FULL, PART = "employment_full_time", "employment_part_time"


def closing(*claims: Claim, under: Policy = POLICY, on: date = ON, **more: Any) -> Gap:
    """The gap of some claims on a day."""
    return gap.close(evaluate(*claims, policy=under, on=on, **more), under)


def ways(found: Gap) -> list[dict[str, str]]:
    """Each way as the quantity of every type, those that bear a mark apart."""
    return [
        {"/".join([a.kind.code, *a.marks]): f"{a.units.normalize():f}" for a in way}
        for way in found.ways
    ]


def only(*codes: str, base: Policy = POLICY, **changes: Any) -> Policy:
    """A policy with these types of activity and no others."""
    return replace(base, types={code: base.types[code] for code in codes}, **changes)


def bounded(base: Policy, code: str, **bounds: str) -> Policy:
    """The same with limits on a type."""
    return with_type(base, code, limits=Limits(**{k: D(v) for k, v in bounds.items()}))


def grouped(base: Policy, code: str, **bounds: str) -> Policy:
    """The same with limits on a category."""
    limits = Limits(**{k: D(v) for k, v in bounds.items()})
    category = replace(base.categories[code], limits=limits)
    return replace(base, categories={**base.categories, code: category})


def marked(base: Policy, **bounds: str) -> Policy:
    """The same with a mark and its limits."""
    limits = Limits(**{k: D(v) for k, v in bounds.items()})
    tag = Tag("safety", {"en": "Safety", "es": "Seguridad"}, limits, base.provenance)
    return replace(base, tags={"safety": tag})


def test_the_smallest_sets_come_first_then_the_policys_own_order():
    """worked_cases.md E2: what would close the gap."""
    found = closing(claim("college_credit", "2", DAY), claim("volunteer", "9", DAY))

    assert ways(found) == [
        {"college_credit": "17"},
        {"college_noncredit": "81"},
        {"third_party": "81"},
        {"industry_certification": "3", FULL: "21"},
    ]
    assert found.days == Period(ON, CYCLE.ends_on)
    assert found == closing(claim("college_credit", "2", DAY), claim("volunteer", "9", DAY))


def test_as_many_kinds_are_combined_as_it_takes():
    assert ways(closing(under=capped(CE="10"))) == [
        {"industry_certification": "3", FULL: "27", "volunteer": "13"},
        *(
            {course: hours, "industry_certification": "3", PART: "26", "volunteer": "17"}
            for course, hours in (
                ("college_credit", "2"),
                ("college_noncredit", "10"),
                ("third_party", "10"),
            )
        ),
    ]


def test_where_nothing_is_missing_nothing_is_told():
    assert closing(claim("college_credit", "20", DAY)) == Gap(Period(ON, CYCLE.ends_on))
    assert closing(reexamined_on=DAY).ways == ()


@pytest.mark.parametrize(
    ("changes", "quantity"),
    [
        ({}, "1"),
        ({"increment": D("0.25")}, "0.25"),
        ({"increment": D(4), "rate": D(2)}, "2"),
        ({"rate": D("0.3")}, "1"),
    ],
)
def test_quantities_are_whole_units_unless_steps_are_finer(changes, quantity):
    under = with_type(only("third_party", points_required=D("19.95")), "third_party", **changes)
    before = replace(POLICY.types["third_party"], code="before", rate=D(1))
    under = replace(under, types={**under.types, "before": before})
    done = replace(claim("third_party", "19.75", DAY), type="before")

    assert {"third_party": quantity} in ways(closing(done, under=under))


def test_rounding_up_may_spare_a_unit():
    under = with_type(
        only("third_party", points_required=D("1.00")), "third_party", rate=D("0.3333")
    )

    assert ways(closing(under=under)) == [{"third_party": "3"}]
    assert ways(closing(under=replace(under, rounding="down"))) == [{"third_party": "4"}]


def test_what_one_activity_brings_at_most_takes_several():
    under = bounded(only("third_party", points_required=D(50)), "third_party", per_event="20")
    (way,) = closing(under=under).ways

    assert way[0].portions[0].each == (D(10), D(20), D(20))
    assert way[0].points == D(50)


def test_whole_steps_of_one_activity_spare_the_others_theirs():
    under = bounded(only("third_party", points_required=D("13.5")), "third_party", per_event="9")
    (way,) = closing(under=with_type(under, "third_party", increment=D(2), rate=D("0.5"))).ways

    assert way[0].portions[0].each == (D(12), D(16))


def test_events_are_told_by_their_number():
    under = with_type(
        only("third_party", points_required=D(70)),
        "third_party",
        basis="event",
        rate=D(30),
        threshold=D(1500),
    )
    (way,) = closing(under=under).ways

    assert (way[0].units, way[0].points) == (D(3), D(90))


def test_a_quantity_reaches_the_threshold():
    under = with_type(only("third_party", points_required=D(5)), "third_party", threshold=D(8))

    assert ways(closing(under=under)) == [{"third_party": "8"}]


def test_a_type_of_which_one_counts_is_offered_once():
    once = only("third_party", points_required=D(30), duplicates=Duplicates(("type",)))
    capped_once = bounded(once, "third_party", per_event="20")
    events = with_type(once, "third_party", basis="event", rate=D(20))

    assert ways(closing(under=once)) == [{"third_party": "30"}]
    assert ways(closing(claim("third_party", "5", DAY), under=once)) == [{"third_party": "30"}]
    for under in (capped_once, events):
        assert [one.kind for one in closing(under=under).obstacles] == ["once"]


def test_whole_steps_do_not_make_two_of_what_counts_once():
    """Two steps of 2 points are more than the 3 that one activity earns; it is one all the same."""
    under = only("third_party", points_required=D("2.5"), duplicates=Duplicates(("type",)))
    under = with_type(grouped(under, "CE", per_event="3"), "third_party", increment=D(2))
    (way,) = closing(under=under).ways

    assert [portion.each for portion in way[0].portions] == [(D(4),)]


def test_what_counts_once_is_done_in_one_year():
    """Five years that each need points cannot be served by one activity."""
    under = only(
        "third_party", points_required=D(5), minimum_per_year=D(5), duplicates=Duplicates(("type",))
    )
    found = closing(under=under, on=date(2024, 4, 1))

    assert found.ways == ()
    assert [one.kind for one in found.obstacles] == ["once"]


def test_a_job_brings_the_whole_months_that_are_left():
    under = only(FULL, points_required=D(30))
    (way,) = closing(under=only(FULL, points_required=D(27))).ways

    assert way[0].portions[0].period == Period(date(2026, 11, 22), date(2029, 2, 21))
    assert [(o.kind, o.months) for o in closing(under=under).obstacles] == [("time", 27)]
    assert closing(under=under, on=CYCLE.ends_on).obstacles[0].months == 0


@pytest.mark.parametrize(
    ("changes", "months"),
    [
        ({"month_rule": "pro_rata"}, "6"),
        ({"overlap": "capped_sum", "overlap_maximum": D("0.50")}, "12"),
        ({"overlap": "capped_sum", "overlap_maximum": D("2.00")}, "6"),
    ],
)
def test_months_are_worth_what_the_policy_says(changes, months):
    under = only(FULL, points_required=D("5.90"), **changes)

    assert ways(closing(under=under)) == [{FULL: months}]


def test_jobs_that_are_rounded_together_are_told_with_care():
    under = only(FULL, points_required=D("7.05"), month_rule="pro_rata")
    before = job("full_time", date(2026, 1, 1), date(2026, 1, 31))

    assert ways(closing(before, under=under)) == [{FULL: "7"}]


def test_a_job_is_worth_no_more_than_one_activity():
    under = only(FULL, "volunteer", points_required=D("3.5"))
    under = bounded(bounded(under, FULL, per_event="3"), "volunteer", maximum="1")

    assert ways(closing(under=under)) == [{FULL: "3", "volunteer": "1"}]


def test_a_job_that_lasts_leaves_no_room_for_a_lesser_one():
    under = only(FULL, PART, points_required=D(40))
    lasting = job("full_time", date(2026, 1, 1))

    assert ways(closing(replace(lasting, limit=D(5)), under=under)) == []
    assert ways(closing(lasting, under=replace(under, overlap="sum"))) == [{FULL: "2"}, {PART: "4"}]


def test_jobs_add_up_where_the_policy_adds_them():
    under = only(FULL, PART, points_required=D(40))

    assert ways(closing(under=under)) == []
    assert ways(closing(under=replace(under, overlap="sum"))) == [{FULL: "27", PART: "26"}]


YEAR = Duration(1, "years")
ONCE_A_YEAR = Duplicates(("type",), YEAR)


def test_what_counts_once_a_year_is_done_once_in_each():
    """One course is worth at most 10 points here, so that it takes two, a year apart."""
    under = only("third_party", points_required=D(20), duplicates=ONCE_A_YEAR)
    found = closing(under=bounded(under, "third_party", per_event="10"))
    (way,) = found.ways

    first, second = (portion.period for portion in way[0].portions)
    assert [portion.each for portion in way[0].portions] == [(D(10),), (D(10),)]
    assert first.starts_on == first.ends_on >= ON
    assert second.starts_on == second.ends_on >= YEAR.after(first.starts_on)


def test_what_counted_is_done_again_when_its_year_is_over():
    under = bounded(
        only("third_party", points_required=D(20), duplicates=ONCE_A_YEAR),
        "third_party",
        per_event="10",
    )
    done = claim("third_party", "10", DAY)
    (way,) = closing(done, under=under).ways

    assert way[0].portions[0].period.starts_on == date(2027, 5, 1)
    late = evaluate(done, policy=under, on=ON)
    assert gap.close(late, under, by=date(2027, 4, 30)).ways == ()


def test_a_type_that_brings_nothing_is_not_offered():
    assert ways(closing(under=with_type(only("volunteer"), "volunteer", rate=D(0)))) == []


def test_the_last_stretch_is_served_in_the_last_stretch():
    under = only("third_party", windows=(WindowMinimum(Duration(1, "years"), D(10)),))
    found = closing(claim("third_party", "95", DAY), under=under)
    (way,) = found.ways

    assert [(p.period.starts_on, sum(p.each)) for p in way[0].portions] == [
        (date(2028, 3, 16), D(10))
    ]
    found = closing(under=under, on=date(2028, 6, 1))
    assert [p.period for p in found.ways[0][0].portions] == [found.days]


def test_every_year_is_served_in_its_year():
    under = only("third_party", points_required=D(50), minimum_per_year=D(5))
    done = [claim("third_party", "5", date(year, 5, 1)) for year in (2024, 2025)]
    (way,) = closing(*done, under=under).ways

    years = {p.period.starts_on.year: sum(p.each) for p in way[0].portions}
    assert years.keys() == {2026, 2027, 2028}
    assert min(years.values()) == D(5)
    assert way[0].units == D(40)


def test_a_year_that_fell_short_cannot_be_made_up_for():
    under = only("third_party", minimum_per_year=D(5))
    found = closing(under=under)

    assert found.ways == ()
    assert [(o.kind, o.subject) for o in found.obstacles] == [
        ("lost", "2024-03-15"),
        ("lost", "2025-03-15"),
    ]


def test_what_a_year_gives_at_most_is_spread_over_the_years():
    under = bounded(only("third_party", points_required=D(50)), "third_party", per_year="20")
    (way,) = closing(claim("third_party", "15", DAY), under=under).ways

    assert sorted(sum(p.each) for p in way[0].portions) == [D(15), D(20)]


def test_a_job_goes_on_through_years_that_count_less_of_it():
    under = grouped(only(FULL, points_required=D(24)), "E", per_year="10")
    (way,) = closing(job("full_time", date(2026, 1, 1), date(2026, 4, 30)), under=under).ways

    assert [p.each for p in way[0].portions] == [(D(22),)]


def test_several_obstacles_by_year_are_told_once():
    under = bounded(only("third_party", points_required=D(90)), "third_party", per_year="10")

    assert [(o.kind, o.points) for o in closing(under=under).obstacles] == [("year_cap", D(10))]


def test_a_mark_that_is_lacking_is_borne_by_what_is_done():
    under = marked(only("third_party", points_required=D(20)), minimum="4")
    base = closing(claim("third_party", "16", DAY), under=under)
    done = claim("third_party", "20", DAY)
    full = closing(done, under=grouped(under, "CE", maximum="20"))
    full_type = closing(done, under=bounded(under, "third_party", maximum="20"))

    assert ways(base) == ways(full) == ways(full_type) == [{"third_party/safety": "4"}]


def test_a_type_may_bear_the_mark_of_itself():
    under = marked(only("third_party", "volunteer", points_required=D(20)), minimum="4")
    under = with_type(under, "volunteer", tags=frozenset({"safety"}))

    assert ways(closing(claim("third_party", "18", DAY), under=under)) == [
        {"third_party/safety": "4"},
        {"volunteer": "4"},
    ]


def test_a_mark_holds_less_than_is_missing():
    under = marked(only("third_party", points_required=D(20)), minimum="4", maximum="6")

    assert ways(closing(under=under)) == [{"third_party": "16", "third_party/safety": "4"}]


def test_further_kinds_are_brought_by_a_unit_each():
    by_category = only(
        "third_party", "volunteer", points_required=D(20), kinds=Kinds(2, "category")
    )
    by_type = replace(by_category, kinds=Kinds(2, "type"))
    done = claim("third_party", "20", DAY)

    for under in (by_category, by_type):
        assert ways(closing(done, under=under)) == [{"volunteer": "1"}]
        assert ways(closing(under=under)) == [{"third_party": "19", "volunteer": "1"}]
    too_many = closing(done, under=replace(by_category, kinds=Kinds(3, "category")))
    assert [one.kind for one in too_many.obstacles] == ["kinds"]


def test_a_full_group_makes_room_for_what_falls_short_within_it():
    """Four of the twenty points of volunteering give way to a type that must be there."""
    base = only("volunteer", "third_party", points_required=D(20))
    needed = replace(base.types["third_party"], category="X")
    under = bounded(
        replace(base, types={**base.types, "third_party": needed}), "third_party", minimum="4"
    )

    assert ways(closing(claim("volunteer", "20", DAY), under=under)) == [{"third_party": "4"}]


def test_a_year_that_is_full_makes_room_for_what_is_done_in_it():
    base = only("third_party", "college_noncredit", points_required=D(20))
    under = bounded(grouped(base, "CE", per_year="20"), "college_noncredit", minimum="4")
    done = claim("third_party", "20", date(2028, 5, 1))

    assert ways(closing(done, under=under, on=CYCLE.ends_on)) == [{"college_noncredit": "4"}]


def test_a_year_that_is_full_is_left_alone_while_another_has_room():
    base = only("third_party", points_required=D(9))
    under = bounded(base, "third_party", per_year="5", minimum="9")
    (way,) = closing(claim("third_party", "3", DAY), under=under).ways

    assert way[0].points == D(6)


def test_counting_that_stopped_makes_room():
    base = only("third_party", "volunteer", points_required=D(20), stop_at_requirement=True)
    done = claim("third_party", "20", DAY)
    needing = bounded(base, "volunteer", minimum="4")

    assert ways(closing(done, under=needing)) == [{"volunteer": "4"}]
    assert ways(closing(done, under=replace(base, kinds=Kinds(2, "type")))) == [{"volunteer": "1"}]
    found = closing(done, under=grouped(needing, "CE", minimum="18"))
    assert [one.kind for one in found.obstacles] == ["stop"]


def test_nothing_makes_room_that_a_minimum_needs():
    """What displaces points of a mark or a stretch that has a minimum serves it too."""
    base = only("third_party", "volunteer", points_required=D(20), stop_at_requirement=True)
    base = bounded(base, "volunteer", minimum="4")
    late = claim("third_party", "20", date(2028, 5, 1), tags=frozenset({"safety"}))
    stretch = replace(base, windows=(WindowMinimum(Duration(1, "years"), D(4)),))

    for under in (marked(base, minimum="20"), marked(base, minimum="18")):
        assert ways(closing(late, under=under, on=CYCLE.ends_on)) == [{"volunteer/safety": "4"}]
    assert ways(closing(late, under=stretch, on=CYCLE.ends_on)) == [{"volunteer": "4"}]
    early = claim("third_party", "20", DAY)
    assert ways(closing(early, under=stretch, on=CYCLE.ends_on)) == [{"volunteer": "4"}]


def test_a_full_mark_makes_room_unless_another_group_is_full():
    base = only("third_party", "volunteer", points_required=D(20))
    under = marked(bounded(base, "volunteer", minimum="4"), maximum="20")
    for code in base.types:
        under = with_type(under, code, tags=frozenset({"safety"}))
    done = claim("third_party", "20", DAY)

    assert ways(closing(done, under=under)) == [{"volunteer": "4"}]
    assert ways(closing(done, under=grouped(under, "X", maximum="2"))) == []


def test_more_of_a_full_group_does_not_serve_its_own_minimum():
    under = grouped(only("third_party", points_required=D(4)), "CE", maximum="4", minimum="5")
    found = closing(claim("third_party", "4", DAY), under=under)

    assert [(o.kind, o.subject) for o in found.obstacles] == [("cycle_cap", "CE")]


def test_nobody_does_more_than_the_others_leave_to_do():
    """Whole hours bring more than was asked of them, which spares a month of the job."""
    under = only("industry_certification", PART, "volunteer", points_required=D(79))

    assert (
        ways(closing(under=under))
        == [
            {"industry_certification": "3", "volunteer": "19"},
            {"industry_certification": "3", PART: "26", "volunteer": "6"},
        ][:1]
    )
    assert ways(closing(under=capped(under, X="6"))) == [
        {"industry_certification": "3", PART: "26", "volunteer": "6"},
    ]


def test_a_minimum_that_two_serve_together_is_not_served_twice():
    under = marked(only("third_party", "volunteer", points_required=D(10)), minimum="7")
    for code in ("third_party", "volunteer"):
        under = bounded(with_type(under, code, tags=frozenset({"safety"})), code, minimum="5")

    assert ways(closing(under=under)) == [{"third_party": "5", "volunteer": "5"}]


def test_at_most_eight_ways_are_told():
    course = POLICY.types["third_party"]
    types = {f"t{n}": replace(course, code=f"t{n}") for n in range(12)}

    assert len(closing(under=policy(types=types)).ways) == gap.MOST_WAYS


def test_no_set_holds_a_smaller_one_that_would_do():
    types = {c: POLICY.types[c] for c in ("college_credit", "industry_certification", "volunteer")}
    under = policy(types=types, points_required=D(70))

    assert ways(closing(under=under)) == [
        {"college_credit": "14"},
        {"industry_certification": "3", "volunteer": "10"},
    ]


def test_time_that_is_over_is_an_obstacle_unless_one_may_still_earn():
    late, grace = date(2029, 4, 1), date(2029, 5, 1)
    found = closing(on=late, earns_until=grace)

    assert [o.kind for o in closing(on=late).obstacles] == ["over"]
    assert (ways(found)[0], found.days) == ({"college_credit": "20"}, Period(late, grace))


def test_more_than_three_kinds_are_a_way_too():
    under = only(
        "college_credit",
        "college_noncredit",
        "third_party",
        "volunteer",
        FULL,
        PART,
        points_required=D(40),
    )
    for code in under.types:
        under = bounded(under, code, maximum="10")

    found = ways(closing(under=under))
    assert {len(way) for way in found} == {4}
    assert found[0] == {
        "college_credit": "2",
        "college_noncredit": "10",
        "third_party": "10",
        "volunteer": "10",
    }


def test_minima_that_compete_for_a_group_name_its_room():
    under = only("third_party", "college_noncredit", points_required=D(5))
    under = grouped(under, "CE", maximum="5")
    for code in under.types:
        under = bounded(under, code, minimum="5")

    assert [(o.kind, o.subject, o.points) for o in closing(under=under).obstacles] == [
        ("cycle_cap", "CE", D(5)),
    ]


def test_what_nothing_serves_is_told_by_its_group():
    under = grouped(only("third_party", points_required=D(5)), "X", minimum="3")

    assert [(o.kind, o.group, o.subject) for o in closing(under=under).obstacles] == [
        ("unserved", "category", "X"),
    ]


def test_what_a_later_stretch_brings_is_not_done_earlier_too():
    under = only(
        "third_party",
        "volunteer",
        points_required=D(10),
        kinds=Kinds(2, "type"),
        windows=(WindowMinimum(Duration(8, "months"), D(5)),),
    )
    under = with_type(with_type(under, "third_party", rate=D("1.5")), "volunteer", rate=D(4))
    under = bounded(grouped(under, "X", per_event="5", maximum="25"), "volunteer", minimum="5")
    (way,) = closing(under=under).ways
    done = [(a.kind.code, p.period.starts_on, p.each) for a in way for p in a.portions]

    assert done == [
        ("third_party", ON, (D(2),)),
        ("volunteer", date(2028, 7, 16), (D(1), D(1))),
    ]


def test_minima_in_each_others_way_leave_what_was_found():
    under = only(
        "volunteer",
        FULL,
        points_required=D(5),
        stop_at_requirement=True,
        duplicates=Duplicates(("type",)),
    )
    under = with_type(grouped(marked(under, minimum="5"), "E", maximum="8.5"), FULL, rate=D("1.5"))
    under = bounded(
        grouped(under, "X", per_event="3", maximum="10.5", minimum="1"), "volunteer", minimum="2.5"
    )
    before = job("full_time", date(2024, 3, 15), date(2024, 5, 27))

    assert ways(closing(before, under=under, on=date(2028, 12, 4))) == [
        {"volunteer/safety": "3", f"{FULL}/safety": "2"},
    ]


def test_claims_of_types_that_are_not_known_stand_in_nobodys_way():
    under = grouped(only("third_party", points_required=D(20)), "CE", maximum="20", per_year="20")
    under = bounded(under, "third_party", minimum="4")
    strange = replace(claim("third_party", "9", DAY), type="unheard_of")

    assert ways(closing(strange, under=under)) == [{"third_party": "20"}]


def test_a_job_that_goes_on_is_counted_on():
    """46 of 100, and 24 more by the expiry: 30 hours will do."""
    lasting = job("full_time", date(2024, 3, 15))
    found = closing(lasting, claim("third_party", "10", DAY), on=date(2027, 3, 15))

    assert found.goes_on
    assert ways(found)[1:3] == [{"college_noncredit": "30"}, {"third_party": "30"}]
    assert found.ways[2][0].portions[0].period == found.days


def test_a_job_that_goes_on_may_be_enough():
    found = closing(job("full_time", date(2026, 1, 1)), under=only(FULL, points_required=D(30)))

    assert (found.ways, found.obstacles) == (((),), ())


def test_a_better_job_counts_for_more_than_the_one_that_goes_on():
    under = only(FULL, PART, points_required=D(30))
    found = closing(job("part_time", date(2024, 4, 22)), under=under)

    assert ways(found) == [{FULL: "2"}]


def test_marks_that_are_lacking_may_be_borne_by_one_activity():
    under = only("third_party", points_required=D(5))
    under = marked(bounded(under, "third_party", maximum="5"), minimum="5")
    under = replace(
        under, tags={**under.tags, "ethics": replace(under.tags["safety"], code="ethics")}
    )
    (way,) = closing(under=under).ways

    assert [activity.marks for activity in way] == [{"safety", "ethics"}]


def test_an_activity_that_may_be_done_in_any_year_is_given_no_year():
    under = bounded(only("third_party", points_required=D(8)), "third_party", per_year="20")
    found = closing(under=under)

    assert [p.period for p in found.ways[0][0].portions] == [found.days]


def test_a_mark_that_is_there_already_is_tried_last():
    """The mark falls short only if volunteering takes the room of what bears it."""
    under = marked(
        bounded(only("third_party", points_required=D(8)), "third_party", maximum="4"), minimum="2"
    )
    done = claim("third_party", "2", DAY, tags=frozenset({"safety"}))

    assert [one.kind for one in closing(done, under=under).obstacles] == ["cycle_cap"]


@pytest.mark.parametrize("key", [("provider", "title"), ("title", "completed_on"), ("provider",)])
def test_further_activities_are_no_repetitions_of_each_other(key):
    under = grouped(only("third_party", points_required=D(3)), "CE", per_year="1.5")
    under = replace(under, duplicates=Duplicates(key))

    assert ways(closing(under=under)) == [{"third_party": "3"}]


def test_a_type_that_ended_is_no_way_any_more():
    """It would bring nothing: the days of the type are over, or end before those of the cycle."""
    ended = with_type(POLICY, "third_party", counts_until=date(2025, 1, 1))
    closing = gap.close(evaluate(policy=ended, on=date(2026, 1, 1)), ended)
    used = {activity.kind.code for way in closing.ways for activity in way}

    assert closing.ways
    assert "third_party" not in used


def test_a_year_of_work_is_proposed_once_a_year():
    """60 are needed, and a year of work brings 30: one in each of two years, not two in one."""
    years = with_type(
        policy(points_required=Decimal(60), year="calendar"),
        "third_party",
        basis="event",
        rate=Decimal(30),
        threshold=Decimal(1500),
        threshold_over="year",
    )
    only = replace(years, types={"third_party": years.types["third_party"]})
    closing = gap.close(evaluate(policy=only, on=date(2028, 6, 1)), only)
    late = gap.close(evaluate(policy=only, on=date(2029, 1, 1)), only)

    ((activity,),) = closing.ways
    assert [len(portion.each) for portion in activity.portions] == [1, 1]
    assert activity.units == D(3000)
    assert late.ways == ()


@pytest.mark.parametrize("duplicates", [None, Duplicates(("provider", "title"))])
def test_what_a_year_has_on_record_counts_towards_its_threshold(duplicates):
    """1,500 hours of work are needed in each of two years; 1,100 are there in the first."""
    base = only("third_party", points_required=D(60), year="calendar", duplicates=duplicates)
    under = with_type(
        base, "third_party", basis="event", rate=D(30), threshold=D(1500), threshold_over="year"
    )
    done = [
        claim("third_party", "900", date(2028, 2, 1), title="North plant"),
        claim("third_party", "200", date(2028, 3, 1), title="South plant"),
    ]
    found = closing(*done, under=under, on=date(2028, 6, 1))
    (way,) = found.ways

    assert [portion.each for portion in way[0].portions] == [(D(400),), (D(1500),)]
    assert way[0].units == D(1900)


def test_a_year_that_reached_its_threshold_needs_no_more_than_a_mark():
    """The hours are there; what bears the mark is done beside them, and counts in their place."""
    under = marked(only("third_party", points_required=D(30)), minimum="30")
    under = with_type(
        under, "third_party", basis="event", rate=D(30), threshold=D(1500), threshold_over="year"
    )

    assert ways(closing(claim("third_party", "1600", ON), under=under))[0] == {
        "third_party/safety": "1"
    }


def test_a_mark_may_be_lacking_in_a_stretch_of_time_alone():
    stretch = WindowMinimum(Duration(1, "years"), D(5), tag="safety")
    under = replace(marked(only("third_party", points_required=D(5))), windows=(stretch,))
    done = claim("third_party", "20", DAY)

    assert ways(closing(done, under=under)) == [{"third_party/safety": "5"}]


def test_jobs_are_counted_from_the_first_day_of_their_type():
    under = with_type(only(FULL, points_required=D(5)), FULL, counts_from=date(2027, 6, 15))
    (way,) = closing(under=under).ways

    assert way[0].portions[0].period == Period(date(2027, 6, 15), date(2027, 11, 14))


def test_a_way_is_told_until_the_last_day_of_the_terms():
    under = only("third_party")
    by = date(2029, 2, 13)
    found = gap.close(evaluate(policy=under, on=ON), under, by=by)

    assert found.days == Period(ON, by)
    assert found.ways[0][0].portions[0].period == found.days


def test_where_sums_are_rounded_once_no_cent_too_much_is_asked_for():
    """19.995 are rounded up to the 20 that are needed; claim by claim they were 20 already."""
    under = with_type(only("third_party", points_required=D(20)), "third_party", rate=D("0.0075"))
    under = replace(under, rounding_of="category")

    assert ways(closing(under=under)) == [{"third_party": "2666"}]
    assert ways(closing(under=replace(under, rounding="down"))) == [{"third_party": "2667"}]


def test_days_between_which_a_way_does_not_do_are_not_told_as_one_time():
    """The year between is full already, by what is planned for it."""
    under = bounded(only("third_party", points_required=D(9)), "third_party", per_year="5")
    planned = claim("third_party", "5", date(2027, 5, 1))
    ((activity,),) = closing(planned, under=under).ways
    (portion,) = activity.portions

    assert portion.period == Period(date(2028, 3, 15), date(2029, 3, 15))


def test_an_event_is_taken_for_what_one_brings_under_its_cap():
    """One brings 3 of its 4 points, which will do; a second is not needed."""
    base = only("volunteer", "third_party", points_required=D(17))
    under = with_type(base, "third_party", rate=D("0.5"), increment=D(2))
    under = grouped(with_type(under, "volunteer", basis="event", rate=D(4)), "X", maximum="4")
    under = bounded(under, "volunteer", per_event="3", minimum="0.5")

    assert ways(closing(under=under)) == [{"third_party": "28", "volunteer": "1"}]


def test_a_unit_is_taken_for_what_one_activity_brings_under_its_cap():
    """A unit brings 3 of its 4 points; all caps of years and of the category are reached so."""
    base = only("third_party", "college_noncredit", points_required=D("18.5"))
    under = with_type(with_type(base, "third_party", rate=D(4)), "college_noncredit", rate=D("0.5"))
    under = bounded(grouped(under, "CE", maximum="18.5"), "third_party", per_event="3")
    under = replace(bounded(under, "college_noncredit", maximum="3.5"), kinds=Kinds(2, "type"))

    assert ways(closing(under=under)) == [{"college_noncredit": "1", "third_party": "6"}]
