"""domain/values.py: values as every door reads, keeps and compares them."""

import unicodedata
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain import values
from tracker.domain.values import alike, cleaned, folded, future_rule, run_together


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (" Ana  María ", "Ana María"),
        ("  a  b  ", "a b"),
        ("a\u00a0b\u202fc\u3000d\u2800", "a b c d"),
        ("Jose\u0301", "José"),
        ("e\u034f\u0301", "é"),
        ("P1\u200b", "P1"),
        ("P\u00ad1\ufeff\u200e\u2060\u3164\ufe0f", "P1"),
        ("\u200b\u200d\u3164", ""),
        ("P\u200d1", "P1"),
        (
            "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
            "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
        ),
        ("ක්\u200dෂ", "ක්\u200dෂ"),
        ("\u0378\u200d", "\u0378"),
        ("😀 C++ — №5", "😀 C++ — №5"),
    ],
)
def test_a_line_is_cleaned_of_what_nobody_sees(given, kept):
    assert cleaned(given) == kept


@pytest.mark.parametrize(
    "text",
    [
        "a\tb",
        "a\n",
        "\ra",
        "a\x00",
        "a\x7f",
        "a\x85b",
        "a\u2028b",
        "a\u202eb",
        "a\u2066b",
        "a\ud800",
        "a\ue000",
        "a\uffff",
        "a\ufdd0",
        "a\U000f0000",
    ],
)
def test_a_line_refuses_controls_reordering_and_what_is_no_character(text):
    with pytest.raises(ValueError, match="must be one line of text"):
        cleaned(text)


@given(st.text("aé \u0301\u200b\u200c\u200d\u00a0\u00adعلक\u094dX", max_size=12) | st.text())
def test_cleaning_again_changes_nothing(text):
    try:
        kept = cleaned(text)
    except ValueError:
        return
    assert cleaned(kept) == kept
    assert cleaned(unicodedata.normalize("NFD", kept)) == kept
    assert cleaned(f"\u200b {kept}\u00a0") == kept


def test_a_joiner_that_joins_nothing_once_others_are_removed_goes_too():
    assert cleaned("\u0301\u200c\u094d\u200c") == "\u094d\u0301"
    # Each removal lets the next joiner join nothing; a chain too long loses all of them at once.
    kept = cleaned("क\u0301\u200c" + "\u094d\u200c" * 50)
    assert cleaned(kept) == kept
    assert "\u200c" not in kept


def test_the_length_of_a_line_counts_what_is_kept():
    assert values.line("  e\u0301e\u0301\u200b ", 2) == "éé"
    with pytest.raises(ValueError, match="at most 2 characters"):
        values.line("ééé", 2)
    for nothing in ("", "\u200b", "\u0301", " \u0301"):
        with pytest.raises(ValueError, match="must not be empty"):
            values.line(nothing, 2)


@pytest.mark.parametrize("key", ["17.0", "0017.0", "17,0", "17.00", "0.0", "123456789012345.0"])
def test_a_whole_number_that_a_program_made_a_fraction_is_recognized(key):
    assert (values.fraction_rule(key) or "").startswith("is a whole number that a program wrote")
    assert key.lstrip("0123456789") in (values.fraction_rule(key) or "")


@pytest.mark.parametrize("key", ["17", "0017", "17.5", "1.0.0", "17.000", "E17.0", ".0", "17.", ""])
def test_other_keys_are_no_fractions(key):
    assert values.fraction_rule(key) is None


@pytest.mark.parametrize(
    ("key", "others", "count"),
    [
        ("1", {"01", "00001", "0" * 15 + "1"}, 15),
        ("00001", {"1", "0001", "000001"}, 15),
        ("0", {"00", "000"}, 15),
        ("0" * 30 + "7", {"7", "0" * 15 + "7"}, 16),
        ("1" * 17, set(), 0),
    ],
)
def test_a_number_has_zeros_before_it_that_programs_add_and_take_away(key, others, count):
    found = values.padded_otherwise(key)

    assert key not in found
    assert len(set(found)) == count
    assert others <= set(found)
    assert {int(other) for other in found} <= {int(key)}


