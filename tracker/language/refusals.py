"""Why something was refused, in a person's language: by the refusal's code, or by a field's rule.

A refusal and its rules are worded in English, where they are raised. ``codes`` has a sentence for
every code. ``rules`` has the rules that people meet most, in English as they are raised, with a
name in braces for what varies; one that is not there stays English.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from tracker.domain.schemes.activity_types import ENGLISH
from tracker.language import catalogues

CODES: Mapping[str, Mapping[str, str]] = {
    lang: catalogues.topic(lang, "refusals")["codes"] for lang in catalogues.LANGUAGES
}
"""A sentence for each code of a refusal, by language."""
RULES: Mapping[str, Mapping[str, str]] = {
    lang: catalogues.topic(lang, "refusals")["rules"] for lang in catalogues.LANGUAGES
}


def of_code(code: str, language: str) -> str:
    """Why something was refused, by the stable code of the refusal."""
    known = CODES[language]
    return known.get(code, known["conflict"])


def of_rule(rule: str, language: str) -> str | None:
    """A field's rule in a language; None if it is known in English alone.

    >>> of_rule("must be at most 500 characters", "es")
    'debe tener 500 caracteres como máximo'
    """
    if language == ENGLISH:
        return rule
    for key, pattern in _patterns().items():
        if found := pattern.fullmatch(rule):
            return RULES[language][key].format(**found.groupdict())
    return None


@cache
def _patterns() -> Mapping[str, re.Pattern[str]]:
    """What each rule looks like in English, whatever stands for its names in braces."""
    return {key: re.compile(_pattern(text)) for key, text in RULES[ENGLISH].items()}


def _pattern(text: str) -> str:
    parts = re.split(r"\{([a-z_]+)\}", text)
    return "".join(
        f"(?P<{part}>.+)" if place % 2 else re.escape(part) for place, part in enumerate(parts)
    )
