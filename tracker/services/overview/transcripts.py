"""A person's transcript: the whole of what they earned as one paper, to show to others."""

from __future__ import annotations

import orjson

from tracker import documents
from tracker.language import archives
from tracker.services.core import turns
from tracker.services.core.context import ReadContext, zone_of
from tracker.services.overview import personal_archives


def pdf(reading: ReadContext, holder_id: str, language: str) -> bytes:
    """The transcript as of today, in a language, as a PDF.

    Raises NotFound, also for another person's; TooBusy, TooManyAtOnce.
    """
    whose = personal_archives.person(reading, holder_id)
    record = orjson.loads(orjson.dumps(personal_archives.facts(reading, whose)))
    on = reading.now.astimezone(zone_of(whose.time_zone)).date()
    report = archives.transcript(record, reading.schemes, on=on, language=language)
    with turns.making_a_paper(reading.settings, reading.actor):
        return documents.pdf(report)
