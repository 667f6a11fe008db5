"""What the pages behind the links in letters say, in English and Spanish."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Words:
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


_EN: dict[str, Any] = {
    "letters": {
        "reminders": "Reminders before a certification expires",
        "decisions": "Letters about awards and about decisions on activities and renewals",
    },
    "headings": {
        "ask": "Stop these letters?", "off": "These letters are off", "on": "These letters are on",
        "paused": "Paused", "wrong_day": "Please choose another date",
        "unknown": "This link is not valid", "too_often": "Too many attempts",
    },
    "asked": {
        "reminders": "If you stop them, you will not be told before your certification expires: "
        "not in the last 7 days either.",
        "decisions": "If you stop them, you will find decisions in your account only.",
    },
    "nothing_yet": "Opening this page has changed nothing.",
    "stop": "Stop these letters",
    "stopped": {
        "reminders": "You will get no more reminders, not in the last 7 days before an expiry "
        "either. Please note the date yourself.",
        "decisions": "You will get no more letters about decisions. You find them in your account.",
    },
    "again": {
        "reminders": "You will be reminded before a certification expires, from the next reminder "
        "on.",
        "decisions": "You will get letters about decisions, from the next one on.",
    },
    "undo": "Send them again",
    "paused": "Reminders are paused through {}.",
    "last_days": "Those of the last 7 days before an expiry are sent all the same.",
    "pause": "Pause", "pausing": "Pause reminders",
    "until": "Last day of the pause",
    "wrong_day": "A pause ends between {} and {}.",
    "resume": "End the pause",
    "always": "Letters about your account's safety, such as a suspension, are always sent.",
    "unknown": "Nothing was changed. Please open the link in the letter again, as it stands there.",
    "wait": "Please try again in {} seconds.",
}  # fmt: skip
_ES: dict[str, Any] = {
    "letters": {
        "reminders": "Recordatorios antes de que venza una certificación",
        "decisions": "Cartas sobre certificaciones otorgadas y sobre decisiones acerca de "
        "actividades y renovaciones",
    },
    "headings": {
        "ask": "¿Dejar de recibir estas cartas?", "off": "Estas cartas están desactivadas",
        "on": "Estas cartas están activadas", "paused": "En pausa",
        "wrong_day": "Elija otra fecha", "unknown": "Este enlace no es válido",
        "too_often": "Demasiados intentos",
    },
    "asked": {
        "reminders": "Si las desactiva, no se le avisará antes de que venza su certificación, "
        "tampoco en los últimos 7 días.",
        "decisions": "Si las desactiva, encontrará las decisiones solo en su cuenta.",
    },
    "nothing_yet": "Abrir esta página no ha cambiado nada.",
    "stop": "No enviar más estas cartas",
    "stopped": {
        "reminders": "No recibirá más recordatorios, tampoco en los últimos 7 días antes de un "
        "vencimiento. Anote usted mismo la fecha.",
        "decisions": "No recibirá más cartas sobre decisiones. Las encontrará en su cuenta.",
    },
    "again": {
        "reminders": "Se le avisará antes de que venza una certificación, a partir del próximo "
        "recordatorio.",
        "decisions": "Recibirá cartas sobre decisiones, a partir de la próxima.",
    },
    "undo": "Volver a enviarlas",
    "paused": "Los recordatorios están en pausa hasta el {} inclusive.",
    "last_days": "Los de los últimos 7 días antes de un vencimiento se envían de todos modos.",
    "pause": "Poner en pausa", "pausing": "Poner en pausa los recordatorios",
    "until": "Último día de la pausa",
    "wrong_day": "Una pausa termina entre el {} y el {}.",
    "resume": "Terminar la pausa",
    "always": "Las cartas sobre la seguridad de su cuenta, como una suspensión, se envían siempre.",
    "unknown": "No se ha cambiado nada. Abra de nuevo el enlace de la carta, tal como está allí.",
    "wait": "Inténtelo de nuevo en {} segundos.",
}  # fmt: skip

WORDS: dict[str, Words] = {"en": Words(**_EN), "es": Words(**_ES)}
