"""Renewing a certification: a checklist that ends in one button, and what was decided before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.http import routing, session_cookies
from tracker.domain.credentials.certifications import CycleTerm
from tracker.domain.credentials.fees import Quote
from tracker.domain.credentials.renewals import RenewalCondition
from tracker.domain.errors import Refusal
from tracker.domain.permissions import Actor
from tracker.language import catalogues, next_steps
from tracker.language.voice import ACTIVITIES, DAYS, POINTS, counted, in_words, listed, money
from tracker.services.core.context import UnitOfWork
from tracker.services.credentials import renewal_readiness, renewals
from tracker.services.credentials.former_decisions import RenewalDecisionRow
from tracker.services.credentials.renewal_readiness import RenewalReadiness
from tracker.services.credentials.renewals import RenewalRow
from tracker.web import navigation
from tracker.web.people import forms, visitors

pages = Blueprint("renewal-pages", __name__)

_HERE = "/account/certifications/<uuid:certification_id>/renewal"


@dataclass(frozen=True, slots=True)
class RenewalsWords:
    """One language's words."""

    title: str
    checklist: str
    done: str
    open: str
    waiting: str
    window_open: str
    points_done: str
    points_waiting: str
    points_admit: str
    no_questions: str
    questions: str
    nothing_else: str
    fee: str
    fee_late: str
    unverified: str
    not_refundable: str
    next: str
    steps: list[str]
    apply: str
    together: str
    together_why: str
    apply_together: str
    by_itself: str
    points_then: str
    cannot_apply: str
    applied: str
    withdraw: str
    cycles: str
    cycle: str
    cycle_open: str
    none: str
    applied_on: str
    applied_bare: str
    under_review: str
    withdrawn: str
    appeal: str
    replaced: str
    decisions: dict[str, str]
    obstacles: dict[str, str]


WORDS = {
    lang: RenewalsWords(**catalogues.topic(lang, "renewals_pages")) for lang in catalogues.LANGUAGES
}


@dataclass(frozen=True, slots=True)
class CheckShown:
    """A line of the checklist; ``state`` is done, open or waiting."""

    state: str
    text: str


@dataclass(frozen=True, slots=True)
class ApplicationShown:
    """An application: when it was made, how it ended and why, and decisions that were replaced."""

    made: str
    outcome: str
    reason: str
    is_denied: bool
    former: Sequence[str]


@dataclass(frozen=True, slots=True)
class CycleShown:
    """A cycle with its applications, and the page of the points on its last day so far."""

    days: str
    points: str
    applications: Sequence[ApplicationShown]


@pages.get(_HERE)
@visitors.signed_in
def home(actor: Actor, *, certification_id: UUID) -> Response:
    """What is done, what is open, and every application so far."""
    visitors.check_holder(actor)
    return _home(actor, str(certification_id))


@pages.post(_HERE)
@visitors.signed_in
def apply(actor: Actor, *, certification_id: UUID) -> Response:
    """Apply to renew the certification."""
    id_ = str(certification_id)
    return _done(actor, id_, lambda work: renewals.apply(work, id_))


@pages.post(f"{_HERE}/together")
@visitors.signed_in
def apply_together(actor: Actor, *, certification_id: UUID) -> Response:
    """Apply for every certification of the bundle that the page showed, as one act."""
    visitors.check_holder(actor)
    id_ = str(certification_id)
    with routing.container().reading(actor) as reading:
        bundle = renewal_readiness.of_certification(reading, id_).bundle
    if bundle is None or request.form.getlist("certification_ids") != [*bundle.certification_ids]:
        return _home(actor, id_, wrong=forms.words().refusal("conflict"))
    ids = bundle.certification_ids
    return _done(actor, id_, lambda work: renewals.apply_together(work, ids))


@pages.post(f"{_HERE}/<uuid:renewal_id>/withdraw")
@visitors.signed_in
def withdraw(actor: Actor, *, certification_id: UUID, renewal_id: UUID) -> Response:
    """Withdraw an application before it is decided."""
    return _done(
        actor, str(certification_id), lambda work: renewals.withdraw(work, str(renewal_id))
    )


def _done(actor: Actor, certification_id: str, act: Callable[[UnitOfWork], object]) -> Response:
    visitors.check_holder(actor)
    return forms.carried_out(
        actor,
        act,
        here=f"/account/certifications/{certification_id}/renewal",
        refused=lambda wrong: _home(actor, certification_id, wrong=wrong),
    )


def _home(actor: Actor, certification_id: str, *, wrong: str | None = None) -> Response:
    language = routing.language()
    with routing.container().reading(actor) as reading:
        ready = renewal_readiness.of_certification(reading, certification_id)
    issuer = ready.scheme.issuer
    waits, say = ready.open_application, WORDS[language]
    cycles = [
        CycleShown(
            _days(cycle.term, language),
            _points_of(certification_id, cycle.term, ready.standing.on),
            [_application(row, former, language) for row, former in cycle.applications],
        )
        for cycle in reversed(ready.cycles)
    ]
    latest = next((cycle.applications[-1] for cycle in cycles if cycle.applications), None)
    return visitors.page(
        "renewals",
        language,
        422 if wrong else 200,
        say=say,
        wrong=wrong,
        here=f"/account/certifications/{certification_id}",
        parts=navigation.of_certification(certification_id, language),
        certification=ready.scheme.full_name(language),
        next=next_steps.sentence(ready.next, language, issuer=issuer, zone=ready.zone),
        waits=waits,
        applied=_applied(waits, language) if waits else "",
        checks=_checks(ready, language),
        can_apply=ready.can_apply,
        fee=_fee(ready.quote, ready.scheme.issuer, language),
        bundle=ready.bundle,
        together=_together(ready, language),
        together_fee=_fee(ready.bundle.quote, issuer, language) if ready.bundle else [],
        steps=[step.format(issuer=issuer) for step in say.steps],
        denied=latest if latest and latest.is_denied else None,
        cycles=cycles,
        csrf_token=session_cookies.csrf_token(actor),
    )


