"""What a sponsor sees of apprentices who agreed: the course of each, hours, modules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, request

from tracker.api.http import routing
from tracker.domain.credentials.candidates import ModuleProgress
from tracker.domain.permissions import Actor
from tracker.domain.schemes.activity_types import translated
from tracker.language.voice import in_words
from tracker.services.core import organizations
from tracker.services.credentials import apprenticeships
from tracker.services.credentials.apprenticeships import ApprenticeshipProgress
from tracker.web.credentials import sponsor_words
from tracker.web.credentials.sponsor_words import WORDS
from tracker.web.people import lists, visitors

pages = Blueprint("sponsor-pages", __name__)

HERE = "/sponsor"
_SHOWN = 25


@dataclass(frozen=True, slots=True)
class ApprenticeShown:
    """An apprentice with the course of the apprenticeship, in words."""

    name: str
    program: str
    course: str
    hours: str
    summary: str
    modules: Sequence[str]
    length: int


@pages.get(HERE)
@visitors.for_organization("sponsor")
def home(actor: Actor, sponsor_id: str) -> Response:
    """The apprentices who share with the sponsor."""
    del sponsor_id
    language = routing.language()
    with routing.container().reading(actor) as reading:
        rows = apprenticeships.page(reading, after=lists.place(), limit=_SHOWN + 1)
        own = organizations.named(reading, actor)
    return visitors.page(
        "credentials/apprentices",
        language,
        say=WORDS[language],
        own=own,
        parts=sponsor_words.parts(language),
        here=HERE,
        rows=[_shown(one, language) for one in rows[:_SHOWN]],
        following=rows[_SHOWN - 1].row.id if len(rows) > _SHOWN else "",
        is_later="after" in request.args,
    )


def _shown(one: ApprenticeshipProgress, language: str) -> ApprenticeShown:
    say, row = WORDS[language], one.row
    needed = [each for each in one.modules.modules if each.module.required]
    passed = [each for each in needed if each.passed_on is not None]
    return ApprenticeShown(
        name=f"{one.apprentice.given_name} {one.apprentice.family_name}",
        program=say.program.format(code=row.program_code, occupation=row.occupation),
        course=_course(one, language),
        hours=_hours(one, language),
        summary=say.modules.format(passed=len(passed), all=len(needed)),
        modules=[_module(each, language) for each in one.modules.modules if _is_shown(each)],
        length=round(1000 * len(passed) / len(needed)) if needed else 0,
    )


def _is_shown(one: ModuleProgress) -> bool:
    return one.module.required or one.passed_on is not None


def _course(one: ApprenticeshipProgress, language: str) -> str:
    say, row = WORDS[language], one.row
    days = (
        (say.started, row.started_on),
        (say.ended, row.ended_on),
        (say.expected, None if row.ended_on else row.expected_end_on),
    )
    told = [words.format(in_words(day, language)) for words, day in days if day]
    return ", ".join([say.statuses[row.status], *told])


def _hours(one: ApprenticeshipProgress, language: str) -> str:
    say, row = WORDS[language], one.row
    done, required = row.instruction_hours, row.instruction_hours_required
    if required is None:
        return say.hours_done.format(done=f"{done:,}")
    return say.hours_of.format(done=f"{done:,}", required=f"{required:,}")


def _module(one: ModuleProgress, language: str) -> str:
    say, name = WORDS[language], translated(one.module.name, language)
    if one.passed_on is None:
        return say.missing.format(name=name)
    return say.passed_on.format(name=name, day=in_words(one.passed_on, language))
