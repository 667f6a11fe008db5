"""Awards one after another: when one ends for good, and what it takes to earn it again."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.examples import CLA, CLT, CPT, POLICY, days, grace, policy, scheme_of
from tracker.domain.credentials.assessments import Attempt
from tracker.domain.credentials.awards import AwardOnRecord, Filing, awards, fresh_start, lay_out
from tracker.domain.credentials.certifications import (
    GAP_RESTORED,
    ChangeKind,
    ChangeOfStanding,
    CycleAdjustment,
    first_cycle,
)
from tracker.domain.credentials.renewals import RenewalVerdict
from tracker.domain.periods import Duration
from tracker.domain.schemes.activity_types import Provenance
from tracker.domain.schemes.schemes import RevocationRule

FIRST = date(2015, 3, 15)  # valid through 15 March 2020
AGAIN = date(2026, 10, 1)
REQUIRED = CPT.required


def passed(day, modules=REQUIRED):
    return [Attempt(module, day, passed=True) for module in modules]


def stand(passes, scheme=CPT, prerequisites=None, on_record=(), **facts):
    found = awards(scheme, passes, prerequisites or {}, on_record, **facts)
    return [award.awarded_on for award in found]


TWICE = [*passed(FIRST), *passed(AGAIN)]


def test_all_modules_passed_anew_after_the_expiry_are_another_award():
    assert stand(TWICE) == [FIRST, AGAIN]


def test_the_last_of_the_new_passes_dates_it():
    spread = [Attempt(m, AGAIN + timedelta(n), passed=True) for n, m in enumerate(REQUIRED)]
    assert stand([*passed(FIRST), *spread]) == [FIRST, AGAIN + timedelta(3)]


@pytest.mark.parametrize("left_out", REQUIRED)
def test_one_module_left_out_revives_nothing(left_out):
    """Worked case 14."""
    new = passed(AGAIN, [m for m in REQUIRED if m != left_out])
    assert stand([*passed(FIRST), *new]) == [FIRST]
    assert stand([*passed(FIRST), *passed(AGAIN, [left_out])]) == [FIRST]


def test_the_optional_module_neither_helps_nor_hinders():
    assert stand([*passed(FIRST), *passed(AGAIN, [*REQUIRED[1:], "green"])]) == [FIRST]
    assert stand([*TWICE, *passed(date(2026, 11, 1), ["green"])]) == [FIRST, AGAIN]


@pytest.mark.parametrize(("day", "again"), [(date(2020, 3, 15), False), (date(2020, 3, 16), True)])
def test_passes_count_from_the_day_after_the_last_valid_day(day, again):
    assert stand([*passed(FIRST), *passed(day)]) == ([FIRST, day] if again else [FIRST])


def test_an_award_can_be_earned_a_third_time():
    days_ = [FIRST, date(2020, 4, 1), date(2025, 4, 2)]
    assert stand([p for day in days_ for p in passed(day)]) == days_


def test_grace_is_waited_for():
    scheme = scheme_of(policy(late=grace(days(90))))
    assert stand([*passed(FIRST), *passed(date(2020, 6, 13))], scheme) == [FIRST]
    assert len(stand([*passed(FIRST), *passed(date(2020, 6, 14))], scheme)) == 2


SENT = date(2020, 3, 1)


@pytest.mark.parametrize(
    ("filing", "again"),
    [
        (Filing("r", SENT), False),
        (Filing("r", SENT, RenewalVerdict.DENIED, date(2026, 11, 1)), True),
        (Filing("r", SENT, withdrawn_on=date(2026, 11, 1)), True),
        (Filing("r", SENT, RenewalVerdict.APPROVED, date(2020, 4, 1)), True),
        (Filing("r", date(2020, 5, 1)), True),
    ],
    ids=["under review", "denied", "withdrawn", "approved and expired in 2025", "too late"],
)
def test_an_application_under_review_keeps_an_award_from_ending(filing, again):
    """The issuer's slowness costs nothing: passes taken before a denial count."""
    assert stand(TWICE, filings=[filing]) == ([FIRST, AGAIN] if again else [FIRST])


