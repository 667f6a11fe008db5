"""The dates of a holder's own certification, for their calendar."""

from __future__ import annotations

from tracker.domain.errors import NotFound
from tracker.mail import calendars
from tracker.services.core.context import ReadContext
from tracker.services.overview import me
from tracker.services.people import holders


def of_certification(reading: ReadContext, certification_id: str, language: str) -> str:
    """The calendar file of a certification's dates ahead; empty if there are none.

    Raises NotFound, also for another holder's certification.
    """
    me.check_own_certification(reading, certification_id)
    holder_id = reading.actor.holder_id
    if holder_id is None:
        raise NotFound
    holder = holders.get(reading, holder_id)
    held = me.held_today(reading, holder_id, holder.time_zone)
    found = next((one for one in held if one.id == certification_id), None)
    if found is None or not found.standing.valid:
        return ""
    standing = found.standing
    days = calendars.ahead(
        found.id,
        reading.schemes[found.scheme].full_name(language),
        on=standing.on,
        opens_on=standing.window_opens_on,
        closes_on=standing.window_closes_on,
        expires_on=standing.expires_on,
    )
    domain = reading.settings.mail.message_id_domain
    return calendars.published(days, language=language, at=reading.now, domain=domain)
