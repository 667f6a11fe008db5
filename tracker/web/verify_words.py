"""What the verification page says, in English and Spanish."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tracker.domain.credentials.certifications import Status


@dataclass(frozen=True, slots=True)
class VerifyWords:
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
        "active": "Valid",
        "renewal_open": "Valid",
        "pending_renewal": "Renewal under review",
        "grace": "In the grace period",
        "expired": "Expired",
        "suspended": "Suspended",
        "revoked": "Revoked",
        "surrendered": "Surrendered",
        "in_progress": "Not awarded",
        "withdrawn": "Withdrawn",
    },
    "is_valid": "This certification is valid today.",
    "not_valid": "This certification is not valid today.",
    "over": "Not valid",
    "not_in_force": "This certification is no longer in force.",
    "since": "Since {}.",
    "under_review": "A renewal applied for on {} is pending a decision.",
    "holder": "Holder",
    "scheme": "Certification",
    "issuer": "Issued by",
    "number": "Certificate number",
    "awarded": "Awarded on",
    "expires": "Valid through",
    "expired": "Expired on",
    "never": "Does not expire",
    "checked": "Checked on",
    "look_up": "Verify a certificate",
    "not_found": "Not found",
    "unknown": "We have no certificate at this address, or with this number and last name. "
    "The usual causes:",
    "causes": (
        "A typo in the address, the number or the last name.",
        "An older certificate that is not on record here.",
        "A certificate from another issuer.",
    ),
    "too_often": "Too many attempts",
    "wait": "Try again in {} seconds.",
    "surname": "Holder's last name",
    "check": "Check",
    "official": "The official address of this page begins with {}. A page at any other address is"
    " not ours.",
    "other": "Español",
    "withdrawn": "This certificate was withdrawn because it had been recorded in error.",
    "again": "Certified again since {}, with certificate number {}.",
}
_ES: dict[str, Any] = {
    "statuses": {
        "active": "Válida",
        "renewal_open": "Válida",
        "pending_renewal": "Renovación en revisión",
        "grace": "En período de gracia",
        "expired": "Vencida",
        "suspended": "Suspendida",
        "revoked": "Revocada",
        "surrendered": "Con renuncia del titular",
        "in_progress": "No otorgada",
        "withdrawn": "Retirada",
    },
    "is_valid": "Esta certificación es válida hoy.",
    "not_valid": "Esta certificación no es válida hoy.",
    "over": "No válida",
    "not_in_force": "Esta certificación ya no está vigente.",
    "since": "Desde el {}.",
    "under_review": "Una renovación solicitada el {} está en espera de decisión.",
    "holder": "Titular",
    "scheme": "Certificación",
    "issuer": "Emitida por",
    "number": "Número de certificado",
    "awarded": "Otorgada el",
    "expires": "Válida hasta",
    "expired": "Venció el",
    "never": "No vence",
    "checked": "Consultado el",
    "look_up": "Verificar un certificado",
    "not_found": "No encontrado",
    "unknown": "No tenemos ningún certificado en esta dirección, ni con este número y este "
    "apellido. Las causas más comunes:",
    "causes": (
        "Un error al escribir la dirección, el número o el apellido.",
        "Un certificado antiguo que no está en este registro.",
        "Un certificado que emitió otra organización.",
    ),
    "too_often": "Demasiados intentos",
    "wait": "Inténtelo de nuevo en {} segundos.",
    "surname": "Apellido del titular",
    "check": "Consultar",
    "official": "La dirección oficial de esta página empieza con {}. Una página con otra dirección"
    " no es nuestra.",
    "other": "English",
    "withdrawn": "Este certificado fue retirado porque se había registrado por error.",
    "again": "Cuenta de nuevo con la certificación desde el {}, con el certificado número {}.",
}

WORDS: dict[str, VerifyWords] = {"en": VerifyWords(**_EN), "es": VerifyWords(**_ES)}
