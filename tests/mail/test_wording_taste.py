"""The taste of everything that is said to people: what a native speaker would not write.

Reads every sentence of the catalogues, of the pages behind the links and of the next steps, and
every email that ``tracker reminders preview`` writes, in both languages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tracker import scheme_files as files
from tracker.api.people import preferences
from tracker.language import evaluations, gaps, next_steps, policy_texts, policy_unknowns
from tracker.mail import digest_previews, previews
from tracker.mail.messages import phrases
from tracker.mail.previews import Sample
from tracker.web import unsubscribe_words, verify_words
from tracker.web.people import words as people_words

ROOT = Path(__file__).parents[2]
SCHEMES = files.load(ROOT / "config" / "schemes")
EXAMPLES = files.load(ROOT / "config" / "schemes" / "examples")
CATALOGUES = ("phrases", "notices", "digest", "calendar", "sign_in_messages")
WORDS_OF_CODE: tuple[Any, ...] = (
    next_steps._WORDS,
    gaps._WAYS,
    gaps._OBSTACLES,
    gaps._NOTHING,
    evaluations._LEADS,
    evaluations._CUTS,
    evaluations._WHOLE,
    evaluations._SHORTFALLS,
    evaluations._CLAIM,
    policy_texts.SENTENCES,
    policy_texts.TITLES,
    policy_unknowns.UNKNOWN,
    preferences._ALWAYS,
    preferences._OFF,
)
PAGES: tuple[Any, ...] = (verify_words.WORDS, unsubscribe_words.WORDS, people_words.WORDS)


def flat(words: Any) -> Iterator[str]:
    """The sentences in a text, a mapping, a list or a dataclass of them."""
    if isinstance(words, str):
        yield words
    elif isinstance(words, dict):
        for one in words.values():
            yield from flat(one)
    elif isinstance(words, (list, tuple)):
        for one in words:
            yield from flat(one)
    else:
        for name in words.__slots__:
            yield from flat(getattr(words, name))


@cache
def sentences(language: str) -> tuple[str, ...]:
    """Every sentence of the catalogues and of the code, with its {places} emptied."""
    texts = [text for name in CATALOGUES for text in phrases(language, name).values()]
    for words in (*WORDS_OF_CODE, *PAGES):
        texts.extend(flat(words[language]))
    return tuple(re.sub(r"{[^}|:]*", "{", text) for text in texts)


@cache
def emails(language: str) -> tuple[Sample, ...]:
    """Every email of the shipped schemes and of the examples."""
    samples: list[Sample] = []
    for scheme in (*SCHEMES, *EXAMPLES):
        samples += previews.of_scheme(scheme, language)
        samples += digest_previews.of_schemes([scheme], language, "digest")
    samples += previews.of_several(SCHEMES, language)
    return tuple(samples)


NOT_ENGLISH = {
    "a letter of paper": r"\bletters?\b",
    "a colon after an if-clause": r"\bIf [^.,:]*:",
    "a stiff negation": r"\b(?:do|does|can|will|have|has|is|are) not (?:need|want|apply)\b",
    "an old phrase": r"\bhand(?:ed)? in\b|\bwith effect from\b|\bin force again\b|\bexpiry\b",
    "an apology for asking": r"\bplease\b.*\bplease\b",
    "a day of Europe": r"\b\d{1,2} (?:January|February|March|April|May|June|July|August|September"
    r"|October|November|December)\b",
    "a British word": r"\b(?:whilst|surname|favourable|colour|licence|programme)\b",
}
NOT_SPANISH = {
    "a letter of paper": r"\b[Cc]artas?\b",
    "the quotation marks of Spain": r"[«»]",
    "a colon after si": r"\b[Ss]i [^.,:;]*:",
    "an intimate address": r"\b(?:tu|tus|tienes|puedes|eres|debes)\b",
    "the gender of a stranger": r"\busted mismo\b|\bestá certificado\b|\bcertificado usted\b",
    "an effect of lawyers": r"\bcon efecto a partir\b",
    "a word of English": r"\b(?:email|your|the|points|renewal|expires)\b",
    "a year with a point": r"\b\d\.\d{3}\b",
}


@pytest.mark.parametrize("fault", NOT_ENGLISH)
def test_no_english_sentence_has_a_fault_of_taste(fault):
    said = [
        sentence
        for sentence in sentences("en")
        if re.search(NOT_ENGLISH[fault], sentence, re.IGNORECASE)
    ]
    assert said == []


@pytest.mark.parametrize("fault", NOT_SPANISH)
def test_no_spanish_sentence_has_a_fault_of_taste(fault):
    assert [
        sentence for sentence in sentences("es") if re.search(NOT_SPANISH[fault], sentence)
    ] == []


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_sentence_begins_and_ends_as_one_does(language):
    for sentence in sentences(language):
        assert "  " not in sentence
        assert not re.search(r" [,.;:]", sentence), sentence
        assert not re.search(r"\.\.(?!\.)", sentence), sentence
        if language == "es":
            assert sentence.count("¿") == sentence.count("?"), sentence
            assert sentence.count("¡") == sentence.count("!"), sentence
        assert sentence.count("“") == sentence.count("”"), sentence
        assert '"' not in sentence, sentence


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_email_names_who_writes_and_how_to_reach_them(language):
    say = phrases(language)
    for sample in emails(language):
        text = sample.message.text
        begin, end = say["signed"].split("{issuer}")
        assert re.search(f"{re.escape(begin)}.+{re.escape(end)}", text), sample.name
        assert end in sample.message.html, sample.name


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_email_about_a_certification_gives_its_abbreviation(language):
    for scheme in (*SCHEMES, *EXAMPLES):
        short = scheme.abbreviation or scheme.number_prefix
        for sample in previews.of_scheme(scheme, language):
            if scheme.title[language] in sample.message.text:
                assert scheme.full_name(language) in sample.message.text, sample.name
                assert short in sample.message.text
    assert SCHEMES["cpt"].full_name("en") == "Certified Production Technician (CPT)"
    assert SCHEMES["cpt"].full_name("es") == (
        "Técnico Certificado en Producción (Certified Production Technician, CPT)"
    )
    assert EXAMPLES["secplus"].full_name("es") == "CompTIA Security+"


@pytest.mark.parametrize("language", ["en", "es"])
def test_no_email_shows_what_is_meant_for_programs(language):
    """No key, id, ISO date, code of a state, or place that was not filled."""
    for sample in emails(language):
        text = f"{sample.message.subject}\n{sample.message.text}"
        text = re.sub(r"https://\S+", "", text)
        assert not re.search(
            r"[{}]|\b[a-z]+_[a-z_]+\b|\d{4}-\d\d-\d\d|\bNone\b(?! of)|[0-9a-f]{8}-", text
        ), sample.name


def test_dates_are_those_of_the_language():
    for sample in emails("en"):
        for day in re.findall(r"\S+ \d{1,2}, 20\d\d|\d{1,2} \w+ 20\d\d", sample.message.text):
            assert re.fullmatch(r"\(?[A-Z][a-z]+ \d{1,2}, 20\d\d", day), (sample.name, day)
    for sample in emails("es"):
        days = re.findall(r"\d{1,2} de \w+ (?:de )?20\d\d", sample.message.text)
        assert all(re.fullmatch(r"\d{1,2} de [a-z]+ de 20\d\d", day) for day in days)
        assert not re.search(r"[A-Z][a-z]+ \d{1,2}, 20\d\d", sample.message.text), sample.name


@pytest.mark.parametrize("language", ["en", "es"])
def test_one_of_a_thing_is_singular(language):
    plural = {
        "en": r"(?<![\d.,])1 (?:more )?(?:days|points|updates|certifications|activities|years)\b",
        "es": r"(?<![\d.,])1 (?:días|puntos|novedades|certificaciones|actividades|años)\b"
        r"|quedan 1 |faltan 1 |[Ll]os 1 ",
    }[language]
    for sample in emails(language):
        assert not re.search(plural, f"{sample.message.subject}\n{sample.message.text}"), (
            sample.name
        )


@pytest.mark.parametrize("language", ["en", "es"])
def test_no_subject_is_in_capitals_or_too_long_for_a_screen(language):
    small = {"en": {"certification", "your", "you", "expires", "expired"}, "es": {"su", "vence"}}
    for sample in emails(language):
        subject = sample.message.subject
        assert len(subject) <= 140, subject
        assert not any(word.capitalize() in subject.split()[1:] for word in small[language])
        assert subject.count("(") == subject.count(")") <= 2, subject


def test_a_reminder_to_renew_names_the_fee_and_a_denial_the_appeal():
    for language, fee, appeal in (
        ("en", "The renewal fee is $", "You can appeal until"),
        ("es", "La cuota de renovación es de $", "Puede apelar hasta el"),
    ):
        by_name = {
            sample.name: sample.message.text
            for sample in previews.of_scheme(SCHEMES["cpt"], language)
        }
        for stage in (365, 90, 30, 7, 1, 0):
            assert fee in by_name[f"reminder-{stage}-incomplete.{language}"]
        for kind in ("suspended", "revoked", "renewal-denied"):
            assert appeal in by_name[f"notice-{kind}.{language}"]
