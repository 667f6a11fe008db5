"""Versions, cohorts, ladders and expiries as a scheme file may state them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from tests.domain.examples import CPT, POLICY, grace, policy, renewed, scheme_of, window
from tracker.domain.credentials.certifications import CycleAdjustment, extended, next_cycle
from tracker.domain.periods import Duration
from tracker.domain.schemes.policies import ApplicationWindow, Cohort, ExtensionRule, LateStep
from tracker.domain.schemes.schemes import DayOfYear, Scheme
from tracker.language.policies import in_plain_words

AWARDED, EXPIRES = date(2024, 3, 15), date(2029, 3, 15)
MONTH, QUARTER = Duration(1, "months"), Duration(3, "months")
NAME = {"en": "late", "es": "tarde"}


@pytest.mark.parametrize(
    ("through", "expiries"),
    [
        ("anniversary", [date(2029, 2, 28), date(2044, 2, 29)]),
        ("day_before", [date(2029, 2, 27), date(2044, 2, 28)]),
        ("end_of_month", [date(2029, 2, 28), date(2044, 2, 29)]),
        ("end_of_year", [date(2029, 12, 31), date(2044, 12, 31)]),
    ],
)
def test_30_the_last_valid_day_has_a_granularity(through, expiries):
    award = replace(CPT.award, valid_through=through)

    assert [award.expiry(date(2024, 2, 29), n) for n in (1, 4)] == expiries


def test_30_the_end_of_the_month_is_its_last_day_in_any_month():
    award = replace(CPT.award, valid_through="end_of_month")

    assert award.expiry(AWARDED, 1) == date(2029, 3, 31)
    assert award.expiry(date(2024, 4, 30), 1) == date(2029, 4, 30)


def test_40_an_award_without_validity_never_expires():
    assert replace(CPT.award, validity=None).expiry(AWARDED, 1) is None


def test_32_those_awarded_before_a_day_are_exempt():
    scheme = scheme_of(POLICY, lifetime_if_awarded_before=date(2011, 1, 1))
    (old,), (new,) = renewed(scheme, date(2010, 12, 31)), renewed(scheme, date(2011, 1, 1))

    assert (old.expires_on, old.policy) == (None, "")
    assert (new.expires_on, new.policy) == (date(2016, 1, 1), "2015")
    assert scheme.award.validity_of(date(2010, 12, 31)) is None
    assert scheme.award.validity_of(date(2011, 1, 1)) == Duration(5, "years")


@pytest.mark.parametrize(
    ("cohort", "included"),
    [
        (Cohort(), [True, True, True]),
        (Cohort(awarded_from=AWARDED), [False, True, True]),
        (Cohort(awarded_before=AWARDED), [True, False, False]),
        (Cohort(awarded_from=AWARDED, awarded_before=date(2024, 3, 16)), [False, True, False]),
    ],
)
def test_32_a_cohort_is_a_run_of_award_days(cohort, included):
    days = [date(2024, 3, 14), AWARDED, date(2024, 3, 16)]

    assert [cohort.includes(day) for day in days] == included


def test_32_a_version_for_another_cohort_is_passed_over():
    early = policy(version="early", cohort=Cohort(awarded_before=date(2020, 1, 1)))
    scheme = scheme_of(early, policy(version="late", effective_from=date(2019, 1, 1)))

    def of(awarded_on: date) -> str:
        found = scheme.policy_for(date(2018, 1, 1), awarded_on=awarded_on)
        assert found
        return found.version

    assert (of(date(2019, 12, 31)), of(date(2020, 1, 1))) == ("early", "late")


def test_32_every_cycle_is_governed_by_the_cohort_of_the_award():
    day = date(2020, 1, 1)
    scheme = scheme_of(
        policy(version="early", cohort=Cohort(awarded_before=day)),
        policy(version="late", cohort=Cohort(awarded_from=day)),
    )

    assert [c.policy for c in renewed(scheme, date(2019, 12, 31), date(2024, 12, 1))] == (
        ["early", "early"]
    )
    assert [c.policy for c in renewed(scheme, day, date(2024, 12, 1))] == ["late", "late"]


def _versions(applies: str, **newer: object) -> Scheme:
    return scheme_of(
        policy(version="old"),
        policy(version="new", effective_from=date(2026, 1, 1), applies=applies, **newer),
    )


class TestVersionsThatApplyToRunningCycles:
    BEFORE, SINCE = date(2025, 12, 31), date(2026, 1, 1)

    def _on(self, scheme: Scheme, day: date, *, version: str = "old") -> list[str]:
        return [p.version for p in scheme.versions_on(version, day, awarded_on=AWARDED)]

    @pytest.mark.parametrize(
        ("applies", "versions"),
        [
            ("cycle_start", ["old"]),
            ("submission", ["new"]),
            ("more_favourable", ["old", "new"]),
        ],
    )
    def test_from_the_day_it_is_in_force(self, applies, versions):
        scheme = _versions(applies)

        assert self._on(scheme, self.BEFORE) == ["old"]
        assert self._on(scheme, self.SINCE) == versions
        assert self._on(scheme, self.SINCE, version="new") == ["new"]

    def test_not_to_another_cohort(self):
        scheme = _versions("submission", cohort=Cohort(awarded_before=AWARDED))

        assert self._on(scheme, self.SINCE) == ["old"]

    def test_one_for_another_cohort_does_not_hide_those_after_it(self):
        others = policy(
            version="b",
            effective_from=self.SINCE,
            applies="submission",
            cohort=Cohort(awarded_before=AWARDED),
        )
        after = policy(version="c", effective_from=self.SINCE, applies="submission")

        assert self._on(scheme_of(policy(version="old"), others, after), self.SINCE) == ["c"]

    def test_a_version_without_a_date_is_never_a_later_one(self):
        scheme = scheme_of(policy(version="old"), policy(version="b", applies="submission"))

        assert self._on(scheme, self.SINCE) == ["old"]

    def test_a_submission_rule_takes_the_place_of_what_stood_beside_it(self):
        better = policy(version="b", effective_from=self.SINCE, applies="more_favourable")
        strict = policy(version="c", effective_from=date(2027, 1, 1), applies="submission")
        scheme = scheme_of(policy(version="old"), better, strict)

        assert self._on(scheme, date(2026, 12, 31)) == ["old", "b"]
        assert self._on(scheme, date(2027, 1, 1)) == ["c"]


class TestLadder:
    STEPS = (
        LateStep(MONTH, NAME, title=True, earns=True),
        LateStep(QUARTER, NAME, by="reexamination"),
        LateStep(Duration(1, "years"), NAME, by="new_application"),
    )
    RULES = replace(POLICY, late=STEPS)

    @pytest.mark.parametrize(
        ("day", "step"),
        [
            (EXPIRES, None),
            (date(2029, 3, 16), 0),
            (date(2029, 4, 15), 0),
            (date(2029, 4, 16), 1),
            (date(2029, 6, 15), 1),
            (date(2029, 6, 16), 2),
            (date(2030, 3, 15), 2),
            (date(2030, 3, 16), None),
        ],
    )
    def test_22_each_day_after_the_expiry_is_on_a_rung(self, day, step):
        expected = None if step is None else self.STEPS[step]

        assert self.RULES.late_step(EXPIRES, day) is expected

    def test_19_grace_lasts_while_one_may_still_renew(self):
        assert self.RULES.grace_ends_on(EXPIRES) == date(2029, 6, 15)
        assert POLICY.grace_ends_on(EXPIRES) is None
        last = replace(POLICY, late=self.STEPS[2:])
        assert last.grace_ends_on(EXPIRES) is None

    def test_23_the_title_has_a_last_day_of_its_own(self):
        assert self.RULES.title_ends_on(EXPIRES) == date(2029, 4, 15)
        assert replace(POLICY, late=grace(MONTH)).title_ends_on(EXPIRES) is None


def test_18_the_window_never_opens_after_the_expiry():
    opening = ApplicationWindow(Duration(9, "years"), "start")
    rules = policy(window=opening)

    assert rules.window_opens_on(starts_on=AWARDED, expires_on=EXPIRES) == EXPIRES
    assert policy(window=window(90)).window_opens_on(starts_on=AWARDED, expires_on=EXPIRES) == date(
        2028, 12, 15
    )


class TestExtensions:
    LONGER = date(2029, 9, 15)

    def _next(self, *, moves: bool, anchor: str = "old_expiry", to: date | None = LONGER) -> object:
        rule = ExtensionRule(Duration(12, "months"), moves_cycle=moves)
        scheme = scheme_of(policy(extension=rule, next_cycle=anchor))
        (cycle,) = renewed(scheme, AWARDED)
        following = next_cycle(
            scheme, cycle, decided_on=date(2029, 8, 1), awarded_on=AWARDED, extended_to=to
        )
        return following.starts_on, following.expires_on, following.ordinal

    def test_24_the_next_cycle_moves_where_the_policy_says_so(self):
        assert self._next(moves=True) == (date(2029, 9, 16), date(2034, 9, 15), 2)
        assert self._next(moves=False) == (date(2029, 3, 16), date(2034, 3, 15), 2)
        assert self._next(moves=True, to=None) == (date(2029, 3, 16), date(2034, 3, 15), 2)

    def test_29_a_cycle_anchored_to_the_decision_does_not_mind(self):
        after = date(2029, 8, 2)

        assert self._next(moves=True, anchor="decision") == (after, date(2034, 8, 1), 2)
        assert self._next(moves=False, anchor="decision_to_old_end") == (
            after,
            date(2034, 3, 15),
            2,
        )

    def test_24_the_latest_decision_known_on_the_day_counts(self):
        (cycle,) = renewed(CPT, AWARDED)
        found = [
            CycleAdjustment(1, date(2028, 1, 1), extended_to=date(2029, 6, 15)),
            CycleAdjustment(1, date(2028, 6, 1), extended_to=self.LONGER),
            CycleAdjustment(2, date(2028, 1, 1), extended_to=date(2040, 1, 1)),
            CycleAdjustment(1, date(2028, 7, 1)),
        ]

        def expiry(day: date) -> date | None:
            return extended(cycle, found, day).expires_on

        assert expiry(date(2027, 12, 31)) == EXPIRES
        assert expiry(date(2028, 1, 1)) == date(2029, 6, 15)
        assert expiry(date(2028, 6, 1)) == self.LONGER
        assert expiry(date(2030, 1, 1)) == self.LONGER


BCSP = replace(CPT.award, valid_through="fixed_day", fixed_day=DayOfYear(6, 30))


@pytest.mark.parametrize(
    ("awarded_on", "longer", "shorter"),
    [
        (date(2024, 3, 15), date(2029, 6, 30), date(2028, 6, 30)),
        (date(2024, 6, 29), date(2029, 6, 30), date(2028, 6, 30)),
        (date(2024, 6, 30), date(2029, 6, 30), date(2029, 6, 30)),
        (date(2024, 7, 1), date(2030, 6, 30), date(2029, 6, 30)),
        (date(2024, 12, 31), date(2030, 6, 30), date(2029, 6, 30)),
        (date(2024, 2, 29), date(2029, 6, 30), date(2028, 6, 30)),
    ],
)
def test_an_expiry_on_a_fixed_day_makes_the_first_cycle_longer_or_shorter(
    awarded_on, longer, shorter
):
    """Five years; BCSP: until 30 June, the first cycle longer."""
    early = replace(BCSP, first_cycle="shorter")

    assert (BCSP.expiry(awarded_on, 1), early.expiry(awarded_on, 1)) == (longer, shorter)
    for rule, first in ((BCSP, longer), (early, shorter)):
        assert rule.expiry(awarded_on, 2) == first.replace(year=first.year + 5)


def test_an_extended_cycle_is_followed_by_whole_years_to_the_fixed_day():
    anchor = BCSP.anchor_of(date(2030, 1, 15))

    assert BCSP.expiry(anchor, 1) == date(2035, 6, 30)
    assert BCSP.expiry(BCSP.anchor_of(date(2029, 6, 30)), 1) == date(2034, 6, 30)


@pytest.mark.parametrize(
    ("language", "first_cycle", "words"),
    [
        ("en", "longer", "The last valid day is the first June 30 from the anniversary on, which"),
        ("en", "shorter", "the last June 30 up to the anniversary, which makes the first cycle sh"),
        ("es", "longer", "El último día de validez es el primer 30 de junio desde el aniversario"),
        ("es", "shorter", "el último 30 de junio hasta el aniversario, lo que acorta el primer"),
    ],
)
def test_a_fixed_day_is_told(language, first_cycle, words):
    scheme = replace(CPT, award=replace(BCSP, first_cycle=first_cycle))

    assert words in repr(in_plain_words(scheme, CPT.policies[0], language))
