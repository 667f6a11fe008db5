"""What if I add ...: planned activities in the address of the page, and what they bring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, request
from marshmallow import fields, validate

from tracker.api.http import routing
from tracker.api.http.fields import AmountField, ClosedSchema, WordsField
from tracker.domain.errors import Invalid, NotFound, NotRenewable
from tracker.domain.permissions import Actor
from tracker.domain.schemes.activity_types import ActivityType
from tracker.language import catalogues
from tracker.language.voice import Voice, figure
from tracker.services.core.context import ReadContext
from tracker.services.points import evaluations, plans
from tracker.services.points.evaluations import Explained
from tracker.services.points.plans import ActivityPlan, PlannedActivity
from tracker.web import navigation
from tracker.web.people import points_shown, visitors

pages = Blueprint("plan-pages", __name__)

_MOST = 12  # planned activities, which all stand in the address


@dataclass(frozen=True, slots=True)
class PlansWords:
    """One language's words."""

    title: str
    why: str
    add: str
    kind: str
    quantity: str
    quantity_hint: str
    no_quantity: str
    put: str
    planned: str
    nothing: str
    counted: str
    from_to: str
    take_out: str
    clear: str
    ways: str
    try_it: str
    complete: str
    log: str
    full: str
    wrong: dict[str, str]


WORDS = {lang: PlansWords(**catalogues.topic(lang, "plans_pages")) for lang in catalogues.LANGUAGES}


class PlannedSchema(ClosedSchema):
    """A planned activity, as the address says it."""

    type = WordsField(32, required=True)
    quantity = AmountField(load_default=None)


class PlanSchema(ClosedSchema):
    """Every planned activity."""

    extra = fields.List(
        fields.Nested(PlannedSchema), required=True, validate=validate.Length(max=_MOST)
    )


@dataclass(frozen=True, slots=True)
class PlannedShown:
    """A planned activity: what it brings in figures and words, and the page without it."""

    name: str
    amount: str
    sentence: str
    without: str


@dataclass(frozen=True, slots=True)
class WayShown:
    """A way to close the gap, and the page that has it in the plan; empty if it has a job in it."""

    sentence: str
    href: str


PlanPairs = Sequence[tuple[str, str]]


@pages.get("/account/certifications/<uuid:certification_id>/plan")
@visitors.signed_in
def home(actor: Actor, *, certification_id: UUID) -> Response:
    """The plan of the address; one that can't be is told beside the form, without the newest."""
    visitors.check_holder(actor)
    id_ = str(certification_id)
    pairs = list(zip(request.args.getlist("type"), _quantities(), strict=False))
    new = (request.args.get("new_type", ""), request.args.get("new_quantity", "").strip())
    with routing.container().reading(actor) as reading:
        try:
            if not new[0]:
                return _page(id_, pairs, _planned(reading, id_, pairs))
            try:
                found = _planned(reading, id_, [*pairs, new])
            except Invalid as refusal:
                return _page(id_, pairs, _planned(reading, id_, pairs), new, refusal)
        except (NotRenewable, Invalid) as refusal:
            raise NotFound from refusal
    return _page(id_, [*pairs, new], found)


def _quantities() -> list[str]:
    """The quantities of the address, in the order of its types."""
    return [one.strip() for one in request.args.getlist("quantity")]


def _planned(reading: ReadContext, certification_id: str, pairs: PlanPairs) -> ActivityPlan:
    """The plan in figures. Raises Invalid, NotFound, NotRenewable."""
    said = [{"type": kind, "quantity": quantity or None} for kind, quantity in pairs]
    loaded = routing.load(PlanSchema(), {"extra": said})
    planned = [PlannedActivity(one["type"], one["quantity"]) for one in loaded["extra"]]
    return plans.plan(reading, certification_id, planned, routing.language())