def test_an_approved_renewal_keeps_it_in_force():
    filings = [
        Filing("a", SENT, RenewalVerdict.APPROVED, SENT),
        Filing("b", date(2025, 2, 1), RenewalVerdict.APPROVED, AGAIN),
    ]
    assert stand(TWICE, filings=filings) == [FIRST]


SURRENDER, REVOKED = ChangeOfStanding(ChangeKind.SURRENDER, date(2018, 1, 1)), date(2018, 1, 1)
EARLY, LATE = date(2019, 1, 1), date(2021, 1, 2)


@pytest.mark.parametrize(
    ("changes", "day", "again"),
    [
        ([SURRENDER], EARLY, True),
        ([SURRENDER], SURRENDER.effective_on, False),
        ([SURRENDER, ChangeOfStanding(ChangeKind.REINSTATE, date(2018, 1, 1))], EARLY, False),
        ([SURRENDER, ChangeOfStanding(ChangeKind.REINSTATE, date(2018, 6, 1))], EARLY, False),
        ([ChangeOfStanding(ChangeKind.REVOKE, REVOKED)], AGAIN, False),
        ([ChangeOfStanding(ChangeKind.REVOKE, REVOKED, EARLY)], date(2018, 12, 31), False),
        ([ChangeOfStanding(ChangeKind.REVOKE, REVOKED, EARLY)], EARLY, False),
        ([ChangeOfStanding(ChangeKind.REVOKE, REVOKED, EARLY)], EARLY + timedelta(1), True),
        ([ChangeOfStanding(ChangeKind.SUSPEND, REVOKED)], AGAIN, False),
        (
            [
                ChangeOfStanding(ChangeKind.SUSPEND, REVOKED),
                ChangeOfStanding(ChangeKind.SURRENDER, EARLY),
            ],
            AGAIN,
            False,
        ),
        (
            [
                ChangeOfStanding(ChangeKind.SUSPEND, REVOKED),
                ChangeOfStanding(ChangeKind.REINSTATE, EARLY),
            ],
            AGAIN,
            True,
        ),
        (
            [
                ChangeOfStanding(ChangeKind.SUSPEND, REVOKED),
                ChangeOfStanding(ChangeKind.REINSTATE, AGAIN),
            ],
            AGAIN,
            False,
        ),
        (
            [
                ChangeOfStanding(ChangeKind.SUSPEND, REVOKED),
                ChangeOfStanding(ChangeKind.REINSTATE, date(2021, 1, 1)),
            ],
            AGAIN,
            True,
        ),
        (
            [
                ChangeOfStanding(ChangeKind.SUSPEND, REVOKED),
                ChangeOfStanding(ChangeKind.REINSTATE, LATE),
            ],
            LATE - timedelta(1),
            False,
        ),
    ],
    ids=[
        "surrendered",
        "on the day itself",
        "undone",
        "taken back",
        "revoked for good",
        "in the bar",
        "last day of the bar",
        "after the bar",
        "suspended",
        "surrendered under suspension",
        "reinstated in force",
        "reinstated that day",
        "reinstated after the expiry",
        "passed under suspension",
    ],
)
def test_what_staff_decided_says_when_it_ends_for_good(changes, day, again):
    assert stand([*passed(FIRST), *passed(day)], changes=changes) == (
        [FIRST, day] if again else [FIRST]
    )


def test_a_scheme_may_say_how_long_a_revocation_bars():
    rule = RevocationRule(Duration(2, "years"), Provenance("x", verified=True))
    scheme, changes = replace(CPT, revocation=rule), [ChangeOfStanding(ChangeKind.REVOKE, REVOKED)]
    assert stand([*passed(FIRST), *passed(date(2020, 1, 1))], scheme, changes=changes) == [FIRST]
    assert len(stand([*passed(FIRST), *passed(date(2020, 1, 2))], scheme, changes=changes)) == 2


