"""What the forms and lists of the staff's pages share: days in three fields, errors, paging."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from flask import request
from markupsafe import Markup

from tracker.api.http import routing
from tracker.domain.errors import Invalid, Refusal
from tracker.domain.schemes.activity_types import ENGLISH
from tracker.language import catalogues, refusals
from tracker.language.voice import in_words

_FEW = 3
_PARTS = ("year", "month", "day")


@dataclass(frozen=True, slots=True)
class DeskFormWords:
    """One language's words."""

    wrong_field: str
    refused: str
    month: str
    day: str
    year: str
    more: str
    at: str
    none: str
    yes: str
    no: str
    choose: str
    reason: str
    reason_hint: str
    back: str
    person: str


WORDS = {
    lang: DeskFormWords(**catalogues.topic(lang, "desk_forms_pages"))
    for lang in catalogues.LANGUAGES
}


def words() -> DeskFormWords:
    """The words in the language of the page."""
    return WORDS[routing.language()]


# Forms.
def day(name: str) -> str | None:
    """The day of three fields as YYYY-MM-DD, whether it exists or not; None if all are empty."""
    parts = [request.form.get(f"{name}_{part}", "").strip() for part in _PARTS]
    if not any(parts):
        return None
    return "-".join([parts[0], *(part.zfill(2) for part in parts[1:])])


def day_fields(name: str, value: date | None) -> dict[str, str]:
    """A day in its three fields."""
    return {f"{name}_{part}": str(getattr(value, part)) if value else "" for part in _PARTS}


def stated(name: str, *others: str) -> dict[str, str]:
    """What the form that was sent says under these names, as it was typed."""
    return {each: request.form.get(each, "") for each in (name, *others)}


def errors(
    refusal: Refusal | None, labels: Mapping[str, str], *, own: Collection[str] = ()
) -> tuple[dict[str, str], str | None]:
    """What is wrong with each field, and with all in one sentence; nothing without a refusal.

    Staff are told the rule in the words of the service, which names the value and the way on. On
    pages in another language it is translated if it can be (``language/refusals``), and otherwise
    marked as English.
    """
    if refusal is None:
        return {}, None
    say = words()
    named = refusal.fields if isinstance(refusal, Invalid) else {}
    if len(named) > _FEW and len(set(named.values())) == 1:
        named = {}  # one rule about the form as a whole, which the detail says
    found: dict[str, str] = {
        name: Markup.escape(say.wrong_field).format(
            label=labels.get(name, name),
            rule=rule if rule in own else _in_language(rule, labels),
        )
        for name, rule in named.items()
    }
    usual = refusals.of_code(refusal.code, routing.language())
    detail = refusal.detail if refusal.detail in own else _english(refusal.detail)
    whole = Markup.escape(say.refused).format(usual=usual, detail=detail)
    return found, next(iter(found.values()), whole)


def _in_language(rule: str, labels: Mapping[str, str]) -> str:
    """A rule in the language of the page, or marked as English."""
    translated = refusals.of_rule(rule, routing.language())
    return _english(_named(rule, labels)) if translated is None else _named(translated, labels)


def _english(text: str) -> str:
    """English words on a page, which says so if it is in another language."""
    if routing.language() == ENGLISH:
        return text
    return Markup('<span lang="en">{}</span>').format(text)


def _named(rule: str, labels: Mapping[str, str]) -> str:
    """A rule in which the names of fields are those that the form gives them."""
    for name, label in labels.items():
        if "_" in name:
            rule = rule.replace(name, f'"{label}"')
    return rule


# Words.
def moment(instant: datetime, language: str) -> str:
    """An instant as a day and a time in UTC."""
    utc = instant.astimezone(UTC)
    return WORDS[language].at.format(day=in_words(utc.date(), language), time=f"{utc:%H:%M}")
