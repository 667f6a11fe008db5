"""What each job requires: added, changed and ended by those who manage; lists for gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.employers import clearances as clearances_api
from tracker.api.employers import requirements as requirements_api
from tracker.api.employers.clearances import GateListQuestionSchema
from tracker.api.employers.requirements import NewRequirementSchema, RequirementChangeSchema
from tracker.api.http import limits, routing, session_cookies
from tracker.domain.employers.looks import LookKind
from tracker.domain.employers.requirements import (
    MOST_ALTERNATIVES,
    MOST_NEEDS,
    JobNeeds,
    NeededProof,
    ProofKind,
    RequirementKind,
)
from tracker.domain.errors import AlreadyRecorded, Invalid, NotFound, Refusal, TooOften
from tracker.domain.permissions import Actor
from tracker.domain.schemes.activity_types import translated
from tracker.language import clearances as words
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.employers import employers, gate_lists, requirements
from tracker.services.employers.requirements import RequirementOnRecord
from tracker.web.employers import workforce_words
from tracker.web.employers.requirements_words import WORDS, RequirementsWords
from tracker.web.employers.workforce_words import WORDS as LIST_WORDS
from tracker.web.people import forms, visitors

pages = Blueprint("requirement-pages", __name__)

HERE = "/employer/requirements"
_ONE = f"{HERE}/<uuid:requirement_id>"
_NEEDS, _ALTERNATIVES = 3, 2  # fields of an empty form; the API takes more
_HOURS = (4, 8, 12, 24, 48, 72)
_SEPARATOR = ":"


@dataclass(frozen=True, slots=True)
class RequirementShown:
    """A requirement in words: of each need, its alternatives in one line."""

    id: str
    name: str
    kind: str
    needs: Sequence[str]
    version: int


@dataclass(frozen=True, slots=True)
class ProofGroup:
    """What may be chosen of one kind: the value that a form sends, and the words."""

    name: str
    proofs: Sequence[tuple[str, str]]


@pages.get(HERE)
@visitors.for_organization("employer")
def home(actor: Actor, employer_id: str) -> Response:
    """What each job requires, and the form for those who manage."""
    return _home(actor, employer_id)


@pages.post(HERE)
@visitors.for_organization("employer", changes=True)
def add(actor: Actor, employer_id: str) -> Response:
    """Add a requirement."""

    def act(work: UnitOfWork) -> str:
        body = routing.load(NewRequirementSchema(), _sent())
        requirements.add(work, employer_id, **requirements_api.stated(body))
        return HERE

    return forms.attempted(
        actor, act, here=HERE, refused=lambda refusal: _home(actor, employer_id, refusal)
    )


@pages.get(f"{_ONE}/edit")
@visitors.for_organization("employer", changes=True)
def editing(actor: Actor, employer_id: str, *, requirement_id: UUID) -> Response:
    """The form with what a requirement asks now."""
    return _editing(actor, employer_id, str(requirement_id))


@pages.post(f"{_ONE}/edit")
@visitors.for_organization("employer", changes=True)
def change(actor: Actor, employer_id: str, *, requirement_id: UUID) -> Response:
    """Change a requirement; what it asked before stands in the history."""
    id_ = str(requirement_id)

    def act(work: UnitOfWork) -> str:
        values = requirements_api.stated(routing.load(RequirementChangeSchema(), _sent()))
        requirements.change(work, employer_id, id_, values, version=forms.version())
        return HERE

    return forms.attempted(
        actor,
        act,
        here=f"{HERE}/{id_}/edit",
        refused=lambda refusal: _editing(actor, employer_id, id_, refusal),
    )


@pages.post(f"{_ONE}/end")
@visitors.for_organization("employer", changes=True)
def end(actor: Actor, employer_id: str, *, requirement_id: UUID) -> Response:
    """End a requirement."""

    def act(work: UnitOfWork) -> str:
        requirements.end(work, employer_id, str(requirement_id), version=forms.version())
        return HERE

    return forms.attempted(
        actor, act, here=HERE, refused=lambda refusal: _home(actor, employer_id, refusal)
    )


@pages.post(f"{_ONE}/gate-list")
@visitors.for_organization("employer")
def gate_list(actor: Actor, employer_id: str, *, requirement_id: UUID) -> Response:
    """The signed list as a file."""
    try:
        body = {"hours": forms.number(request.form.get("hours", ""))}
        hours = routing.load(GateListQuestionSchema(), body)["hours"]
        limits.exported(actor)
        seed = routing.container().signing_key
        with routing.container().reading(actor) as reading:
            made = gate_lists.make(reading, seed, employer_id, str(requirement_id), hours=hours)
            clearances_api.note(reading, made.check, LookKind.GATE_LIST)
    except TooOften as refusal:
        return visitors.refused_file(refusal)
    except Invalid as refusal:
        return _home(actor, employer_id, refusal)
    answer = visitors.private(Response(made.signed, mimetype="application/jose"))
    answer.headers["Content-Disposition"] = f'attachment; filename="gate-list-{made.id}.jwt"'
    return answer


def _home(actor: Actor, employer_id: str, refusal: Refusal | None = None) -> Response:
    language = routing.language()
    say = WORDS[language]
    with routing.container().reading(actor) as reading:
        employers.get(reading, employer_id)
        rows = [shown(reading, one, language) for one in requirements.page(reading, employer_id)]
        choices = _choices(reading, language)
    errors = _errors(refusal, say)
    usual = forms.words().refusal(refusal.code) if refusal else None
    return visitors.page(
        "employers/requirements",
        language,
        422 if refusal else 200,
        say=say,
        frame_words=LIST_WORDS[language],
        parts=workforce_words.parts(actor, language),
        here=HERE,
        may_change="write" in actor.scopes,
        rows=rows,
        hours=[(count, say.hours_count.format(count)) for count in _HOURS],
        kinds=[(str(kind), say.kinds[kind]) for kind in RequirementKind],
        choices=choices,
        needs=range(1, _NEEDS + 1),
        alternatives=range(1, _ALTERNATIVES + 1),
        stated=request.form if refusal else {},
        errors=errors,
        wrong=next(iter(errors.values()), usual),
        csrf_token=session_cookies.csrf_token(actor),
    )


def _editing(
    actor: Actor, employer_id: str, requirement_id: str, refusal: Refusal | None = None
) -> Response:
    language = routing.language()
    say = WORDS[language]
    with routing.container().reading(actor) as reading:
        row = requirements.get(reading, employer_id, requirement_id)
        choices = _choices(reading, language, row.needs)
    if row.ended_at is not None:
        raise NotFound
    errors = _errors(refusal, say)
    usual = forms.words().refusal(refusal.code) if refusal else None
    return visitors.page(
        "employers/requirement",
        language,
        422 if refusal else 200,
        say=say,
        here=f"{HERE}/{row.id}/edit",
        back=HERE,
        kinds=[(str(kind), say.kinds[kind]) for kind in RequirementKind],
        choices=choices,
        needs=range(1, max(_NEEDS, len(row.needs)) + 1),
        alternatives=range(1, max(_ALTERNATIVES, *map(len, row.needs)) + 1),
        stated=request.form if refusal else _stated(row),
        version=request.form.get("version", "") if refusal else row.version,
        errors=errors,
        wrong=next(iter(errors.values()), usual),
        csrf_token=session_cookies.csrf_token(actor),
    )


def _stated(row: RequirementOnRecord) -> dict[str, str]:
    """What a requirement asks, in the fields of its form."""
    chosen = {
        f"need_{need}_{alternative}": _chosen(proof)
        for need, proofs in enumerate(row.needs, 1)
        for alternative, proof in enumerate(proofs, 1)
    }
    return {"name": row.name, "kind": row.kind, **chosen}


def _errors(refusal: Refusal | None, say: RequirementsWords) -> Mapping[str, str]:
    """What is wrong with the form, by the field to correct."""
    if isinstance(refusal, AlreadyRecorded):
        return {"name": say.wrong_name}
    named = refusal.fields if isinstance(refusal, Invalid) else {}
    if not named:
        return {}
    if any(field.startswith("name") for field in named):
        return {"name": say.wrong_name}
    return {"need_1_1": say.wrong_needs}


def shown(reading: ReadContext, row: RequirementOnRecord, language: str) -> RequirementShown:
    """A requirement in words."""
    say = WORDS[language]
    return RequirementShown(
        row.id, row.name, say.kinds[row.kind], in_words(reading, row.needs, language), row.version
    )


def in_words(reading: ReadContext, needs: JobNeeds, language: str) -> list[str]:
    """Of each need, its alternatives."""
    joined = f" {WORDS[language].alternative} "
    return [joined.join(_called(reading, one, language) for one in need) for need in needs]


def _called(reading: ReadContext, needed: NeededProof, language: str) -> str:
    return words.name(needed, language, schemes=reading.schemes, catalog=reading.credentials)


def _choices(reading: ReadContext, language: str, needs: JobNeeds = ()) -> list[ProofGroup]:
    """Everything that may be needed, by kind; of ``needs`` also what no file describes any more."""
    offered = _offered(reading, language)
    known = {code for group in offered for code, _ in group.proofs}
    others = {
        code: _called(reading, proof, language)
        for need in needs
        for proof in need
        if (code := _chosen(proof)) not in known
    }
    gone = ProofGroup(WORDS[language].on_record, list(others.items()))
    return [*offered, gone] if others else offered


def _offered(reading: ReadContext, language: str) -> list[ProofGroup]:
    say = WORDS[language]
    modules = [
        (
            _chosen(NeededProof(scheme=scheme.code, module=module.code)),
            say.module.format(
                module=translated(module.name, language), scheme=scheme.full_name(language)
            ),
        )
        for scheme in reading.schemes
        for module in scheme.modules
    ]
    return [
        ProofGroup(
            say.certifications,
            [
                (_chosen(NeededProof(scheme=scheme.code)), scheme.full_name(language))
                for scheme in reading.schemes
            ],
        ),
        ProofGroup(say.modules, modules),
        ProofGroup(
            say.credentials,
            [
                (_chosen(NeededProof(credential=kind.code)), kind.name)
                for kind in reading.credentials.by_code.values()
            ],
        ),
    ]


def _sent() -> dict[str, object]:
    """What the form says, in the form of the API."""
    name = request.form.get("name", "")
    return {"name": name, **forms.sent("kind"), "needs": _needs_sent()}


def _needs_sent() -> list[list[dict[str, str]]]:
    """The needs that the form says; fields that were left empty are left out."""
    rows = [
        [
            _proof(said)
            for alternative in range(1, MOST_ALTERNATIVES + 1)
            if (said := request.form.get(f"need_{need}_{alternative}", ""))
        ]
        for need in range(1, MOST_NEEDS + 1)
    ]
    return [row for row in rows if row]


def _chosen(proof: NeededProof) -> str:
    """A proof as the form says it."""
    if proof.kind == ProofKind.CREDENTIAL:
        return f"credential{_SEPARATOR}{proof.credential}"
    if proof.kind == ProofKind.MODULE:
        return _SEPARATOR.join(("module", proof.scheme, proof.module))
    return f"scheme{_SEPARATOR}{proof.scheme}"


def _proof(said: str) -> dict[str, str]:
    """What a choice means, in the form of the API, which judges it."""
    kind, _, code = said.partition(_SEPARATOR)
    if kind == "module":
        scheme, _, module = code.partition(_SEPARATOR)
        return {"scheme": scheme, "module": module}
    return {"credential" if kind == "credential" else "scheme": code}
