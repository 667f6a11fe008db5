"""What the keys of one file must say about each other, each contradiction named at its key.

Every example spoils the file that uses all keys in one place.
"""

from __future__ import annotations

import pytest

from tracker import scheme_files

TYPES = "course, book, year_of_work, job"
MINUTES = """name.en = { one = "minute", many = "minutes" }
name.es = { one = "minuto", many = "minutos", gender = "masculine" }"""
HOURS = """unit = { en = { one = "hour", many = "hours" }, \
es = { one = "hora", many = "horas", gender = "feminine" } }"""


def _unit(code, rest=""):
    """A table of a unit, before the one that comes last."""
    return f"[policies.units.{code}]\n{MINUTES}\n{rest}\n"


@pytest.mark.parametrize(
    ("change", "key", "value", "rule"),
    [
        (
            ('categories = ["A"]', 'categories = ["A", "C"]'),
            "carry_over.categories.1",
            '"C"',
            "this policy has no such category; the choices are: A, B",
        ),
        (
            ('modules = ["exam"]', 'modules = ["exma"]'),
            "reexamination.modules.0",
            '"exma"',
            (
                "this scheme has no such module; the choices are: exam, lab, extra; did you mean "
                "'exam'?"
            ),
        ),
        (
            ('evidence = "required"\n', ""),
            "types.course.evidence_kinds",
            "",
            'needs evidence = "asked" or evidence = "required"',
        ),
        (
            ('points = "0.3"', 'points = "0.3"\nwarn_above = "5.00"'),
            "types.job.warn_above",
            '"5.00"',
            "must be absent: months are counted from dates, not from a quantity",
        ),
        (
            ('evidence = "asked"', 'evidence = "asked"\nwarn_above = "2.00"'),
            "types.book.unit",
            "",
            "is required: warn_above is stated in a unit",
        ),
        (
            ('tags = ["safety"]', 'tags = ["Safety"]'),
            "types.course.tags.0",
            '"Safety"',
            "this policy has no such tag; the choices are: safety; did you mean 'safety'?",
        ),
        (
            ('taught = "1.50"', 'tought = "1.50"'),
            "types.course.roles.tought",
            '"1.50"',
            (
                "this policy has no such role; the choices are: attended, taught; did you mean "
                "'taught'?"
            ),
        ),
        (
            ('unit = "hour"', 'unit = "hours"'),
            "types.course.unit",
            '"hours"',
            (
                "this policy has no such unit; the choices are: hour, ceu, course; did you mean "
                "'hour'?"
            ),
        ),
        (
            ('of = "hour"', 'of = "our"'),
            "units.ceu.of",
            '"our"',
            (
                "this policy has no such unit; the choices are: hour, ceu, course; did you mean "
                "'hour'?"
            ),
        ),
        (
            ('category = "B"', 'category = "b"'),
            "types.year_of_work.category",
            '"b"',
            "this policy has no such category; the choices are: A, B; did you mean 'B'?",
        ),
        (
            ("types.course.points: a guess", "types.curse.points: a guess"),
            "unverified.1",
            '"types.curse.points: a guess"',
            f"[policies.types] has no such entry; the choices are: {TYPES}; did you mean 'course'?",
        ),
        (
            ('corrects = "2001"', 'corrects = "2002"'),
            "corrects",
            '"2002"',
            "is not an earlier version; the earlier ones are: 2001; did you mean '2001'?",
        ),
        (
            ('corrects = "2001"', 'corrects = "2020"'),
            "corrects",
            '"2020"',
            "is not an earlier version; the earlier ones are: 2001; did you mean '2001'?",
        ),
        (
            ('schemes = ["cpt"]', 'schemes = ["ctp"]'),
            "sharing.schemes.0",
            '"ctp"',
            "is not a scheme; the schemes are: all, cla, clt, cpt; did you mean 'cpt'?",
        ),
        (
            ('schemes = ["cpt"]', 'schemes = ["all"]'),
            "sharing.schemes.0",
            '"all"',
            "is this scheme",
        ),
    ],
)
def test_a_name_that_stands_for_nothing_is_told_with_those_there_are(
    found, change, key, value, rule
):
    assert found(change) == [(f"policies.1.{key}", value, rule)]


