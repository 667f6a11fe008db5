"""An employer's permissions to work while a renewal is decided: given, listed, ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from flask import Blueprint, Response

from tracker.api.employers.confirmations import NewWorkPermissionSchema, SigningEndSchema
from tracker.api.http import routing, session_cookies
from tracker.domain.errors import IllegalTransition, Invalid, Refusal
from tracker.domain.permissions import Actor
from tracker.language import catalogues
from tracker.language.voice import in_words, month_names
from tracker.services.core.context import UnitOfWork
from tracker.services.employers import confirmations, employers, work_permissions
from tracker.services.employers.work_permissions import WorkPermissionRow
from tracker.web.desk import desk_forms
from tracker.web.employers import workforce_words
from tracker.web.employers.workforce_words import WORDS as LIST_WORDS
from tracker.web.people import forms, lists, visitors

pages = Blueprint("work-permission-pages", __name__)

HERE = "/employer/permissions"
_WORKER = "/employer/workers/<uuid:entry_id>/permission"
_DAYS = ("starts_on", "ends_on")


@dataclass(frozen=True, slots=True)
class PermissionsWords:
    """One language's words."""

    title: str
    why: str
    none: str
    permission: str
    in_force: str
    to_come: str
    over: str
    ended: str
    end: str
    end_why: str
    give_for: str
    give_why: str
    words: str
    words_hint: str
    starts_on: str
    ends_on: str
    ends_hint: str
    permit: str
    nothing_waits: str
    wrong: dict[str, str]


WORDS = {
    lang: PermissionsWords(**catalogues.topic(lang, "permissions_pages"))
    for lang in catalogues.LANGUAGES
}


@dataclass(frozen=True, slots=True)
class PermissionShown:
    """A permission in words; ``can_end``: it has not ended, nor has its last day passed."""

    id: str
    told: str
    state: str
    can_end: bool


@pages.get(HERE)
@visitors.for_organization("employer", changes=True)
def home(actor: Actor, employer_id: str) -> Response:
    """All permissions, also those that have ended."""
    return _home(actor, employer_id)


@pages.post(f"{HERE}/<uuid:permission_id>/end")
@visitors.for_organization("employer", changes=True)
def end(actor: Actor, employer_id: str, *, permission_id: UUID) -> Response:
    """End a permission before its last day."""

    def act(work: UnitOfWork) -> str:
        said = routing.load(SigningEndSchema(), forms.sent("reason"))
        work_permissions.end(work, str(permission_id), **said)
        return HERE

    return forms.attempted(
        actor, act, here=HERE, refused=lambda refusal: _home(actor, employer_id, refusal)
    )


@pages.get(_WORKER)
@visitors.for_organization("employer", changes=True)
def giving(actor: Actor, employer_id: str, *, entry_id: UUID) -> Response:
    """The permissions of one worker who shares, and the form for another one."""
    return _giving(actor, employer_id, str(entry_id))


@pages.post(_WORKER)
@visitors.for_organization("employer", changes=True)
def give(actor: Actor, employer_id: str, *, entry_id: UUID) -> Response:
    """Permit the worker to work while the renewal is decided."""
    id_ = str(entry_id)

    def act(work: UnitOfWork) -> str:
        days = {name: day for name in _DAYS if (day := desk_forms.day(name))}
        body = {"entry_id": id_, **forms.sent("words"), **days}
        values = routing.load(NewWorkPermissionSchema(), body)
        work_permissions.give(work, employer_id, str(values.pop("entry_id")), **values)
        return HERE

    return forms.attempted(
        actor,
        act,
        here=f"/employer/workers/{id_}/permission",
        refused=lambda refusal: _giving(actor, employer_id, id_, refusal),
    )


def _home(actor: Actor, employer_id: str, refusal: Refusal | None = None) -> Response:
    language = routing.language()
    with routing.container().reading(actor) as reading:
        found = work_permissions.page(
            reading, employer_id=employer_id, after=lists.place(), limit=lists.LISTED + 1
        )
        today = employers.today(reading)
    rows, more = lists.cut(found, lambda one: one.id, HERE)
    return _page(
        actor,
        "employers/permissions",
        refusal,
        parts=workforce_words.parts(actor, language),
        frame_words=LIST_WORDS[language],
        rows=_shown(rows, today, language),
        more=more,
        form=desk_forms.words(),
    )


def _giving(
    actor: Actor, employer_id: str, entry_id: str, refusal: Refusal | None = None
) -> Response:
    language = routing.language()
    with routing.container().reading(actor) as reading:
        try:
            worker = confirmations.shared_worker(reading, employer_id, entry_id)
        except IllegalTransition:  # the worker's page says why nothing is shared, and what to do
            return visitors.go(f"/employer/workers/{entry_id}")
        found = work_permissions.page(
            reading, employer_id=employer_id, holder_id=worker.holder_id, limit=lists.LISTED
        )
        today = employers.today(reading)
    name = f"{worker.given_name} {worker.family_name}"
    sent = [f"{day}_{part}" for day in _DAYS for part in ("year", "month", "day")]
    return _page(
        actor,
        "employers/permission",
        refusal,
        conflict=WORDS[language].nothing_waits,
        heading=WORDS[language].give_for.format(name),
        back=f"/employer/workers/{entry_id}",
        over=name,
        action=f"/employer/workers/{entry_id}/permission",
        rows=_shown(found, today, language),
        months=month_names(language),
        stated=desk_forms.stated("words", *sent),
        form=desk_forms.words(),
    )


def _page(
    actor: Actor, template: str, refusal: Refusal | None, *, conflict: str = "", **facts: object
) -> Response:
    """A page; ``conflict`` says what is not so yet, if the act is not possible for now."""
    language = routing.language()
    say = WORDS[language]
    named: Mapping[str, str] = refusal.fields if isinstance(refusal, Invalid) else {}
    errors = {name: say.wrong[name] for name in named if name in say.wrong}
    usual = forms.words().refusal(refusal.code) if refusal else None
    if isinstance(refusal, IllegalTransition):
        usual = conflict or usual
    return visitors.page(
        template,
        language,
        422 if refusal else 200,
        say=say,
        here=HERE,
        errors=errors,
        wrong=next(iter(errors.values()), usual),
        csrf_token=session_cookies.csrf_token(actor),
        **facts,
    )


def _shown(rows: Sequence[WorkPermissionRow], today: date, language: str) -> list[PermissionShown]:
    return [
        PermissionShown(
            id=one.id,
            told=_told(one, language),
            state=_state(one, today, language),
            can_end=one.ended_at is None and one.ends_on >= today,
        )
        for one in rows
    ]


def _told(one: WorkPermissionRow, language: str) -> str:
    return WORDS[language].permission.format(
        name=f"{one.given_name} {one.family_name}",
        starts=in_words(one.starts_on, language),
        ends=in_words(one.ends_on, language),
        words=one.words,
        by=one.given_by,
    )


def _state(one: WorkPermissionRow, today: date, language: str) -> str:
    say = WORDS[language]
    if one.ended_at is not None:
        on = in_words(one.ended_at.date(), language)
        return say.ended.format(on=on, by=one.ended_by, reason=one.end_reason)
    if one.is_in_force(today):
        return say.in_force
    return say.over if one.ends_on < today else say.to_come
