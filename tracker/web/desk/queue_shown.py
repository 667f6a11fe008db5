"""The review queue in the words and pictures of its page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from tracker.domain.credentials.certifications import Standing
from tracker.domain.desk.reviews import ReviewLock
from tracker.domain.schemes.activity_types import Translated, translated
from tracker.domain.schemes.schemes import Scheme
from tracker.language.voice import ACTIVITIES, POINTS, counted, figure, in_words
from tracker.services.core.context import ReadContext
from tracker.services.desk.queue_figures import QueueAges
from tracker.services.desk.review_queue import Waiting
from tracker.web.desk.reviews_words import WORDS, business_days, files
from tracker.web.people.activity_forms import Choices
from tracker.web.people.words import WORDS as PEOPLE

_HEIGHT = 160
_BAR, _GAP = 30, 6
_BESIDE = 8
"""How many days beyond the service level have a bar of their own."""
_A_YEAR = 366
"""Days left until an expiry are told in its last year only."""


@dataclass(frozen=True, slots=True)
class QueuedShown:
    """An activity in the queue; ``facts`` are a line each, ``lock`` says who has it open."""

    id: str
    title: str
    who: str
    kind: str
    waits: str
    is_late: bool
    urgent: bool
    expiry: str
    counts: str
    files: str
    flags: Sequence[str]
    lock: str
    is_locked: bool
    version: int


@dataclass(frozen=True, slots=True)
class AgeBar:
    """A bar of the histogram: its place and height in the picture, and what it stands for."""

    x: int
    y: int
    height: int
    days: str
    count: int
    is_late: bool


@dataclass(frozen=True, slots=True)
class AgesShown:
    """The histogram: its bars, the place of the line of the service level, and the words."""

    width: int
    height: int
    bars: Sequence[AgeBar]
    line: int
    promise: str
    told: Sequence[str]
    picture: str


@dataclass(frozen=True, slots=True)
class FilterChoices:
    """What can be chosen in the filter, each with its code and its name."""

    schemes: Choices
    categories: Choices
    types: Choices
    employers: Choices


def queued(reading: ReadContext, one: Waiting, language: str) -> QueuedShown:
    """An activity of the queue in words."""
    row, say = one.activity, WORDS[language]
    days = business_days(one.business_days, language)
    waits = (say.waits_late if one.overdue else say.waits).format(days=days)
    if not one.business_days:
        waits = say.waits_today
    if row.asked_on is not None and row.state == "more_information":
        waits = say.asked.format(in_words(row.asked_on, language))
    return QueuedShown(
        id=row.id,
        title=row.title,
        who=name_of(row.given_name, row.family_name),
        kind=kind_of(reading.schemes[row.scheme], row.type, language),
        waits=waits,
        is_late=one.overdue,
        urgent=one.urgent,
        expiry=expiry(row.certificate_number, one.standing, one.days_left, language),
        counts=_counts(one, language),
        files=str(files(one.evidence, language)),
        flags=[say.flags[flag] for flag in one.flags],
        lock=locked(reading, one.lock, language),
        is_locked=one.lock is not None and one.lock.reviewer_id != reading.actor.who,
        version=row.version,
    )


def locked(reading: ReadContext, lock: ReviewLock | None, language: str) -> str:
    """Who has a review open, and until when; empty if nobody has."""
    if lock is None:
        return ""
    say = WORDS[language]
    told = say.locked_own if lock.reviewer_id == reading.actor.who else say.locked
    return told.format(who=lock.reviewer, until=say.clock(lock.ends_at))


def name_of(given_name: str, family_name: str) -> str:
    """A person's name; either part may be empty."""
    return f"{given_name} {family_name}".strip()


def kind_of(scheme: Scheme, code: str, language: str) -> str:
    """The name of a type of activity by the latest version that knows it; else its code."""
    for policy in reversed(scheme.policies):
        if code in policy.types:
            return translated(policy.types[code].name, language)
    return code