def test_types_need_a_category_where_there_are_none(all_keys):
    text = all_keys.read_text("utf-8")
    head, category, rest = text.partition("[policies.categories.A]")
    name, types, tail = rest.partition("[policies.types.course]")
    all_keys.write_text(f"{head}[policies.categories]\n{types}{tail}", "utf-8")
    mistake, *others = scheme_files.check(all_keys.parent)

    assert [other.key for other in others] == ["policies.0.types.lecture.category"]
    assert (category, name) != ("", "")
    assert (mistake.key, mistake.value) == ("policies.0.types.course.category", '"A"')
    assert mistake.rule == "this policy has no such category"


def test_a_version_that_rules_running_cycles_says_what_replaces_the_types_it_drops(found):
    ((key, _, rule),) = found(('replaces = ["lecture"]\n', ""))

    assert key == "policies.1.types"
    assert rule.startswith("drops lecture, which claims in running cycles may use")


def test_a_version_for_later_cycles_may_drop_types(found):
    assert (
        found(
            ('replaces = ["lecture"]\n', ""),
            ('applies = "more_favourable"', 'applies = "cycle_start"'),
        )
        == []
    )


@pytest.mark.parametrize("old", ["course", "unheard_of"])
def test_only_a_type_of_earlier_versions_is_replaced(found, old):
    told = found(('replaces = ["lecture"]', f'replaces = ["lecture", "{old}"]'))

    assert [rule for _, _, rule in told] == ["is not a type that exists only in earlier versions"]


@pytest.mark.parametrize("odd", ["[]", "{}", "1"])
def test_where_applies_is_no_word_only_that_is_a_mistake(found, odd):
    ((key, _, rule),) = found(
        ('replaces = ["lecture"]\n', ""),
        ('applies = "more_favourable"', f"applies = {odd}"),
    )

    assert (key, rule) == ("policies.1.applies", "must be text in quotes")


def test_a_type_is_replaced_by_one_other(found):
    book = "[policies.types.book]\n"
    ((_, _, rule),) = found((book, f'{book}replaces = ["lecture"]\n'))

    assert rule == "is already replaced by another type"


def test_an_exempt_reason_need_not_be_among_the_others(found):
    assert found(('exempt = ["military"]', 'exempt = ["parenthood"]')) == []


def test_an_open_value_names_a_key(found):
    ((key, value, rule),) = found(("late.title, late.fee", "late.title, latte.fee"))

    assert (key, value) == ("policies.1.unverified.0", '"late.title, latte.fee: not published"')
    assert rule.startswith("this policy has no such key; the choices are: ")
    assert rule.endswith("did you mean 'late'?")


@pytest.mark.parametrize("told", ["types.course.points", "types.course.points:", ": why"])
def test_an_open_value_says_why(found, told):
    ((key, value, _),) = found(("types.course.points: a guess", told))

    assert (key, value) == ("policies.1.unverified.1", f'"{told}"')


@pytest.mark.parametrize(
    "told", ["types.points: a guess", "types.from: why", "types: a guess", "window.length: why"]
)
def test_an_open_value_may_be_a_key_of_every_entry(found, told):
    assert found(("types.course.points: a guess", told)) == []


LAST = "[policies.units.course]"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (('of = "hour"', 'of = "ceu"'), [("ceu.of", '"ceu"', "leads back to ceu")]),
        (('of = "hour"\n', ""), [("ceu.of", "", "is required with equals")]),
        (('equals = "10.00"\n', ""), [("ceu.equals", "", "is required with of")]),
        (
            ('equals = "10.00"', 'equals = "0.00"'),
            [("ceu.equals", '"0.00"', "must be more than 0")],
        ),
        (
            (
                LAST,
                _unit("minute", 'equals = "1"\nof = "third"')
                + _unit("third", 'equals = "1"\nof = "minute"')
                + LAST,
            ),
            [
                ("minute.of", '"third"', "leads back to minute"),
                ("third.of", '"minute"', "leads back to third"),
            ],
        ),
        (
            (
                LAST,
                _unit("minute", 'equals = "1"\nof = "third"') + _unit("third") + LAST,
            ),
            [],  # other units need not lead to those that a type is counted in
        ),
    ],
)
def test_units_lead_to_units(found, change, expected):
    told = [(f"policies.1.units.{key}", value, rule) for key, value, rule in expected]

    assert found(change) == told


def test_a_conversion_that_six_decimals_do_not_tell_is_refused(found):
    ((key, value, rule),) = found(
        (
            "[policies.units.hour]",
            _unit("minute") + '[policies.units.hour]\nequals = "60"\nof = "minute"',
        )
    )

    assert (key, value) == ("policies.1.types.course.unit", '"hour"')
    assert rule.startswith(
        "one minute is 0.0166667 hour, which six decimals do not express exactly"
    )


