"""Who looked at a holder, and employers that they bar from asking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response

from tracker.api.http import routing
from tracker.domain.employers.looks import LookKind
from tracker.domain.errors import Refusal
from tracker.domain.permissions import Actor
from tracker.language import catalogues
from tracker.language.voice import in_words
from tracker.services.core.context import UnitOfWork
from tracker.services.employers import bars, looks
from tracker.services.employers.looks import LookRow
from tracker.services.people import preferences
from tracker.web.people import forms, lists, visitors
from tracker.web.people.consents import HERE as SHARING
from tracker.web.people.consents import page_with

pages = Blueprint("look-pages", __name__)

HERE = f"{SHARING}/looks"
_EMPLOYER = f"{SHARING}/employers/<uuid:employer_id>"
_PAGE = 20


@dataclass(frozen=True, slots=True)
class LooksWords:
    """One language's words."""

    title: str
    why: str
    none: str
    older: str
    look: str
    back: str
    kinds: dict[LookKind, str]


WORDS = {lang: LooksWords(**catalogues.topic(lang, "looks_pages")) for lang in catalogues.LANGUAGES}


@pages.get(HERE)
@visitors.signed_in
def home(actor: Actor) -> Response:
    """The newest looks; ``after`` has older ones."""
    visitors.check_holder(actor)
    language = routing.language()
    with routing.container().reading(actor) as reading:
        rows = looks.mine(reading, after=lists.place(), limit=_PAGE + 1)
        zone = ZoneInfo(preferences.mine(reading).holder.time_zone)
    shown = rows[:_PAGE]
    return visitors.page(
        "looks",
        language,
        say=WORDS[language],
        back=SHARING,
        looks=[_shown(one, language, zone) for one in shown],
        older=f"{HERE}?after={shown[-1].id}" if len(rows) > _PAGE else "",
    )


def _shown(row: LookRow, language: str, zone: ZoneInfo) -> tuple[str, str]:
    """Which employer, and who looked at what on which day."""
    say = WORDS[language]
    on = in_words(row.at.astimezone(zone).date(), language)
    return row.employer_name, say.look.format(kind=say.kinds[row.kind], on=on, name=row.name)


@pages.post(f"{_EMPLOYER}/bar")
@visitors.signed_in
def bar(actor: Actor, *, employer_id: UUID) -> Response:
    """Bar an employer: it sees nothing, and it can't ask."""
    return _done(actor, lambda work: bars.put(work, str(employer_id)))


@pages.post(f"{_EMPLOYER}/lift")
@visitors.signed_in
def lift(actor: Actor, *, employer_id: UUID) -> Response:
    """Let it ask again."""
    return _done(actor, lambda work: bars.lift(work, str(employer_id)))


def _done(actor: Actor, act: Callable[[UnitOfWork], object]) -> Response:
    visitors.check_holder(actor)

    def acted(work: UnitOfWork) -> str:
        act(work)
        return SHARING

    def refused(refusal: Refusal) -> Response:
        return page_with(actor, forms.words().refusal(refusal.code))

    return forms.attempted(actor, acted, here=SHARING, refused=refused)
