"""What each parser takes for a value, and the words it refuses others with."""

import datetime as dt
from decimal import Decimal

import pytest

from tracker import tabular
from tracker.tabular import Dates
from tracker.tabular.kinds import Conventions


def refusal(parse, value):
    with pytest.raises(ValueError, match=r"must be|ambiguous") as caught:
        parse(value)
    return str(caught.value)


def test_text_loses_the_blanks_around_it_and_keeps_one_between_words():
    assert tabular.text(20)(" \u00a0 Ana  María ") == "Ana María"
    assert tabular.text(20)("a\u00a0b") == "a b"


@pytest.mark.parametrize("name", ["Dvořák", "O'Neill-García", "李小龍", "علی‌رضا", "😀"])
def test_text_takes_names_of_any_script(name):
    assert tabular.text(20)(name) == name


def test_text_counts_characters_not_bytes():
    assert tabular.text(3)("řřř") == "řřř"
    assert refusal(tabular.text(3), "řřřř") == "must be at most 3 characters"


@pytest.mark.parametrize(
    "value",
    ["x\r\nBcc: v@e", "a\tb", "\t=1", "a\n", "a\x00b", "\x1b[31m", "a\u2028b", "a\u202eb", "\x7f"],
)
def test_text_refuses_control_characters_line_ends_and_marks_that_reorder(value):
    assert "one line of text without tabs" in refusal(tabular.text(80), value)


@pytest.mark.parametrize("dates", Dates)
def test_an_iso_date_is_read_however_other_dates_are(dates):
    assert tabular.date(dates)("2026-03-04") == dt.date(2026, 3, 4)


def test_a_date_in_figures_is_ambiguous_until_somebody_says_how_it_is_read():
    assert "ambiguous" in refusal(tabular.date(), "03/04/2026")
    assert tabular.date(Dates.US)("03/04/2026") == dt.date(2026, 3, 4)
    assert tabular.date(Dates.EU)("03/04/2026") == dt.date(2026, 4, 3)
    assert tabular.date(Dates.EU)("3.4.2026") == dt.date(2026, 4, 3)


def test_a_month_that_no_calendar_has_is_refused_with_the_order_that_was_used():
    assert refusal(tabular.date(Dates.US), "13/04/2026").endswith("read month first")
    assert refusal(tabular.date(Dates.EU), "04/13/2026").endswith("read day first")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("2026-02-29", "a day that exists"),
        ("1899-12-31", "years 1900 to 2200"),
        ("2201-01-01", "years 1900 to 2200"),
        ("0000-01-01", "years 1900 to 2200"),
        ("20260315", "such as 2026-03-15"),
        ("2026-W11-7", "such as 2026-03-15"),
        ("2026-3-15", "such as 2026-03-15"),
        ("26-03-15", "such as 2026-03-15"),
        ("２０２６-03-15", "such as 2026-03-15"),  # noqa: RUF001 - these signs are meant
        ("yesterday", "such as 2026-03-15"),
    ],
)
def test_what_is_no_date_is_refused_in_words(value, words):
    assert words in refusal(tabular.date(), value)


@pytest.mark.parametrize(
    "value",
    [
        "2024-03-01T00:00:00Z",
        "2024-03-01T00:00:00.000Z",
        "2024-03-01t00:00:00z",
        "2024-03-01T00:00",
        "2024-03-01 00:00:00",
        "2024-03-01 00:00:00.000000",
        "2024-03-01 00:00:00 UTC",
        "2024-03-01T00:00:00+00:00",
        "2024-03-01 00:00:00+00",
        "2024-03-01 12:00:00 AM",
    ],
)
@pytest.mark.parametrize("dates", Dates)
def test_a_midnight_behind_an_iso_day_is_no_part_of_it(value, dates):
    assert tabular.date(dates)(value) == dt.date(2024, 3, 1)


@pytest.mark.parametrize(
    "time",
    [
        "0:00",
        "00:00",
        "00:00:00",
        "12:00 AM",
        "12:00:00 AM",
        "12:00:00\u202fAM",
        "12:00 a.m.",
        "0:00:00.000",
    ],
)
@pytest.mark.parametrize(("dates", "day"), [(Dates.US, "3/1/2024"), (Dates.EU, "01.03.2024")])
def test_a_midnight_behind_a_day_in_figures_is_no_part_of_it(dates, day, time):
    assert tabular.date(dates)(f"{day} {time}") == dt.date(2024, 3, 1)
    assert tabular.date(dates)(f"{day}, {time}") == dt.date(2024, 3, 1)


