"""What an employer's nudge will say, in each language, as it would be composed today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tracker.domain.credentials.next_steps import NextStep
from tracker.language.catalogues import LANGUAGES
from tracker.mail import notices as wording
from tracker.mail.notices import NoticeMessage
from tracker.mail.today import Today
from tracker.services.core.context import ReadContext
from tracker.services.delivery import notice_people, sealing
from tracker.services.employers import employers

_NOT_SHOWN = "[…]"
"""What stands for a name, and for addresses that are each worker's own."""


@dataclass(frozen=True, slots=True)
class NudgeText:
    """The message in one language; what is each worker's own is ``[…]``."""

    language: str
    subject: str
    text: str


def texts(reading: ReadContext, employer_id: str, scheme: str) -> Sequence[NudgeText]:
    """The message in each language that workers can choose. Raises NotFound, UnknownScheme."""
    employer, about = employers.get(reading, employer_id), reading.schemes[scheme]
    now = Today(on=reading.today(about), status="", valid=False, step=NextStep("none"))
    told: list[NudgeText] = []
    for language in LANGUAGES:
        written = wording.compose_notice(
            NoticeMessage(
                name=_NOT_SHOWN,
                language=language,
                news=(notice_people.nudge(about, employer.name, language, now=now),),
                link=_NOT_SHOWN,
                unsubscribe_link=_NOT_SHOWN,
                type="reminders",
                issuer=sealing.issuer_of(reading, ()),
            )
        )
        told.append(NudgeText(language, written.subject, written.text))
    return told