def test_a_type_in_circular_units_does_no_harm(found):
    mistakes = found(
        ("[policies.units.hour]", '[policies.units.hour]\nequals = "10.00"\nof = "ceu"')
    )

    assert [key for key, _, _ in mistakes] == [
        "policies.1.units.hour.of",
        "policies.1.units.ceu.of",
    ]


@pytest.mark.parametrize(
    ("change", "key", "rule"),
    [
        (
            ('per_event = "5.00"', 'per_event = "11"'),
            "tags.safety.per_event",
            "is more than the per_year, 10.00",
        ),
        (
            ('per_year = "10.00"\nmaximum', 'per_year = "21.01"\nmaximum'),
            "tags.safety.per_year",
            "is more than the maximum, 21.00",
        ),
        (
            ('per_event = "5.00"\nper_year = "10.00"\n', 'per_event = "22"\n'),
            "tags.safety.per_event",
            "is more than the maximum, 21.00",
        ),
        (
            ('minimum = "1.00"', 'minimum = "21.01"'),
            "tags.safety.minimum",
            "is more than the maximum, 21.00",
        ),
        (
            ('per_event = "20.00"\nper_year = "30.00"', 'per_year = "8"'),
            "categories.A.minimum",
            "cannot be reached with 8 in each of 4 years",
        ),
        (
            ('minimum = "35.00"', 'minimum = "60.01"'),
            "points_required",
            "is less than the minima of the categories and types together, 60.01",
        ),
        (
            ('maximum = "40.00"\nminimum = "5.00"', 'minimum = "60.01"'),
            "points_required",
            "is less than the minima of the categories and types together, 60.01",
        ),
        (
            ('minimum = "35.00"', 'minimum = "35.00"\nmaximum = "39.99"'),
            "points_required",
            "cannot be reached: the categories count at most 59.99 together",
        ),
        (
            ('threshold = "1500.00"', 'threshold = "1500.00"\nminimum = "20.01"'),
            "categories.B.maximum",
            "is less than the minima of its types together, 20.01",
        ),
        (
            ('minimum_per_year = "10.00"\nyear = "calendar"', 'minimum_per_year = "20.01"'),
            "minimum_per_year",
            "comes to 60.03 in 3 years, more than points_required, 60.00",
        ),
        (
            ('minimum = "20.00"', 'minimum = "60.01"'),
            "windows.1.minimum",
            "is more than points_required, 60.00",
        ),
        (
            ('per_year = "10.00"\nmaximum = "21.00"\nminimum = "1.00"', 'minimum = "60.01"'),
            "tags.safety.minimum",
            "is more than points_required, 60.00",
        ),
        (
            ('minimum = "20.00"', 'minimum = "10.00"'),
            "windows.1.minimum",
            "must be more than in the shorter stretch inside it, 10.00",
        ),
        (
            ("kinds = { minimum = 2", "kinds = { minimum = 5"),
            "kinds.minimum",
            "is more than the 4 types that exist",
        ),
        (
            ('kinds = { minimum = 2, of = "type" }', 'kinds = { minimum = 3, of = "category" }'),
            "kinds.minimum",
            "is more than the 2 categories that exist",
        ),
    ],
)
def test_amounts_that_cannot_hold_together_are_named(found, change, key, rule):
    ((where, value, why),) = found(change)

    assert (where, why) == (f"policies.1.{key}", rule)
    assert value


def test_a_category_that_its_types_cannot_fill_is_named(found):
    capped = ('points = "10.00"', 'points = "10.00"\nmaximum = "10.00"')

    assert found(capped, ('maximum = "40.00"\n', 'maximum = "24.99"\n')) == [
        (
            "policies.1.points_required",
            '"60.00"',
            "cannot be reached: the categories count at most 54.99 together",
        ),
        (
            "policies.1.categories.A.minimum",
            '"35.00"',
            "cannot be reached: its types count at most 34.99 together",
        ),
    ]


ONLY_CAPPED_SUM = "must be absent unless overlap is capped_sum"
LONGER = "is longer than the validity"


