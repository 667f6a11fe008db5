"""language/refusals.py: every refusal has a sentence in each language, and usual rules have one."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from marshmallow import fields

import tracker
from tracker.domain import errors
from tracker.language import refusals
from tracker.language.catalogues import LANGUAGES

SOURCE = "\n".join(
    path.read_text("utf-8") for path in sorted(Path(tracker.__file__).parent.rglob("*.py"))
)
# What marshmallow says, which stands in no file of ours.
THEIRS = {
    *fields.Field.default_error_messages.values(),
    *fields.Integer.default_error_messages.values(),
    "Unknown field.",
    "Must be one of: {choices}.",
}


def codes():
    importlib.import_module("tracker.api")  # loads every module that has a refusal of its own

    def below(kind):
        for one in kind.__subclasses__():
            yield one
            yield from below(one)

    ours = (one for one in below(errors.Refusal) if one.__module__.startswith("tracker."))
    return {errors.Refusal.code, *(one.code for one in ours)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_its_sentence(language):
    lacking = codes() - refusals.CODES[language].keys()

    assert lacking == set(), f"refusals without a sentence in {language}: {sorted(lacking)}"
    assert refusals.CODES[language].keys() - codes() == set(), "no refusal has these codes"


@pytest.mark.parametrize(("key", "text"), refusals.RULES["en"].items())
def test_each_rule_is_one_that_is_raised(key, text):
    """Whoever words a rule anew words it here, too; else it is English again."""
    parts = [part.rpartition("}")[2] for part in text.split("{")]

    assert text in THEIRS or all(part in SOURCE for part in parts), key


def test_a_rule_is_told_in_spanish_with_what_varies_in_it():
    told = refusals.of_rule("must be a date in the years 1900 to 2199", "es")

    assert told == "la fecha debe estar entre los años 1900 y 2199"
    assert refusals.of_rule("is required", "en") == "is required"
    assert refusals.of_rule("must have a price together", "es") is None


def test_a_code_that_nobody_knows_is_told_as_a_refusal():
    assert refusals.of_code("x", "es") == refusals.CODES["es"]["conflict"]
