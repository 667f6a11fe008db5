"""What a consent covers, and when an employer may ask again."""

from __future__ import annotations

from datetime import date
from itertools import chain, combinations

import pytest

from tracker.domain.employers import consents
from tracker.domain.employers.consents import ConsentField, ConsentPurpose, ConsentTerms

STANDING, DATES, POINTS, MODULES, CREDENTIALS = ConsentField
CHOICES = list(
    chain.from_iterable(combinations((DATES, POINTS, MODULES, CREDENTIALS), n) for n in range(5))
)


@pytest.mark.parametrize("chosen", CHOICES)
def test_terms_cover_the_standing_and_what_was_chosen(chosen):
    terms = consents.terms(chosen, ConsentPurpose.TRAINING)

    assert terms.fields == (STANDING, *chosen)
    assert consents.terms(terms.fields, terms.purpose) == terms


def test_the_usual_terms_are_the_standing_with_its_dates_for_the_job():
    assert ConsentTerms().fields == (STANDING, DATES)
    assert ConsentTerms().purpose == ConsentPurpose.EMPLOYMENT


@pytest.mark.parametrize(
    ("asked_on", "declined_on", "expected"),
    [
        (None, None, None),
        (date(2026, 11, 1), None, date(2026, 11, 15)),
        (date(2026, 11, 1), date(2026, 11, 3), date(2027, 2, 1)),
    ],
)
def test_an_employer_asks_every_fortnight_and_not_for_90_days_after_a_no(
    asked_on, declined_on, expected
):
    assert consents.may_ask_from(asked_on=asked_on, declined_on=declined_on) == expected
