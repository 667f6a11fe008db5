"""Catalogues: what is said to people, a folder of TOML files for each language.

A language is a folder here with the same files and keys as English; nothing else
names it, but the tables that hold the language of a person, which a migration lets take the
new one. What scheme files do not say in it is said in English.
TOML, not gettext: a sentence is filled with the rules' own numbers and must agree with
them ("{limit:counts|count}"), and a key says where it is used, which an English sentence cannot.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracker.domain.schemes.activity_types import ENGLISH, Noun, TranslatedNoun

_FOLDER = Path(__file__).parent
_OTHERS = {path.parent.name for path in _FOLDER.glob("*/voice.toml")} - {ENGLISH}
LANGUAGES: tuple[str, ...] = (ENGLISH, *sorted(_OTHERS))
"""The codes of the languages that there are, English first."""


@functools.cache
def topic(language: str, name: str) -> Mapping[str, Any]:
    """Everything that a language says on one topic."""
    return tomllib.loads((_FOLDER / language / f"{name}.toml").read_text("utf-8"))


def sentences(name: str, section: str) -> Mapping[str, Mapping[str, str]]:
    """The sentences of a section by language and key."""
    return {language: topic(language, name)[section] for language in LANGUAGES}


def phrase(name: str, key: str) -> Mapping[str, str]:
    """One phrase by language."""
    return {language: topic(language, name)[key] for language in LANGUAGES}


def lists(name: str, section: str) -> Mapping[str, Mapping[str, Any]]:
    """The words and lists of words of a section by language and key."""
    return {language: topic(language, name)[section] for language in LANGUAGES}


def texts(name: str, section: str) -> Mapping[str, Mapping[str, str]]:
    """The texts of a section by key and language, as scheme files give theirs."""
    keys = topic(ENGLISH, name)[section]
    return {
        key: {language: topic(language, name)[section][key] for language in LANGUAGES}
        for key in keys
    }


def nouns(name: str, section: str) -> Mapping[str, TranslatedNoun]:
    """What is counted, by key and language: each in both numbers, with its gender if it has one."""
    keys = topic(ENGLISH, name)[section]
    return {
        key: {language: noun(**topic(language, name)[section][key]) for language in LANGUAGES}
        for key in keys
    }


def counted(words: Mapping[str, str], count: int) -> str:
    """A sentence about a count, in the number that it has: ``one`` or ``other``.

    >>> counted({"one": "1 row is new", "other": "{} rows are new"}, 1200)
    '1,200 rows are new'
    """
    return words["one" if count == 1 else "other"].format(f"{count:,}")


def noun(one: str, many: str, gender: str = "") -> Noun:
    """What is counted, as a catalogue or a scheme file gives it."""
    return Noun(one, many, feminine=gender == "feminine")