def _applied(waits: RenewalRow, language: str) -> str:
    """Since when an application waits, and how long a decision may take."""
    level = routing.container().settings.reviews.service_level_days
    days = counted(Decimal(level), DAYS, language)
    return WORDS[language].applied.format(on=in_words(waits.submitted_on, language), days=days)


def _checks(ready: RenewalReadiness, language: str) -> list[CheckShown]:
    """The conditions of an application, and whether a reviewer waits for an answer."""
    say = WORDS[language]
    window, points, other = (ready.conditions[condition] for condition in RenewalCondition)
    questions = CheckShown("done", say.no_questions)
    if ready.questions:
        activities = counted(Decimal(ready.questions), ACTIVITIES, language)
        questions = CheckShown("open", say.questions.format(activities=activities))
    counted_points = _check(points, "", ready, language) if points else _points(ready, language)
    return [
        _check(window, say.window_open, ready, language),
        *([] if ready.counts_what_was_renewed else [counted_points]),
        questions,
        _check(other, say.nothing_else, ready, language),
    ]


def _check(
    obstacle: Refusal | None, met: str, ready: RenewalReadiness, language: str
) -> CheckShown:
    """A condition that is met, or what stands in its way in words."""
    if obstacle is None:
        return CheckShown("done", met)
    say, amounts = WORDS[language], _amounts(ready, language)
    key = obstacle.code
    if key == "points_missing" and not obstacle.facts.get("missing"):
        key = "points_minimum"
    days = {
        name: in_words(value, language)
        for name, value in obstacle.facts.items()
        if isinstance(value, date)
    }
    told = say.obstacles[key].format(**amounts, **days, issuer=ready.scheme.issuer)
    return CheckShown("waiting" if key == "renewal_pending" else "open", told)


def _points(ready: RenewalReadiness, language: str) -> CheckShown:
    """Points that are enough, perhaps only with those that wait for review."""
    say = WORDS[language]
    enough = ready.judged is None or ready.judged.evaluation.complete
    amounts = _amounts(ready, language)
    if enough:
        return CheckShown("done", say.points_done.format(**amounts))
    told = say.points_waiting.format(**amounts)
    return CheckShown("waiting", f"{told} {say.points_admit}" if ready.can_apply else told)


def _amounts(ready: RenewalReadiness, language: str) -> dict[str, object]:
    judged = ready.judged
    if judged is None:
        return dict.fromkeys(("total", "required", "missing", "waiting"), "")
    credit = (judged.policy.credit if judged.policy else None) or POINTS
    counts = judged.evaluation
    return {
        "total": counted(counts.total, credit, language).figure,
        "required": counted(counts.required, credit, language),
        "missing": counted(judged.admitting.missing, credit, language),
        "waiting": counted(judged.waiting, credit, language),
    }


def _together(ready: RenewalReadiness, language: str) -> str:
    """What can be renewed by one application."""
    if ready.bundle is None:
        return ""
    return listed([scheme.full_name(language) for scheme in ready.bundle.schemes], language)


def _fee(quote: Quote | None, issuer: str, language: str) -> list[str]:
    """The fee and its conditions, in sentences; none if no fee is published."""
    say = WORDS[language]
    if quote is None:
        return []
    amount, late = (money(each, quote.currency) for each in (quote.amount, quote.late_fees))
    return [
        say.fee_late.format(amount=amount, late=late) if quote.late_fees else amount,
        *([] if quote.refundable else [say.not_refundable]),
        *([] if quote.verified else [say.unverified.format(issuer)]),
    ]


def _points_of(certification_id: str, term: CycleTerm, on: date) -> str:
    """The page with the points of a cycle that is over; empty for another."""
    if not term.policy or term.expires_on is None or term.expires_on >= on:
        return ""
    return f"/account/certifications/{certification_id}/points?as_of={term.expires_on}"


def _days(term: CycleTerm, language: str) -> str:
    say, starts = WORDS[language], in_words(term.starts_on, language)
    if term.expires_on is None:
        return say.cycle_open.format(starts=starts)
    return say.cycle.format(starts=starts, ends=in_words(term.expires_on, language))


def _application(
    row: RenewalRow, former: Sequence[RenewalDecisionRow], language: str
) -> ApplicationShown:
    say, on = WORDS[language], in_words(row.submitted_on, language)
    made = say.applied_bare.format(on=on)
    if row.points_counted is not None:
        made = say.applied_on.format(on=on, points=counted(row.points_counted, POINTS, language))
    outcome = say.under_review
    if row.withdrawn_on:
        outcome = say.withdrawn.format(in_words(row.withdrawn_on, language))
    elif row.decision and row.decided_on:
        outcome = say.decisions[row.decision].format(in_words(row.decided_on, language))
    return ApplicationShown(
        made=made,
        outcome=outcome,
        reason=row.reason or "",
        is_denied=row.decision == "denied",
        former=[_decision(one, language) for one in former],
    )


def _decision(one: RenewalDecisionRow, language: str) -> str:
    told = WORDS[language].decisions[one.decision].format(in_words(one.decided_on, language))
    return f"{told} {one.reason}" if one.reason else told
