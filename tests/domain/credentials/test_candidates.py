"""domain/credentials/candidates.py: what is passed, what is missing, when to try again."""

from __future__ import annotations

from datetime import date

import pytest

from tests.domain.examples import CPT
from tracker.domain.credentials.assessments import Attempt
from tracker.domain.credentials.candidates import candidacy

JAN = date(2026, 1, 1)


def failed(module, *days):
    return [Attempt(module, date(2026, 1, day), passed=False) for day in days]


@pytest.mark.parametrize(
    ("attempts", "retake_on"),
    [
        ([], None),
        (failed("safety", 1), date(2026, 1, 17)),
        (failed("safety", 1, 17), date(2026, 2, 2)),
        (failed("safety", 1, 2, 3), date(2026, 3, 5)),
        ([*failed("safety", 1), Attempt("safety", date(2026, 1, 20), passed=True)], None),
        (failed("quality", 1), None),
    ],
)
def test_a_failed_module_may_be_taken_again_after_the_schemes_wait(attempts, retake_on):
    safety = candidacy(CPT, attempts).modules[0]

    assert (safety.module.code, safety.retake_on) == ("safety", retake_on)


def test_passed_and_missing_modules_are_told_apart_and_an_optional_one_is_never_missing():
    found = candidacy(
        CPT, [Attempt("maintenance", JAN, passed=True), Attempt("green", JAN, passed=True)]
    )

    assert [one.module.code for one in found.passed] == ["maintenance", "green"]
    assert [one.module.code for one in found.missing] == ["safety", "quality", "processes"]
    assert candidacy(CPT, [Attempt(m.code, JAN, passed=True) for m in CPT.modules]).missing == ()


def test_the_first_pass_counts():
    later = Attempt("safety", date(2026, 5, 1), passed=True)

    assert candidacy(CPT, [later, Attempt("safety", JAN, passed=True)]).passed[0].passed_on == JAN
