"""Dates, amounts and nouns as people write them, in both languages."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tests.domain.examples import POLICY, nouns, policy
from tracker import settings
from tracker.domain.periods import Duration
from tracker.domain.schemes.activity_types import Limits, Noun, Tag, Unit
from tracker.language.catalogues import LANGUAGES
from tracker.language.voice import (
    Quantity,
    Voice,
    counted,
    evidence_kinds,
    figure,
    in_words,
    length,
    listed,
    money,
    percent,
    version_name,
)

D = Decimal
SHIPPED = settings.ROOT / "config" / "schemes"


@pytest.mark.parametrize(
    ("day", "english", "spanish"),
    [
        (date(2027, 3, 15), "March 15, 2027", "15 de marzo de 2027"),
        (date(2026, 12, 1), "December 1, 2026", "1 de diciembre de 2026"),
        (date(2026, 1, 31), "January 31, 2026", "31 de enero de 2026"),
        (date(2024, 2, 29), "February 29, 2024", "29 de febrero de 2024"),
    ],
)
def test_dates_are_written_as_people_write_them(day, english, spanish):
    assert [in_words(day, language) for language in LANGUAGES] == [english, spanish]
    assert [Voice(POLICY, language).day(day) for language in LANGUAGES] == [english, spanish]


def test_every_month_has_its_name():
    names = [
        [in_words(date(2026, month, 1), language) for month in range(1, 13)]
        for language in LANGUAGES
    ]

    assert [name.split()[0] for name in names[0]] == [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ]
    assert [name.split()[2] for name in names[1]] == [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ]


@pytest.mark.parametrize(
    ("number", "written"),
    [
        ("0", "0"),
        ("0.00", "0"),
        ("1.00", "1"),
        ("0.50", "0.5"),
        ("0.125", "0.125"),
        ("12", "12"),
        ("100.00", "100"),
        ("1E+2", "100"),
        ("1500", "1,500"),
        ("1234567.89", "1,234,567.89"),
    ],
)
def test_figures_have_no_needless_zeros(number, written):
    assert figure(D(number)) == written


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        ("75", "USD", "$75.00"),
        ("0.5", "MXN", "0.50 MXN"),
        ("1250.00", "USD", "$1,250.00"),
        ("75", "", "75.00"),
    ],
)
def test_money_has_its_cents(amount, currency, written):
    assert money(D(amount), currency) == written


@pytest.mark.parametrize(
    ("share", "written"),
    [("0.05", "5%"), ("0.5", "50%"), ("1", "100%"), ("0.125", "12.5%"), ("0.00", "0%")],
)
def test_shares_are_percentages(share, written):
    assert percent(D(share)) == written


@pytest.mark.parametrize(
    ("duration", "english", "spanish"),
    [
        (Duration(90, "days"), "90 days", "90 días"),
        (Duration(1, "days"), "1 day", "1 día"),
        (Duration(6, "months"), "6 months", "6 meses"),
        (Duration(1, "months"), "1 month", "1 mes"),
        (Duration(5, "years"), "5 years", "5 años"),
        (Duration(1, "years"), "1 year", "1 año"),
        (Duration(0, "days"), "0 days", "0 días"),
    ],
)
def test_lengths_of_time_agree_in_number(duration, english, spanish):
    assert [length(duration, language) for language in LANGUAGES] == [english, spanish]
    assert Voice(POLICY, "es").length(duration) == spanish


class TestLists:
    @pytest.mark.parametrize(
        ("items", "english", "spanish"),
        [
            (["one"], "one", "one"),
            (["one", "two"], "one and two", "one y two"),
            (["one", "two", "three"], "one, two and three", "one, two y three"),
        ],
    )
    def test_join_the_last_by_a_word(self, items, english, spanish):
        assert [listed(items, language) for language in LANGUAGES] == [english, spanish]
        assert Voice(POLICY, "es").listed(items) == spanish

    @pytest.mark.parametrize(
        ("last", "word"),
        [
            ("ideas", "e"),
            ("Inglés", "e"),
            ("índices", "e"),
            ("higiene", "e"),
            ("Historia", "e"),
            ("“Inspección”", "e"),
            ("¿Inglés?", "e"),
            ("hielo", "y"),
            ("“Hierro”", "y"),
            ("hora", "y"),
            ("yoga", "y"),
            ("10 horas", "y"),
        ],
    )
    def test_in_spanish_have_another_word_before_the_sound_of_i(self, last, word):
        assert listed(["calidad", last], "es") == f"calidad {word} {last}"
        assert listed(["quality", last], "en") == f"quality and {last}"

    def test_may_be_of_anything_that_is_gone_through(self):
        assert listed(iter(["a", "b"]), "en") == "a and b"


class TestAQuantity:
    @pytest.mark.parametrize(
        ("number", "english", "spanish"),
        [
            ("0", "0 points", "0 puntos"),
            ("0.50", "0.5 points", "0.5 puntos"),
            ("1.00", "1 point", "1 punto"),
            ("1.5", "1.5 points", "1.5 puntos"),
            ("2", "2 points", "2 puntos"),
            ("1200", "1,200 points", "1,200 puntos"),
        ],
    )
    def test_agrees_with_its_noun(self, number, english, spanish):
        told = [Voice(POLICY, language).points(D(number)) for language in LANGUAGES]

        assert [str(quantity) for quantity in told] == [english, spanish]
        assert [f"{quantity}" for quantity in told] == [english, spanish]

    def test_gives_a_sentence_its_parts_and_the_words_that_agree(self):
        sentence = "{it:is|are} {it.figure} of {it.noun}"

        assert sentence.format(it=Quantity(D("1.00"), Noun("hour", "hours"))) == "is 1 of hour"
        assert sentence.format(it=Quantity(D("0.50"), Noun("hour", "hours"))) == "are 0.5 of hours"

    def test_is_counted_in_a_language_and_in_english_where_that_has_no_word(self):
        hours = nouns("hour/hours", "hora/horas", feminine=True)

        told = [str(counted(D(n), hours, language)) for n in (1, 2) for language in ("es", "nn")]

        assert told == ["1 hora", "1 hour", "2 horas", "2 hours"]

    @pytest.mark.parametrize(
        ("noun", "number", "words"),
        [
            (Noun("punto", "puntos"), 1, "el punto"),
            (Noun("punto", "puntos"), 2, "los puntos"),
            (Noun("labor", "labores", feminine=True), 1, "la labor"),
            (Noun("labor", "labores", feminine=True), 2, "las labores"),
        ],
    )
    def test_agrees_in_gender_with_what_the_noun_says_of_itself(self, noun, number, words):
        assert "{it:el|los|la|las} {it.noun}".format(it=Quantity(D(number), noun)) == words


class TestAVoice:
    TAG = Tag("safety", {"en": "Safety", "es": "Seguridad"}, Limits(), POLICY.provenance)
    UNDER = policy(
        tags={"safety": TAG},
        units={"ceu": Unit("ceu", nouns("CEU/CEUs", "CEU"))},
        roles={"taught": {"en": "taught", "es": "impartió"}},
        credit=nouns("CPE credit/CPE credits", "crédito CPE/créditos CPE"),
    )

    def test_counts_in_the_credit_of_the_policy(self):
        assert [str(Voice(self.UNDER, language).points(D(1))) for language in LANGUAGES] == [
            "1 CPE credit",
            "1 crédito CPE",
        ]

    def test_says_points_where_the_policy_has_no_word_of_its_own(self):
        assert [Voice(policy(credit={}), language).credit for language in LANGUAGES] == [
            "points",
            "puntos",
        ]

    def test_counts_in_the_unit_of_an_activity_type(self):
        kind = POLICY.types["college_credit"]

        assert [str(Voice(POLICY, language).units(kind, D(1))) for language in LANGUAGES] == [
            "1 semester credit hour",
            "1 hora crédito semestral",
        ]

    @pytest.mark.parametrize(
        ("kind", "code", "english", "spanish"),
        [
            ("type", "volunteer", "“Volunteering”", "“Voluntariado”"),
            ("category", "X", "“Other activities”", "“Otras actividades”"),
            ("tag", "safety", "“Safety”", "“Seguridad”"),
            ("unit", "ceu", "“CEUs”", "“CEU”"),
            ("role", "taught", "“taught”", "“impartió”"),
        ],
    )
    def test_names_what_the_policy_knows_and_else_the_code(self, kind, code, english, spanish):
        voices = [Voice(self.UNDER, language) for language in LANGUAGES]

        assert [voice.name(kind, code) for voice in voices] == [english, spanish]
        assert [voice.name(kind, "other") for voice in voices] == ["“other”"] * 2

    @pytest.mark.parametrize(
        ("kind", "code", "group", "one"),
        [
            (
                "type",
                "volunteer",
                ["the activity type “Volunteering”", "el tipo de actividad “Voluntariado”"],
                [
                    "one activity of the type “Volunteering”",
                    "una actividad del tipo “Voluntariado”",
                ],
            ),
            (
                "category",
                "X",
                ["the category “Other activities”", "la categoría “Otras actividades”"],
                [
                    "one activity of the category “Other activities”",
                    "una actividad de la categoría “Otras actividades”",
                ],
            ),
            (
                "tag",
                "safety",
                ["activities marked “Safety”", "actividades con la marca “Seguridad”"],
                ["one activity marked “Safety”", "una actividad con la marca “Seguridad”"],
            ),
        ],
    )
    def test_names_groups_as_parts_of_a_sentence(self, kind, code, group, one):
        voices = [Voice(self.UNDER, language) for language in LANGUAGES]

        assert [voice.group(kind, code) for voice in voices] == group
        assert [voice.one_of(kind, code) for voice in voices] == one


@pytest.mark.parametrize(
    ("version", "told"), [("4.0", "4.0"), ("2021", "2021"), ("undated", "“undated”")]
)
def test_a_policy_version_that_is_no_number_is_told_as_a_name(version, told):
    assert version_name(version) == told


def test_evidence_that_is_not_described_is_evidence():
    course = POLICY.types["third_party"]
    words = [evidence_kinds(replace(course, evidence_kinds=kinds)) for kinds in ({}, {"en": "x"})]

    assert words == [{"en": "evidence", "es": "un comprobante"}, {"en": "x"}]
