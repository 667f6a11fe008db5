"""The sentences in which a policy is told, in English and Spanish, by key."""

from __future__ import annotations

from tracker.language import catalogues

TITLES = catalogues.sentences("policies", "titles")

SENTENCES = catalogues.sentences("policies", "sentences")
