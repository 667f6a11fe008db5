"""The points of a certification on a page: a headline, a bar to what is required, a table.

The bar is a picture of the table, which says the same in words and figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from tracker.domain.points.claims import ZERO, GroupTotal
from tracker.language import catalogues
from tracker.language.voice import Voice, figure
from tracker.services.standings.standings import CertificationPoints

WIDTH = 1000
"""The length of the whole bar in the units of its picture."""


@dataclass(frozen=True, slots=True)
class PointsWords:
    """One language's words."""

    so_far: str
    missing: str
    complete: str
    waiting: str
    details: str
    category: str
    counted: str
    in_review: str
    most: str
    no_limit: str
    carried_over: str
    picture: str
    part: str
    part_waiting: str


WORDS = {
    lang: PointsWords(**catalogues.topic(lang, "points_pages")) for lang in catalogues.LANGUAGES
}


@dataclass(frozen=True, slots=True)
class CategoryShown:
    """A category's points: counted, in review and at most, in figures."""

    name: str
    counted: str
    in_review: str
    most: str


@dataclass(frozen=True, slots=True)
class BarPart:
    """A part of the bar: where it begins and how long it is; ``place`` is its category's, from 0.

    ``is_waiting``: it is in review. ``is_full``: the category counts no more.
    """

    start: int
    length: int
    place: int
    is_waiting: bool
    is_full: bool


@dataclass(frozen=True, slots=True)
class PointsShown:
    """The points of a certification in the words and the picture of a page."""

    so_far: str
    rest: str
    is_complete: bool
    waiting: str
    picture: str
    parts: Sequence[BarPart]
    goal: int
    categories: Sequence[CategoryShown]


@dataclass(frozen=True, slots=True)
class _Amounts:
    name: str
    counted: Decimal
    waiting: Decimal
    most: Decimal | None


def shown(points: CertificationPoints, language: str) -> PointsShown:
    """The points as a page shows them in a language."""
    now, then = points.evaluation, points.pending
    words, voice = WORDS[language], Voice(points.policy, language)
    amounts = [
        _amounts(one, later, voice)
        for one, later in zip(now.categories, then.categories, strict=True)
    ]
    if now.carried_over:
        amounts.append(_Amounts(words.carried_over, now.carried_over, ZERO, None))
    so_far = words.so_far.format(total=voice.points(now.total), required=voice.points(now.required))
    missing = words.missing.format(missing=voice.points(now.missing))
    more = then.total - now.total
    whole = max(now.required, then.total) or Decimal(1)
    return PointsShown(
        so_far=so_far,
        rest=words.complete if now.complete else missing if now.missing else "",
        is_complete=now.complete,
        waiting=words.waiting.format(waiting=voice.points(more)) if more > ZERO else "",
        picture=words.picture.format(so_far=so_far, parts=voice.listed(_parts(amounts, words))),
        parts=_bar(amounts, whole),
        goal=int(WIDTH * now.required / whole),
        categories=[_category(one, words) for one in amounts],
    )


def _amounts(now: GroupTotal, then: GroupTotal, voice: Voice) -> _Amounts:
    """What a category counts now, and what it would count more if all of it were approved."""
    name = voice.text(voice.policy.categories[now.code].name)
    more = max(then.counted - now.counted, ZERO)
    return _Amounts(name, now.counted, more, now.limits.maximum)


def _parts(amounts: Sequence[_Amounts], words: PointsWords) -> list[str]:
    return [
        (words.part_waiting if one.waiting else words.part).format(
            category=one.name, counted=figure(one.counted), waiting=figure(one.waiting)
        )
        for one in amounts
    ]


def _category(one: _Amounts, words: PointsWords) -> CategoryShown:
    most = words.no_limit if one.most is None else figure(one.most)
    return CategoryShown(one.name, figure(one.counted), figure(one.waiting), most)


def _bar(amounts: Sequence[_Amounts], whole: Decimal) -> list[BarPart]:
    """The parts side by side, what counts first and then what is in review."""
    parts, reached = [], ZERO
    for is_waiting in (False, True):
        for place, one in enumerate(amounts):
            points = one.waiting if is_waiting else one.counted
            if not points:
                continue
            start = int(WIDTH * reached / whole)
            reached += points
            is_full = one.most is not None and one.counted >= one.most and not is_waiting
            length = int(WIDTH * reached / whole) - start
            parts.append(BarPart(start, length, place, is_waiting, is_full))
    return parts
