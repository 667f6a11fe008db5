"""Where somebody stands on the way: modules, pathways with their next step, apprenticeships."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.credentials.pathways import NewPathwaySchema
from tracker.api.http import routing, session_cookies
from tracker.domain.credentials.candidates import ModuleProgress
from tracker.domain.permissions import Actor
from tracker.domain.schemes.activity_types import translated
from tracker.domain.schemes.pathways import PathwayStep, Payer
from tracker.language import catalogues
from tracker.language.voice import in_words, listed, money
from tracker.services.core.context import UnitOfWork
from tracker.services.credentials import pathways
from tracker.services.credentials.apprenticeships import ApprenticeshipProgress
from tracker.services.credentials.module_certificates import ModuleCertificateRow, Progress
from tracker.services.credentials.pathways import ChosenPathway
from tracker.services.overview import holder_progress
from tracker.web.people import forms, papers, visitors
from tracker.web.people.papers import PaperLink
from tracker.web.people.words import WORDS as PEOPLE_WORDS

pages = Blueprint("progress-pages", __name__)

HERE = "/account/progress"


@dataclass(frozen=True, slots=True)
class ProgressWords:
    """One language's words."""

    title: str
    none: str
    modules: str
    tally: str
    pathways: str
    pathways_why: str
    next: str
    all_done: str
    steps: str
    done: str
    cost: str
    cost_same: str
    paid_by: str
    unverified: str
    choose: str
    leave: str
    apprenticeships: str
    apprenticeship: str
    since: str
    hours: str
    hours_of: str
    payers: dict[Payer, str]


WORDS = {
    lang: ProgressWords(**catalogues.topic(lang, "progress_pages")) for lang in catalogues.LANGUAGES
}


@dataclass(frozen=True, slots=True)
class ModuleShown:
    """A module in the words of the page; ``path`` is the page of its certificate, if passed.

    ``papers`` are the certificate as PDF, for its holder.
    """

    name: str
    said: str
    path: str
    is_passed: bool
    papers: Sequence[PaperLink] = ()


@dataclass(frozen=True, slots=True)
class CandidacyShown:
    """A scheme with its modules, and how many of the required ones are passed."""

    title: str
    tally: str
    modules: Sequence[ModuleShown]


@dataclass(frozen=True, slots=True)
class StepShown:
    """A step of a pathway: what to do, when it was done, what is known of time and cost."""

    name: str
    done: str
    facts: str


@dataclass(frozen=True, slots=True)
class PathwayShown:
    """A pathway that somebody is on; without a ``next`` step all are done."""

    id: str
    name: str
    next: StepShown | None
    steps: Sequence[StepShown]


@pages.get(HERE)
@visitors.signed_in
def home(actor: Actor) -> Response:
    """Everything about the way to a certification."""
    visitors.check_holder(actor)
    return _home(actor)


@pages.post(f"{HERE}/pathways")
@visitors.signed_in
def choose(actor: Actor) -> Response:
    """Go a pathway; one may be on several."""
    holder_id = visitors.check_holder(actor)
    wanted = {"pathway": request.form.get("pathway", "")}

    def act(work: UnitOfWork) -> object:
        body = routing.load(NewPathwaySchema(), wanted)
        return pathways.choose(work, holder_id, body["pathway"])

    return _done(actor, act)


@pages.post(f"{HERE}/pathways/<uuid:choice_id>/leave")
@visitors.signed_in
def leave(actor: Actor, *, choice_id: UUID) -> Response:
    """Leave a pathway; nothing that was done is lost."""
    visitors.check_holder(actor)
    return _done(actor, lambda work: pathways.leave(work, str(choice_id)))


def _done(actor: Actor, act: Callable[[UnitOfWork], object]) -> Response:
    return forms.carried_out(actor, act, here=HERE, refused=lambda wrong: _home(actor, wrong=wrong))


def _home(actor: Actor, *, wrong: str | None = None) -> Response:
    language = routing.language()
    with routing.container().reading(actor) as reading:
        found = holder_progress.mine(reading)
    return visitors.page(
        "progress",
        language,
        422 if wrong else 200,
        say=WORDS[language],
        here=HERE,
        wrong=wrong,
        candidacies=[candidacy(one, language) for one in found.modules],
        pathways=[pathway(one, language) for one in found.chosen],
        others=[(code, translated(one.name, language)) for code, one in found.others.items()],
        apprenticeships=[_apprenticeship(one, language) for one in found.apprenticeships],
        csrf_token=session_cookies.csrf_token(actor),
    )


def candidacy(one: Progress, language: str) -> CandidacyShown:
    """A scheme in the words of a page: each module that was passed or is required."""
    required = [each for each in one.candidacy.modules if each.module.required]
    passed = sum(each.passed_on is not None for each in required)
    return CandidacyShown(
        title=one.scheme.full_name(language),
        tally=WORDS[language].tally.format(passed=passed, required=len(required)),
        modules=[
            _module(each, one.certificates.get(each.module.code), language)
            for each in one.candidacy.modules
            if each.module.required or each.passed_on is not None
        ],
    )


def _module(
    one: ModuleProgress, certificate: ModuleCertificateRow | None, language: str
) -> ModuleShown:
    words, name = PEOPLE_WORDS[language], translated(one.module.name, language)
    if one.passed_on is not None:
        path = f"/verify/{certificate.public_id}" if certificate else ""
        said = words.passed_on.format(in_words(one.passed_on, language))
        links = papers.links(f"/account/modules/{certificate.id}", language) if certificate else ()
        return ModuleShown(name, said, path, is_passed=True, papers=links)
    said = words.not_passed
    if one.retake_on is not None:
        said = words.retake_on.format(in_words(one.retake_on, language))
    return ModuleShown(name, said, "", is_passed=False)


def pathway(one: ChosenPathway, language: str) -> PathwayShown:
    """A pathway in the words of a page."""
    following = one.progress.next
    return PathwayShown(
        id=one.choice.id,
        name=translated(one.progress.pathway.name, language),
        next=_step(following, "", language) if following else None,
        steps=[
            _step(
                each.step,
                WORDS[language].done.format(in_words(each.done_on, language))
                if each.done_on
                else "",
                language,
            )
            for each in one.progress.steps
        ],
    )


def _step(step: PathwayStep, done: str, language: str) -> StepShown:
    """A step with what is known of it; what is not verified says so."""
    say, told = WORDS[language], list[str]()
    if step.typical_time:
        told.append(translated(step.typical_time, language))
    if step.cost is not None:
        least, most = (money(each, "USD") for each in (step.cost.at_least, step.cost.at_most))
        cost = say.cost_same if least == most else say.cost
        told.append(cost.format(least=least, most=most))
    if step.paid_by:
        told.append(say.paid_by.format(listed([say.payers[one] for one in step.paid_by], language)))
    if told and not step.provenance.verified:
        told.append(say.unverified)
    return StepShown(translated(step.name, language), done, " · ".join(told))


def _apprenticeship(one: ApprenticeshipProgress, language: str) -> tuple[str, list[str]]:
    """The sponsor and occupation, and how far it has come."""
    say, row = WORDS[language], one.row
    hours = say.hours.format(row.instruction_hours)
    if row.instruction_hours_required is not None:
        hours = say.hours_of.format(
            done=row.instruction_hours, required=row.instruction_hours_required
        )
    required = [each for each in one.modules.modules if each.module.required]
    passed = sum(each.passed_on is not None for each in required)
    return say.apprenticeship.format(occupation=row.occupation, sponsor=row.name), [
        say.since.format(in_words(row.started_on, language)),
        say.tally.format(passed=passed, required=len(required)),
        hours,
    ]
