"""What a policy does not know, in plain words.

Nobody reads from a rule that is missing, or from a value that stands in for one, that something
is allowed, forbidden or free: where the file lists it as open, the sentence says so.
"""

from __future__ import annotations

from collections.abc import Mapping

from tracker.domain.schemes.policies import Policy

_MARK: Mapping[str, str] = {"en": "not verified", "es": "sin verificar"}
# Keys of types that say what is asked for with a claim, not what it counts.
_OF_PROOF = {"evidence", "evidence_kinds", "warn_above"}

# By the key that is open and stands for nothing.
UNKNOWN: Mapping[str, Mapping[str, str]] = {
    "en": {
        "retake": "It is not known how long one must wait after a failed assessment; here, there is"
        " no wait.",
        "group": "{name}: its limits are not known.",
        "carry_over": "It is not known whether anything carries over into the next cycle; here,"
        " nothing does.",
        "duplicates": "It is not known whether the same activity counts more than once; here,"
        " repetitions are not checked.",
        "window": "It is not known when applications open; here, they are taken throughout the"
        " cycle,"
        " the day of the expiration date included.",
        "late": "It is not known whether renewal is still possible after the expiration date;"
        " here, no"
        " application is taken then.",
        "late.earns": "it is not known whether activities of these days count; here, they do not",
        "late.title": "it is not known whether the title may be used; here, it may not",
        "extension": "It is not known whether a cycle may be extended.",
        "reduction.share": "The requirement may be reduced for: {reasons}; it is not known by"
        " how much.",
        "sharing": "It is not known whether an activity counts for other certifications too.",
        "audit": "It is not known whether renewals are drawn for audit.",
        "retention": "It is not known how long evidence must be kept.",
        "refund": "It is not known whether fees are refunded.",
    },
    "es": {
        "retake": "No se sabe cuánto hay que esperar después de reprobar una evaluación; aquí no"
        " se exige ninguna espera.",
        "group": "{name}: no se conocen sus límites.",
        "carry_over": "No se sabe si lo que sobra pasa al ciclo siguiente; aquí no pasa.",
        "duplicates": "No se sabe si la misma actividad cuenta más de una vez; aquí no se buscan"
        " repeticiones.",
        "window": "No se sabe cuándo abren las solicitudes; aquí se reciben durante todo el ciclo,"
        " incluido el día del vencimiento.",
        "late": "No se sabe si se puede renovar después del vencimiento; aquí ya no se reciben"
        " solicitudes.",
        "late.earns": "no se sabe si las actividades de esos días cuentan; aquí no cuentan",
        "late.title": "no se sabe si se puede usar el título; aquí no se puede",
        "extension": "No se sabe si un ciclo se puede prorrogar.",
        "reduction.share": "El requisito se puede reducir por: {reasons}; no se sabe en cuánto.",
        "sharing": "No se sabe si una actividad cuenta también para otras certificaciones.",
        "audit": "No se sabe si algunas renovaciones se auditan al azar.",
        "retention": "No se sabe cuánto tiempo se deben guardar los comprobantes.",
        "refund": "No se sabe si las cuotas son reembolsables.",
    },
}


def open_keys(policy: Policy) -> frozenset[str]:
    """The keys that a version lists as not verified: "late.title", "types.course", "window".

    What is open in every type ("types.points") is open in "types".
    """
    listed = (entry.partition(":")[0].split(",") for entry in policy.unverified)
    keys = (key.strip() for entry in listed for key in entry)
    return frozenset(told for key in keys if (told := _whole(key, policy)))


def _whole(key: str, policy: Policy) -> str:
    first, *rest = key.split(".")
    groups = {"categories": policy.categories, "types": policy.types, "tags": policy.tags}
    if not rest or first not in groups or rest[0] in groups[first]:
        return key
    return "" if rest[0] in _OF_PROOF else first


def named(keys: frozenset[str], key: str) -> bool:
    """Whether a key, a part of it or what it is a part of is among the open ones."""
    return any(
        key == each or each.startswith(f"{key}.") or key.startswith(f"{each}.") for each in keys
    )


def marked(sentence: str, language: str) -> str:
    """A sentence, or a part of one, that says of itself that it is not verified."""
    body = sentence.removesuffix(".")
    return f"{body} ({_MARK[language]}){'.' if body != sentence else ''}"