def test_a_midnight_settles_no_order_of_day_and_month():
    assert "is ambiguous" in refusal(tabular.date(), "03/04/2024 00:00:00")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("2024-03-01T09:30:00Z", "has a time of day (09:30:00)"),
        ("2024-03-01 00:00:01", "has a time of day (00:00:01)"),
        ("2024-03-01 00:00:00.001", "has a time of day"),
        ("2024-03-01T12:00:00", "has a time of day (12:00:00)"),
        ("3/1/2024 12:00:00 PM", "has a time of day (12:00:00 PM)"),
        ("3/1/2024 12:00", "has a time of day (12:00)"),
        ("3/1/2024 1:00 AM", "has a time of day (1:00 AM)"),
        ("2024-03-01T00:00:00+02:00", "has a time zone (+02:00)"),
        ("2024-03-01 00:00:00-0500", "has a time zone (-0500)"),
        ("3/1/24", "has a year of two digits"),
        ("01.03.24", "has a year of two digits"),
        ("24-03-01", "has a year of two digits"),
        ("3/1/24 0:00", "has a year of two digits"),
        ("45352", "is a day number that would be 2024-03-01"),
        ("45352.5", "is a day number that would be 2024-03-01"),
        ("20240301", "looks like 2024-03-01"),
        ("2024/3/1", "looks like 2024-03-01"),
        ("2024-3-1", "looks like 2024-03-01"),
        ("2024", "looks like a year without month and day"),
        ("2024-03", "looks like a month without a day"),
        ("03/2024", "looks like a month without a day"),
        ("1-Mar-2024", "has the month in words"),
        ("March 1, 2024", "has the month in words"),
    ],
)
def test_what_is_almost_a_date_is_refused_by_its_name_and_with_the_rule(value, words):
    for dates in (Dates.US, Dates.EU):
        said = refusal(tabular.date(dates), value)
        assert words in said
        assert "2026-03-15" in said


@pytest.mark.parametrize("value", ["1900-01-01", "2024-02-29", "2200-12-31"])
def test_leap_days_and_the_first_and_last_day_are_dates(value):
    assert tabular.date()(value).isoformat() == value


@pytest.mark.parametrize(
    ("value", "number"),
    [("5", "5.00"), ("5.5", "5.50"), ("5.25", "5.25"), ("-5", "-5.00"), ("-0", "0.00")],
)
def test_a_decimal_is_exact_and_has_its_places(value, number):
    assert str(tabular.decimal(2)(value)) == number


@pytest.mark.parametrize(
    "value",
    [
        "NaN",
        "inf",
        "-Infinity",
        "1e3",
        "1_0",
        "５",  # noqa: RUF001 - these signs are meant
        "٣",
        "+5",
        "--5",
        "5.",
        ".5",
        "5.555",
        "5,5",
        "0x1",
        "9999999999999999",
    ],
)
def test_what_is_no_plain_decimal_is_refused(value):
    assert "plain digits, with at most 2 decimal places" in refusal(tabular.decimal(2), value)


def test_a_decimal_keeps_to_its_bounds_and_names_them():
    points = tabular.decimal(2, 0, 100)
    assert [points("0"), points("100.00")] == [Decimal(0), Decimal(100)]
    assert "from 0 to 100" in refusal(points, "-0.01")
    assert "from 0 to 100" in refusal(points, "100.01")
    assert "of at least 0" in refusal(tabular.decimal(2, 0), "-5")
    assert "of at most 9" in refusal(tabular.decimal(2, maximum=9), "10")


def test_a_decimal_of_no_places_is_a_whole_decimal():
    assert tabular.decimal(0)("12") == Decimal(12)
    assert refusal(tabular.decimal(0), "12.0") == "must be a number in plain digits"


@pytest.mark.parametrize(
    ("value", "number"),
    [("5,5", "5.50"), ("-5,25", "-5.25"), ("5.5", "5.50"), ("5", "5.00"), ("1234,5", "1234.50")],
)
def test_a_comma_stands_before_decimals_where_the_file_writes_so(value, number):
    parse = tabular.decimal(2).settled(Conventions(decimal_comma=True))
    assert str(parse(value)) == number


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("85%", "is a percentage"),
        ("85,5 %", "is a percentage"),
        ("1.234", "could be a decimal point or a thousands separator"),
        ("1,234", "could be a decimal point or a thousands separator"),
        ("1.234,5", "has thousands separators"),
        ("1,234.50", "has thousands separators"),
        ("1 234,50", "has thousands separators"),
        ("1'234.50", "has thousands separators"),
        ("1,234,567", "has thousands separators"),
        ("1.23E+11", "is in scientific notation"),
        ("$5.00", "is an amount of money"),
        ("5,00 €", "is an amount of money"),
        ("5,5,5", "must be a number"),
        ("5,", "must be a number"),
    ],
)
@pytest.mark.parametrize("comma", [False, True])
def test_what_is_almost_a_number_is_refused_by_its_name_and_with_the_rule(value, words, comma):
    said = refusal(tabular.decimal(2, 0).settled(Conventions(decimal_comma=comma)), value)
    assert words in said
    assert "must be a number of at least 0 in plain digits" in said


