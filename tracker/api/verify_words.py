"""What the verification page says, in English and Spanish."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tracker.domain.certifications import Status


@dataclass(frozen=True, slots=True)
class Words:
    """One language's words."""

    statuses: dict[Status, str]
    is_valid: str
    not_valid: str
    over: str
    not_in_force: str
    since: str
    under_review: str
    holder: str
    scheme: str
    issuer: str
    number: str
    awarded: str
    expires: str
    expired: str
    never: str
    checked: str
    look_up: str
    not_found: str
    unknown: str
    causes: tuple[str, ...]
    too_often: str
    wait: str
    surname: str
    check: str
    official: str
    other: str
    withdrawn: str
    again: str


_EN: dict[str, Any] = {
    "statuses": {
        "active": "Valid", "renewal_open": "Valid", "pending_renewal": "Renewal under review",
        "grace": "In the grace period", "expired": "Expired", "suspended": "Suspended",
        "revoked": "Revoked", "surrendered": "Surrendered", "in_progress": "Not awarded",
        "withdrawn": "Withdrawn",
    },
    "is_valid": "This certification is valid today.",
    "not_valid": "This certification is not valid today.",
    "over": "Not valid", "not_in_force": "This certification is no longer in force.",
    "since": "It has been so since {}.",
    "under_review": "A renewal is under review.",
    "holder": "Holder", "scheme": "Certification", "issuer": "Issued by",
    "number": "Certificate number", "awarded": "Awarded on", "expires": "Last valid day",
    "expired": "Expired after", "never": "Does not expire", "checked": "Checked at",
    "look_up": "Verify a certificate", "not_found": "Not found",
    "unknown": "No certificate of ours has this address, or this number with this surname. "
    "The usual causes:",
    "causes": (
        "A typing mistake in the address, the number or the surname.",
        "An older certificate that is not on record here.",
        "A certificate from another issuer.",
    ),
    "too_often": "Too many attempts", "wait": "Please try again in {} seconds.",
    "surname": "Holder's surname", "check": "Check",
    "official": "The official address of this page begins with {}. A page elsewhere is not ours.",
    "other": "Español",
    "withdrawn": "This certificate is withdrawn: recorded in error.",
    "again": "Certified again since {}, with certificate number {}.",
}  # fmt: skip
_ES: dict[str, Any] = {
    "statuses": {
        "active": "Válida", "renewal_open": "Válida",
        "pending_renewal": "Renovación en revisión", "grace": "En período de gracia",
        "expired": "Vencida", "suspended": "Suspendida", "revoked": "Revocada",
        "surrendered": "Renunciada", "in_progress": "No otorgada",
        "withdrawn": "Retirada",
    },
    "is_valid": "Esta certificación es válida hoy.",
    "not_valid": "Esta certificación no es válida hoy.",
    "over": "No válida", "not_in_force": "Esta certificación ya no está vigente.",
    "since": "Es así desde el {}.",
    "under_review": "Una renovación está en revisión.",
    "holder": "Titular", "scheme": "Certificación", "issuer": "Emitida por",
    "number": "Número de certificado", "awarded": "Otorgada el", "expires": "Último día válido",
    "expired": "Venció después del", "never": "No vence", "checked": "Comprobado el",
    "look_up": "Verificar un certificado", "not_found": "No encontrado",
    "unknown": "Ningún certificado nuestro tiene esta dirección, o este número con este apellido. "
    "Las causas habituales:",
    "causes": (
        "Un error al escribir la dirección, el número o el apellido.",
        "Un certificado antiguo que no consta aquí.",
        "Un certificado de otro emisor.",
    ),
    "too_often": "Demasiados intentos", "wait": "Inténtelo de nuevo en {} segundos.",
    "surname": "Apellido del titular", "check": "Comprobar",
    "official": "La dirección oficial de esta página empieza por {}. Una página en otro sitio no"
    " es nuestra.",
    "other": "English",
    "withdrawn": "Este certificado está retirado: se registró por error.",
    "again": "Cuenta de nuevo con la certificación desde el {}, con el certificado número {}.",
}  # fmt: skip

WORDS: dict[str, Words] = {"en": Words(**_EN), "es": Words(**_ES)}
