"""What a policy's points are called, in every message in both languages (mail/, domain/wording)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tests.domain.examples import nouns
from tests.mail.standings import CPT, with_policy
from tracker.domain.credentials.next_steps import NextStep
from tracker.domain.schemes.activity_types import Noun
from tracker.language import next_steps
from tracker.language.voice import several
from tracker.mail import previews

HOURS = nouns("contact hour/contact hours", "hora de contacto/horas de contacto", feminine=True)
PDUS = nouns("PDU/PDUs", "PDU")
ABOUT_EMPLOYERS = ("consent-asked", "listed", "employer")
"""These tell of all schemes together."""
POINTS = re.compile(r"\b(points?|puntos?)\b", re.IGNORECASE)


def made(credit, language):
    scheme = with_policy(CPT, credit=credit)
    return {
        sample.name.removesuffix(f".{language}"): sample.message
        for sample in (
            *previews.of_scheme(scheme, language),
            *previews.of_several([scheme], language),
        )
    }


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("credit", [HOURS, PDUS])
def test_no_message_says_points_where_the_policy_has_another_word(credit, language):
    count = 0
    for name, message in made(credit, language).items():
        if any(kind in name for kind in ABOUT_EMPLOYERS):
            continue
        for said in (message.subject, message.text, message.html):
            assert not POINTS.search(said), name
            count += credit[language].many in said

    assert count > 50


def test_the_sentences_agree_with_the_word_in_number_and_gender():
    hours, pdus = made(HOURS, "es"), made(PDUS, "es")
    text = " ".join(hours["reminder-30-incomplete"].text.split())
    assert re.search(r"Horas de contacto acreditadas: \d+ de 100\.", text)
    assert "Horas de contacto en revisión: 7.5." in text
    assert re.search(r"Reúna las \S+ horas de contacto que le faltan", text)
    assert "Ya tiene todas las horas de contacto." in hours["reminder-30-complete"].text
    assert re.search(r"PDU acreditados: \d+ de 100\.", pdus["reminder-30-incomplete"].text)


def test_the_step_in_the_account_says_it_too():
    step = NextStep("log_activities", date(2027, 3, 15), Decimal(1), credit=HOURS)
    assert next_steps.sentence(step, "en", issuer="MSSC", zone="Etc/UTC").startswith(
        "You need 1 more contact hour."
    )
    said = replace(step, action="apply_now", if_approved=True, missing=None)
    assert "todas las horas de contacto que necesita" in next_steps.sentence(
        said, "es", issuer="MSSC", zone="Etc/UTC"
    )


@pytest.mark.parametrize(
    ("noun", "capital", "article"),
    [
        (Noun("punto", "puntos"), "Puntos", "los"),
        (Noun("hora", "horas", feminine=True), "Horas", "las"),
        (Noun("PDU", "PDU"), "PDU", "los"),
        (Noun("labor", "labores", feminine=True), "Labores", "las"),
        (Noun("programa", "programas"), "Programas", "los"),
    ],
)
def test_spanish_articles_follow_the_gender_of_the_noun(noun, capital, article):
    credit = several({"es": noun}, "es")
    assert (credit.capital, f"{credit:el|los|la|las}") == (capital, article)
