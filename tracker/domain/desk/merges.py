"""Merging two records of one person: which award leads, and which cycles it has then.

Two certifications of one scheme that overlap are one, with the earlier award: the person was
certified from that day on. The number and the public address of the other one lead to it. An award
that came after the other had ended for good is a later award of the same person, as if it had been
earned on one record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum

from tracker.domain.credentials import certifications
from tracker.domain.credentials.certifications import CycleAdjustment, CycleTerm
from tracker.domain.periods import DAY


@dataclass(frozen=True, slots=True)
class AwardToUnite:
    """An award of one of two records.

    ``is_kept``: of the record that stays. ``ends_on`` is the last day on which it can be renewed;
    None: it has no end. ``stands``: it is not withdrawn.
    """

    id: str
    is_kept: bool
    awarded_on: date
    ends_on: date | None
    stands: bool = True


@dataclass(frozen=True, slots=True)
class UnitedAwards:
    """The awards of both records in a scheme.

    ``standing`` are those that stand, in their order, ``withdrawn`` the others. ``leads`` says to
    which award each of the rest leads now.
    """

    standing: tuple[str, ...]
    withdrawn: tuple[str, ...]
    leads: Mapping[str, str]


def unite(awards: Iterable[AwardToUnite]) -> UnitedAwards:
    """Which awards of two records stay, and which lead to another one.

    Of two on the same day, that of the record that stays leads.
    """
    ordered = sorted(awards, key=lambda one: (one.awarded_on, not one.is_kept, one.id))
    standing: list[str] = []
    leads: dict[str, str] = {}
    ends_on = date.min
    for one in ordered:
        if not one.stands:
            continue
        if standing and one.awarded_on <= ends_on:
            leads[one.id] = standing[-1]
        else:
            standing.append(one.id)
        ends_on = max(ends_on, one.ends_on or date.max)
    withdrawn = tuple(one.id for one in ordered if not one.stands)
    return UnitedAwards(tuple(standing), withdrawn, leads)


@dataclass(frozen=True, slots=True)
class RenewedTerm:
    """A cycle of an award that was renewed, and by which application; None: it is not known."""

    award_id: str
    starts_on: date
    ends_on: date
    renewal_id: str | None = None


def renewed_twice(terms: Iterable[RenewedTerm]) -> frozenset[str]:
    """The applications that renewed what another award's application had renewed already.

    Somebody who renewed both of two awards that are one now has renewed it once. ``terms`` come in
    the order of their awards, the leading one's first.
    """
    renewed: list[RenewedTerm] = []
    twice: set[str] = set()
    for one in terms:
        others = (term for term in renewed if term.award_id != one.award_id)
        if any(term.starts_on <= one.starts_on <= term.ends_on for term in others):
            twice |= {one.renewal_id} if one.renewal_id else set()
        else:
            renewed.append(one)
    return frozenset(twice)


def united_cycles(
    leading: Sequence[CycleTerm], others: Iterable[CycleTerm]
) -> tuple[CycleTerm, ...]:
    """The cycles of an award from a file, followed by those of another one that last longer.

    None begins before the last day of the one before it. If nothing is added, they are as they
    were; otherwise all have the dates of the files.
    """
    cycles = [*leading]
    for one in sorted(others, key=lambda cycle: cycle.starts_on):
        last = cycles[-1].expires_on
        if last is None or (one.expires_on is not None and one.expires_on <= last):
            continue
        begins = max(one.starts_on, last + DAY)
        cycles.append(replace(one, ordinal=len(cycles) + 1, starts_on=begins))
    if len(cycles) == len(leading):
        return tuple(leading)
    return tuple(replace(cycle, imported=True) for cycle in cycles)


class AdjustmentFate(StrEnum):
    """What becomes of an adjustment of an award that leads to another one.

    ``covered``: the other award lasts as long, or asks for as little, without it. ``left``: it
    stays with the certificate that leads on, and staff see in the preview that it no longer counts.
    """

    CARRIED = "carried"
    COVERED = "covered"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class CarriedAdjustment:
    """The fate of an adjustment; ``ordinal`` is the cycle of the other award to which it goes."""

    fate: AdjustmentFate
    ordinal: int | None = None


def carry(
    adjustment: CycleAdjustment,
    cycle: CycleTerm,
    cycles: Sequence[CycleTerm],
    in_force: Sequence[CycleAdjustment],
) -> CarriedAdjustment:
    """Whether an adjustment of a cycle goes to the award that leads, with ``in_force`` of its own.

    It goes to the cycle that runs on the last day of its own, if no later cycle has begun: what was
    decided about a term that was renewed since is over.
    """
    ends_on = cycle.expires_on or date.max
    target = next((one for one in reversed(cycles) if one.starts_on <= ends_on), None)
    if target is None:
        return CarriedAdjustment(AdjustmentFate.LEFT)
    if not _brings(adjustment, target, in_force):
        return CarriedAdjustment(AdjustmentFate.COVERED)
    if target != cycles[-1]:
        return CarriedAdjustment(AdjustmentFate.LEFT)
    return CarriedAdjustment(AdjustmentFate.CARRIED, target.ordinal)


def _brings(
    adjustment: CycleAdjustment, target: CycleTerm, in_force: Sequence[CycleAdjustment]
) -> bool:
    """Whether the holder has more by it: a later expiry, or a lower requirement."""
    expires_on = certifications.extended(target, in_force, date.max).expires_on
    required = certifications.requirement_of(target, in_force, date.max)
    later = adjustment.extended_to is not None and adjustment.extended_to > (expires_on or date.max)
    asked: Decimal | None = adjustment.points_required
    return later or (asked is not None and (required is None or asked < required))
