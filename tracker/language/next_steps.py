"""What the holder should do now, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from tracker.domain.credentials.next_steps import NextStep
from tracker.domain.points.claims import ZERO
from tracker.domain.points.safe_days import ExpectedWait, SafeDay
from tracker.language import catalogues
from tracker.language.voice import ACTIVITIES, DAYS, POINTS, clock, counted, in_words, several

_WITH_LAST_DAY = frozenset({"log_activities", "apply_now", "pass_again"})
_WORDS = catalogues.sentences("next_steps", "words")
_SAFE_DAY = catalogues.sentences("next_steps", "safe_day")


def sentence(step: NextStep, language: str, *, issuer: str, zone: str) -> str:
    """The step in words; ``zone`` is the IANA zone whose midnight ends the last day."""
    return " ".join(_sentences(step, language, issuer, zone))


def safe_day(safe: SafeDay, language: str, *, on: date) -> str:
    """By when to submit activities, said on a day, and why."""
    key = "by" if safe.on >= on else "past"
    advice = _SAFE_DAY[language][key].format(on=in_words(safe.on, language))
    return f"{expected(safe.wait, language)} {advice}"


def expected(wait: ExpectedWait, language: str) -> str:
    """How long a decision on an activity takes."""
    words = _SAFE_DAY[language]["measured" if wait.measured else "promised"]
    return words.format(days=counted(Decimal(wait.days), DAYS, language))


def _sentences(step: NextStep, language: str, issuer: str, zone: str) -> Iterator[str]:
    words, credit = _WORDS[language], step.credit or POINTS
    given = {
        "issuer": issuer,
        "on": in_words(step.on, language) if step.on else "",
        "missing": counted(step.missing or ZERO, credit, language),
        "waiting": counted(step.waiting, credit, language),
        "credit": several(credit, language),
        "earned_by": in_words(step.earned_by, language) if step.earned_by else "",
        "clock": clock(zone, language),
        "activities": counted(Decimal(step.questions), ACTIVITIES, language),
    }
    if step.questions:
        yield words["answer_questions"].format(**given)
    if key := _key(step):
        yield words[key].format(**given)
    if step.missing is not None and step.waiting:
        yield words["waiting"].format(**given)
    if step.earned_by is not None:
        yield words["earned_by"].format(**given)
    if step.on is not None and step.action in _WITH_LAST_DAY:
        yield words["last_day"].format(**given)


def _key(step: NextStep) -> str:
    """The sentence that says what to do beside answering questions; empty: nothing."""
    if step.action == "answer_questions":
        return "apply_then" if step.on is not None else ""
    if step.action == "log_activities" and not step.missing:
        return "log_minima"
    if step.action == "apply_now" and step.if_approved:
        return "apply_if_approved"
    if step.action == "wait_for_review" and step.on is not None:
        return "review_first"
    if step.action == "too_late" and step.missing is None:
        return "closed"
    return step.action
