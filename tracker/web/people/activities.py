"""Activities of a holder: the list, logging one in three screens, and one with its files.

The screens are: what kind (``new`` without a type), what and when (``new`` with a type), and the
activity itself, saved as a draft, with what it would count, its files, and the button that submits.
So a failed upload loses nothing. Changing one is the second screen again (``edit``).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.http import routing, session_cookies
from tracker.api.points.activities import NewActivitySchema
from tracker.domain.errors import (
    EvidenceTooLarge,
    Invalid,
    NotFound,
    NotRenewable,
    Refusal,
    UnacceptableEvidence,
)
from tracker.domain.permissions import Actor
from tracker.domain.points.activities import ActivityState, allows
from tracker.domain.schemes.activity_types import ActivityType, as_noun, translated
from tracker.language import evaluations as in_words_of
from tracker.language import next_steps, policy_activities
from tracker.language.voice import Quantity, Voice, evidence_kinds, figure, in_words
from tracker.services.core.context import UnitOfWork
from tracker.services.points import (
    activities,
    activity_overviews,
    activity_rows,
    evaluations,
    evidence,
)
from tracker.services.points.activity_overviews import ActivityOverview
from tracker.services.points.activity_rows import ActivityRow
from tracker.services.points.evaluations import Explained
from tracker.services.standings import snapshots
from tracker.web import navigation
from tracker.web.people import activity_forms, evidence_files, forms, visitors
from tracker.web.people.activities_words import WORDS

pages = Blueprint("activity-pages", __name__)

_OF_CERTIFICATION = "/account/certifications/<uuid:certification_id>/activities"
_ONE = "/account/activities/<uuid:activity_id>"
_GROUPS = {
    "yours": {ActivityState.DRAFT, ActivityState.MORE_INFORMATION},
    "review": {ActivityState.SUBMITTED},
    "counted": {ActivityState.APPROVED},
    "others": {ActivityState.REJECTED, ActivityState.WITHDRAWN},
}


@dataclass(frozen=True, slots=True)
class ActivityShown:
    """An activity in a list: its day or days, and where it stands."""

    here: str
    title: str
    when: str
    state: str


@dataclass(frozen=True, slots=True)
class KindShown:
    """A kind of activity to choose from, with what it earns in a sentence."""

    here: str
    name: str
    rule: str


@pages.get(_OF_CERTIFICATION)
@visitors.signed_in
def of_certification(actor: Actor, *, certification_id: UUID) -> Response:
    """The activities of a certification by state, the latest first."""
    visitors.check_holder(actor)
    language, id_ = routing.language(), str(certification_id)
    with routing.container().reading(actor) as reading:
        held = snapshots.certification(reading, id_)
        rows = activity_rows.page(
            reading, after=None, limit=None, holder_id=held.holder_id, scheme=held.scheme
        )[::-1]
        title = reading.schemes[held.scheme].full_name(language)
    groups = {
        name: [_shown(row, language) for row in rows if row.state in states]
        for name, states in _GROUPS.items()
    }
    return visitors.page(
        "activities",
        language,
        say=WORDS[language],
        here=f"/account/certifications/{id_}/activities",
        parts=navigation.of_certification(id_, language),
        certification=title,
        groups={name: shown for name, shown in groups.items() if shown},
        last=rows[0].id if rows else None,
    )


@pages.get(f"{_OF_CERTIFICATION}/new")
@visitors.signed_in
def new(actor: Actor, *, certification_id: UUID) -> Response:
    """The kinds to choose from; with a type, or an activity to copy, the form for it."""
    visitors.check_holder(actor)
    explained = _explained(actor, str(certification_id))
    if code := request.args.get("type"):
        return _form_for_new(actor, explained, _kind(explained, code))
    if (copied := _copied(actor)) is not None:
        kind = _kind(explained, copied.type)
        return _form_for_new(actor, explained, kind, stated=activity_forms.copied(copied))
    language = routing.language()
    here = f"/account/certifications/{certification_id}/activities"
    voice = Voice(explained.policy, language)
    kinds: dict[str, list[KindShown]] = {}
    for kind in explained.policy.types.values():
        category = voice.text(explained.policy.categories[kind.category].name)
        rule = policy_activities.earned_by(explained.scheme, explained.policy, kind, language)
        shown = KindShown(f"{here}/new?type={kind.code}", voice.text(kind.name), rule)
        kinds.setdefault(category, []).append(shown)
    return visitors.page("activity_kinds", language, say=WORDS[language], kinds=kinds, here=here)


@pages.post(f"{_OF_CERTIFICATION}/new")
@visitors.signed_in
def log(actor: Actor, *, certification_id: UUID) -> Response:
    """Save the activity as a draft and show it; a form that is sent twice makes one."""
    visitors.check_holder(actor)
    explained = _explained(actor, str(certification_id))
    kind = _kind(explained, request.args.get("type", ""))

    def act(work: UnitOfWork) -> str:
        values = routing.load(NewActivitySchema(), activity_forms.values(kind))
        return f"/account/activities/{activities.log(work, str(certification_id), values)}"

    def refused(refusal: Refusal) -> Response:
        return _form_for_new(actor, explained, kind, refusal=refusal)

    here = f"/account/certifications/{certification_id}/activities"
    run = functools.partial(forms.attempted, actor, act, here=here, refused=refused)
    return forms.once(actor, run)


@pages.get(_ONE)
@visitors.signed_in
def show(actor: Actor, *, activity_id: UUID) -> Response:
    """One activity: where it stands, what it counts, its files, and what can be done."""
    visitors.check_holder(actor)
    return _show(actor, str(activity_id))


@pages.get(f"{_ONE}/edit")
@visitors.signed_in
def edit(actor: Actor, *, activity_id: UUID) -> Response:
    """The form with what the activity says now."""
    return _form_to_edit(actor, str(activity_id))


@pages.post(f"{_ONE}/edit")
@visitors.signed_in
def change(actor: Actor, *, activity_id: UUID) -> Response:
    """Change an activity that is with its holder."""
    visitors.check_holder(actor)
    id_ = str(activity_id)
    with routing.container().reading(actor) as reading:
        kind = activity_overviews.of_activity(reading, id_).kind
    if kind is None:
        raise NotFound

    def act(work: UnitOfWork) -> str:
        values = routing.load(NewActivitySchema(), activity_forms.values(kind))
        activities.edit(work, id_, values, version=forms.version())
        return f"/account/activities/{id_}"

    here = f"/account/activities/{id_}"
    return forms.attempted(
        actor, act, here=here, refused=lambda refusal: _form_to_edit(actor, id_, refusal)
    )


@pages.post(f"{_ONE}/submit")
@visitors.signed_in
def submit(actor: Actor, *, activity_id: UUID) -> Response:
    """Submit the activity for review."""
    return _done(actor, str(activity_id), activities.submit)


@pages.post(f"{_ONE}/withdraw")
@visitors.signed_in
def withdraw(actor: Actor, *, activity_id: UUID) -> Response:
    """Withdraw the activity before it is decided."""
    return _done(actor, str(activity_id), activities.withdraw)


@pages.post(f"{_ONE}/discard")
@visitors.signed_in
def discard(actor: Actor, *, activity_id: UUID) -> Response:
    """Delete a draft with its files, and show the others."""
    visitors.check_holder(actor)
    id_ = str(activity_id)

    def act(work: UnitOfWork) -> str:
        found = activity_overviews.of_activity(work, id_)
        version = found.activity.version
        evidence.remove_files(work, activities.discard(work, id_, version=version))
        return f"/account/certifications/{found.certification_id}/activities"

    return forms.attempted(
        actor,
        act,
        here=f"/account/activities/{id_}",
        refused=lambda refusal: _show(actor, id_, refusal),
    )


def _too_large(*, activity_id: UUID) -> Response:
    language = routing.language()
    say = WORDS[language]
    links = ({"href": f"/account/activities/{activity_id}", "text": say.title},)
    lines = [say.too_large_why.format(**evidence_files.limits())]
    return visitors.page("message", language, 413, heading=say.too_large, lines=lines, links=links)


@pages.post(f"{_ONE}/evidence")
@visitors.takes_files(evidence_files.most, _too_large)
@visitors.signed_in
def add_files(actor: Actor, *, activity_id: UUID) -> Response:
    """Add files, all of them or none; the activity itself is saved already."""
    visitors.check_holder(actor)
    id_ = str(activity_id)
    try:
        checked = evidence_files.sent(actor, id_)
    except NotFound:
        raise
    except Refusal as refusal:
        return _show(actor, id_, refusal)

    def act(work: UnitOfWork, _id: str) -> None:
        for file in checked:
            evidence.add(work, id_, file)

    return _done(actor, id_, act)


@pages.post("/account/evidence/<uuid:evidence_id>/remove")
@visitors.signed_in
def remove_file(actor: Actor, *, evidence_id: UUID) -> Response:
    """Remove a file from an activity that is with its holder."""
    visitors.check_holder(actor)
    with routing.container().reading(actor) as reading:
        row = evidence.get(reading, str(evidence_id))
    return _done(actor, row.activity_id, lambda work, _id: evidence.remove(work, row.id))


def _done(actor: Actor, activity_id: str, act: Callable[[UnitOfWork, str], object]) -> Response:
    """Do it and show the activity."""
    visitors.check_holder(actor)
    here = f"/account/activities/{activity_id}"

    def acted(work: UnitOfWork) -> str:
        act(work, activity_id)
        return here

    return forms.attempted(
        actor, acted, here=here, refused=lambda refusal: _show(actor, activity_id, refusal)
    )


def _explained(actor: Actor, certification_id: str) -> Explained:
    """The points of the certification, with the policy whose kinds are offered.

    Raises NotFound, also if no points are counted for it.
    """
    with routing.container().reading(actor) as reading:
        try:
            return evaluations.explain(reading, certification_id, on=None)
        except NotRenewable as refusal:
            raise NotFound from refusal


def _kind(explained: Explained, code: str) -> ActivityType:
    if code not in explained.policy.types:
        raise NotFound
    return explained.policy.types[code]


def _copied(actor: Actor) -> ActivityRow | None:
    """The activity that the address names to be copied."""
    if not (id_ := request.args.get("copy")):
        return None
    try:
        known = str(UUID(id_))
    except ValueError as error:
        raise NotFound from error
    with routing.container().reading(actor) as reading:
        return activity_rows.get(reading, known)


def _form_for_new(
    actor: Actor,
    explained: Explained,
    kind: ActivityType,
    *,
    stated: dict[str, object] | None = None,
    refusal: Refusal | None = None,
) -> Response:
    here = f"/account/certifications/{explained.certification_id}/activities"
    form = activity_forms.form(explained.scheme, explained.policy, kind, routing.language())
    return _form(actor, f"{here}/new?type={kind.code}", form, stated, refusal, other=f"{here}/new")


def _form_to_edit(actor: Actor, activity_id: str, refusal: Refusal | None = None) -> Response:
    visitors.check_holder(actor)
    with routing.container().reading(actor) as reading:
        found = activity_overviews.of_activity(reading, activity_id)
    row, kind, policy = found.activity, found.kind, found.policy
    if kind is None or policy is None or not allows(row.state, "edit"):
        raise NotFound
    form = activity_forms.form(found.scheme, policy, kind, routing.language())
    stated = activity_forms.stated(row) | {"version": row.version}
    return _form(actor, f"/account/activities/{activity_id}/edit", form, stated, refusal)


def _form(
    actor: Actor,
    action: str,
    form: activity_forms.ActivityForm,
    stated: dict[str, object] | None,
    refusal: Refusal | None,
    *,
    other: str = "",
) -> Response:
    """The second screen; after a refusal with what was sent, and what is wrong with it."""
    language = routing.language()
    errors, wrong = _errors(refusal)
    if refusal is not None:
        stated = activity_forms.as_sent() | {"version": (stated or {}).get("version", "")}
    return visitors.page(
        "activity_form",
        language,
        422 if refusal else 200,
        say=WORDS[language],
        action=action,
        form=form,
        stated=stated or {},
        errors=errors,
        wrong=wrong,
        other=other,
        once=forms.new_form(),
        csrf_token=session_cookies.csrf_token(actor),
    )


def _errors(refusal: Refusal | None) -> tuple[dict[str, str], str | None]:
    """What is wrong with each field, and with all in one sentence; nothing without a refusal."""
    if refusal is None:
        return {}, None
    say = WORDS[routing.language()]
    named = refusal.fields if isinstance(refusal, Invalid) else {}
    if isinstance(refusal, EvidenceTooLarge | UnacceptableEvidence):
        named = {"file": refusal.detail}
    errors = {name: say.wrong[name] for name in named if name in say.wrong}
    usual = forms.words().refusal(refusal.code)
    return errors, next(iter(errors.values()), say.refusal(refusal, usual))


def _shown(row: ActivityRow, language: str) -> ActivityShown:
    state = WORDS[language].short[row.state]
    return ActivityShown(f"/account/activities/{row.id}", row.title, _when(row, language), state)


def _when(row: ActivityRow, language: str) -> str:
    days = [in_words(day, language) for day in (row.starts_on, row.completed_on) if day]
    return f" {WORDS[language].until} ".join(days)


def _show(actor: Actor, activity_id: str, refusal: Refusal | None = None) -> Response:
    language = routing.language()
    with routing.container().reading(actor) as reading:
        found = activity_overviews.of_activity(reading, activity_id)
    row, say = found.activity, WORDS[language]
    errors, wrong = _errors(refusal)
    return visitors.page(
        "activity",
        language,
        422 if refusal else 200,
        say=say,
        found=found,
        row=row,
        here=f"/account/activities/{row.id}",
        all=f"/account/certifications/{found.certification_id}/activities",
        certification=found.scheme.full_name(language),
        stands=_stands(found, language),
        facts=_facts(found, language),
        counts=_counts(found, language),
        proof=_proof(found, language),
        limits=say.files_hint.format(**evidence_files.limits()),
        alike=[_shown(one, language) for one in found.alike],
        can_edit=allows(row.state, "edit"),
        can_withdraw=allows(row.state, "withdraw"),
        can_discard=allows(row.state, "delete"),
        takes_files=allows(row.state, "add_evidence"),
        errors=errors,
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
    )


def _stands(found: ActivityOverview, language: str) -> str:
    """Where it stands since when, who acts next, and how long that takes if it is a reviewer."""
    row = found.activity
    days = {"on": row.submitted_on, "decided": row.decided_on}
    told = {name: in_words(day, language) if day else "" for name, day in days.items()}
    stands = WORDS[language].states[row.state].format(**told)
    return f"{stands} {next_steps.expected(found.wait, language)}" if found.wait else stands


def _facts(found: ActivityOverview, language: str) -> list[str]:
    """What the activity says: its kind, who offered it, how much, when."""
    row, kind, policy = found.activity, found.kind, found.policy
    told = [row.provider, _when(row, language)]
    if kind is not None and policy is not None:
        voice = Voice(policy, language)
        told.insert(0, voice.text(kind.name))
        if row.quantity is not None and not row.unit:
            told.append(str(voice.units(kind, row.quantity)))
        elif row.quantity is not None:
            unit = as_noun(translated(policy.units[row.unit].name, language))
            told.append(str(Quantity(row.quantity, unit)))
    return [one for one in told if one]


def _counts(found: ActivityOverview, language: str) -> Sequence[str]:
    """What it counts or would count: the points, and each rule that cut them in a sentence."""
    credit, policy, say = found.credit, found.policy, WORDS[language]
    if credit is None or policy is None:
        return [say.not_counted]
    voice = Voice(policy, language)
    cuts = [in_words_of.explain_cut(cut, credit, policy, language) for cut in credit.cuts]
    points = say.points.format(
        counted=figure(credit.counted), claimed=voice.points(credit.claimed or Decimal(0))
    )
    return [points, in_words_of.explain_credit(credit, policy, language), *cuts]


def _proof(found: ActivityOverview, language: str) -> str:
    """Which file is asked for."""
    say, kind = WORDS[language], found.kind
    if kind is None or found.policy is None or kind.evidence == "none":
        return say.proof_optional
    told = say.proof_required if kind.evidence == "required" else say.proof_asked
    return told.format(Voice(found.policy, language).text(evidence_kinds(kind)))