@pytest.mark.parametrize(
    ("change", "key", "rule"),
    [
        (
            ('overlap_maximum = "1.00"\n', ""),
            "overlap_maximum",
            "is required with overlap capped_sum",
        ),
        (('overlap = "capped_sum"', 'overlap = "sum"'), "overlap_maximum", ONLY_CAPPED_SUM),
        (('overlap = "capped_sum"\n', ""), "overlap_maximum", ONLY_CAPPED_SUM),
        (
            ('rounding = "down"', "stop_at_requirement = true"),
            "carry_over",
            "contradicts stop_at_requirement, which leaves no surplus",
        ),
        (
            ('points = "0.3"', 'points = "0.3"\nincrement = "0.25"'),
            "types.job.increment",
            "must be absent: months are counted by the month_rule",
        ),
        (
            ('points = "0.3"', 'points = "0.3"\ndate_basis = "start"'),
            "types.job.date_basis",
            "must be absent: months are counted as far as they lie in the cycle",
        ),
        (
            ('points = "0.3"', 'points = "0.3"\nthreshold = "3.00"'),
            "types.job.threshold",
            "must be absent unless counted_by is event",
        ),
        (
            ('increment = "0.25"', 'threshold = "0.25"'),
            "types.course.threshold",
            "must be absent unless counted_by is event",
        ),
        (
            ('unit = "hour"\n', ""),
            "types.course.unit",
            "is required: quantities are counted in a unit",
        ),
        (
            (f"{HOURS}\nthreshold", "threshold"),
            "types.year_of_work.unit",
            "is required: the threshold is stated in a unit",
        ),
        (
            ('last = { length = 2, unit = "years" }', 'last = { length = 12, unit = "months" }'),
            "windows.1.last",
            "each stretch must be longer than the one before it",
        ),
        (
            ('last = { length = 2, unit = "years" }', 'last = { length = 37, unit = "months" }'),
            "windows.1.last",
            LONGER,
        ),
        (
            ('last = { length = 6, unit = "months" }', 'last = { length = 4, unit = "years" }'),
            "carry_over.last",
            LONGER,
        ),
        (
            ('["exam"], last = { length = 1,', '["exam"], last = { length = 9,'),
            "reexamination.last",
            LONGER,
        ),
        (("window = { length = 1,", "window = { length = 4,"), "window", LONGER),
        (
            ('until = { length = 3, unit = "months" }', 'until = { length = 30, unit = "days" }'),
            "late.1.until",
            "each step must end later than the one before it",
        ),
        (
            ('by = "reexamination"', "title = true"),
            "late.2.title",
            "must be false: the step before it has title = false",
        ),
        (
            ('by = "reexamination"', "earns = true"),
            "late.2.earns",
            "must be false: the step before it has earns = false",
        ),
        (
            ('extra_points = "30.00"', 'by = "new_application"'),
            "late.1.fee",
            "must be absent: there is no renewal in a step by new_application",
        ),
        (
            ('by = "reexamination"', 'by = "new_application"\nearns = true'),
            "late.2.earns",
            "must be absent: there is no renewal in a step by new_application",
        ),
        (
            ("checks = [", 'checks = [{ code = "practical", name = { en = "a", es = "b" } }, '),
            "checks.1.code",
            "is used twice",
        ),
    ],
)
def test_keys_that_need_or_exclude_each_other_are_named(found, change, key, rule):
    told = {(where, why) for where, _, why in found(change)}

    assert (f"policies.1.{key}", rule) in told


def test_a_later_rung_is_no_easier(found):
    rules = 'extra_points = "30.00"\nfee = "50.00"\nextra_minima = { book = "10.00" }'
    told = found((rules, 'by = "new_application"'))

    assert told == [
        (
            "policies.1.late.2.by",
            '"reexamination"',
            "must not be easier than in the step before it, new_application",
        )
    ]


def test_rungs_may_keep_the_title_and_go_on_as_before(found):
    kept = ('extra_points = "30.00"', 'extra_points = "30.00"\ntitle = true\nby = "reexamination"')

    assert found(kept) == []


LATER = "each version except the first needs a later date than the one before it"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            ("awarded_from = 2020-01-01, ", "awarded_from = 2090-01-01, "),
            [
                (
                    "policies.1.cohort.awarded_before",
                    "2090-01-01",
                    "includes no one: awarded_from is 2090-01-01",
                ),
            ],
        ),
        (
            ("cohort = { awarded_from = 2020-01-01, awarded_before = 2090-01-01 }", "cohort = {}"),
            [
                (
                    "policies.1.cohort",
                    "{}",
                    "must have awarded_from, awarded_before or both",
                )
            ],
        ),
        (
            ("effective_from = 2020-01-01", "effective_from = 1999-01-01"),
            [
                (
                    "policies.1.effective_from",
                    "1999-01-01",
                    f"{LATER}, or the same date and another cohort",
                )
            ],
        ),
        (("effective_from = 2020-01-01", "effective_from = 2001-01-01"), []),
        (
            ("effective_from = 2090-01-01", "effective_from = 2020-01-01"),
            [("policies.2.effective_from", "2020-01-01", LATER)],
        ),
        (("effective_from = 2090-01-01", 'corrects = "2020"\neffective_from = 2020-01-01'), []),
    ],
)
def test_of_several_versions_one_governs(found, change, expected):
    assert found(change) == expected


