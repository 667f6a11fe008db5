"""An activity with every decision on it; a later decision takes the place of the one in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response

from tracker.api.http import routing, session_cookies
from tracker.api.points.activities import VerdictSchema
from tracker.domain.errors import Refusal
from tracker.domain.permissions import Actor
from tracker.domain.points.activities import ActivityState, ActivityVerdict
from tracker.domain.schemes.reasons import Act, Reasons
from tracker.language import catalogues
from tracker.language.voice import figure, in_words
from tracker.services.core.context import UnitOfWork
from tracker.services.overview import person_overviews
from tracker.services.overview.person_overviews import DecidedActivity
from tracker.services.points import activity_decisions
from tracker.services.points.activity_decisions import ReviewerDecision
from tracker.services.points.decision_rows import DecisionRow
from tracker.web import navigation
from tracker.web.desk import desk_forms, record_words
from tracker.web.people import forms, visitors

pages = Blueprint("desk-decided-activities", __name__)

_HERE = "/desk/activities/<uuid:activity_id>"
_TYPED = ("verdict", "points_limit", "reason_code", "reason", "version")
_ACTS: tuple[Act, ...] = (
    "activity_approval",
    "points_limit",
    "activity_rejection",
    "more_information",
)
_DECIDABLE = frozenset(
    {
        ActivityState.SUBMITTED,
        ActivityState.APPROVED,
        ActivityState.REJECTED,
        ActivityState.MORE_INFORMATION,
    }
)


@dataclass(frozen=True, slots=True)
class DecidedActivityWords:
    """One language's words."""

    over: str
    state: str
    quantity: str
    provider: str
    days: str
    decisions: str
    undecided: str
    decided: str
    limited: str
    undone: str
    supersede: str
    decide: str
    supersede_why: str
    labels: dict[str, str]
    hints: dict[str, str]
    verdicts: dict[str, str]
    save: str
    not_now: str


WORDS = {
    lang: DecidedActivityWords(**catalogues.topic(lang, "desk_activities_pages"))
    for lang in catalogues.LANGUAGES
}


@pages.get(_HERE)
@visitors.for_staff
def show(actor: Actor, *, activity_id: UUID) -> Response:
    """The activity, its decisions, and the form for another one."""
    return _page(actor, str(activity_id))


@pages.post(_HERE)
@visitors.for_staff
def decide(actor: Actor, *, activity_id: UUID) -> Response:
    """Decide, or decide again: the earlier decision stays readable."""
    id_ = str(activity_id)

    def act(work: UnitOfWork) -> str:
        said = forms.sent("verdict", "points_limit", "reason_code", "reason")
        values = routing.load(VerdictSchema(), said)
        activity_decisions.decide(work, id_, ReviewerDecision(**values), version=forms.version())
        return f"/desk/activities/{id_}"

    return forms.attempted(
        actor,
        act,
        here=f"/desk/activities/{id_}",
        refused=lambda refusal: _page(actor, id_, refusal),
    )


def _page(actor: Actor, activity_id: str, refusal: Refusal | None = None) -> Response:
    language = routing.language()
    with routing.container().reading(actor) as reading:
        found = person_overviews.of_activity(reading, activity_id)
        reasons = _reasons(reading.reasons, language)
    say, row = WORDS[language], found.activity
    errors, wrong = desk_forms.errors(refusal, say.labels)
    stated = desk_forms.stated(*_TYPED) if refusal else {"version": str(row.version)}
    return visitors.page(
        "desk/activity",
        language,
        422 if wrong else 200,
        say=say,
        form=desk_forms.words(),
        codes=record_words.WORDS[language],
        areas=navigation.of_records(language),
        here=f"/desk/activities/{activity_id}",
        found=found,
        facts=_facts(found, language),
        decisions=[_decision(one, language) for one in reversed(found.decisions)],
        may_decide=row.state in _DECIDABLE,
        verdicts=[(code, say.verdicts[code]) for code in ActivityVerdict],
        reasons=reasons,
        stated=stated,
        errors=errors,
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
    )


def _reasons(reasons: Reasons, language: str) -> Sequence[tuple[str, str]]:
    """The codes for a decision on an activity, each once."""
    offered = {one.code: one.text[language] for act in _ACTS for one in reasons.for_act(act)}
    return list(offered.items())


def _facts(found: DecidedActivity, language: str) -> Sequence[tuple[str, str]]:
    say, row = WORDS[language], found.activity
    days = [in_words(day, language) for day in (row.starts_on, row.completed_on) if day]
    state = record_words.WORDS[language].said("activity_states", row.state)
    quantity = "" if row.quantity is None else f"{figure(row.quantity)} {row.unit or ''}".strip()
    facts = (
        (say.state, state),
        (say.provider, row.provider or ""),
        (say.quantity, quantity),
        (say.days, " – ".join(days)),  # noqa: RUF001 - the dash of a span of days
    )
    return [(label, text) for label, text in facts if text]


def _decision(one: DecisionRow, language: str) -> tuple[str, str, str]:
    """A decision in words, its reason, and how it was taken back."""
    say = WORDS[language]
    told = say.decided.format(
        verdict=say.verdicts[one.verdict], day=in_words(one.decided_on, language), by=one.decided_by
    )
    if one.points_limit is not None:
        told = f"{told} {say.limited.format(figure(one.points_limit))}"
    undone = ""
    if one.undone_at is not None:
        undone = say.undone.format(by=one.undone_by, reason=one.undone_reason)
    return told, one.reason or "", undone
