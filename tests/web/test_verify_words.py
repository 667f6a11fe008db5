"""web/verify_words.py: every status has its words, in every language."""

import pytest

from tracker.domain.credentials.certifications import Status
from tracker.language.catalogues import LANGUAGES
from tracker.web.verify_words import WORDS


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_status_has_its_words(language):
    assert set(WORDS[language].statuses) == set(Status)
    assert all(WORDS[language].statuses.values())