def expiry(number: str | None, standing: Standing | None, left: int | None, language: str) -> str:
    """When a certification expires, and in how many days; its number alone if it was taken away."""
    say = WORDS[language]
    if number is None:
        return say.no_certificate
    if standing is None or standing.expires_on is None or left is None:
        return say.no_expiry.format(certificate=number)
    on = in_words(standing.expires_on, language)
    if left >= 0 and not standing.valid:
        return number
    if left < 0:
        return say.expired.format(certificate=number, on=on)
    if left > _A_YEAR:
        return say.expires_later.format(certificate=number, on=on)
    return say.expires.format(certificate=number, on=on, left=PEOPLE[language].left(left))


def _counts(one: Waiting, language: str) -> str:
    say = WORDS[language]
    if one.counts is None:
        return say.counts_none
    counts = counted(one.counts, POINTS, language)
    if one.claimed is None or one.claimed == one.counts:
        return say.counts_all.format(counts=counts)
    return say.counts.format(
        counts=figure(one.counts), claimed=counted(one.claimed, POINTS, language)
    )


def ages(found: QueueAges, language: str) -> AgesShown:
    """The histogram of ages: a bar for each business day, the last one for all that is older."""
    say, level = WORDS[language], found.service_level
    last = max(level + _BESIDE, 1)
    counts = [0] * (last + 1)
    for waited, count in found.waiting.items():
        counts[min(waited, last)] += count
    tallest = max([*counts, 1])
    bars = [
        AgeBar(
            x=days * (_BAR + _GAP),
            y=_HEIGHT - height,
            height=height,
            days=say.age_more.format(days) if days == last else str(days),
            count=count,
            is_late=days > level,
        )
        for days, count in enumerate(counts)
        for height in [-(-_HEIGHT * count // tallest)]
    ]
    told = waiting(found, language)
    return AgesShown(
        width=(last + 1) * (_BAR + _GAP),
        height=_HEIGHT,
        bars=bars,
        line=(level + 1) * (_BAR + _GAP) - _GAP // 2,
        promise=say.ages_promise.format(level=business_days(level, language)),
        told=told,
        picture=say.ages_picture.format(told=" ".join(told)),
    )


def waiting(found: QueueAges, language: str) -> list[str]:
    """How many wait, and how many for longer than promised, in sentences."""
    say = WORDS[language]
    if not found.count:
        return [say.waiting_none]
    level = business_days(found.service_level, language)
    all_ = counted(Decimal(found.count), ACTIVITIES, language)
    late = counted(Decimal(found.overdue), ACTIVITIES, language)
    second = say.in_time.format(level=level)
    if found.overdue:
        second = say.too_long.format(late=late, level=level)
    return [say.waiting_all.format(activities=all_), second]


def choices(reading: ReadContext, employers: Choices, language: str) -> FilterChoices:
    """What to filter by: the schemes that count points, and what their latest policies know."""
    schemes = [one for one in reading.schemes if one.policies]
    categories: dict[str, str] = {}
    types: dict[str, str] = {}
    for scheme in schemes:
        policy = scheme.policies[-1]
        categories |= _names({code: one.name for code, one in policy.categories.items()}, language)
        types |= _names({code: one.name for code, one in policy.types.items()}, language)
    return FilterChoices(
        schemes=[(one.code, one.full_name(language)) for one in schemes],
        categories=_sorted(categories),
        types=_sorted(types),
        employers=employers,
    )


def _names(texts: dict[str, Translated], language: str) -> dict[str, str]:
    return {code: translated(text, language) for code, text in texts.items()}


def _sorted(names: dict[str, str]) -> Choices:
    return sorted(names.items(), key=lambda one: one[1].casefold())


def days_of(starts_on: date | None, completed_on: date | None, language: str) -> str:
    """The days of an activity: one, or the first and the last."""
    between = f" {WORDS[language].to} "
    return between.join(in_words(day, language) for day in (starts_on, completed_on) if day)
