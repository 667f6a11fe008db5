"""Every language says the same things (language/catalogues): the same files and keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tracker.language import catalogues
from tracker.language.catalogues import LANGUAGES

FOLDER = Path(catalogues.__file__).parent
TOPICS = sorted(path.stem for path in (FOLDER / "en").glob("*.toml"))
OTHERS = [language for language in LANGUAGES if language != "en"]
# What a language may have beyond English: names of clocks, a gender, a second word for "and".
OF_ITS_OWN = {"clocks", "gender", "and_before", "before", "not_before"}


def _keys(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in OF_ITS_OWN:
                yield from _keys(inner, f"{path}/{key}")
    else:
        yield path


@pytest.mark.parametrize("language", OTHERS)
def test_it_has_the_files_of_english(language):
    assert sorted(path.stem for path in (FOLDER / language).glob("*.toml")) == TOPICS


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("language", OTHERS)
def test_it_has_the_keys_of_english(language, topic):
    there, here = (sorted(_keys(catalogues.topic(each, topic))) for each in ("en", language))

    assert here == there


def test_spanish_addresses_one_person():
    """All pages and messages say usted; ustedes beside it would be two people to the reader."""
    folder = FOLDER / "es"
    plural = re.compile(r"\bustedes\b", re.IGNORECASE)

    found = [path.name for path in folder.glob("*.toml") if plural.search(path.read_text("utf-8"))]

    assert found == []
