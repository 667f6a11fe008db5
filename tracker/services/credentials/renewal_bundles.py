"""Certifications of one holder that could be renewed today by one application, at one price."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.domain.credentials.fees import Quote
from tracker.domain.credentials.renewals import objections
from tracker.domain.schemes.schemes import Scheme
from tracker.services.core.context import ReadContext
from tracker.services.credentials import applications, bundles, certifications
from tracker.services.standings import snapshots, standings
from tracker.services.standings.snapshots import ZonedCertification


@dataclass(frozen=True, slots=True)
class RenewalBundle:
    """The certifications to apply for together, the asked one first, and their price."""

    certification_ids: tuple[str, ...]
    schemes: tuple[Scheme, ...]
    quote: Quote


def of_certification(
    reading: ReadContext, row: ZonedCertification, scheme: Scheme
) -> RenewalBundle | None:
    """The bundle of a certification that can be applied for; None if none could be had today."""
    for bundle in scheme.fees.bundles if scheme.fees else ():
        together = {scheme: row}
        for code in sorted(bundle.schemes - {scheme.code}):
            other = certifications.of_holder(reading, row.holder_id, code)
            if other is None or not _can_apply(reading, other):
                break
            together[reading.schemes[code]] = other
        else:
            ids = tuple(one.id for one in together.values())
            quote = bundles.quote(reading, ids)
            if quote.bundled:
                return RenewalBundle(ids, tuple(together), quote)
    return None


def _can_apply(reading: ReadContext, row: ZonedCertification) -> bool:
    """Whether an application by itself would be accepted today."""
    scheme = reading.schemes[row.scheme]
    on = reading.day_of(scheme, row.time_zone)
    held = standings.of_certification(reading, row.id, on=on)
    if held is None:
        return False
    record = snapshots.records(reading, [row.id])[row.id]
    counted = applications.count(reading, row, record, on=on, last=on)
    judged = counted.judged if counted else None
    return not any(
        True for _ in objections(held.standing, judged, zone=scheme.zone_of(row.time_zone))
    )