def test_what_was_decided_later_is_about_the_later_award():
    changes = [SURRENDER, ChangeOfStanding(ChangeKind.REVOKE, date(2027, 1, 1))]
    first, second = awards(CPT, TWICE, {}, changes=changes)
    assert (first.changes, second.changes) == (tuple(changes[:1]), tuple(changes[1:]))


def test_a_certification_without_end_ends_with_a_surrender_only():
    cla = [Attempt("associate", day, passed=True) for day in (FIRST, AGAIN)]
    assert stand(cla, CLA) == [FIRST]
    assert stand(cla, CLA, changes=[SURRENDER]) == [FIRST, AGAIN]
    assert fresh_start(CLA, awards(CLA, cla, {}), on=AGAIN) == (None, None)


def test_the_prerequisite_dates_the_first_award_only():
    clt = [Attempt("technician", day, passed=True) for day in (FIRST, AGAIN)]
    assert stand(clt, CLT) == []
    assert stand(clt, CLT, {"cla": date(2016, 1, 1)}) == [date(2016, 1, 1), AGAIN]


def test_an_extension_moves_the_end_and_so_do_days_given_back():
    for code in ("military", GAP_RESTORED):
        on_record = [
            AwardOnRecord(
                1, FIRST, (), (CycleAdjustment(1, SENT, date(2020, 9, 1), reason_code=code),)
            )
        ]
        passes = [*passed(FIRST), *passed(date(2020, 8, 1))]
        assert stand(passes, on_record=on_record) == [FIRST]


def test_an_award_that_staff_kept_stands_as_it_is_dated():
    kept = AwardOnRecord(1, FIRST, (first_cycle(CPT, FIRST),), kept=True)
    assert stand([], on_record=[kept]) == [FIRST]
    assert stand(passed(date(2016, 1, 1)), on_record=[kept]) == [FIRST]


def test_the_cycles_on_record_say_when_it_ends_while_its_day_is_the_same():
    """A repair of the policy moved them."""
    longer = replace(first_cycle(CPT, FIRST), expires_on=date(2021, 3, 15))
    passes = [*passed(FIRST), *passed(date(2020, 6, 1))]
    assert stand(passes, on_record=[AwardOnRecord(1, FIRST, (longer,))]) == [FIRST]
    assert len(stand(passes, on_record=[AwardOnRecord(1, EARLY, (longer,))])) == 2


@pytest.mark.parametrize(
    ("changes", "filings", "on", "found"),
    [
        ([], [], date(2016, 1, 1), (None, date(2020, 3, 16))),
        ([], [], date(2020, 3, 16), (date(2020, 3, 15), None)),
        ([], [Filing("r", SENT)], date(2020, 4, 1), (None, None)),
        (
            [ChangeOfStanding(ChangeKind.REVOKE, REVOKED, EARLY)],
            [],
            date(2018, 6, 1),
            (None, EARLY + timedelta(1)),
        ),
        ([ChangeOfStanding(ChangeKind.REVOKE, REVOKED)], [], date(2018, 6, 1), (None, None)),
        ([ChangeOfStanding(ChangeKind.SUSPEND, REVOKED)], [], date(2021, 6, 1), (None, None)),
        ([], [], FIRST, (None, None)),
    ],
)
def test_it_is_said_from_when_modules_may_be_passed_anew(changes, filings, on, found):
    held = awards(CPT, passed(FIRST), {}, changes=changes, filings=filings)
    assert fresh_start(CPT, held, on=on) == found


