"""Keys of a policy that need or exclude each other (``combinations``), each named at its key."""

from __future__ import annotations

import pytest

THIRD = 'version = "2090"'


@pytest.mark.parametrize("key", ["per_year", "maximum"])
def test_a_sum_that_is_rounded_shares_no_cap_with_another(found, key):
    safety = f'[policies.tags.s]\nname = {{ en = "S", es = "S" }}\n{key} = "5.00"\n'
    first = "[policies.categories.A]"

    assert found((first, f"{safety}{first}"), after=THIRD) == [
        (
            f"policies.2.tags.s.{key}",
            '"5.00"',
            'contradicts rounding_of = "category": a tag applies across categories',
        )
    ]


def test_a_sum_that_is_rounded_may_have_a_tag_without_such_a_cap(found):
    safety = '[policies.tags.s]\nname = { en = "S", es = "S" }\nminimum = "5.00"\n'
    first = "[policies.categories.A]"

    assert found((first, f"{safety}{first}"), after=THIRD) == []


def test_a_type_ends_no_earlier_than_it_begins(found):
    told = found(("until = 2095-12-31", "until = 2009-12-31"))

    assert told == [
        ("policies.1.types.course.until", "2009-12-31", "must not be before from, 2010-01-01")
    ]


def test_a_type_may_count_on_a_single_day(found):
    assert found(("until = 2095-12-31", "until = 2010-01-01")) == []


def test_a_misspelt_day_of_a_type_is_told_by_the_name_of_its_key(found):
    ((key, _, rule),) = found(("from = 2010-01-01", "frm = 2010-01-01"))

    assert (key, rule) == (
        "policies.1.types.course.frm",
        "is not a known key; did you mean 'from'?",
    )


WINDOW = '[[policies.windows]]\nlast = { length = 1, unit = "years" }\nminimum = "2.00"\n'


@pytest.mark.parametrize(
    ("change", "key", "rule"),
    [
        (
            ('category = "A"', 'category = "C"'),
            "windows.2.category",
            "this policy has no such category; the choices are: A, B",
        ),
        (
            ('tag = "safety"', 'tag = "sfety"'),
            "windows.3.tag",
            "this policy has no such tag; the choices are: safety; did you mean 'safety'?",
        ),
        (
            ('type = "book"', 'type = "boook"'),
            "windows.4.type",
            (
                "this policy has no such type; the choices are: course, book, year_of_work, job;"
                " did you mean 'book'?"
            ),
        ),
        (
            ('tag = "safety"', 'tag = "safety"\ncategory = "A"'),
            "windows.3.tag",
            "must be absent, because category is given: use only one of them",
        ),
        (
            ('minimum = "1.50"', 'minimum = "21.01"'),
            "windows.3.minimum",
            "is more than the maximum of that tag, 21.00",
        ),
        (
            ('{ book = "10.00" }', '{ boook = "10.00" }'),
            "late.1.extra_minima.boook",
            (
                "this policy has no such category, tag or type; the choices are: A, B, safety, "
                "course, book,"
                " year_of_work, job; did you mean 'book'?"
            ),
        ),
        (
            ('{ book = "10.00" }', '{ course = "36.00" }'),
            "late.1.extra_minima.course",
            "makes the minimum 41.00, more than the maximum, 40.00",
        ),
        (
            ('minima = { A = "15.00" }', 'minima = { C = "15.00" }'),
            "sharing.minima.C",
            (
                "this policy has no such category, tag or type; the choices are: A, B, safety, "
                "course, book,"
                " year_of_work, job"
            ),
        ),
        (
            ('minima = { A = "15.00" }', 'minima = { A = "45.01" }'),
            "sharing.minima.A",
            "is more than the points_required, 45.00",
        ),
        (
            ('minima = { A = "15.00" }', 'minima = { safety = "21.01" }'),
            "sharing.minima.safety",
            "is more than the maximum, 21.00",
        ),
        (
            ('minimum_per_year = "5.00"', 'minimum_per_year = "30.01"'),
            "categories.A.minimum_per_year",
            "is more than the per_year, 30.00",
        ),
        (
            ('maximum = "20.00"', 'maximum = "20.00"\nminimum_per_year = "6.67"'),
            "categories.B.minimum_per_year",
            "comes to 20.01 in 3 years, more than the maximum, 20.00",
        ),
        (
            ('by = "reexamination"', 'by = "new_application"\nextra_minima = { A = "1" }'),
            "late.2.extra_minima",
            "must be absent: there is no renewal in a step by new_application",
        ),
    ],
)
def test_minima_of_groups_name_groups_and_can_be_reached(found, change, key, rule):
    assert [(key_, rule_) for key_, _, rule_ in found(change)] == [(f"policies.1.{key}", rule)]


