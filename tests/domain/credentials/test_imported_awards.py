"""domain/credentials/imported_awards.py: cycles that a file gives, and what contradicts them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.examples import CLA, CLT, CPT, POLICY, days, grace, policy, renewed, scheme_of
from tracker.domain.credentials import imported_awards as rules
from tracker.domain.credentials.assessments import Attempt
from tracker.domain.credentials.awards import (
    Award,
    AwardOnRecord,
    Filing,
    awards,
    cycles_of,
    lay_out,
)
from tracker.domain.credentials.certifications import next_cycle
from tracker.domain.credentials.imported_awards import Stretch
from tracker.domain.credentials.renewals import RenewalVerdict
from tracker.domain.points.cycle_rules import needs

TODAY = date(2026, 11, 21)
AWARDED = date(2012, 3, 15)


def read(*stretches, awarded_on=AWARDED, scheme=CPT):
    return rules.read(scheme, awarded_on, stretches, today=TODAY)


def words(said):
    return [(one.place, one.field, one.words) for one in said]


def three():
    return read(
        Stretch(None, date(2017, 3, 15)),
        Stretch(date(2017, 3, 16), date(2022, 3, 15)),
        Stretch(date(2022, 3, 16), date(2027, 3, 15)),
    ).cycles


@given(
    awarded_on=st.dates(date(1990, 1, 1), date(2026, 1, 1)),
    count=st.integers(0, 5),
)
def test_cycles_that_follow_the_validity_are_those_that_renewals_open(awarded_on, count):
    """So that what is renewed here goes on as if it had been so from the beginning."""
    cycles = [*renewed(CPT, awarded_on)]
    for _ in range(count):
        decided_on = (cycles[-1].expires_on or date.max) - timedelta(days=10)
        cycles.append(next_cycle(CPT, cycles[-1], decided_on=decided_on, awarded_on=awarded_on))
    told = [Stretch(c.starts_on if c.ordinal > 1 else None, c.expires_on) for c in cycles]

    found = read(*told, awarded_on=awarded_on)

    assert (found.faults, found.notes) == ((), ())
    plain = [replace(c, opened_on=c.starts_on, imported=False) for c in cycles]
    assert [replace(c, opened_on=c.starts_on, imported=False) for c in found.cycles] == plain
    assert read(*(Stretch(c.starts_on) for c in cycles), awarded_on=awarded_on) == found


def test_a_cycle_to_come_was_opened_by_today():
    (cycle,) = read(Stretch(), awarded_on=AWARDED).cycles
    assert cycle.opened_on == AWARDED
    later = read(Stretch(None, date(2027, 3, 15)), Stretch(date(2027, 3, 16), None)).cycles[1]
    assert later.opened_on == TODAY


def test_an_expiry_of_its_own_is_where_the_next_cycle_is_counted_from():
    (cycle,) = read(Stretch(None, date(2017, 6, 30))).cycles
    after = next_cycle(CPT, cycle, decided_on=date(2017, 6, 1), awarded_on=AWARDED)

    assert (after.starts_on, after.expires_on) == (date(2017, 7, 1), date(2022, 6, 30))


def test_what_is_unlike_the_validity_is_said():
    assert words(read(Stretch(None, date(2017, 6, 30))).notes) == [
        (
            0,
            "expires_on",
            "By the scheme's validity it is 2017-03-15; the date in the file is kept.",
        )
    ]
    assert (
        "end of cycle number 3 counted from the award"
        in read(Stretch(None, date(2027, 3, 15))).notes[0].words
    )


def test_a_gap_between_cycles_is_said_and_the_next_is_counted_from_its_start():
    found = read(Stretch(None, date(2017, 3, 15)), Stretch(date(2018, 1, 1), date(2023, 1, 1)))

    assert words(found.notes) == [
        (1, "cycle_starts_on", "It had lapsed: no cycle covers 2017-03-16 through 2017-12-31.")
    ]
    assert (found.cycles[1].anchor_on, found.cycles[1].nth) == (date(2018, 1, 1), 1)


_FIRST = (
    "must be awarded_on (2012-03-15) in the first row of a certificate: add a row for each earlier "
    "cycle"
)
_SCHEME = " (under the scheme, the first is 2012-03-15 through 2017-03-15)"
_LONG = "; or, for one long cycle from the award on, leave cycle_starts_on empty"
_AFTER = "must be after the expiration of the cycle before it"


@pytest.mark.parametrize(
    ("stretches", "place", "field", "rule"),
    [
        (
            [Stretch(None, date(2012, 3, 14))],
            0,
            "expires_on",
            "must not be before awarded_on (2012-03-15)",
        ),
        (
            [Stretch(AWARDED, date(2012, 3, 14))],
            0,
            "expires_on",
            "must not be before cycle_starts_on (2012-03-15)",
        ),
        (
            [Stretch(date(2012, 3, 14), None)],
            0,
            "cycle_starts_on",
            "must not be before awarded_on (2012-03-15)",
        ),
        ([Stretch(date(2012, 3, 16), None)], 0, "cycle_starts_on", f"{_FIRST}{_LONG}"),
        ([Stretch(date(2018, 3, 16), None)], 0, "cycle_starts_on", f"{_FIRST}{_SCHEME}{_LONG}"),
        (
            [Stretch(), Stretch(AWARDED, None)],
            1,
            "cycle_starts_on",
            "must be after the start of the cycle before it (2012-03-15)",
        ),
        (
            [Stretch(), Stretch(date(2017, 3, 15), None)],
            1,
            "cycle_starts_on",
            f"{_AFTER} (2017-03-15): a day belongs to only one cycle",
        ),
    ],
)
def test_contradictions_are_named(stretches, place, field, rule):
    assert words(read(*stretches).faults) == [(place, field, rule)]


def test_where_the_next_cycle_starts_with_the_decision_it_may_overlap_the_old_one():
    scheme = scheme_of(policy(next_cycle="decision"))
    assert read(Stretch(), Stretch(date(2017, 2, 1), None), scheme=scheme).faults == ()


def test_a_certification_without_expiry_has_one_cycle_without_end():
    found = read(Stretch(), scheme=CLA)
    assert (found.faults, found.notes, found.cycles[0].expires_on) == ((), (), None)
    assert rules.days_of(found.cycles).ends_on == date.max

    more = read(Stretch(None, date(2017, 3, 15)), Stretch(date(2018, 1, 1), None), scheme=CLA)
    assert words(more.faults) == [
        (
            0,
            "expires_on",
            "must be empty: a certification under cla awarded on 2012-03-15 never expires",
        )
    ]
    never = read(Stretch(), Stretch(date(2018, 1, 1), None), scheme=CLA)
    assert words(never.faults) == [
        (1, "cycle_starts_on", "must be empty: a certification that never expires has one cycle")
    ]
    later = read(Stretch(date(2013, 1, 1), None), scheme=CLA).faults
    assert "(under the scheme, the first is" not in later[0].words


def passed(*days_: date) -> list[Attempt]:
    return [Attempt(m, day, passed=True) for m, day in zip(CPT.required, days_, strict=True)]


@pytest.mark.parametrize("last", [date(2012, 3, 16), date(2027, 3, 15)])
def test_an_award_before_its_passes_complete_contradicts_them(last):
    found = rules.late(CPT, three(), passed(AWARDED, AWARDED, AWARDED, last), {})

    assert found is not None
    assert found.of_award == (
        f"must not be before the last required pass on record (maintenance, {last}): correct the "
        "day of the award, or the pass"
    )
    assert found.of_pass("OLD/1", AWARDED) == (
        f"would make {last} the day of the last required pass (maintenance), but OLD/1 was "
        f"awarded on {AWARDED}: correct the day of the pass, or first amend or void that award"
    )


@pytest.mark.parametrize("last", [date(2010, 1, 1), AWARDED, date(2027, 3, 16)])
def test_passes_by_its_day_or_after_its_end_do_not(last):
    assert rules.late(CPT, three(), passed(last, last, last, last), {}) is None


def test_passes_of_the_award_that_replaced_it_do_not():
    again = date(2014, 5, 1)
    assert rules.late(CPT, three(), passed(*[again] * 4), {}) is not None
    assert rules.late(CPT, three(), passed(*[again] * 4), {}, again) is None


def test_some_of_the_passes_contradict_nothing():
    assert rules.late(CPT, three(), passed(*[TODAY] * 4)[:3], {}) is None


def test_an_award_before_the_prerequisite_contradicts_it():
    passes = [Attempt(m, AWARDED, passed=True) for m in CLT.required]
    cycles = rules.read(CLT, AWARDED, [Stretch()], today=TODAY).cycles

    assert rules.late(CLT, cycles, passes, {"cla": date(2012, 4, 1)}) == rules.LateCompletion(
        ("cla",), date(2012, 4, 1)
    )


def test_passes_after_the_award_may_be_re_examinations_where_there_are_some():
    late = replace(grace(days(90))[0], by="reexamination")
    scheme = scheme_of(replace(POLICY, late=(late,)))
    assert needs(scheme).attempts

    assert rules.late(scheme, three(), passed(*[TODAY] * 4), {}) is None


def test_passes_of_an_earlier_day_are_told():
    day = date(2012, 3, 1)
    assert rules.pass_note(CPT, AWARDED, passed(day, day, day, day), {}) == (
        "By the passes on record the award date is 2012-03-01; the date in the file, 2012-03-15, "
        "is kept."
    )
    assert rules.pass_note(CPT, AWARDED, passed(*[AWARDED] * 4), {}) is None
    assert rules.pass_note(CPT, AWARDED, [], {}) is None


# domain/credentials/awards.py: how such an award stands beside passes and renewals.
ON_RECORD = AwardOnRecord(1, AWARDED, cycles=three(), imported=True)


def test_it_stands_whatever_the_passes_say():
    nothing: list[Attempt] = []
    for passes in (nothing, passed(*[date(2015, 1, 1)] * 4), passed(*[date(2010, 1, 1)] * 4)):
        (award,) = awards(CPT, passes, {}, [ON_RECORD])
        assert award.awarded_on == AWARDED
        assert cycles_of(CPT, award) == three()


def test_one_that_is_void_does_not():
    assert awards(CPT, [], {}, [replace(ON_RECORD, imported=False)]) == ()
    assert replace(ON_RECORD, imported=False).given == ()


def filed(key, submitted, decided, **more):
    return Filing(key, submitted, RenewalVerdict.APPROVED, decided, from_file=True, **more)


@pytest.mark.parametrize(
    ("submitted", "renews"),
    [
        (date(2017, 1, 10), 1),
        (date(2022, 1, 10), 2),
        (date(2017, 3, 15), 1),
    ],
)
def test_an_approval_of_a_cycle_whose_next_is_given_opens_none(submitted, renews):
    decided = submitted + timedelta(days=5)
    layout = lay_out(CPT, AWARDED, [filed("r", submitted, decided)], imported=three())

    assert layout.renewed == {"r": renews}
    assert (layout.idle, layout.unfit) == ({}, frozenset())
    assert [replace(c, opened_on=c.starts_on) for c in layout.cycles] == [*three()]
    assert layout.cycles[renews].opened_on == decided


def test_of_two_approvals_of_one_cycle_the_first_opened_the_next():
    filings = [
        filed(key, date(2017, 1, 10), date(2017, 1, day)) for key, day in (("b", 28), ("a", 20))
    ]
    layout = lay_out(CPT, AWARDED, filings, imported=three())

    assert layout.renewed == {"a": 1, "b": 1}
    assert layout.cycles[1].opened_on == date(2017, 1, 20)


def test_an_approval_before_the_window_contradicts_the_cycle_that_is_given():
    layout = lay_out(
        CPT, AWARDED, [filed("r", date(2013, 1, 10), date(2013, 1, 20))], imported=three()
    )

    assert layout.renewed == {"r": 1}
    assert [r.detail for r in layout.idle["r"]] == ["The renewal window opens on 2016-12-15."]
    assert layout.cycles == three()


def test_a_late_approval_is_about_the_cycle_that_had_ended():
    scheme = scheme_of(policy(late=grace(days(60))))
    layout = lay_out(
        scheme,
        AWARDED,
        [filed("r", date(2017, 4, 10), date(2017, 4, 20))],
        imported=rules.read(
            scheme,
            AWARDED,
            [
                Stretch(None, date(2017, 3, 15)),
                Stretch(date(2017, 3, 16), date(2022, 3, 15)),
            ],
            today=TODAY,
        ).cycles,
    )

    assert (layout.renewed, layout.idle) == ({"r": 1}, {})
    assert [c.opened_on for c in layout.cycles] == [AWARDED, date(2017, 4, 20)]


def test_an_approval_after_the_last_day_is_about_the_cycle_before_the_gap():
    told = [Stretch(None, date(2017, 3, 15)), Stretch(date(2018, 1, 1), date(2023, 1, 1))]
    layout = lay_out(
        CPT,
        AWARDED,
        [filed("r", date(2017, 11, 1), date(2017, 12, 1))],
        imported=read(*told).cycles,
    )

    assert layout.renewed == {"r": 1}
    assert [r.detail for r in layout.idle["r"]] == ["It expired on 2017-03-15."]
    assert layout.cycles[1].opened_on == date(2018, 1, 1)


def test_an_approval_of_the_last_cycle_opens_the_next():
    layout = lay_out(
        CPT, AWARDED, [filed("r", date(2027, 1, 10), date(2027, 1, 20))], imported=three()
    )

    assert [c.imported for c in layout.cycles] == [True, True, True, False]
    assert (layout.cycles[3].starts_on, layout.cycles[3].expires_on) == (
        date(2027, 3, 16),
        date(2032, 3, 15),
    )


def test_an_approval_before_the_award_opens_nothing_and_says_so():
    layout = lay_out(
        CPT, AWARDED, [filed("r", date(2011, 1, 10), date(2011, 1, 20))], imported=three()
    )

    assert [*layout.idle] == ["r"]
    assert layout.cycles == three()


def test_an_award_of_passes_has_no_cycles_given():
    award = Award(1, AWARDED, (), (), ())
    assert [c.imported for c in cycles_of(CPT, award)] == [False]


def test_an_expiry_that_the_validity_gives_is_not_told_and_follows_the_award():
    told = [Stretch(None, date(2017, 3, 15)), Stretch(date(2017, 3, 16), date(2021, 1, 1))]
    cycles = rules.read(CPT, AWARDED, told, today=TODAY).cycles

    assert rules.stretches_of(CPT, cycles) == [
        Stretch(),
        Stretch(date(2017, 3, 16), date(2021, 1, 1)),
    ]
    endless = rules.read(CLA, AWARDED, [Stretch()], today=TODAY).cycles
    assert rules.stretches_of(CLA, endless) == [Stretch()]
