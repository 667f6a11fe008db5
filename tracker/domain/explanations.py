"""Evaluations in sentences, in English and Spanish, generated from the rules' own numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal

from tracker.domain.points import ZERO, Credit, Cut, Evaluation, Rule
from tracker.domain.schemes import ActivityType, Policy

LANGUAGES = ("en", "es")

_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre"
    " diciembre",
}

_CUTS: Mapping[str, Mapping[Rule, str]] = {
    "en": {
        "outside_cycle": "{points} points do not count here: the activity lies outside the cycle.",
        "after_date": "{points} points are not counted yet: the activity lies after the day asked"
        " about.",
        "duplicate": "{points} points do not count: the same course from the same provider,"
        " completed the same day, is already counted as {subject}.",
        "overlap": "{points} points do not count: another job covers the same months.",
        "incomplete_month": "{points} points do not count: the last month was not completed.",
        "increment": "{points} points do not count: points are given in steps of {bound}.",
        "decision": "{points} points do not count: the reviewer approved at most {bound}.",
        "category_cap": "{points} points do not count: category {subject} is limited to {bound}"
        " points a cycle.",
        "unknown_type": "Nothing counts: this policy version does not know the activity type"
        " {subject}.",
    },
    "es": {
        "outside_cycle": "{points} puntos no cuentan aquí: la actividad queda fuera del ciclo.",
        "after_date": "{points} puntos aún no cuentan: la actividad es posterior al día"
        " consultado.",
        "duplicate": "{points} puntos no cuentan: el mismo curso del mismo proveedor, terminado"
        " el mismo día, ya está contado como {subject}.",
        "overlap": "{points} puntos no cuentan: otro empleo cubre los mismos meses.",
        "incomplete_month": "{points} puntos no cuentan: el último mes no se completó.",
        "increment": "{points} puntos no cuentan: los puntos se dan en pasos de {bound}.",
        "decision": "{points} puntos no cuentan: el revisor aprobó como máximo {bound}.",
        "category_cap": "{points} puntos no cuentan: la categoría {subject} está limitada a"
        " {bound} puntos por ciclo.",
        "unknown_type": "Nada cuenta: esta versión de la política no conoce el tipo de actividad"
        " {subject}.",
    },
}

_WHOLE: Mapping[str, Mapping[str, str]] = {
    "en": {
        "total": "On {on}, {total} of the {required} required points are counted in the cycle"
        " from {starts} to {ends}.",
        "complete": "The requirement is met.",
        "missing": "{missing} points are missing.",
        "minimum": "Category {category} needs at least {minimum} points and has {counted}.",
        "pending": "{pending} more points are claimed and wait for a decision.",
        "projected": "If the current jobs go on, {projected} points will be counted by {ends}.",
        "unverified": "Policy version {version} holds illustrative point values that were not"
        " verified against the published policy; the total is not confirmed by {issuer}.",
        "gap": "{units} more {unit} ({name}) would close the gap.",
        "gap_capped": "{name} alone cannot close the gap: its category has room for {room} more"
        " points.",
        "claim": "{title}: {units} × {rate} = {claimed} points claimed, {counted} counted.",
    },
    "es": {
        "total": "Al {on}, se cuentan {total} de los {required} puntos exigidos en el ciclo"
        " del {starts} al {ends}.",
        "complete": "El requisito está cumplido.",
        "missing": "Faltan {missing} puntos.",
        "minimum": "La categoría {category} exige al menos {minimum} puntos y tiene {counted}.",
        "pending": "Otros {pending} puntos están solicitados y esperan una decisión.",
        "projected": "Si los empleos actuales continúan, se contarán {projected} puntos al {ends}.",
        "unverified": "La versión {version} de la política contiene valores ilustrativos que no se"
        " han verificado con la política publicada; {issuer} no confirma el total.",
        "gap": "{units} {unit} más ({name}) cerrarían la diferencia.",
        "gap_capped": "{name} por sí sola no puede cerrar la diferencia: en su categoría solo"
        " caben {room} puntos más.",
        "claim": "{title}: {units} × {rate} = {claimed} puntos solicitados, {counted} contados.",
    },
}


@dataclass(frozen=True, slots=True)
class Option:
    """One way to close the gap: so many more units of one type, or the room its cap leaves."""

    type: str
    category: str
    units: Decimal | None
    sentence: str


def in_words(day: date, language: str) -> str:
    """A date as people write it: "15 March 2027", "15 de marzo de 2027"."""
    month = _MONTHS[language].split()[day.month - 1]
    joint = " de " if language == "es" else " "
    return f"{day.day}{joint}{month}{joint}{day.year}"


def explain_cut(cut: Cut, language: str) -> str:
    """One cut in a sentence that names its rule and numbers."""
    return _CUTS[language][cut.rule].format(points=cut.points, subject=cut.subject, bound=cut.bound)


def explain_credit(credit: Credit, language: str) -> str:
    """What a claim brought, followed by a sentence for every cut."""
    first = _WHOLE[language]["claim"].format(
        title=credit.title, units=credit.units, rate=credit.rate, claimed=credit.claimed,
        counted=credit.counted,
    )  # fmt: skip
    return " ".join([first, *(explain_cut(cut, language) for cut in credit.cuts)])


def explain(
    evaluation: Evaluation,
    language: str,
    *,
    issuer: str,
    pending: Decimal,
    projected: Decimal,
) -> list[str]:
    """The evaluation as a whole in sentences: total, gap, what waits, what is not verified."""
    words = _WHOLE[language]
    ends = in_words(evaluation.cycle.ends_on, language)
    told = [
        words["total"].format(
            on=in_words(evaluation.on, language), total=evaluation.total,
            required=evaluation.required, ends=ends,
            starts=in_words(evaluation.cycle.starts_on, language),
        )
    ]  # fmt: skip
    if evaluation.complete:
        told.append(words["complete"])
    if evaluation.missing:
        told.append(words["missing"].format(missing=evaluation.missing))
    told += [
        words["minimum"].format(category=c.category, minimum=c.minimum, counted=c.counted)
        for c in evaluation.categories
        if c.minimum is not None and c.counted < c.minimum
    ]
    if pending:
        told.append(words["pending"].format(pending=pending))
    if projected > evaluation.total:
        told.append(words["projected"].format(projected=projected, ends=ends))
    if not evaluation.verified:
        told.append(words["unverified"].format(version=evaluation.policy, issuer=issuer))
    return told


def options(evaluation: Evaluation, policy: Policy, language: str) -> list[Option]:
    """For each dated activity type, how much more of it alone would close the gap.

    A type is left out where the gap includes the minimum of another category.
    """
    return [
        _option(kind, evaluation, language)
        for kind in policy.types.values()
        if kind.basis == "quantity" and kind.rate > 0
        if not evaluation.complete and evaluation.short.keys() <= {kind.category}
    ]


def _option(kind: ActivityType, evaluation: Evaluation, language: str) -> Option:
    words, name = _WHOLE[language], kind.name[language]
    category = next(c for c in evaluation.categories if c.category == kind.category)
    needed = max(evaluation.missing, evaluation.short.get(kind.category, ZERO))
    if category.maximum is not None and category.maximum - category.counted < needed:
        room = category.maximum - category.counted
        sentence = words["gap_capped"].format(name=name, room=room)
        return Option(kind.code, kind.category, None, sentence)
    points = _ceiling(needed, kind.increment) * kind.increment if kind.increment else needed
    units = _ceiling(points, kind.rate)
    sentence = words["gap"].format(units=units, unit=kind.unit[language], name=name)
    return Option(kind.code, kind.category, units, sentence)


def _ceiling(points: Decimal, step: Decimal) -> Decimal:
    """The fewest whole steps that reach so many points; ``//`` would round towards zero."""
    return (points / step).to_integral_value(ROUND_CEILING)