def _page(
    certification_id: str,
    pairs: PlanPairs,
    found: ActivityPlan,
    new: tuple[str, str] = ("", ""),
    refusal: Invalid | None = None,
) -> Response:
    language = routing.language()
    say, explained = WORDS[language], found.planned
    here = f"/account/certifications/{certification_id}/plan"
    told = evaluations.in_words(explained, language, with_gap=True)
    errors = _errors(refusal, say)
    return visitors.page(
        "plans",
        language,
        422 if refusal else 200,
        say=say,
        here=here,
        points_page=f"/account/certifications/{certification_id}/points",
        log=f"/account/certifications/{certification_id}/activities/new",
        parts=navigation.of_certification(certification_id, language),
        certification=explained.scheme.full_name(language),
        points=points_shown.shown(explained.points, language),
        points_words=points_shown.WORDS[language],
        change=_change(found, language) if pairs else "",
        told=told,
        pairs=pairs,
        planned=_shown(here, pairs, explained, told, language),
        ways=_ways(here, pairs, told, explained),
        kinds=_kinds(explained, language),
        new=new if refusal else ("", ""),
        is_full=len(pairs) >= _MOST,
        errors=errors,
        wrong=next(iter(errors.values()), None),
    )


def _errors(refusal: Invalid | None, say: PlansWords) -> dict[str, str]:
    """What is wrong with the newest activity, by the field of the form."""
    if refusal is None:
        return {}
    names = {name.rpartition(".")[2] for name in refusal.fields}
    found = {f"new_{name}": say.wrong[name] for name in ("type", "quantity") if name in names}
    return found or {"new_type": say.wrong["type"]}


def _change(found: ActivityPlan, language: str) -> str:
    """From how many points to how many."""
    voice = Voice(found.planned.policy, language)
    before, after = (one.points.evaluation.total for one in (found.today, found.planned))
    return WORDS[language].from_to.format(before=figure(before), after=voice.points(after))


def _shown(
    here: str, pairs: PlanPairs, explained: Explained, told: Mapping[str, Any], language: str
) -> list[PlannedShown]:
    voice, policy = Voice(explained.policy, language), explained.policy
    lines = {one["activity_id"]: one for one in told["credits"]}
    shown = []
    for place, (kind, _) in enumerate(pairs):
        line = lines.get(f"planned-{place}")
        others = [pair for n, pair in enumerate(pairs) if n != place]
        counted = figure(line["counted"]) if line else "0"
        claimed = voice.points(line["claimed"]) if line else ""
        shown.append(
            PlannedShown(
                name=voice.text(policy.types[kind].name),
                amount=WORDS[language].counted.format(counted=counted, claimed=claimed),
                sentence=line["sentence"] if line else "",
                without=_address(here, others),
            )
        )
    return shown


def _ways(
    here: str, pairs: PlanPairs, told: Mapping[str, Any], explained: Explained
) -> list[WayShown]:
    """The ways to close what is still missing."""
    types = explained.policy.types
    ways = []
    for way in told["gap"]["ways"]:
        more = [(one["type"], str(one["units"])) for one in way["activities"]]
        can = not any(types[kind].is_job for kind, _ in more) and len(pairs) + len(more) <= _MOST
        ways.append(WayShown(way["sentence"], _address(here, [*pairs, *more]) if can else ""))
    return ways


def _kinds(explained: Explained, language: str) -> dict[str, list[tuple[str, str]]]:
    """The types to choose from by category, each with what it is counted in."""
    policy, voice = explained.policy, Voice(explained.policy, language)
    kinds: dict[str, list[tuple[str, str]]] = {}
    for kind in policy.types.values():
        if not kind.is_job:
            category = voice.text(policy.categories[kind.category].name)
            kinds.setdefault(category, []).append((kind.code, _name(kind, voice, language)))
    return kinds


def _name(kind: ActivityType, voice: Voice, language: str) -> str:
    asks = kind.basis == "quantity" or kind.threshold is not None
    unit = voice.unit(kind).many if asks and kind.unit else WORDS[language].no_quantity
    return f"{voice.text(kind.name)} ({unit})"


def _address(here: str, pairs: PlanPairs) -> str:
    query = [pair for kind, number in pairs for pair in (("type", kind), ("quantity", number))]
    return f"{here}?{urlencode(query)}" if query else here