@pytest.mark.parametrize("key", ["", "E0042", "4.2", "-1", "\u0661", "\u00b2"])
def test_what_is_no_whole_number_is_padded_in_no_way(key):
    assert values.padded_otherwise(key) == []


def test_names_and_keys_are_lines_of_a_length_of_their_own():
    assert values.name("\u00a0Łucja ") == "Łucja"
    assert values.reference("EMP/7\u200b") == "EMP/7"
    with pytest.raises(ValueError, match="at most 100"):
        values.name("x" * 101)
    with pytest.raises(ValueError, match="at most 64"):
        values.reference("x" * 65)


def test_white_space_and_whatever_is_invisible_is_trimmed_and_nothing_else():
    for code in range(0x20, 0x10000):
        is_around = values._BLANKS.match(chr(code)) or values._UNSEEN.match(chr(code))
        assert (values.trimmed(chr(code)) == "") is bool(is_around), hex(code)


@pytest.mark.parametrize("text", ["2026-03-15", " 2026-03-15\u00a0", "\ufeff2026-03-15"])
def test_a_day_is_read_as_iso_8601_writes_it(text):
    assert values.day(text) == date(2026, 3, 15)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("2026-3-15", "must be a date such as"),
        ("20260315", "must be a date such as"),
        ("2026-W11-7", "must be a date such as"),
        ("2026-03-15T00:00", "must be a date such as"),
        ("\u0662\u0660\u0662\u0666-\u0660\u0663-\u0661\u0665", "must be a date such as"),
        ("", "must be a date such as"),
        ("1899-12-31", "years 1900 to 2200"),
        ("2201-01-01", "years 1900 to 2200"),
        ("2026-02-29", "a day that exists"),
    ],
)
def test_what_is_no_day_is_refused_with_the_rule(text, rule):
    with pytest.raises(ValueError, match=rule):
        values.day(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [("16", "16.00"), (" 12.5\u00a0", "12.50"), ("007", "7.00"), ("-0", "0.00")],
)
def test_an_amount_is_read_in_plain_digits(text, number):
    assert str(values.amount(text)) == number


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e3",
        "1E3",
        "1.234",
        "-1",
        "+1",
        "1_0",
        ".5",
        "5.",
        "\u0661\u0662",
        "\uff11\uff12",
        "1,5",
        "1 000",
        "0x10",
        "",
        "1000000",
        "\u22121",
    ],
)
def test_what_is_no_amount_is_refused_with_the_rule(text):
    rule = "must be a number from 0 to 999999.99 in plain digits, with at most 2 decimal places"
    with pytest.raises(ValueError, match=rule):
        values.amount(text)


def test_an_amount_may_have_other_bounds_and_places():
    assert values.amount("-3", places=0, minimum=None, maximum=None) == Decimal(-3)
    with pytest.raises(ValueError, match=r"^must be a number of at least 1 in plain digits$"):
        values.amount("0", places=0, minimum=1, maximum=None)
    with pytest.raises(ValueError, match="of at most 5"):
        values.amount("6", minimum=None, maximum=5)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Robot Safety", "robot  safety"),
        ("Robot Safety", "Robot\u00a0Safety\u200b"),
        ("Señalización", "SENALIZACION"),
        ("Se\u006e\u0303al", "señal"),
        ("Men\u2019s \u201cA\u201d \u2013 1", 'Men\'s "A" - 1'),
        ("Straße", "STRASSE"),
        ("ﬁle", "file"),
    ],
)
def test_what_people_take_for_the_same_is_alike(one, other):
    assert alike(one) == alike(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("C++", "C#"), ("Welding 1", "Welding 2"), ("A-B", "A B"), ("!", "?"), ("ガス", "カス")],
)
def test_signs_tell_titles_apart(one, other):
    assert alike(one) != alike(other)


def test_a_text_of_nothing_but_unseen_characters_is_like_itself_alone():
    assert alike("\u200b") == "\u200b"


