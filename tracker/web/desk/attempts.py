"""Correcting a result that was recorded wrong: what it changes is shown before it is confirmed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.credentials.assessments import AmendmentSchema, VoidSchema
from tracker.api.http import routing, session_cookies
from tracker.domain.credentials.certifications import Standing
from tracker.domain.errors import Invalid, NotFound, Refusal
from tracker.domain.permissions import Actor
from tracker.language import catalogues
from tracker.language.voice import in_words
from tracker.services.core.context import UnitOfWork
from tracker.services.credentials import assessments
from tracker.services.credentials.assessments import CorrectedAttempt
from tracker.services.credentials.effects import Effect
from tracker.services.overview import person_overviews
from tracker.web import navigation
from tracker.web.desk import attempt_forms, desk_forms, module_grids
from tracker.web.people import forms, visitors
from tracker.web.verify_words import WORDS as ON_THE_PAGE

pages = Blueprint("desk-attempts", __name__)

Trial = Literal["preview", "for good"]

_HERE = "/desk/assessments/<uuid:assessment_id>"
_CLEARED = ("center_id", *attempt_forms.OPTIONAL)
"""What a correction may empty."""
AttemptAct = Callable[[UnitOfWork, str, Trial], CorrectedAttempt]


@dataclass(frozen=True, slots=True)
class DeskAttemptsWords:
    """One language's words."""

    title: str
    on_record: str
    void_title: str
    void_why: str
    void_done: str
    preview: str
    preview_void: str
    later_hint: str
    later: dict[str, str]
    refuse: str
    confirm_title: str
    confirm_void_title: str
    nothing_stored: str
    new_values: str
    what_changes: str
    nothing_else: str
    award: dict[str, str]
    award_same: str
    awarded: str
    standing: str
    until: str
    no_award: str
    outside: str
    unfit: str
    confirm: str
    confirm_void: str
    change: str
    wrong_scheme: str


WORDS = {
    lang: DeskAttemptsWords(**catalogues.topic(lang, "desk_attempts_pages"))
    for lang in catalogues.LANGUAGES
}


@dataclass(frozen=True, slots=True)
class EffectShown:
    """What a correction changes about a certification, in sentences."""

    title: str
    award: str
    days: str
    standing: str
    outside: Sequence[str]
    unfit: Sequence[str]


@pages.get(_HERE)
@visitors.for_staff
def show(actor: Actor, *, assessment_id: UUID) -> Response:
    """The form with what the attempt says now."""
    return _form(actor, str(assessment_id))


@pages.post(_HERE)
@visitors.for_staff
def again(actor: Actor, *, assessment_id: UUID) -> Response:
    """The form with what was typed, for whoever comes back from the preview."""
    return _form(actor, str(assessment_id), keeps=True)


@pages.post(f"{_HERE}/preview")
@visitors.for_staff
def preview(actor: Actor, *, assessment_id: UUID) -> Response:
    """What a correction would change; nothing is stored."""
    return _previewed(actor, str(assessment_id), _amend, is_void=False)


@pages.post(f"{_HERE}/amend")
@visitors.for_staff
def amend(actor: Actor, *, assessment_id: UUID) -> Response:
    """Correct the attempt as it was previewed."""
    return _done(actor, str(assessment_id), _amend)


@pages.get(f"{_HERE}/void")
@visitors.for_staff
def ask_void(actor: Actor, *, assessment_id: UUID) -> Response:
    """The form to void the attempt."""
    return _form(actor, str(assessment_id))


@pages.post(f"{_HERE}/void/preview")
@visitors.for_staff
def preview_void(actor: Actor, *, assessment_id: UUID) -> Response:
    """What voiding would change; nothing is stored."""
    return _previewed(actor, str(assessment_id), _void, is_void=True)


@pages.post(f"{_HERE}/void")
@visitors.for_staff
def void(actor: Actor, *, assessment_id: UUID) -> Response:
    """Void the attempt as it was previewed."""
    return _done(actor, str(assessment_id), _void)


def _amend(work: UnitOfWork, assessment_id: str, trial: Trial) -> CorrectedAttempt:
    said: dict[str, Any] = _sent(("center_id", *attempt_forms.OPTIONAL)) | {
        name: value
        for name, value in attempt_forms.sent().items()
        if name in {"scheme", "module", "taken_on", "result"}
    }
    scheme = said.pop("scheme", None)
    if scheme != assessments.get(work, assessment_id).scheme:
        rule = WORDS[routing.language()].wrong_scheme
        raise Invalid("An attempt stays in its scheme.", fields={"module": rule})
    said["more_funding"] = attempt_forms.sent_sources()
    values = routing.load(AmendmentSchema(), {**said, **_why()})
    why = {name: values.pop(name) for name in ("reason", "later_cycles") if name in values}
    values.pop("preview")
    if "result" in values:
        values["passed"] = values.pop("result") == "pass"
    if values.get("center_id") is not None:
        values["center_id"] = str(values["center_id"])
    return assessments.amend(work, assessment_id, values, preview=trial == "preview", **why)


def _void(work: UnitOfWork, assessment_id: str, trial: Trial) -> CorrectedAttempt:
    why = routing.load(VoidSchema(), _why()) | {"preview": trial == "preview"}
    return assessments.void(work, assessment_id, **why)


def _sent(names: Sequence[str]) -> dict[str, str | None]:
    """The fields as the API would be told them: null where one was emptied."""
    return {name: request.form.get(name, "").strip() or None for name in names}


