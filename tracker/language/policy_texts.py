"""The sentences in which a policy is told, in English and Spanish, by key."""

from __future__ import annotations

from collections.abc import Mapping

from tracker.language.policy_english import ENGLISH
from tracker.language.policy_spanish import SPANISH

Sentences = Mapping[str, str]

TITLES: Mapping[str, Sentences] = {
    "en": {
        "award": "The certification",
        "assessment": "Scores",
        "retake": "Taking an assessment again",
        "version": "This version",
        "requirement": "What a cycle needs",
        "categories": "Categories and their limits",
        "tags": "Marks and their limits",
        "types": "What activities bring",
        "employment": "How employment is counted",
        "counting": "How activities are counted",
        "applying": "Applying for renewal",
        "late": "After the expiration date",
        "exceptions": "Extensions and exceptions",
        "evidence": "Evidence and audits",
        "fees": "Fees",
        "appeals": "Appeals",
        "revocation": "After a revocation",
        "sources": "Where this comes from",
    },
    "es": {
        "award": "La certificación",
        "assessment": "Calificaciones",
        "retake": "Repetir una evaluación",
        "version": "Esta versión",
        "requirement": "Lo que exige un ciclo",
        "categories": "Las categorías y sus límites",
        "tags": "Las marcas y sus límites",
        "types": "Lo que aportan las actividades",
        "employment": "Cómo se cuenta el empleo",
        "counting": "Cómo se cuentan las actividades",
        "applying": "Solicitar la renovación",
        "late": "Después del vencimiento",
        "exceptions": "Prórrogas y excepciones",
        "evidence": "Comprobantes y auditorías",
        "fees": "Cuotas",
        "appeals": "Apelaciones",
        "revocation": "Después de una revocación",
        "sources": "De dónde viene esto",
    },
}

SENTENCES: Mapping[str, Sentences] = {"en": ENGLISH, "es": SPANISH}