@given(st.text(max_size=30), st.text(max_size=30))
def test_each_sign_is_folded_by_what_it_is_whatever_was_folded_before(first, text):
    """Letters and digits stay, what separates words becomes a space, anything else goes."""
    folded(first)
    plain = unicodedata.normalize("NFKD", text).casefold().translate(values._PLAIN)
    split = "".join(" " if values._parts(sign) else sign for sign in plain)
    kept = "".join(sign for sign in split if sign.isalnum() or sign == " ")
    assert folded(text) == " ".join(kept.split())


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("García", "garcia"),
        ("O'Neill", "O\N{RIGHT SINGLE QUOTATION MARK}NEILL"),
        ("Núñez-García", "nunez garcia"),
        ("Łukasz  Øst", "lukasz ost"),
        ("So\N{ZERO WIDTH SPACE}to", "Soto"),
        ("e\N{COMBINING ACUTE ACCENT}", "é"),
    ],
)
def test_names_that_people_take_for_the_same_are_folded_alike(left, right):
    assert folded(left) == folded(right)


@pytest.mark.parametrize("apostrophe", ["\u02bb", "\u02bc", "\u2019", "'", "\u0060", "\u00b4"])
def test_an_apostrophe_of_any_kind_is_one(apostrophe):
    assert folded("Keali\u02bbi Hawai\u02bbi") == folded(f"Keali{apostrophe}i Hawai{apostrophe}i")
    assert run_together(f"Keali{apostrophe}i") == "kealii"
    assert alike(f"Hawai{apostrophe}i") == alike("Hawai'i")


def test_a_character_that_a_program_has_lost_is_refused_by_name():
    with pytest.raises(ValueError, match="where a program lost a character"):
        values.name("Jos\N{REPLACEMENT CHARACTER}")


def test_letters_of_other_scripts_are_kept():
    assert folded("王 小明") == "王 小明"


def test_words_stay_apart_unless_they_are_run_together():
    assert folded("de la Cruz") == "de la cruz"
    assert run_together("de la Cruz") == run_together("DelaCruz")


def test_only_a_later_day_is_in_the_future():
    today = date(2026, 11, 28)

    assert (
        future_rule(date(2026, 11, 29), today) == "must not be in the future (today is 2026-11-28)"
    )
    assert future_rule(today, today) is None
    assert future_rule(None, today) is None


def test_a_company_is_told_from_others_by_its_letters_and_else_by_its_signs():
    assert values.folded_name("ACME, Inc.") == values.folded_name("Acmé  Inc")
    assert values.folded_name("!!!") != values.folded_name("???")


def test_a_new_key_is_no_fraction_that_a_program_has_made_of_it():
    assert values.new_reference(" A-17 ") == "A-17"
    with pytest.raises(ValueError, match="with its leading zeros"):
        values.new_reference("17.0")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("#N/A", "is what programs write for an empty value: leave it empty"),
        ("NULL", "is what programs write for an empty value: leave it empty"),
        ("1.23457E+11", "is a number that a spreadsheet shortened"),
        ("#REF!", "is what a spreadsheet shows instead of a value"),
        ("########", "is what a spreadsheet shows instead of a value"),
        ("Err:502", "is what a spreadsheet shows instead of a value"),
    ],
)
def test_what_a_program_writes_in_place_of_a_value_is_refused_with_the_rule(text, rule):
    with pytest.raises(ValueError, match=rule):
        values.line(text, 64)


@pytest.mark.parametrize("text", ["Null", "E+ Automation", "1E5 Main Street", "#1 Shop", "Error"])
def test_what_only_looks_like_it_is_kept(text):
    assert values.line(text, 64) == text


@pytest.mark.parametrize("text", ["", "  ", "\u200b", "\u0301"])
def test_a_search_for_nothing_is_refused(text):
    with pytest.raises(ValueError, match="must not be empty"):
        values.sought(text, 64)


def test_a_search_has_a_length_and_may_be_for_somebody_of_the_name_of_nothing():
    assert values.sought("NULL", 4) == "NULL"
    with pytest.raises(ValueError, match="must be at most 4 characters"):
        values.sought("NULLS", 4)


@pytest.mark.parametrize("text", ["Acme: x", "acme.example/pay", "hr@acme"])
def test_a_company_has_nothing_that_makes_a_link_and_an_older_one_is_made_harmless(text):
    with pytest.raises(ValueError, match="must not contain : / or @"):
        values.company(text)
    assert values.company(values.harmless(text)) == values.harmless(text)