@pytest.mark.parametrize(
    ("cohort", "whom"),
    [
        ("awarded_before = 2090-01-02", " from 2090-01-02"),
        ("awarded_from = 2090-01-01", ""),
        ("awarded_from = 2091-01-01", " from 2090-01-01 before 2091-01-01"),
        ("awarded_before = 2089-01-01", " from 2090-01-01"),
    ],
)
def test_everybody_has_a_version(found, cohort, whom):
    told = found(('version = "2090"', f'version = "2090"\ncohort = {{ {cohort} }}'))

    assert [rule for _, _, rule in told] == (
        [f"no version covers certifications awarded{whom}"] if whom else []
    )


def test_who_never_expires_needs_no_version(found):
    everybody_since = (
        "cohort = { awarded_before = 2020-01-01 }",
        "cohort = { awarded_from = 2000-12-31, awarded_before = 2020-01-01 }",
    )
    third = ('version = "2090"', 'version = "2090"\ncohort = { awarded_from = 2090-01-01 }')
    assert found(everybody_since, third, after="") == []

    (told,) = found(("lifetime_if_awarded_before = 2001-01-01\n", ""), after="")
    assert told[2] == "no version covers certifications awarded before 2000-12-31"


@pytest.mark.parametrize(
    ("change", "key", "rule"),
    [
        (
            ('member_renewal = "50.00"', 'member_renewal = "80.01"'),
            "member_renewal",
            "is more than the renewal fee, 80.00",
        ),
        (('renewal = "80.00"\n', ""), "member_renewal", "needs a renewal fee too"),
        (
            ('schemes = ["all", "cpt"]', 'schemes = ["clt", "cpt"]'),
            "bundles.0.schemes",
            "must name this scheme too, 'all'",
        ),
        (
            ('schemes = ["all", "cpt"]', 'schemes = ["all", "all"]'),
            "bundles.0.schemes",
            "all: given more than once",
        ),
    ],
)
def test_fees_go_together(found, change, key, rule):
    told = found(change, after="[fees]")

    assert [(where, why) for where, _, why in told] == [(f"fees.{key}", rule)]


@pytest.mark.parametrize(
    ("change", "key", "rule"),
    [
        (("fewest_questions = 30\n", ""), "most_questions", "needs fewest_questions too"),
        (("most_questions = 40\n", ""), "fewest_questions", "needs most_questions too"),
        (
            ("most_questions = 40", "most_questions = 29"),
            "fewest_questions",
            "is more than most_questions, 29",
        ),
    ],
)
def test_numbers_of_questions_go_together(found, change, key, rule):
    told = found(change, after="[assessment]")

    assert [(where, why) for where, _, why in told] == [(f"assessment.{key}", rule)]


def test_without_a_validity_nobody_is_exempt_from_it(edit, directory):
    edit(
        'valid_through = "anniversary"',
        'valid_through = "anniversary"\nlifetime_if_awarded_before = 2001-01-01',
        name="mssc-cla.toml",
    )
    (mistake,) = scheme_files.check(directory)

    assert (mistake.key, mistake.value) == ("award.lifetime_if_awarded_before", "2001-01-01")
    assert mistake.rule == "must be absent: without a validity, certifications never expire"


