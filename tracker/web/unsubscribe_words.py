"""What the pages behind the links in emails say, in English and Spanish."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class UnsubscribeWords:
    """One language's words; by type of letter where it is named."""

    letters: dict[str, str]
    headings: dict[str, str]
    asked: dict[str, str]
    nothing_yet: str
    stop: str
    stopped: dict[str, str]
    again: dict[str, str]
    undo: str
    paused: str
    last_days: str
    pause: str
    pausing: str
    until: str
    wrong_day: str
    resume: str
    always: str
    unknown: str
    wait: str
    digest: str
    digest_asked: str
    digest_stopped: str


_EN: dict[str, Any] = {
    "letters": {
        "reminders": "Reminders before a certification expires",
        "decisions": "Emails about awards and about decisions on activities and renewals",
    },
    "headings": {
        "ask": "Unsubscribe from these emails?",
        "off": "These emails are off",
        "on": "These emails are on",
        "paused": "Paused",
        "wrong_day": "Choose another date",
        "unknown": "This link is not valid",
        "too_often": "Too many attempts",
    },
    "asked": {
        "reminders": "If you unsubscribe, we won't tell you before your certification expires, "
        "not even in the last 7 days.",
        "decisions": "If you unsubscribe, you will find decisions only in your account.",
    },
    "nothing_yet": "Opening this page did not change anything.",
    "stop": "Unsubscribe",
    "stopped": {
        "reminders": "You won't get any more reminders, not even in the last 7 days before your "
        "certification expires. Make a note of the date yourself.",
        "decisions": "You won't get any more emails about decisions. You can find them in your "
        "account.",
    },
    "again": {
        "reminders": "We will remind you before your certification expires, starting with the next "
        "reminder.",
        "decisions": "You will get emails about decisions, starting with the next one.",
    },
    "undo": "Turn them on again",
    "paused": "Reminders are paused through {}.",
    "last_days": "We still send those of the last 7 days before your certification expires.",
    "pause": "Pause",
    "pausing": "Pause reminders",
    "until": "Last day of the pause",
    "wrong_day": "A pause must end between {} and {}.",
    "resume": "End the pause",
    "always": "We always send emails about the safety of your account, such as a suspension.",
    "unknown": "Nothing was changed. Open the link in the email again, exactly as it is there.",
    "wait": "Try again in {} seconds.",
    "digest": "Summaries of your workers' certifications",
    "digest_asked": "If you unsubscribe, we won't send the summaries for {} to this address.",
    "digest_stopped": "This address won't get any more summaries for {}. The company can sign up "
    "for them again in its account.",
}
_ES: dict[str, Any] = {
    "letters": {
        "reminders": "Recordatorios antes de que venza una certificación",
        "decisions": "Correos sobre certificaciones otorgadas y sobre decisiones acerca de "
        "actividades y renovaciones",
    },
    "headings": {
        "ask": "¿Cancelar estos correos?",
        "off": "Estos correos están desactivados",
        "on": "Estos correos están activados",
        "paused": "En pausa",
        "wrong_day": "Elija otra fecha",
        "unknown": "Este enlace no es válido",
        "too_often": "Demasiados intentos",
    },
    "asked": {
        "reminders": "Si los cancela, no le avisaremos antes de que venza su certificación, ni "
        "siquiera en los últimos 7 días.",
        "decisions": "Si los cancela, encontrará las decisiones solo en su cuenta.",
    },
    "nothing_yet": "Abrir esta página no cambió nada.",
    "stop": "Cancelar estos correos",
    "stopped": {
        "reminders": "Ya no recibirá recordatorios, ni siquiera en los últimos 7 días antes del "
        "vencimiento. Le recomendamos anotar la fecha.",
        "decisions": "Ya no recibirá correos sobre decisiones. Las encontrará en su cuenta.",
    },
    "again": {
        "reminders": "Le avisaremos antes de que venza su certificación, a partir del próximo "
        "recordatorio.",
        "decisions": "Recibirá correos sobre decisiones, a partir del próximo.",
    },
    "undo": "Volver a activarlos",
    "paused": "Los recordatorios están en pausa hasta el {} inclusive.",
    "last_days": "De todos modos le enviaremos los de los últimos 7 días antes del vencimiento.",
    "pause": "Poner en pausa",
    "pausing": "Poner en pausa los recordatorios",
    "until": "Último día de la pausa",
    "wrong_day": "La pausa debe terminar entre el {} y el {}.",
    "resume": "Terminar la pausa",
    "always": "Siempre enviamos los correos sobre la seguridad de su cuenta, como el aviso de una "
    "suspensión.",
    "unknown": "No se cambió nada. Abra de nuevo el enlace del correo, tal como está allí.",
    "wait": "Inténtelo de nuevo en {} segundos.",
    "digest": "Resúmenes de las certificaciones de sus trabajadores",
    "digest_asked": "Si los cancela, no enviaremos los resúmenes de {} a esta dirección.",
    "digest_stopped": "Esta dirección ya no recibirá resúmenes de {}. La empresa puede volver a "
    "solicitarlos en su cuenta.",
}

WORDS: dict[str, UnsubscribeWords] = {"en": UnsubscribeWords(**_EN), "es": UnsubscribeWords(**_ES)}
