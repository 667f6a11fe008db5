"""Evaluations in sentences, in English and Spanish, generated from the rules' own numbers.

What would close a gap is told in ``gaps``, what a policy says in ``policies``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from tracker.domain.amounts import CENT
from tracker.domain.points.claims import (
    ZERO,
    Credit,
    Cut,
    Evaluation,
    Shortfall,
    Terms,
)
from tracker.domain.schemes.activity_types import ONE, ActivityType
from tracker.domain.schemes.policies import Policy
from tracker.language import catalogues
from tracker.language.voice import Voice, counted, figure, percent, version_name

NO_TERMS = Terms()

# How a cut begins: the points it took; nothing where there were none to take.
_LEADS = catalogues.sentences("evaluations", "leads")

_CUTS = catalogues.sentences("evaluations", "cuts")

_YEARS = catalogues.sentences("evaluations", "years")
_IN = catalogues.phrase("evaluations", "in")
DUPLICATE_PARTS = catalogues.sentences("evaluations", "duplicate_parts")

_CLAIM = catalogues.sentences("evaluations", "claim")

_WHOLE = catalogues.sentences("evaluations", "whole")

_SHORTFALLS = catalogues.sentences("evaluations", "shortfalls")
KINDS = catalogues.nouns("evaluations", "kinds")


def explain_cut(cut: Cut, credit: Credit, policy: Policy, language: str) -> str:
    """One cut of a claim in a sentence that names its rule and numbers."""
    voice = Voice(policy, language)
    lead = "later" if cut.rule == "after_date" else "cut"
    if not cut.points:
        lead = "nothing_yet" if cut.rule == "after_date" else "nothing"
    begin = _LEADS[language][lead].format(points=voice.points(cut.points))
    return begin + _CUTS[language][cut.rule].format(**_meant(cut, credit, voice))


def _meant(cut: Cut, credit: Credit, voice: Voice) -> dict[str, object]:
    """What the sentence of a cut names: its subject and its bound, in words."""
    language, policy = voice.language, voice.policy
    found: dict[str, object] = {
        "subject": cut.subject,
        "credit": voice.credit,
        "kind": voice.name("type", credit.type),
    }
    match cut.rule:
        case "unknown_type":
            found["category"] = voice.group("category", credit.category)
        case "unknown_unit":
            found["unit"] = voice.name("unit", cut.subject)
        case "unknown_role":
            found["role"] = voice.name("role", cut.subject)
        case "outside_cycle" | "after_date" | "outside_type":
            kind = policy.types.get(credit.type)
            found["span"] = voice.span(kind.counts_from, kind.counts_until) if kind else ""
            found["when"] = (
                f" ({voice.day(date.fromisoformat(cut.subject))})" if cut.subject else ""
            )
        case "duplicate":
            assert policy.duplicates  # noqa: S101 - without the rule it cuts nothing
            alike = [DUPLICATE_PARTS[language][part] for part in policy.duplicates.key]
            found["parts"] = voice.listed(alike)
            found["other"] = voice.activity(cut.other) if cut.other else ""
        case "together":
            found["other"] = voice.activity(cut.other) if cut.other else ""
        case "event_cap" | "year_cap" | "cycle_cap":
            found["group"] = voice.group(cut.group or "type", cut.subject)
            found["one"] = voice.one_of(cut.group or "type", cut.subject)
            found["year"] = _YEARS[language][policy.year]
    if cut.bound is not None:
        found["limit"] = voice.points(cut.bound)
        found["share"] = percent(cut.bound)
        found["threshold"] = _threshold(policy.types[credit.type], cut.bound, voice)
    return found


def _threshold(kind: ActivityType, bound: Decimal, voice: Voice) -> str:
    """So much at least, in a year where the activities of one count together."""
    told = voice.threshold(kind, bound)
    if kind.threshold_over == "claim":
        return told
    return f"{told} {_IN[voice.language]} {_YEARS[voice.language][voice.policy.year]}"


def explain_credit(credit: Credit, policy: Policy, language: str) -> str:
    """What a claim brought, in a sentence; its cuts have sentences of their own."""
    voice, words = Voice(policy, language), _CLAIM[language]
    return words[_form(credit, policy)].format(
        title=credit.title,
        product=_product(credit, voice),
        claimed=voice.points(credit.claimed),
        counted=voice.points(credit.counted),
    )


def _form(credit: Credit, policy: Policy) -> str:
    """Whether units x rate x role is what was claimed; rounding and shared months may differ."""
    exact = credit.units * credit.rate * credit.factor
    if not credit.claimed or exact == credit.claimed:
        return "sum" if credit.claimed else "bare"
    is_close = abs(exact - credit.claimed) < CENT
    return "rounded" if policy.rounding_of == "category" and is_close else "bare"


def _product(credit: Credit, voice: Voice) -> str:
    kind = voice.policy.types.get(credit.type)
    if kind is None:
        return ""
    words = _CLAIM[voice.language]
    units = words["event"] if kind.basis == "event" else str(voice.units(kind, credit.units))
    factors = [units, figure(credit.rate)]
    if credit.factor != ONE:
        role = voice.text(voice.policy.roles[credit.role])
        factors.append(words["factor"].format(factor=figure(credit.factor), role=role))
    return " × ".join(factors)


def explain(
    evaluation: Evaluation,
    policy: Policy,
    language: str,
    *,
    issuer: str,
    pending: Decimal,
    projected: Decimal,
    terms: Terms = NO_TERMS,
) -> list[str]:
    """The evaluation as a whole in sentences: total, gap, what waits, what is not verified."""
    voice, say = Voice(policy, language), _WHOLE[language]
    told = [*_total(evaluation, voice, terms), *_verdict(evaluation, voice)]
    if evaluation.carries_over:
        told.append(say["carries_over"].format(carries=voice.points(evaluation.carries_over)))
    if pending:
        told.append(say["pending"].format(pending=voice.points(pending)))
        told.append(_if_approved(evaluation, voice, evaluation.total + pending))
    if projected > evaluation.total:
        ends = voice.day(evaluation.cycle.ends_on)
        told.append(say["projected"].format(projected=voice.points(projected), ends=ends))
    notice = say["version" if evaluation.verified else "unverified"]
    told.append(notice.format(version=version_name(evaluation.policy), issuer=issuer))
    return told


def _if_approved(evaluation: Evaluation, voice: Voice, total: Decimal) -> str:
    """What the total is once everything that waits is approved, and what is missing then."""
    missing = max(evaluation.required - total, ZERO)
    key = "if_approved_missing" if missing else "if_approved"
    return _WHOLE[voice.language][key].format(
        total=voice.points(total),
        required=voice.points(evaluation.required),
        missing=voice.points(missing),
    )


def _total(evaluation: Evaluation, voice: Voice, terms: Terms) -> Iterator[str]:
    """What is counted and what is required, and of what that is made up."""
    say, usual = _WHOLE[voice.language], voice.policy.points_required
    yield say["total"].format(
        on=voice.day(evaluation.on),
        total=voice.points(evaluation.total),
        required=voice.points(evaluation.required),
        starts=voice.day(evaluation.cycle.starts_on),
        ends=voice.day(evaluation.cycle.ends_on),
    )
    base = evaluation.required - terms.extra_points
    if base != usual:
        yield say["usual"].format(base=voice.points(base), usual=voice.points(usual))
    if terms.extra_points:
        yield say["late"].format(base=voice.points(base), extra=voice.points(terms.extra_points))
    for group, minimum in terms.minima.items():
        usual_one = voice.policy.minimum_of(group)
        yield say["minimum" if usual_one is None else "usual_minimum"].format(
            minimum=voice.points(minimum),
            group=voice.group(*group),
            usual=voice.points(usual_one or ZERO),
        )
    if evaluation.carried_over:
        yield say["carried_over"].format(carried=voice.points(evaluation.carried_over))


def _verdict(evaluation: Evaluation, voice: Voice) -> Iterator[str]:
    """Whether the requirement is met, and what is missing where it is not."""
    say, passed = _WHOLE[voice.language], evaluation.reexamined_on
    if passed is not None:
        yield say["reexamined"].format(day=voice.day(passed), credit=voice.credit)
    elif evaluation.complete:
        yield say["complete"]
    else:
        if evaluation.missing:
            yield say["missing"].format(missing=voice.points(evaluation.missing))
        for short in evaluation.shortfalls:
            yield _shortfall(short, voice)


def _shortfall(short: Shortfall, voice: Voice) -> str:
    """A minimum beside the total that is not reached."""
    found: dict[str, object] = {
        "minimum": voice.points(short.minimum),
        "counted": figure(short.counted),
    }
    match short.of:
        case "type" | "category" | "tag":
            found["name"] = voice.name(short.of, short.subject)
        case "year" | "window":
            assert short.period  # noqa: S101 - it is the year or stretch that is meant
            found |= {
                "starts": voice.day(short.period.starts_on),
                "ends": voice.day(short.period.ends_on),
                "group": voice.group(*short.within) if short.within else "",
            }
        case _:  # kinds
            found["kinds"] = counted(short.minimum, KINDS[short.subject], voice.language)
    key = "period_of" if short.within else short.of
    return _SHORTFALLS[voice.language][key].format(**found)
