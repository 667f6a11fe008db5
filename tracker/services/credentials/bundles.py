"""Prices of renewing one or several certifications together, and what withdrawing one leaves."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from tracker.domain.credentials import fees
from tracker.domain.credentials.certifications import Standing
from tracker.domain.credentials.renewals import RenewalVerdict, objections
from tracker.domain.errors import NotFound
from tracker.domain.schemes.policies import Policy
from tracker.domain.schemes.schemes import Scheme
from tracker.models import Holder, Renewal
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.credentials import applications, certifications
from tracker.services.credentials import fees as fee_records
from tracker.services.standings import snapshots, standings
from tracker.services.standings.snapshots import CertificationRecord, ZonedCertification


@dataclass(frozen=True, slots=True)
class RenewalBundle:
    """The certifications to apply for together, the asked one first, and their price."""

    certification_ids: tuple[str, ...]
    schemes: tuple[Scheme, ...]
    quote: fees.Quote


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
            price = quote(reading, ids)
            if price.bundled:
                return RenewalBundle(ids, tuple(together), price)
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


def quote(reading: ReadContext, certification_ids: Sequence[str]) -> fees.Quote:
    """The price of renewing these certifications of one holder together today. Raises NotFound."""
    found = []
    for certification_id in certification_ids:
        row, record = snapshots.with_cycles(reading, certification_id)
        scheme = reading.schemes[row.scheme]
        zone = reading.row(select(Holder.time_zone).where(Holder.id == row.holder_id))
        on = reading.day_of(scheme, zone.time_zone)
        held = standings.of_certification(reading, row.id, on=on)
        if held is None or record is None:
            raise NotFound
        found.append((scheme, held.standing, record))
    return price(found)


def price(renewed: Collection[tuple[Scheme, Standing, CertificationRecord]]) -> fees.Quote:
    """The price of renewing certifications with these standings together."""
    policies = {
        scheme: scheme.policy(version)
        for scheme, _, record in renewed
        if (version := record.cycles[-1].policy)
    }
    return fees.quote({scheme: standing for scheme, standing, _ in renewed}, policies)


def follow_withdrawal(work: UnitOfWork, renewal: Renewal) -> None:
    """Waive the fee of a withdrawn application; what is left of a bundle is priced by itself.

    The price is that of the day on which the others were applied for. If all of them were denied
    before, the fee now follows their denial.
    """
    others = fee_records.sharing(work, renewal)
    if not others:
        fee_records.forgo(work, renewal)
        return
    chosen: dict[Scheme, Standing] = {}
    policies: dict[Scheme, Policy] = {}
    for other in others:
        row, record = snapshots.with_cycles(work, other.certification_id)
        scheme = work.schemes[row.scheme]
        held = standings.of_certification(work, row.id, on=other.submitted_on)
        if held is None or record is None:
            return
        chosen[scheme] = held.standing
        if version := record.cycles[min(other.cycle, len(record.cycles)) - 1].policy:
            policies[scheme] = scheme.policy(version)
    fee_records.reprice(work, renewal, fees.quote(chosen, policies))
    if all(other.decision == RenewalVerdict.DENIED for other in others):
        fee_records.follow_denial(work, others[0], next(iter(chosen)))