def test_a_decimal_comma_is_recognized_where_it_is_not_read():
    assert refusal(tabular.decimal(2), "5,5").startswith("has a decimal comma: must be a number")


@pytest.mark.parametrize(
    ("value", "truth"),
    [
        ("true", True),
        ("TRUE", True),
        ("True", True),
        ("false", False),
        ("FALSE", False),
        ("fAlSe", False),
    ],
)
def test_a_truth_is_read_in_letters_of_any_size(value, truth):
    assert tabular.truth(value) is truth


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("1", "true"),
        ("0", "false"),
        ("yes", "true"),
        ("No", "false"),
        ("WAHR", "true"),
        ("FALSO", "false"),
    ],
)
def test_what_is_almost_a_truth_is_refused_with_what_was_meant(value, meant):
    assert refusal(tabular.truth, value) == f"must be true or false; did you mean {meant}?"


def test_any_other_word_is_no_truth():
    assert refusal(tabular.truth, "maybe") == "must be true or false"


@pytest.mark.parametrize("value", ["1.23457E+11", "1,23457E+11", "1E+12", "-1.5E+100"])
def test_a_long_number_that_a_spreadsheet_has_shortened_is_no_text(value):
    with pytest.raises(ValueError, match="digits were lost: enter all digits"):
        tabular.text(80)(value)
    with pytest.raises(ValueError, match="digits were lost: enter all digits"):
        tabular.certificate_number(value)


@pytest.mark.parametrize("value", ["Form E+10", "E+11", "1.5E10", "A1E+12"])
def test_a_text_with_an_e_and_a_plus_is_a_text(value):
    assert tabular.text(80)(value) == value


def test_a_whole_number_is_read_in_plain_digits():
    assert tabular.integer(0, 10)("7") == 7
    assert tabular.integer()("-7") == -7
    for value in ("7.0", "1_0", "٣", "11", "-1", "7e0", "9" * 19):
        assert refusal(tabular.integer(0, 10), value) == "must be a whole number from 0 to 10"


def test_a_choice_names_what_is_allowed_and_what_is_nearest():
    result = tabular.choice(["pass", "fail"])
    assert result("pass") == "pass"
    assert refusal(result, "Pass") == "must be one of pass, fail; did you mean pass?"
    assert refusal(result, "xyz") == "must be one of pass, fail"
    assert refusal(tabular.choice(["in_person"]), "In Person").endswith("did you mean in_person?")


def test_a_giant_word_is_refused_without_looking_for_its_like():
    assert refusal(tabular.choice(["pass"]), "pass" * 2000) == "must be one of pass"


def test_only_the_domain_of_an_address_is_put_in_lower_case():
    assert tabular.email("Ana.Ruiz+x@Mail.Example.ORG") == "Ana.Ruiz+x@mail.example.org"


@pytest.mark.parametrize(
    "value",
    [
        "ana",
        "ana@",
        "@x.org",
        "a@b",
        "a@@x.org",
        "a@b@x.org",
        "a@x..org",
        "a@x.org.",
        "a@-x.org",
        "a@x-.org",
        "a@.org",
        "a,b@x.org",
        "<a@x.org>",
        "a@x.org,b@x.org",
        "a;b@x.org",
        'a"b@x.org',
        "a\\b@x.org",
        "(a)@x.org",
        "a b@x.org",
        "x@e.org\r\nBcc: v@e.org",
        "a:b@x.org",
        "a..b@x.org",
        "a\x00@x.org",
        "a" * 65 + "@x.org",
        "a@" + "x" * 250 + ".org",
    ],
)
def test_what_could_be_no_address_or_two_is_refused(value):
    assert refusal(tabular.email, value).startswith("must be one email address")


def test_a_time_zone_is_one_of_the_iana_list():
    assert tabular.time_zone("America/New_York") == "America/New_York"
    assert refusal(tabular.time_zone, "america/new york").endswith("mean America/New_York?")
    assert refusal(tabular.time_zone, "../../etc/passwd").startswith("must be an IANA time zone")
