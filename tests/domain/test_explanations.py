"""Evaluations in sentences, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from string import Formatter
from typing import get_args

import pytest

from tests.domain.examples import (
    POLICY,
    capped,
    claim,
    credit,
    evaluate,
    job,
    needing,
    policy,
    with_type,
)  # fmt: skip
from tracker.domain import explanations
from tracker.domain.explanations import (
    LANGUAGES,
    explain,
    explain_credit,
    explain_cut,
    in_words,
    options,
)
from tracker.domain.points import Cut, Rule

DAY = date(2026, 5, 1)
D = Decimal


def _told(evaluation, language="en", *, pending="0.00", projected="0.00"):
    return explain(evaluation, language, issuer="MSSC", pending=D(pending), projected=D(projected))


def _placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


@pytest.mark.parametrize("sentences", [explanations._CUTS, explanations._WHOLE])
def test_both_languages_say_the_same_things_with_the_same_numbers(
    sentences: Mapping[str, Mapping[str, str]],
):
    assert tuple(sentences) == LANGUAGES
    english, spanish = (
        {key: _placeholders(text) for key, text in sentences[language].items()}
        for language in LANGUAGES
    )

    assert english == spanish
    assert all(sentences["en"][key] != sentences["es"][key] for key in english)


def test_every_rule_has_its_sentence():
    assert set(explanations._CUTS["en"]) == set(get_args(Rule))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("rule", sorted(set(get_args(Rule)) - {"unknown_type"}))
def test_every_cut_names_its_points(rule, language):
    sentence = explain_cut(Cut(rule, D("12.34"), "SUBJECT", D("56.78")), language)

    assert "12.34" in sentence
    assert "{" not in sentence


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("rule", "named"),
    [
        ("category_cap", ["SUBJECT", "56.78"]),
        ("duplicate", ["SUBJECT"]),
        ("increment", ["56.78"]),
        ("decision", ["56.78"]),
        ("unknown_type", ["SUBJECT"]),
    ],
)
def test_a_cut_names_what_it_was_bound_by(rule, named, language):
    sentence = explain_cut(Cut(rule, D("12.34"), "SUBJECT", D("56.78")), language)

    assert all(text in sentence for text in named)


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        (
            "en",
            (
                "Course: 25 × 1.00 = 25.00 points claimed, 20.00 counted."
                " 5.00 points do not count: category X is limited to 20.00 points a cycle."
            ),
        ),
        (
            "es",
            (
                "Course: 25 × 1.00 = 25.00 puntos solicitados, 20.00 contados."
                " 5.00 puntos no cuentan: la categoría X está limitada a 20.00 puntos por ciclo."
            ),
        ),
    ],
)
def test_a_claim_is_told_with_its_cuts(language, sentence):
    """domain.md, An evaluation explains itself."""
    helped = claim("volunteer", "25", DAY, title="Course")

    assert explain_credit(credit(evaluate(helped), helped), language) == sentence


@pytest.mark.parametrize(
    ("day", "english", "spanish"),
    [
        (date(2027, 3, 15), "15 March 2027", "15 de marzo de 2027"),
        (date(2026, 12, 1), "1 December 2026", "1 de diciembre de 2026"),
        (date(2026, 1, 31), "31 January 2026", "31 de enero de 2026"),
    ],
)
def test_dates_are_written_as_people_write_them(day, english, spanish):
    assert [in_words(day, language) for language in LANGUAGES] == [english, spanish]


def test_the_whole_is_told_with_total_gap_and_the_notice_of_unverified_values():
    """domain.md, An evaluation explains itself; MSSC's point values."""
    evaluation = evaluate(claim("third_party", "12", DAY), on=date(2026, 11, 21))

    assert _told(evaluation) == [
        (
            "On 21 November 2026, 12.00 of the 100.00 required points are counted in the cycle"
            " from 15 March 2024 to 15 March 2029."
        ),
        "88.00 points are missing.",
        (
            "Policy version 2015 holds illustrative point values that were not verified against the"
            " published policy; the total is not confirmed by MSSC."
        ),
    ]


