"""What the keys and codes of scheme files are called in sentences, in English and Spanish."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tracker.domain.periods import Duration
from tracker.domain.schemes.activity_types import ActivityType
from tracker.domain.schemes.schemes import Scheme
from tracker.language.voice import Voice

REASONS: Mapping[str, Mapping[str, str]] = {
    "disaster": {"en": "a disaster", "es": "un desastre"},
    "health": {"en": "health", "es": "motivos de salud"},
    "illness": {"en": "illness", "es": "enfermedad"},
    "maternity": {"en": "maternity", "es": "maternidad"},
    "military": {"en": "military service", "es": "servicio militar"},
    "unemployment": {"en": "unemployment", "es": "desempleo"},
}
_KEYS: Mapping[str, Mapping[str, str]] = {
    "approved_providers": {"en": "approved providers", "es": "los proveedores aprobados"},
    "applies": {"en": "for whom the version applies", "es": "a quién se aplica la versión"},
    "audit": {"en": "audits", "es": "las auditorías"},
    "carry_over": {"en": "what passes into the next cycle", "es": "lo que pasa al ciclo siguiente"},
    "categories": {"en": "the categories", "es": "las categorías"},
    "checks": {"en": "checks before approval", "es": "las comprobaciones previas"},
    "duplicates": {"en": "repeated activities", "es": "las actividades repetidas"},
    "extension": {"en": "extensions", "es": "las prórrogas"},
    "kinds": {"en": "different kinds", "es": "las clases distintas"},
    "late": {"en": "the time after the expiration date", "es": "el tiempo después del vencimiento"},
    "minimum_per_year": {"en": "the minimum of a year", "es": "el mínimo de cada año"},
    "month_rule": {"en": "how months of employment count", "es": "cómo cuentan los meses"},
    "next_cycle": {"en": "when the next cycle starts", "es": "cuándo comienza el ciclo siguiente"},
    "overlap": {"en": "jobs at the same time", "es": "los empleos simultáneos"},
    "pending_points_admit": {
        "en": "activities that wait for a decision",
        "es": "las actividades que esperan una decisión",
    },
    "points_required": {"en": "the requirement", "es": "el requisito"},
    "reduction": {"en": "a reduced requirement", "es": "el requisito reducido"},
    "reexamination": {"en": "the re-examination", "es": "el nuevo examen"},
    "retention": {"en": "how long evidence is kept", "es": "cuánto se guardan los comprobantes"},
    "retirement": {"en": "retired status", "es": "el estado de retiro"},
    "rounding": {"en": "rounding", "es": "el redondeo"},
    "rounding_of": {"en": "what is rounded", "es": "qué se redondea"},
    "sharing": {"en": "other certifications held", "es": "otras certificaciones que se tienen"},
    "stop_at_requirement": {"en": "where reviewing stops", "es": "dónde termina la revisión"},
    "tags": {"en": "the marks", "es": "las marcas"},
    "types": {"en": "what activities bring", "es": "lo que aportan las actividades"},
    "valid_while_pending": {
        "en": "validity while an application waits",
        "es": "la validez mientras espera una solicitud",
    },
    "window": {"en": "when applications open", "es": "cuándo abren las solicitudes"},
    "windows": {"en": "the minimum of the last stretch", "es": "el mínimo del último tramo"},
    "year": {"en": "which years are meant", "es": "qué años se consideran"},
}
_PARTS: Mapping[str, Mapping[str, str]] = {
    "at_most": {"en": "the longest", "es": "la duración máxima"},
    "fee": {"en": "the fee", "es": "la cuota"},
    "key": {"en": "what makes them the same", "es": "qué las hace iguales"},
    "last": {"en": "the last stretch", "es": "el último tramo"},
    "modules": {"en": "the modules", "es": "los módulos"},
    "moves_cycle": {"en": "the next cycle", "es": "el ciclo siguiente"},
    "points": {"en": "the points", "es": "los puntos"},
    "share": {"en": "the share", "es": "la proporción"},
    "title": {"en": "use of the title", "es": "el uso del título"},
    "until": {"en": "how long", "es": "la duración"},
    "earns": {"en": "whether activities count", "es": "si cuentan las actividades"},
    "points_required": {"en": "the requirement", "es": "el requisito"},
    "schemes": {"en": "which", "es": "cuáles"},
}
_GROUPS = {"categories": "category", "types": "type", "tags": "tag"}


def reason(code: str, voice: Voice) -> str:
    """A reason for an extension or a reduction; the policy may name others than the usual ones."""
    named = voice.policy.reasons.get(code) or REASONS.get(code)
    return voice.text(named) if named else f"“{code}”"


def open_value(told: str, voice: Voice) -> str:
    """What was not checked, for a text that begins with keys: "window: not published".

    The rest of the text is the file's own, in English.
    """
    keys, _, why = told.partition(": ")
    names = voice.listed(list(dict.fromkeys(_name(key, voice) for key in keys.split(", "))))
    why = why.removeprefix("U, ").removeprefix("U; ").removeprefix("U: ").strip()
    return f"{names} ({why})" if why and voice.language == "en" else names


def _name(key: str, voice: Voice) -> str:
    """What a key is called: of a group its name, of a part of a rule both."""
    policy, (first, *rest) = voice.policy, key.split(".")
    groups = {"categories": policy.categories, "types": policy.types, "tags": policy.tags}
    if rest and rest[0] in groups.get(first, ()):
        return voice.name(_GROUPS[first], rest[0])
    name = voice.text(_KEYS[first]) if first in _KEYS else f"“{key}”"
    part = _PARTS.get(rest[0]) if rest else None
    return f"{name}: {voice.text(part)}" if part else name


def schemes(codes: Iterable[str]) -> list[str]:
    """Other schemes, known by their codes only: "CPT", "NICET TECHNICIAN"."""
    return [code.upper().replace("_", " ") for code in codes]


def last(voice: Voice, duration: Duration) -> str:
    """The last stretch of so long: "the last 6 months", "el último año"."""
    many = duration.length != 1
    length = voice.length(duration) if many else voice.length(duration)[2:]
    if voice.language == "en":
        return f"the last {length}"
    return f"los últimos {length}" if many else f"el último {length}"


def former(kind: ActivityType, scheme: Scheme, voice: Voice) -> list[str]:
    """The names of the types of earlier versions that a type replaces."""
    known = {code: t for p in scheme.policies for code, t in p.types.items()}
    return [
        voice.quoted(known[code].name) if code in known else f"“{code}”"
        for code in sorted(kind.replaces)
    ]
