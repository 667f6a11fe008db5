"""People on record: the search as staff type, and everything about one person on one page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.http import routing
from tracker.api.people.holders import HolderQuerySchema
from tracker.domain.credentials.certifications import CycleTerm
from tracker.domain.errors import Invalid
from tracker.domain.permissions import Actor
from tracker.language import catalogues
from tracker.language import consents as words_of_consents
from tracker.language.voice import in_words, money, version_name
from tracker.services.core.context import ReadContext
from tracker.services.credentials.assessments import AssessmentRow
from tracker.services.overview import person_overviews
from tracker.services.overview.person_overviews import PersonListed, PersonOverview
from tracker.web import navigation
from tracker.web.desk import desk_forms, history_lines, module_grids, record_words
from tracker.web.people import lists, visitors
from tracker.web.verify_words import WORDS as ON_THE_PAGE

pages = Blueprint("desk-people", __name__)

HERE = "/desk/people"


@dataclass(frozen=True, slots=True)
class DeskPeopleWords:
    """One language's words."""

    title: str
    search: str
    hint: str
    find: str
    nobody: str
    nobody_why: str
    too_long: str
    ref: str
    email: str
    certifications: str
    none_yet: str
    sections: dict[str, str]
    identity: dict[str, str]
    acts: dict[str, str]
    merged: str
    deceased: str
    undeliverable: str
    confirmed: str
    not_confirmed: str
    former: str
    until: str
    number: str
    awarded: str
    cycles: str
    cycle: str
    cycle_open: str
    cycle_rules: str
    public_page: str
    attempts: str
    passed: str
    failed: str
    voided: str
    amend: str
    fee: str
    applied: str
    decisions: dict[str, str]
    under_review: str
    withdrawn: str
    sees: str
    sees_nothing: str
    barred: str
    verified: str
    unverified: str
    credited: str
    nothing: dict[str, str]
    all_history: str
    all_messages: str
    asked_on: str
    merge_of: str


WORDS = {
    lang: DeskPeopleWords(**catalogues.topic(lang, "desk_people_pages"))
    for lang in catalogues.LANGUAGES
}


@pages.get(HERE)
@visitors.for_staff
def search(actor: Actor) -> Response:
    """The people who are meant by what was typed; without anything typed, the form alone."""
    language, typed = routing.language(), request.args.get("q", "").strip()
    rows: Sequence[PersonListed] = ()
    more, wrong = None, None
    if typed:
        try:
            query = routing.load(HolderQuerySchema(), {"q": typed})["q"]
        except Invalid:
            wrong = WORDS[language].too_long
        else:
            after, limit = lists.place(), lists.LISTED + 1
            with routing.container().reading(actor) as reading:
                found = person_overviews.search(reading, query, after=after, limit=limit)
            rows, more = lists.cut(found, lambda one: one.holder.id)
    return visitors.page(
        "desk/people",
        language,
        422 if wrong else 200,
        say=WORDS[language],
        form=desk_forms.words(),
        areas=navigation.of_records(language),
        statuses=ON_THE_PAGE[language].statuses,
        schemes=_schemes(language),
        here=HERE,
        typed=typed,
        rows=rows,
        more=more,
        wrong=wrong,
    )


@pages.get(f"{HERE}/<uuid:holder_id>")
@visitors.for_staff
def show(actor: Actor, *, holder_id: UUID) -> Response:
    """Everything on record about a person, and what may be done from here."""
    language = routing.language()
    with routing.container().reading(actor) as reading:
        found = person_overviews.of_person(reading, str(holder_id))
        facts = _facts(reading, found, language)
    return visitors.page("desk/person", language, **facts)


def _facts(reading: ReadContext, found: PersonOverview, language: str) -> dict[str, Any]:
    codes = record_words.WORDS[language]
    return {
        "say": WORDS[language],
        "form": desk_forms.words(),
        "areas": navigation.of_records(language),
        "codes": codes,
        "here": f"{HERE}/{found.record.holder.id}",
        "found": found,
        "holder": found.record.holder,
        "grids": module_grids.of_progress(found.modules, language),
        "attempts": _latest_first(found.record.assessments),
        "lines": [history_lines.shown(one, language) for one in found.history],
        "statuses": ON_THE_PAGE[language].statuses,
        "schemes": _schemes(language),
        "modules": module_grids.names(reading.schemes, language),
        "credentials": reading.credentials.by_code,
        "field_words": words_of_consents.FIELDS[language],
        "day": _day(language),
        "money": money,
        "moment": lambda instant: desk_forms.moment(instant, language),
        "cycle": lambda term: _cycle(term, language),
        "rules": lambda term: WORDS[language].cycle_rules.format(version_name(term.policy)),
    }


def _latest_first(attempts: Sequence[AssessmentRow]) -> Sequence[AssessmentRow]:
    return sorted(attempts, key=lambda one: (one.taken_on, one.id), reverse=True)


def _schemes(language: str) -> Mapping[str, str]:
    """The names of the schemes by their codes."""
    return {one.code: one.full_name(language) for one in routing.container().schemes}


def _day(language: str) -> Callable[[date | None], str]:
    return lambda day: in_words(day, language) if day else ""


def _cycle(term: CycleTerm, language: str) -> str:
    say, starts = WORDS[language], in_words(term.starts_on, language)
    if term.expires_on is None:
        return say.cycle_open.format(starts=starts)
    return say.cycle.format(starts=starts, ends=in_words(term.expires_on, language))