def test_stretches_are_compared_within_one_group(found):
    shorter = WINDOW.replace("1, unit", "6, unit").replace("years", "months")
    more = f'{shorter}tag = "safety"\n\n[[policies.late]]'

    assert [key for key, _, _ in found(("[[policies.late]]", more))] == [
        "policies.1.windows.5.last"
    ]


def test_consents_without_points_of_its_own_is_held_to_those_of_the_policy(found):
    change = ('points_required = "45.00", minima = { A = "15.00" }', 'minima = { A = "60.01" }')

    assert [rule for _, _, rule in found(change)] == ["is more than the points_required, 60.00"]


@pytest.mark.parametrize(
    ("change", "key", "rule"),
    [
        (
            ("fixed_day = { month = 6, day = 30 }\n", ""),
            "award.fixed_day",
            'is required with valid_through = "fixed_day"',
        ),
        (
            ('first_cycle = "shorter"', 'first_cycle = "short"'),
            "award.first_cycle",
            "must be one of: longer, shorter; did you mean 'shorter'?",
        ),
        (
            ('length = 3, unit = "years" }', 'length = 36, unit = "months" }'),
            "award.validity.unit",
            "must be in years, because a fixed day comes once a year",
        ),
        (
            ("month = 6, day = 30", "month = 2, day = 29"),
            "award.fixed_day.day",
            "must be a day that the month has in every year",
        ),
        (
            ("month = 6, day = 30", "month = 6, day = 31"),
            "award.fixed_day.day",
            "must be a day that the month has in every year",
        ),
    ],
)
def test_a_fixed_day_is_one_of_every_year(found, change, key, rule):
    assert [(key_, rule_) for key_, _, rule_ in found(change, after="")] == [(key, rule)]


def test_only_an_expiry_on_a_fixed_day_has_one(found):
    told = found(('valid_through = "fixed_day"', 'valid_through = "end_of_year"'), after="")

    assert [(key, rule) for key, _, rule in told] == [
        ("award.fixed_day", 'must be absent unless valid_through = "fixed_day"'),
        ("award.first_cycle", 'must be absent unless valid_through = "fixed_day"'),
    ]


def test_a_threshold_of_a_year_is_a_threshold(found):
    told = found(('threshold = "1500.00"\n', ""))

    assert [(key, rule) for key, _, rule in told] == [
        ("policies.1.types.year_of_work.threshold", "is required with threshold_over")
    ]


@pytest.mark.parametrize(
    ("window", "refused"),
    [
        (
            (
                'length = 2, unit = "years", counted_from = "start", closes_before = { length = 1,'
                ' unit = "years" }'
            ),
            False,
        ),
        (
            (
                'length = 2, unit = "years", counted_from = "start", closes_before = { length ='
                ' 366, unit = "days" }'
            ),
            True,
        ),
        ('length = 90, unit = "days", closes_before = { length = 90, unit = "days" }', False),
        ('length = 90, unit = "days", closes_before = { length = 91, unit = "days" }', True),
    ],
)
def test_a_window_does_not_close_before_it_opens(found, window, refused):
    before = (
        'length = 1, unit = "years", counted_from = "start",'
        ' closes_before = { length = 30, unit = "days" }'
    )
    told = [("policies.1.window.closes_before", "closes the window before it opens")]

    assert [(key, rule) for key, _, rule in found((before, window))] == (told if refused else [])
