"""Claims that are probably one activity, shown to the reviewer. No points are cut for it.

Rules about repetitions are in ``duplicates``, which requires equal values. Here small differences
do not matter: case, accents, punctuation, the legal form of a provider, typing errors, a few days.
Numbers do: "Welding 1" and "Welding 2" are two courses.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

from rapidfuzz import fuzz

from tracker.domain.periods import Period
from tracker.domain.points.claims import Claim
from tracker.domain.values import folded

Sign = Literal["title", "provider", "dates", "same_certification", "overlap"]
SIGNS: tuple[Sign, ...] = ("title", "provider", "dates", "same_certification", "overlap")

CLOSE = timedelta(days=14)
"""The most between the days of completion of one activity that was claimed twice."""
_TITLE, _PROVIDER = 88, 85  # of 100: the similarity of texts that differ by typing errors only
_ROMAN = {"i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"}
_LEGAL_FORMS = {
    "inc",
    "incorporated",
    "llc",
    "ltd",
    "limited",
    "corp",
    "corporation",
    "co",
    "company",
    "gmbh",
    "ag",
    "plc",
    "sa",
    "cv",
    "rl",
    "the",
}


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike two claims are, of 100, and the ``signs`` of it; certain ones are at 100."""

    score: int
    signs: tuple[Sign, ...]


def likeness(one: Claim, other: Claim) -> Likeness | None:
    """Whether two claims of a holder are probably the same activity; None if not.

    Titles and providers must be alike, and the days close to each other. The days of jobs must
    overlap. An industry certification is the same one however far apart the days are, and whichever
    provider is named.
    """
    title = _titles(one.title, other.title)
    when = _when(one, other)
    if title is None or when is None:
        return None
    provider = _providers(one.provider, other.provider)
    if provider is None and when != "same_certification":
        return None
    if not provider:
        return Likeness(round(title), ("title", when))
    return Likeness(round((title + provider) / 2), ("title", "provider", when))


def difference(one: Claim, other: Claim) -> str | None:
    """The field that makes claims of any holders different courses, days or amounts; None if alike.

    Only titles and providers may differ a little; without a provider, the title decides.
    """
    for name in _SAME:
        if getattr(one, name) != getattr(other, name):
            return name
    if _titles(one.title, other.title) is None:
        return "title"
    return "provider" if _providers(one.provider, other.provider) is None else None


_SAME = ("category", "type", "starts_on", "completed_on", "quantity", "unit", "role")


def _when(one: Claim, other: Claim) -> Sign | None:
    """What the days of two claims say for a single activity; None if they are far apart."""
    if one.type == other.type and "certification" in one.type:
        return "same_certification"
    if _is_run(one) or _is_run(other):
        return (
            "overlap" if _is_run(one) and _is_run(other) and _run(one).clip(_run(other)) else None
        )
    if one.completed_on is None or other.completed_on is None:
        return None
    return "dates" if abs(one.completed_on - other.completed_on) <= CLOSE else None


def _is_run(claim: Claim) -> bool:
    """Whether it is a stretch of days without a quantity: a job."""
    return claim.quantity is None and claim.starts_on is not None


def _run(claim: Claim) -> Period:
    begin = claim.starts_on or date.min
    return Period(begin, max(claim.completed_on or date.max, begin))


def _providers(one: str, other: str) -> float | None:
    """How alike two providers are; 0 if one is not given, None if they are different."""
    names = [_without_form(name) for name in (one, other)]
    if not all(names):
        return 0.0
    score = max(
        fuzz.token_sort_ratio(*names), fuzz.token_set_ratio(*names), fuzz.ratio(*_run_in(names))
    )
    return score if score >= _PROVIDER else None


def _run_in(names: list[str]) -> list[str]:
    return [name.replace(" ", "") for name in names]


def _titles(one: str, other: str) -> float | None:
    """How alike two titles are, with words in any order; None if they are different."""
    words = [_words(one), _words(other)]
    if not all(words):
        return 100.0 if one.strip() == other.strip() else None
    if _numbers(words[0]) != _numbers(words[1]):
        return None
    score = max(fuzz.token_sort_ratio(*words), fuzz.ratio(*_run_in(words)))
    return score if score >= _TITLE else None


def _numbers(words: str) -> list[str]:
    """What tells parts of a series apart: figures, Roman numerals, a letter at the end."""
    *before, last = words.split()
    found = [word for word in before if word in _ROMAN or any(x.isdigit() for x in word)]
    if len(last) == 1 or last in _ROMAN or any(x.isdigit() for x in last):
        found.append(last)
    return sorted(found)


@lru_cache(maxsize=8192)
def _words(text: str) -> str:
    return folded(text)


def _without_form(name: str) -> str:
    """A provider's name without its legal form; the whole name if nothing else is left."""
    words = _words(name).split()
    return " ".join([word for word in words if word not in _LEGAL_FORMS] or words)
