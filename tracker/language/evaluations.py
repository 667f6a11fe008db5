"""Evaluations in sentences, in English and Spanish, generated from the rules' own numbers.

What would close a gap is told in ``gaps``, what a policy says in ``policies``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from tracker.domain.amounts import CENT
from tracker.domain.points.claims import (
    ZERO,
    Credit,
    CycleConditions,
    Evaluation,
    PointsCut,
    Rule,
    Shortfall,
)
from tracker.domain.schemes.activity_types import ONE, ActivityType
from tracker.domain.schemes.policies import DuplicateKey, Policy, YearBasis
from tracker.language.voice import Quantity, Voice, figure, percent, version_name

NO_TERMS = CycleConditions()

# How a cut begins: the points it took; nothing where there were none to take.
_LEADS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "cut": "{points} {points:does|do} not count: ",
        "later": "{points} {points:is|are} not counted yet: ",
        "nothing": "Nothing counts: ",
        "nothing_yet": "Nothing counts yet: ",
    },
    "es": {
        "cut": "{points} no {points:cuenta|cuentan}: ",
        "later": "{points} todavía no {points:cuenta|cuentan}: ",
        "nothing": "Nada cuenta: ",
        "nothing_yet": "Todavía no cuenta nada: ",
    },
}

_CUTS: Mapping[str, Mapping[Rule, str]] = {
    "en": {
        "unknown_type": "this version of the policy has no activity type {kind} in {category}.",
        "unknown_unit": "{kind} cannot be stated in {unit}.",
        "unknown_role": "{kind} has no role {role}.",
        "outside_cycle": "the activity lies outside the cycle{when}.",
        "outside_type": "activities of the type {kind} count only {span}{when}.",
        "after_date": "the activity lies after the day asked about{when}.",
        "regular_duty": "work that is a regular duty brings nothing for {kind}.",
        "below_threshold": "{kind} needs {threshold}.",
        "together": "it counts together with {other}, which brings what the year does.",
        "overlap": "another job covers the same days.",
        "incomplete_month": "the last month was not completed.",
        "increment": "only whole steps of {limit} are given.",
        "unapproved": "without an approved provider the activity is worth {share} of its {credit}.",
        "duplicate": "it has the same {parts} as {other}, which counts already.",
        "decision": "the reviewer allowed at most {limit}.",
        "event_cap": "at most {limit} {limit:counts|count} for {one}.",
        "year_cap": "at most {limit} {limit:counts|count} in {year} for {group}.",
        "cycle_cap": "at most {limit} {limit:counts|count} in a cycle for {group}.",
        "stop": "counting stops once the requirement is reached.",
    },
    "es": {
        "unknown_type": "esta versión de la política no tiene el tipo de actividad {kind} en"
        " {category}.",
        "unknown_unit": "{kind} no se puede declarar en {unit}.",
        "unknown_role": "{kind} no tiene la función {role}.",
        "outside_cycle": "la actividad queda fuera del ciclo{when}.",
        "outside_type": "las actividades del tipo {kind} solo cuentan {span}{when}.",
        "after_date": "la actividad es posterior al día consultado{when}.",
        "regular_duty": "el trabajo que es una obligación habitual no aporta nada en {kind}.",
        "below_threshold": "{kind} exige {threshold}.",
        "together": "cuenta junto con {other}, que aporta lo del año.",
        "overlap": "otro empleo cubre los mismos días.",
        "incomplete_month": "el último mes no se completó.",
        "increment": "solo se dan pasos completos de {limit}.",
        "unapproved": "sin un proveedor aprobado, la actividad vale el {share} de sus {credit}.",
        "duplicate": "coincide en {parts} con {other}, que ya cuenta.",
        "decision": "el revisor permitió como máximo {limit}.",
        "event_cap": "{one} aporta como máximo {limit}.",
        "year_cap": "{limit:cuenta|cuentan} como máximo {limit} por {year} en {group}.",
        "cycle_cap": "{limit:cuenta|cuentan} como máximo {limit} por ciclo en {group}.",
        "stop": "el conteo se detiene al alcanzar el requisito.",
    },
}

_YEARS: Mapping[str, Mapping[YearBasis, str]] = {
    "en": {"cycle": "one year of the cycle", "calendar": "one calendar year"},
    "es": {"cycle": "año del ciclo", "calendar": "año calendario"},
}
_IN = {"en": "in", "es": "por"}
DUPLICATE_PARTS: Mapping[str, Mapping[DuplicateKey, str]] = {
    "en": {
        "type": "type",
        "provider": "provider",
        "title": "title",
        "starts_on": "first day",
        "completed_on": "day of completion",
    },
    "es": {
        "type": "el tipo",
        "provider": "el proveedor",
        "title": "el título",
        "starts_on": "el primer día",
        "completed_on": "el día de finalización",
    },
}

_CLAIM: Mapping[str, Mapping[str, str]] = {
    "en": {
        "sum": "{title}: {product} = {claimed} claimed, {counted.figure} counted.",
        "rounded": "{title}: {product}, rounded with the other activities of its category ="
        " {claimed} claimed, {counted.figure} counted.",
        "bare": "{title}: {claimed} claimed, {counted.figure} counted.",
        "event": "one activity",
        "factor": "{factor} ({role})",
    },
    "es": {
        "sum": "{title}: {product} = {claimed}; {counted:se cuenta|se cuentan} {counted.figure}.",
        "rounded": "{title}: {product}, redondeado junto con las demás de su categoría ="
        " {claimed}; {counted:se cuenta|se cuentan} {counted.figure}.",
        "bare": "{title}: solicitud de {claimed}; {counted:se cuenta|se cuentan} {counted.figure}.",
        "event": "una actividad",
        "factor": "{factor} ({role})",
    },
}

_WHOLE: Mapping[str, Mapping[str, str]] = {
    "en": {
        "total": "On {on}, {total} {total:is|are} counted in the cycle from {starts} to {ends};"
        " {required.figure} {required:is|are} required.",
        "usual": "This cycle needs {base}; the policy usually asks for {usual.figure}.",
        "late": "The requirement is made up of {base} and {extra.figure} more for being late.",
        "minimum": "This cycle needs {minimum} of {group}.",
        "usual_minimum": "This cycle needs {minimum} of {group}; the policy usually asks for"
        " {usual.figure}.",
        "carried_over": "{carried} of the total {carried:was|were} carried over from the cycle"
        " before.",
        "reexamined": "The re-examination passed on {day} stands for the {credit}, so the"
        " requirement is met.",
        "complete": "The requirement is met.",
        "missing": "{missing} {missing:is|are} missing.",
        "carries_over": "As things stand, {carries} would be carried over into the next cycle.",
        "pending": "{pending.figure} more {pending.noun} {pending:is|are} claimed and"
        " {pending:waits|wait} for a decision.",
        "if_approved": "If approved, {total} of {required.figure} will be counted.",
        "if_approved_missing": "If approved, {total} of {required.figure} will be counted, and"
        " {missing} will still be missing.",
        "projected": "If the current jobs go on, {projected} will be counted by {ends}.",
        "version": "Version {version} of the policy governs the cycle; its values were verified"
        " against the published policy.",
        "unverified": "Version {version} of the policy governs the cycle. It holds values that"
        " were not verified against the published policy, so {issuer} does not confirm the total.",
    },
    "es": {
        "total": "Al {on} {total:se cuenta|se cuentan} {total} en el ciclo del {starts} al {ends};"
        " {required:se exige|se exigen} {required.figure}.",
        "usual": "Este ciclo exige {base}; la política suele exigir {usual.figure}.",
        "late": "El requisito se compone de {base} y {extra} más por el retraso.",
        "minimum": "Este ciclo exige {minimum} en {group}.",
        "usual_minimum": "Este ciclo exige {minimum} en {group}; la política suele exigir"
        " {usual.figure}.",
        "carried_over": "Del total, {carried} {carried:viene|vienen} del ciclo anterior.",
        "reexamined": "El nuevo examen, aprobado el {day}, vale por el requisito de {credit}, que"
        " por lo tanto está cumplido.",
        "complete": "El requisito está cumplido.",
        "missing": "{missing:Falta|Faltan} {missing}.",
        "carries_over": "Por ahora, {carries} {carries:pasaría|pasarían} al ciclo siguiente.",
        "pending": "Además, {pending} {pending:espera|esperan} una decisión.",
        "if_approved": "Si se aprueban, se contarán {total} de {required.figure}.",
        "if_approved_missing": "Si se aprueban, se contarán {total} de {required.figure}, y aún"
        " faltarán {missing}.",
        "projected": "Si los empleos actuales continúan, {projected:se contará|se contarán}"
        " {projected} al {ends}.",
        "version": "La versión {version} de la política rige el ciclo; sus valores se verificaron"
        " con la política publicada.",
        "unverified": "La versión {version} de la política rige el ciclo. Contiene valores que no"
        " se han verificado con la política publicada, así que {issuer} no confirma el total.",
    },
}

_SHORTFALLS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "type": "The activity type {name} must bring at least {minimum}; it brings {counted}.",
        "category": "The category {name} must bring at least {minimum}; it brings {counted}.",
        "tag": "Activities marked {name} must bring at least {minimum}; they bring {counted}.",
        "year": "The year from {starts} to {ends} must bring at least {minimum}; it brings"
        " {counted}.",
        "window": "The time from {starts} to {ends} must bring at least {minimum}; it brings"
        " {counted}.",
        "period_of": "From {starts} to {ends} at least {minimum} of {group} {minimum:is|are}"
        " needed; so far there are {counted}.",
        "kinds": "Activities of at least {kinds} must count; so far those of {counted} do.",
    },
    "es": {
        "type": "El tipo de actividad {name} debe aportar al menos {minimum}; aporta {counted}.",
        "category": "La categoría {name} debe aportar al menos {minimum}; aporta {counted}.",
        "tag": "Las actividades con la marca {name} deben aportar al menos {minimum}; aportan"
        " {counted}.",
        "year": "El año del {starts} al {ends} debe aportar al menos {minimum}; aporta {counted}.",
        "window": "El tiempo del {starts} al {ends} debe aportar al menos {minimum}; aporta"
        " {counted}.",
        "period_of": "Del {starts} al {ends} {minimum:se exige|se exigen} al menos {minimum} en"
        " {group}; hasta ahora hay {counted}.",
        "kinds": "Deben contar actividades de al menos {kinds}; hasta ahora cuentan las de"
        " {counted}.",
    },
}
KINDS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "en": {
        "category": ("category", "different categories"),
        "type": ("activity type", "different activity types"),
    },
    "es": {
        "category": ("categoría", "categorías distintas"),
        "type": ("tipo de actividad", "tipos de actividad distintos"),
    },
}


def explain_cut(cut: PointsCut, credit: Credit, policy: Policy, language: str) -> str:
    """One cut of a claim in a sentence that names its rule and numbers."""
    voice = Voice(policy, language)
    lead = "later" if cut.rule == "after_date" else "cut"
    if not cut.points:
        lead = "nothing_yet" if cut.rule == "after_date" else "nothing"
    begin = _LEADS[language][lead].format(points=voice.points(cut.points))
    return begin + _CUTS[language][cut.rule].format(**_meant(cut, credit, voice))


def _meant(cut: PointsCut, credit: Credit, voice: Voice) -> dict[str, object]:
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
    terms: CycleConditions = NO_TERMS,
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


def _total(evaluation: Evaluation, voice: Voice, terms: CycleConditions) -> Iterator[str]:
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
            found["kinds"] = Quantity(short.minimum, *KINDS[voice.language][short.subject])
    key = "period_of" if short.within else short.of
    return _SHORTFALLS[voice.language][key].format(**found)