def _why() -> dict[str, str]:
    return forms.sent("reason", "later_cycles")


def _done(actor: Actor, assessment_id: str, act: AttemptAct) -> Response:
    def acted(work: UnitOfWork) -> str:
        row = act(work, assessment_id, "for good").assessment
        return f"/desk/people/{row.holder_id}#modules"

    return forms.attempted(
        actor,
        acted,
        here=f"/desk/assessments/{assessment_id}",
        refused=lambda refusal: _form(actor, assessment_id, refusal),
    )


def _previewed(actor: Actor, assessment_id: str, act: AttemptAct, *, is_void: bool) -> Response:
    try:
        with routing.container().work(actor) as work:
            before = assessments.get(work, assessment_id)
            corrected = act(work, assessment_id, "preview")
            found = person_overviews.of_attempt(work, assessment_id)
    except NotFound:
        raise
    except Refusal as refusal:
        return _form(actor, assessment_id, refusal)
    language = routing.language()
    labels = attempt_forms.WORDS[language].labels
    centers = dict(found.centers)
    return visitors.page(
        "desk/attempt_preview",
        language,
        say=WORDS[language],
        form=desk_forms.words(),
        areas=navigation.of_records(language),
        here=f"/desk/assessments/{assessment_id}",
        act="void" if is_void else "amend",
        found=found,
        module=_module(before.scheme, before.module, language),
        day=in_words(before.taken_on, language),
        changes=[
            (labels["result" if name == "passed" else name], old, new)
            for name, old, new in _differences(before, corrected.assessment, centers, language)
        ],
        effects=[_effect(one, language) for one in corrected.changes],
        hidden=_repeated(),
        csrf_token=session_cookies.csrf_token(actor),
    )


def _repeated() -> list[tuple[str, str]]:
    """What was typed, for the form that confirms it."""
    return [pair for pair in request.form.items() if pair[0] != "csrf_token"]


def _differences(
    before: Any, after: Any, centers: Mapping[str, str], language: str
) -> Sequence[tuple[str, str, str]]:
    """The fields that change, as pairs of texts."""
    return [
        (name, _text(before, name, centers, language), _text(after, name, centers, language))
        for name in assessments.AMENDABLE
        if getattr(before, name) != getattr(after, name)
    ]


def _text(row: Any, name: str, centers: Mapping[str, str], language: str) -> str:
    value, say = getattr(row, name), attempt_forms.WORDS[language]
    if name == "more_funding":
        value = attempt_forms.in_words(value, language) or None
    if value is None:
        return desk_forms.words().none
    if name == "module":
        return _module(row.scheme, value, language)
    if name == "passed":
        return say.results["pass" if value else "fail"]
    if isinstance(value, date):
        return in_words(value, language)
    named = {"delivery": say.deliveries, "funding": say.fundings, "center_id": centers}
    return named.get(name, {}).get(value, str(value))


def _module(scheme: str, code: str, language: str) -> str:
    return module_grids.names(routing.container().schemes, language).get((scheme, code), code)


def _effect(one: Effect, language: str) -> EffectShown:
    say = WORDS[language]
    title = routing.container().schemes[one.scheme].full_name(language)
    none = desk_forms.words().none
    awarded = (one.awarded_on_before, one.awarded_on_after)
    days = [in_words(day, language) if day else none for day in awarded]
    before, after = _standing(one.before, language), _standing(one.after, language)
    return EffectShown(
        title=f"{title}, {one.number}",
        award=say.award[one.change] if one.change else say.award_same,
        days=say.awarded.format(before=days[0], after=days[1]) if days[0] != days[1] else "",
        standing=say.standing.format(before=before, after=after) if before != after else "",
        outside=[each.title for each in one.activities],
        unfit=[in_words(each.submitted_on, language) for each in one.renewals],
    )


def _standing(found: Standing | None, language: str) -> str:
    say = WORDS[language]
    if found is None:
        return say.no_award
    word = ON_THE_PAGE[language].statuses[found.status]
    if found.expires_on is None:
        return word
    return say.until.format(status=word, day=in_words(found.expires_on, language))


def _form(
    actor: Actor, assessment_id: str, refusal: Refusal | None = None, *, keeps: bool = False
) -> Response:
    """The form to correct or to void; it shows what was typed if it was refused or ``keeps`` it."""
    language = routing.language()
    with routing.container().reading(actor) as reading:
        found = person_overviews.of_attempt(reading, assessment_id)
    own = {found.attempt.scheme}
    offered = attempt_forms.form(routing.container().schemes, language, first=own)
    errors, wrong = desk_forms.errors(refusal, offered.labels, own=[WORDS[language].wrong_scheme])
    say, is_void = WORDS[language], "/void" in request.path
    was_typed = (refusal is not None or keeps) and not is_void
    stated = attempt_forms.typed() if was_typed else dict(attempt_forms.stated(found.attempt))
    if is_void:
        stated |= desk_forms.stated("reason", "later_cycles")
    scheme = found.attempt.scheme
    return visitors.page(
        "desk/attempt",
        language,
        422 if wrong else 200,
        say=say,
        form=desk_forms.words(),
        areas=navigation.of_records(language),
        here=f"/desk/assessments/{assessment_id}",
        found=found,
        module=_module(scheme, found.attempt.module, language),
        day=in_words(found.attempt.taken_on, language),
        attempt=offered,
        own_scheme=routing.container().schemes[scheme].full_name(language),
        later=list(say.later.items()),
        is_void=is_void,
        stated=stated,
        errors=errors,
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
    )
