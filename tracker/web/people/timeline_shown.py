"""The days of a certification on a line: a picture, and a list that says the same.

Each day has a number. The picture has the numbers side by side, with a stroke from each to its day,
so that days which are close together can still be told apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from tracker.language import catalogues
from tracker.language.voice import in_words
from tracker.services.overview.me import Mine

WIDTH, _EDGE, _APART = 340, 14, 24
"""The length of the picture, and how far numbers are from its ends and from each other."""


@dataclass(frozen=True, slots=True)
class TimelineWords:
    """One language's words; ``days`` are what each day is called."""

    title: str
    picture: str
    days: dict[str, str]


WORDS = {
    lang: TimelineWords(**catalogues.topic(lang, "timeline_pages")) for lang in catalogues.LANGUAGES
}


@dataclass(frozen=True, slots=True)
class TimelineDay:
    """A day: its number and words, where it is on the line, and where its number stands."""

    name: str
    said: str
    when: str
    at: int
    label: int


@dataclass(frozen=True, slots=True)
class TimelineShown:
    """The days in order, and from where to where the time passed, the window and grace reach."""

    picture: str
    days: Sequence[TimelineDay]
    passed: tuple[int, int]
    window: tuple[int, int] | None
    grace: tuple[int, int] | None


def shown(mine: Mine, language: str) -> TimelineShown | None:
    """The timeline of a certification; None if it never expires or was taken away."""
    standing, words = mine.held.standing, WORDS[language]
    begins, ends = standing.cycle_starts_on, standing.expires_on
    if ends is None:
        return None
    grace = mine.points.policy.grace_ends_on(ends) if mine.points else None
    named = {
        "begins": begins,
        "today": standing.on,
        "opens": standing.window_opens_on,
        "safe": mine.safe_day.on if mine.safe_day else None,
        "closes": standing.window_closes_on if standing.window_closes_on != ends else None,
        "expires": ends,
        "grace": grace,
    }
    days = sorted(((day, name) for name, day in named.items() if day), key=lambda one: one[0])
    first, last = days[0][0], days[-1][0]
    at = {name: _place(day, first, last) for day, name in days}
    labels = _spread([at[name] for _, name in days])
    opens, closes = at.get("opens"), at.get("closes", at["expires"])
    told = [
        TimelineDay(name, words.days[name], in_words(day, language), at[name], label)
        for (day, name), label in zip(days, labels, strict=True)
    ]
    listed = "; ".join(f"{one.said}: {one.when}" for one in told)
    return TimelineShown(
        picture=words.picture.format(listed),
        days=told,
        passed=(at["begins"], max(at["today"] - at["begins"], 0)),
        window=(opens, max(closes - opens, 2)) if opens is not None else None,
        grace=(at["expires"], at["grace"] - at["expires"]) if grace else None,
    )


def _place(day: date, first: date, last: date) -> int:
    whole = max((last - first).days, 1)
    return _EDGE + (WIDTH - 2 * _EDGE) * (day - first).days // whole


def _spread(places: Sequence[int]) -> list[int]:
    """Where the numbers stand: at their days, pushed apart, and back from the right edge."""
    labels: list[int] = []
    for place in places:
        labels.append(max(place, labels[-1] + _APART) if labels else place)
    limit = WIDTH - _EDGE
    for n in range(len(labels) - 1, -1, -1):
        labels[n] = min(labels[n], limit)
        limit = labels[n] - _APART
    return labels