@pytest.mark.parametrize(
    ("change", "key", "rule"),
    [
        (
            ('rounding = "down"', "grace = 3"),
            "grace",
            "is no longer a key: use [[policies.late]] with until and name",
        ),
        (
            ('rounding = "down"', "valid_in_grace = false"),
            "valid_in_grace",
            "is no longer a key: use title = true in [[policies.late]]",
        ),
        (
            ('rounding = "down"', 'rounding = "downn"'),
            "rounding",
            "must be one of: half_up, half_even, down, up; did you mean 'down'?",
        ),
        (
            ('rounding = "down"', 'rounding = "Half_Up"'),
            "rounding",
            "must be one of: half_up, half_even, down, up; did you mean 'half_up'?",
        ),
        (
            ('rounding = "down"', 'roundign = "down"'),
            "roundign",
            "is not a known key; did you mean 'rounding'?",
        ),
        (
            ('taught = { en = "taught"', 'taught = { eng = "x", en = "taught"'),
            "roles.taught.eng",
            "is not a known key; did you mean 'en'?",
        ),
        (
            (HOURS, 'unit = { en = "H", es = "H", fr = "H" }'),
            "types.year_of_work.unit.fr",
            "is not a known key",
        ),
        (
            ("retention = { length = 12", "retention = { length = 1201"),
            "retention.length",
            "must be at most 1200 months",
        ),
        (
            ('share = "0.05"', 'share = "1.01"'),
            "audit.share",
            'must be a string from "0" to "1" such as "0.50", with at most four decimals',
        ),
        (
            ("[policies.units.course]", '[policies.units."a course"]'),
            'units."a course"',
            "must be at most 32 letters, digits or _, beginning with a letter",
        ),
    ],
)
def test_a_misspelt_or_former_word_is_told_what_was_meant(found, change, key, rule):
    assert [(where, why) for where, _, why in found(change)] == [(f"policies.1.{key}", rule)]


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (('points_required = "60.00"', "points_required = 60"), "points_required"),
        (('maximum = "21.00"\nminimum = "1.00"', "minimum = 1.0"), "tags.safety.minimum"),
        (('minimum = "20.00"', 'minimum = "20,00"'), "windows.1.minimum"),
        (('last = { length = 2, unit = "years" }', "last = 2"), "windows.1.last"),
        (('minimum = "35.00"', 'minimum = "35.000"'), "categories.A.minimum"),
        (('maximum = "20.00"\n', "maximum = false\n"), "categories.B.maximum"),
        (('equals = "10.00"', "equals = 10"), "units.ceu.equals"),
        (('of = "hour"', "of = []"), "units.ceu.of"),
        (('tags = ["safety"]', 'tags = "safety"'), "types.course.tags"),
        (('modules = ["exam"]', "modules = [1]"), "reexamination.modules.0"),
        (("kinds = { minimum = 2", 'kinds = { minimum = "2"'), "kinds.minimum"),
        (('by = "reexamination"', "by = 3"), "late.2.by"),
        (("until = { length = 3,", "until = { length = 3.5,"), "late.1.until.length"),
        (('counted_by = "months"', "counted_by = []"), "types.job.counted_by"),
        (("awarded_before = 2090-01-01", 'awarded_before = "2090"'), "cohort.awarded_before"),
        (('corrects = "2001"', "corrects = 2001"), "corrects"),
        (("checks = [", "checks = [1, "), "checks.0"),
    ],
)
def test_a_malformed_value_is_told_once_and_no_consequence_of_it(found, change, key):
    assert [where for where, _, _ in found(change)] == [f"policies.1.{key}"]


@pytest.mark.parametrize("group", ["units", "roles", "tags", "categories", "types"])
def test_what_is_no_table_of_tables_is_told(directory, group):
    file = directory / "mssc-cpt.toml"
    text = file.read_text("utf-8")
    start, end = text.index("[policies.categories.CE]"), text.index("# Days before")
    file.write_text(f"{text[:start]}{group} = 3\n{text[end:]}", "utf-8")
    told = [(m.key, m.value, m.rule) for m in scheme_files.check(directory)]

    assert (f"policies.0.{group}", "3", "must be a table") in told


def test_odd_names_are_told_in_quotes_and_on_one_line(found):
    told = found(("[policies.units.course]", '[policies.units."a\\u001b[1m\\nb"]'))

    assert told == [
        (
            r'policies.1.units."a\u001b[1m\nb"',
            "",
            "must be at most 32 letters, digits or _, beginning with a letter",
        )
    ]


def test_what_is_under_a_misspelt_table_is_not_missed_everywhere(directory):
    file = directory / "mssc-cpt.toml"
    file.write_text(file.read_text("utf-8").replace("policies.categories.", "policies.category."))
    told = [(m.key, m.rule) for m in scheme_files.check(directory)]

    assert told == [
        ("policies.0.categories", "is required but missing"),
        ("policies.0.category", "is not a known key; did you mean 'categories'?"),
    ]


def test_a_yearly_minimum_that_goes_into_the_whole_is_no_mistake(found):
    assert found(('year = "calendar"', 'year = "cycle"')) == []