def test_the_whole_is_told_in_spanish():
    evaluation = evaluate(claim("third_party", "12", DAY), on=date(2026, 11, 21))

    assert _told(evaluation, "es")[:2] == [
        (
            "Al 21 de noviembre de 2026, se cuentan 12.00 de los 100.00 puntos exigidos en el ciclo"
            " del 15 de marzo de 2024 al 15 de marzo de 2029."
        ),
        "Faltan 88.00 puntos.",
    ]


def test_a_met_requirement_is_told_and_a_verified_policy_needs_no_notice():
    evaluation = evaluate(claim("college_credit", "20", DAY), policy=policy(unverified=()))

    assert _told(evaluation)[1:] == ["The requirement is met."]


def test_what_waits_and_what_the_jobs_will_bring_is_told_apart():
    """domain.md, Standing and worked case 6."""
    evaluation = evaluate(job("full_time", date(2026, 1, 1)), on=DAY)
    told = _told(evaluation, pending="7.00", projected="38.00")

    assert told[2:4] == [
        "7.00 more points are claimed and wait for a decision.",
        "If the current jobs go on, 38.00 points will be counted by 15 March 2029.",
    ]
    assert not any("go on" in sentence for sentence in _told(evaluation, projected="4.00"))


def test_a_missing_minimum_is_told_although_the_total_is_reached():
    evaluation = evaluate(claim("college_credit", "20", DAY), policy=needing(X="5.00"))
    told = _told(evaluation)

    assert "Category X needs at least 5.00 points and has 0.00." in told
    assert "The requirement is met." not in told


def _options(evaluation, under=POLICY, language="en"):
    return {found.type: found for found in options(evaluation, under, language)}


def test_each_dated_type_says_how_much_of_it_would_close_the_gap():
    """domain.md, An evaluation explains itself: what would close the gap."""
    evaluation = evaluate(claim("college_credit", "17", DAY))
    found = _options(evaluation)

    assert {code: option.units for code, option in found.items()} == {
        "college_credit": 3, "college_noncredit": 15, "third_party": 15,
        "industry_certification": 1, "volunteer": 15,
    }  # fmt: skip
    assert found["third_party"].sentence == (
        "15 more contact hours (Third-party training) would close the gap."
    )
    assert _options(evaluation, language="es")["third_party"].sentence == (
        "15 horas de contacto más (Capacitación de terceros) cerrarían la diferencia."
    )


def test_what_would_close_the_gap_does_close_it():
    base = with_type(POLICY, "third_party", increment=D("0.75"))
    courses = [claim("college_credit", "17", DAY)]
    for code, option in _options(evaluate(*courses, policy=base), base).items():
        enough = claim(code, str(option.units), DAY)
        less = claim(code, str((option.units or 0) - 1) if option.units != 1 else "0.1", DAY)

        assert evaluate(*courses, enough, policy=base).complete, code
        assert not evaluate(*courses, less, policy=base).complete, code


def test_a_type_whose_cap_leaves_too_little_room_says_so():
    evaluation = evaluate(claim("volunteer", "5", DAY))
    option = _options(evaluation)["volunteer"]

    assert (option.units, option.category) == (None, "X")
    assert option.sentence == (
        "Volunteering alone cannot close the gap: its category has room for 15.00 more points."
    )


def test_where_nothing_is_missing_nothing_is_offered():
    assert _options(evaluate(claim("college_credit", "20", DAY))) == {}


def test_a_missing_minimum_is_part_of_the_gap():
    base = needing(X="5.00")
    reached = evaluate(claim("college_credit", "20", DAY), policy=base)
    short = evaluate(claim("college_credit", "19.8", DAY), policy=base)

    assert {code: option.units for code, option in _options(reached, base).items()} == {
        "volunteer": 5
    }
    assert {code: option.units for code, option in _options(short, base).items()} == {
        "volunteer": 5
    }


def test_a_type_that_brings_nothing_is_not_offered():
    base = with_type(capped(X=None), "volunteer", rate=D("0.00"))

    assert "volunteer" not in _options(evaluate(policy=base), base)
