"""Mistakes in scheme files: all of them in one run, each with file, line, key and rule."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tracker import scheme_files
from tracker.domain.schemes.activity_types import Noun
from tracker.scheme_files import Mistake, SchemesRefusedError

CPT = "mssc-cpt.toml"


def _line(directory: Path, text: str, *, after: str = "", name: str = CPT) -> int:
    """The number of the line with a text."""
    whole = (directory / name).read_text("utf-8")
    return whole[: whole.index(text, whole.index(after))].count("\n") + 1


def _only(directory: Path) -> Mistake:
    (mistake,) = scheme_files.check(directory)
    return mistake


VOLUNTEER = "[policies.types.volunteer]"
ENGLISH = 'en = { one = "hour", many = "hours" }'
SPANISH = 'es = { one = "hora", many = "horas", gender = "feminine" }'
HOURS = f"unit = {{ {ENGLISH}, {SPANISH} }}"
AMOUNT = 'must be a string such as "1.50", with at most four decimals'


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('points = "1.00"', "points = 1.0", ("points", "1.0", AMOUNT)),
        ('points = "1.00"', 'points = "1.00505"', ("points", '"1.00505"', AMOUNT)),
        ('points = "1.00"', 'points = "-1"', ("points", '"-1"', AMOUNT)),
        ('points = "1.00"', 'points = ""', ("points", '""', AMOUNT)),
        (
            'points = "1.00"',
            'points = "1.00"\npionts = 1',
            ("pionts", "1", "is not a known key; did you mean 'points'?"),
        ),
        (
            'points = "1.00"',
            'points = "1.00"\nxyzzy = 1',
            ("xyzzy", "1", "is not a known key"),
        ),
        (
            'points = "1.00"',
            'points = "1.00"\nincrement = "0.00"',
            ("increment", '"0.00"', "must be more than 0"),
        ),
        (
            'category = "X"',
            'category = "Y"',
            ("category", '"Y"', "this policy has no such category; the choices are: CE, IC, E, X"),
        ),
        (
            'counted_by = "quantity"',
            'counted_by = "weight"',
            ("counted_by", '"weight"', "must be one of: quantity, event, months"),
        ),
        (
            'counted_by = "quantity"',
            'counted_by = "months"\nincrement = "0.25"',
            ("increment", '"0.25"', "must be absent: months are counted by the month_rule"),
        ),
        ("verified = false", "verified = 0", ("verified", "0", "must be true or false")),
        (
            "verified = false",
            'verified = "true"',
            ("verified", '"true"', "must be true or false"),
        ),
        (
            'source = "Illustrative."',
            "source = true",
            ("source", "true", "must be text in quotes"),
        ),
        (
            HOURS,
            "unit = 3",
            ("unit", "3", "must be a table"),
        ),
        (
            HOURS,
            'unit = "hour"',
            ("unit", '"hour"', "this policy has no such unit"),
        ),
    ],
)
def test_a_wrong_value_of_a_nested_key_is_named_at_its_line(directory, edit, old, new, expected):
    edit(old, new, after=VOLUNTEER)
    key, value, rule = expected
    line = _line(directory, f"{key} = ", after=VOLUNTEER)

    assert _only(directory) == Mistake(CPT, line, f"policies.0.types.volunteer.{key}", value, rule)


def test_a_missing_nested_key_is_named_at_its_table(directory, edit):
    line = _line(directory, VOLUNTEER)
    edit('points = "1.00"\n', "", after=VOLUNTEER)

    assert _only(directory) == Mistake(
        CPT, line, "policies.0.types.volunteer.points", "", "is required but missing"
    )


def test_a_missing_key_of_an_inline_table_is_named_at_its_line(directory, edit):
    edit(f", {SPANISH}", "", after=VOLUNTEER)
    line = _line(directory, "unit = ", after=VOLUNTEER)

    assert str(_only(directory)) == (
        f"{CPT}:{line}: policies.0.types.volunteer.unit.es: is required but missing"
    )


_ENGLISH_RULE = (
    'must give the singular and the plural: { one = "contact hour", many = "contact hours" }'
)
_MISSING = "is required but missing, for example "


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (ENGLISH, 'en = ""', ("en", '""', "must contain words")),
        (ENGLISH, "en = 3", ("en", "3", _ENGLISH_RULE)),
        (ENGLISH, 'en = ["hour"]', ("en", '["hour"]', _ENGLISH_RULE)),
        (ENGLISH, 'en = { many = "hours" }', ("en.one", "", f'{_MISSING}one = "contact hour"')),
        (ENGLISH, 'en = { one = "hour" }', ("en.many", "", f'{_MISSING}many = "contact hours"')),
        (ENGLISH, 'en = { one = " ", many = "hours" }', ("en.one", '" "', "must contain words")),
        (
            ENGLISH,
            'en = { one = "hour", many = "hours", gender = "feminine" }',
            ("en.gender", '"feminine"', "is not a known key"),
        ),
        (
            SPANISH,
            'es = { one = "hora", gender = "feminine" }',
            ("es.many", "", f'{_MISSING}many = "horas de contacto"'),
        ),
        (
            SPANISH,
            'es = { one = "hora", many = "horas" }',
            ("es.gender", "", f'{_MISSING}gender = "feminine"'),
        ),
        (
            SPANISH,
            'es = { one = "hora", many = "horas", gender = "femenine" }',
            (
                "es.gender",
                '"femenine"',
                "must be one of: feminine, masculine; did you mean 'feminine'?",
            ),
        ),
    ],
)
def test_what_is_counted_is_given_in_both_numbers(directory, edit, old, new, expected):
    edit(old, new, after=VOLUNTEER)
    key, value, rule = expected
    line = _line(directory, "unit = ", after=VOLUNTEER)
    place = f"policies.0.types.volunteer.unit.{key}"

    assert _only(directory) == Mistake(CPT, line, place, value, rule)


@pytest.mark.parametrize(("english", "spanish"), [("CPE", "CPE"), ("hours", "horas")])
def test_a_plain_text_is_the_same_in_both_numbers(directory, edit, english, spanish):
    edit(f"{ENGLISH}, {SPANISH}", f'en = "{english}", es = "{spanish}"', after=VOLUNTEER)

    kind = scheme_files.load(directory)["cpt"].policies[0].types["volunteer"]

    assert kind.unit == {"en": Noun(english, english), "es": Noun(spanish, spanish)}


def test_a_mistake_in_the_second_version_is_named_there(directory):
    text = (directory / CPT).read_text("utf-8")
    begin, end = text.index("[[policies]]"), text.index("# Days before expiration")
    second = text[begin:end].replace('version = "2015"', 'version = "2"\neffective_from = "2030"')
    (directory / CPT).write_text(text[:end] + second + text[end:], "utf-8")
    line = _line(directory, 'effective_from = "2030"')

    assert _only(directory) == Mistake(
        CPT,
        line,
        "policies.1.effective_from",
        '"2030"',
        "must be a date such as 2015-01-01, without quotes",
    )


def test_a_day_of_no_year_that_is_kept_is_refused(directory, edit):
    edit('version = "2015"', 'version = "2015"\neffective_from = 0215-01-01')

    assert _only(directory).rule == "must be a date in the years 1900 to 2200"


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('code = "cpt"', 'code = "1 cpt"', ("code", "must be at most 32 letters, digits or _")),
        ('time_zone = "America/New_York"', 'time_zone = "EST5"', ("time_zone", "IANA time zone")),
        (
            'number_prefix = "CPT"',
            'number_prefix = "cpt"',
            ("number_prefix", "2 to 8 capital letters"),
        ),
        ('issuer = "MSSC"', 'issuer = ""', ("issuer", "must contain words")),
        ('issuer = "MSSC"', 'issuer = "\N{ZERO WIDTH SPACE}"', ("issuer", "must contain words")),
        ('issuer = "MSSC"', 'issuer = "\N{RIGHT-TO-LEFT OVERRIDE}CSSM"', ("issuer", "one line of")),
        ("wait_days = 15", "wait_days = 15.0", ("retake.wait_days", "must be a whole number")),
        ("wait_days = 15", "wait_days = true", ("retake.wait_days", "must be a whole number")),
        ("wait_days = 15", 'wait_days = "15"', ("retake.wait_days", "must be a whole number")),
        (
            "wait_days = 15",
            "wait_days = -1",
            ("retake.wait_days", "must be a whole number from 0 to 3650"),
        ),
        (
            "{ length = 5,",
            "{ length = 0,",
            ("award.validity.length", "whole number from 1 to 36500"),
        ),
        ("prerequisites = []", "prerequisites = 3", ("award.prerequisites", "must be a list")),
        (
            'currency = "USD"',
            'currency = "usd"',
            ("fees.currency", "must be three capital letters, such as USD"),
        ),
        ('send_at = "09:00"', 'send_at = "9"', ("reminders.send_at", 'must be like "09:00"')),
        (
            "offsets_when_complete = [90,",
            "offsets_when_complete = [91, 90,",
            ("reminders.offsets_when_complete", "91: not in offsets"),
        ),
        ("offsets = [730,", "offsets = [7, 730,", ("reminders.offsets", "7: given more than once")),
        ("offsets = [730,", 'offsets = ["x", 730,', ("reminders.offsets.0", "whole number")),
        (
            'maximum = "20.00"',
            'maximum = "20.00"\nminimum = "20.01"',
            ("policies.0.categories.X.minimum", "is more than the maximum, 20.00"),
        ),
        ('code = "quality"', 'code = "safety"', ("modules.1.code", "is used twice")),
        ('code = "3.0"', 'code = "4.0"', ("editions.1.code", "is used twice")),
        (
            'schemes = ["cpt", "clt"]',
            'schemes = ["cpt"]',
            ("fees.bundles.0.schemes", "must have at least 2 entries"),
        ),
        ("[appeals]", "[appeal]", ("appeal", "is not a known key; did you mean 'appeals'?")),
        ("[award]", "[awards]", ("award", "is required but missing")),
    ],
)
def test_a_wrong_value_is_named_with_its_key_and_rule(directory, edit, old, new, named):
    edit(old, new)
    key, rule = named
    found = {mistake.key: mistake for mistake in scheme_files.check(directory)}
    written = (directory / CPT).read_text("utf-8").split("\n")[found[key].line - 1]

    assert rule in found[key].rule
    assert new.split("\n")[-1].split(" ", maxsplit=1)[0] in written or "missing" in rule


def test_a_key_may_not_be_called_as_marshmallow_calls_the_whole(directory, edit):
    edit('points = "1.00"', '_schema = 1\npoints = "1.00"', after=VOLUNTEER)
    edit("[policies.types.volunteer]", "[policies.types._schema]")
    edit('issuer = "MSSC"', 'issuer = "MSSC"\n_schema = 3')

    assert [(m.key, m.rule) for m in scheme_files.check(directory)] == [
        ("_schema", "is not a known key"),
        (
            "policies.0.types._schema",
            "must be at most 32 letters, digits or _, beginning with a letter",
        ),
        ("policies.0.types._schema._schema", "is not a known key"),
    ]


def test_every_mistake_about_a_renamed_key_is_told(directory, edit):
    edit('points = "1.00"', 'pionts = "1.00"', after=VOLUNTEER)

    assert [
        (mistake.key.rpartition(".")[2], mistake.rule) for mistake in scheme_files.check(directory)
    ] == [
        ("points", "is required but missing"),
        ("pionts", "is not a known key; did you mean 'points'?"),
    ]


def test_a_policy_whose_total_was_not_verified_says_so(directory, edit):
    edit("verified = true", "verified = false", after="[[policies]]")
    (policy,) = scheme_files.load(directory)["cpt"].policies

    assert policy.unverified[0] == "points_required"


def test_an_entry_that_is_no_table_is_named(directory, edit):
    edit(VOLUNTEER, "[policies.types]\nvolunteer = 3\n[policies.types.value]")
    (mistake,) = scheme_files.check(directory)

    assert (mistake.key, mistake.value) == ("policies.0.types.volunteer", "3")
    assert mistake.rule == "must be a table"


def test_an_activity_type_may_be_called_value(directory, edit):
    edit(VOLUNTEER, "[policies.types.value]")
    assert scheme_files.check(directory) == []
    edit('points = "1.00"', "points = 1", after="[policies.types.value]")

    assert _only(directory).key == "policies.0.types.value.points"


def test_a_duplicate_version_is_named(directory):
    text = (directory / CPT).read_text("utf-8")
    begin, end = text.index("[[policies]]"), text.index("# Days before expiration")
    again = text[begin:end].replace('"2015"', '"2015"\neffective_from = 2030-01-01')
    (directory / CPT).write_text(text[:end] + again + text[end:], "utf-8")

    mistake = _only(directory)
    assert (mistake.key, mistake.rule) == ("policies.1.version", "is used twice")
    assert mistake.line == _line(directory, 'version = "2015"\neffective_from')


@pytest.mark.parametrize(
    ("first", "second", "lawful"),
    [
        ("", "effective_from = 2030-01-01", True),
        ("effective_from = 2015-01-01", "effective_from = 2030-01-01", True),
        ("", "", False),
        ("effective_from = 2030-01-01", "effective_from = 2030-01-01", False),
        ("effective_from = 2030-01-01", "effective_from = 2015-01-01", False),
        ("effective_from = 2030-01-01", "", False),
    ],
)
def test_each_version_but_the_first_needs_a_later_date(directory, first, second, lawful):
    text = (directory / CPT).read_text("utf-8")
    begin, end = text.index("[[policies]]"), text.index("# Days before expiration")
    dated = text[begin:end].replace('version = "2015"', f'version = "a"\n{first}')
    later = text[begin:end].replace('version = "2015"', f'version = "b"\n{second}')
    (directory / CPT).write_text(text[:begin] + dated + later + text[end:], "utf-8")

    found = [(m.key, m.rule) for m in scheme_files.check(directory)]
    rule = "each version except the first needs a later date than the one before it"
    assert found == ([] if lawful else [("policies.1.effective_from", rule)])


def test_a_scheme_that_expires_needs_a_policy(directory, edit):
    edit(
        'valid_through = "anniversary"',
        'validity = { length = 5, unit = "years" }\nvalid_through = "anniversary"',
        name="mssc-cla.toml",
    )

    assert (_only(directory).key, _only(directory).rule) == (
        "policies",
        "a scheme that expires needs a policy",
    )


def test_a_scheme_with_policies_needs_a_validity(directory, edit):
    edit('validity = { length = 5, unit = "years" }\n', "")

    mistake = _only(directory)
    assert (mistake.key, mistake.line) == ("award.validity", _line(directory, "[award]"))


def test_a_scheme_needs_a_required_module(directory, edit):
    edit("required = true", "required = false", name="mssc-cla.toml")

    mistake = _only(directory)
    assert (mistake.file, mistake.key) == ("mssc-cla.toml", "modules")
    assert mistake.rule == "at least one module must be required"


def test_a_prerequisite_must_be_a_scheme_that_there_is(directory, edit):
    edit('prerequisites = ["cla"]', 'prerequisites = ["cal"]', name="mssc-clt.toml")

    assert _only(directory) == Mistake(
        "mssc-clt.toml",
        _line(directory, "prerequisites", name="mssc-clt.toml"),
        "award.prerequisites.0",
        '"cal"',
        "is not a scheme; the schemes are: cla, clt, cpt; did you mean 'cla'?",
    )


@pytest.mark.parametrize("needed", ["cla", "clt"], ids=["itself", "one that needs it"])
def test_a_prerequisite_must_not_lead_back(directory, edit, needed):
    edit("prerequisites = []", f'prerequisites = ["{needed}"]', name="mssc-cla.toml")
    found = [(m.file, m.rule) for m in scheme_files.check(directory)]

    assert ("mssc-cla.toml", "lead back to this scheme") in found


def test_a_scheme_code_and_a_number_prefix_are_used_once(directory, edit):
    shutil.copy(directory / "mssc-cla.toml", directory / "again.toml")
    edit('number_prefix = "CLT"', 'number_prefix = "CPT"', name="mssc-clt.toml")
    found = [(m.file, m.key, m.rule) for m in scheme_files.check(directory)]

    assert found == [
        ("again.toml", "code", "is used by more than one file"),
        ("mssc-cla.toml", "code", "is used by more than one file"),
        ("mssc-cpt.toml", "number_prefix", "is used by another scheme too"),
    ]


def test_every_mistake_of_every_file_is_named_in_one_run(directory, edit):
    edit('issuer = "MSSC"', "isuer = 3")
    edit('code = "quality"', 'code = "safety"')
    edit('points = "1.00"', "points = 1.0", after=VOLUNTEER)
    edit('category = "X"', 'category = "Y"', after=VOLUNTEER)
    edit("wait_days = 15", "wait_days = 15.5", name="mssc-cla.toml")
    (directory / "broken.toml").write_text("code = 'x'\nname = \n", "utf-8")

    with pytest.raises(SchemesRefusedError) as refused:
        scheme_files.load(directory)
    mistakes = refused.value.mistakes
    assert [(m.file, m.key) for m in mistakes] == [
        ("broken.toml", ""),
        ("mssc-cla.toml", "retake.wait_days"),
        (CPT, "issuer"),
        (CPT, "isuer"),
        (CPT, "modules.1.code"),
        (CPT, "policies.0.types.volunteer.category"),
        (CPT, "policies.0.types.volunteer.points"),
    ]
    assert str(refused.value).split("\n") == [str(mistake) for mistake in mistakes]


def test_a_mistake_in_a_prerequisite_is_not_held_against_what_needs_it(directory, edit):
    edit("wait_days = 15", "wait_days = 15.5", name="mssc-cla.toml")

    assert _only(directory).file == "mssc-cla.toml"