def test_approved_renewals_open_cycles_in_the_order_of_their_decisions():
    second = Filing("b", date(2025, 1, 1), RenewalVerdict.APPROVED, date(2025, 1, 5))
    first = Filing("a", SENT, RenewalVerdict.APPROVED, date(2020, 3, 9))
    waiting = Filing("c", date(2029, 12, 20))
    for order in permutations([second, first, waiting]):
        layout = lay_out(CPT, FIRST, order)
        assert [str(c.expires_on)[:4] for c in layout.cycles] == ["2020", "2025", "2030"]
        assert layout.renewed == {"a": 1, "b": 2, "c": 3}
        assert layout.unfit == frozenset()


def test_a_renewal_applied_for_outside_its_window_does_not_fit():
    early = Filing("a", date(2019, 12, 15), RenewalVerdict.APPROVED, date(2019, 12, 15))
    late = Filing("b", date(2025, 3, 16), RenewalVerdict.APPROVED, date(2025, 3, 16))
    assert lay_out(CPT, FIRST, [early, late]).unfit == {"a", "b"}


def test_a_renewal_of_what_never_ends_fits_nothing_and_opens_nothing():
    scheme = scheme_of(POLICY, lifetime_if_awarded_before=date(2016, 1, 1))
    layout = lay_out(scheme, FIRST, [Filing("a", SENT, RenewalVerdict.APPROVED, SENT)])
    assert (len(layout.cycles), layout.unfit) == (1, frozenset({"a"}))


def test_an_approval_told_by_a_file_that_contradicts_the_cycle_opens_nothing_and_says_why():
    told = Filing("a", SENT, RenewalVerdict.APPROVED, date(2020, 3, 9), from_file=True)
    again = replace(told, key="b")
    early = Filing("c", date(2019, 1, 1), RenewalVerdict.APPROVED, date(2019, 1, 2), from_file=True)
    layout = lay_out(CPT, FIRST, [early, again, told])
    assert [c.ordinal for c in layout.cycles] == [1, 2]
    assert {key: [r.code for r in found] for key, found in layout.idle.items()} == {
        "b": ["window_not_open"],
        "c": ["window_not_open"],
    }
    assert layout.unfit == frozenset()


def test_an_approval_that_opened_its_cycle_before_opens_it_again_and_comes_first():
    opened = Filing("b", SENT, RenewalVerdict.APPROVED, date(2020, 3, 9), from_file=True, opened=1)
    twin = replace(opened, key="a", opened=None)
    early = Filing(
        "c", date(2019, 1, 1), RenewalVerdict.APPROVED, date(2019, 1, 2), from_file=True, opened=1
    )
    assert lay_out(CPT, FIRST, [twin, opened]).idle.keys() == {"a"}
    assert lay_out(CPT, FIRST, [early]).unfit == {"c"}


def test_what_a_file_tells_of_a_revoked_certification_opens_nothing():
    told = Filing("a", SENT, RenewalVerdict.APPROVED, date(2020, 3, 9), from_file=True)
    changes = [ChangeOfStanding(ChangeKind.REVOKE, date(2019, 6, 1))]
    assert lay_out(CPT, FIRST, [told], (), changes).idle.keys() == {"a"}


DAYS = st.integers(0, 20).map(lambda n: date(2015, 1, 1) + timedelta(days=300 * n))


@given(st.lists(st.tuples(st.sampled_from([*REQUIRED, "green"]), DAYS), max_size=14), st.data())
def test_the_order_of_recording_never_matters(attempts, data):
    passes = [*passed(FIRST), *(Attempt(m, day, passed=True) for m, day in attempts)]
    shuffled = data.draw(st.permutations(passes))
    assert stand(shuffled) == stand(passes)


@given(st.lists(st.tuples(st.sampled_from(REQUIRED), DAYS), max_size=24))
def test_of_two_awards_the_second_began_after_the_first_expired(attempts):
    found = awards(CPT, [Attempt(m, day, passed=True) for m, day in attempts], {})
    for one, following in pairwise(found):
        expires_on = first_cycle(CPT, one.awarded_on).expires_on
        assert expires_on is not None
        assert following.awarded_on > expires_on
