"""Staff corrections of imported awards: amend, void, restore.

Each is one recorded act with a reason. An award that follows from passes is corrected through the
assessments instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import func, select, update

from tracker.domain.credentials.awards import given
from tracker.domain.credentials.imported_awards import Said, Stretch, stretches_of
from tracker.domain.errors import IllegalTransition, Invalid
from tracker.domain.schemes.schemes import Scheme
from tracker.domain.values import future_rule
from tracker.models import Certification
from tracker.services.core import history
from tracker.services.core.context import UnitOfWork
from tracker.services.credentials import (
    award_facts,
    award_rows,
    certifications,
    effects,
    imported_award_rows,
    imported_awards,
    timelines,
)
from tracker.services.credentials.assessments import AttemptCorrection, LaterCycles
from tracker.services.credentials.award_rows import Consequence
from tracker.services.credentials.imported_awards import StatedAward
from tracker.services.points import evaluations
from tracker.services.standings import snapshots
from tracker.services.standings.snapshots import ZonedCertification

_FIELDS = {
    "certificate_number": "number",
    "awarded_on": "awarded_on",
    "cycle_starts_on": "cycles",
    "expires_on": "cycles",
}
"""The API's names for the fields of a file."""


@dataclass(frozen=True, slots=True)
class CorrectedAward:
    """A certification after its correction, real or previewed, and what that changes."""

    detail: evaluations.Detail
    changes: Sequence[effects.Effect]
    warnings: Sequence[str]
    preview: bool


_Change = Callable[[], tuple[Sequence[Consequence], Sequence[str]]]


def amend(
    work: UnitOfWork,
    certification_id: str,
    values: Mapping[str, Any],
    *,
    reason: str,
    later_cycles: LaterCycles = "refuse",
    preview: bool = False,
) -> CorrectedAward:
    """Correct an imported award; a void one is restored by it.

    ``values`` are any of ``number``, ``awarded_on``, ``cycles`` (all of them, as stretches),
    ``edition``, ``source``; the rest stays. Raises Invalid by field, IllegalTransition for an award
    that follows from passes, SupportsRenewal as a correction of passes does, SelfReview, NotFound.
    """
    row = _imported(work, certification_id)

    def change() -> tuple[Sequence[Consequence], Sequence[str]]:
        award = _award(work, row, values)
        plan = imported_awards.plan(work, work.schemes[row.scheme], [award], restore=True)
        (planned,) = plan.awards
        if planned.faults:
            raise Invalid("The award contradicts the record.", fields=_by_field(planned.faults))
        if not planned.is_change and len(given(planned.before)) == len(award.stretches):
            named = dict.fromkeys(values, "already has this value")
            raise Invalid("Nothing changes.", fields=named)
        planned.fates = ("changed",)
        planned.cycles = planned.stated_cycles
        done = imported_award_rows.write(
            work, plan, action="amend", why={"reason": reason}, later=correction.later
        )
        told_changes = [_as_consequence(row.scheme, c) for c in done.changed if c.award]
        return [*told_changes, *done.followed], [note.words for note in planned.notes]

    correction = AttemptCorrection(reason, later_cycles, preview)
    return _correct(work, row, correction, change)


def void(
    work: UnitOfWork,
    certification_id: str,
    *,
    reason: str,
    later_cycles: LaterCycles = "refuse",
    preview: bool = False,
) -> CorrectedAward:
    """Void an award that was imported in error; passes may still support it.

    Raises IllegalTransition if it is void already or follows from passes, SupportsRenewal if a
    renewal depends on it and ``later_cycles`` is "refuse", SelfReview, NotFound.
    """
    row = _imported(work, certification_id)
    if row.voided_at is not None:
        raise IllegalTransition("The award is already void.", state="void")

    def change() -> tuple[Sequence[Consequence], Sequence[str]]:
        work.connection.execute(
            update(Certification)
            .where(Certification.id == row.id)
            .values(voided_at=work.now, void_reason=reason)
        )
        history.record(work, "void", "certification", row.id, reason=reason)
        consequences = _take_aside(work, row)
        scheme = work.schemes[row.scheme]
        consequences += imported_award_rows.follow(work, scheme, [row.holder_id], correction.later)
        timelines.lay_out_again(work, scheme, [row.id])
        return consequences, ()

    correction = AttemptCorrection(reason, later_cycles, preview)
    return _correct(work, row, correction, change)


def _imported(work: UnitOfWork, certification_id: str) -> ZonedCertification:
    row = certifications.locked_to_decide(work, certification_id)
    if row.imported_at is None:
        raise IllegalTransition(
            "The award is based on passes on record: amend or void the assessments instead (POST "
            "/assessments/{id}/amendment, /void).",
            state="awarded",
        )
    return row


def _correct(
    work: UnitOfWork, row: ZonedCertification, correction: AttemptCorrection, change: _Change
) -> CorrectedAward:
    """Correct an imported award; a preview is rolled back after its effects are read."""

    def act() -> tuple[Sequence[Consequence], tuple[evaluations.Detail, Sequence[str]]]:
        consequences, warnings = change()
        return consequences, (evaluations.detail(work, row.id, on=None, known_at=None), warnings)

    changes, tried = effects.tried(work, row.holder_id, act=act, preview=correction.preview)
    return CorrectedAward(tried[0], changes, tried[1], correction.preview)


def _award(work: UnitOfWork, row: ZonedCertification, values: Mapping[str, Any]) -> StatedAward:
    awarded_on: date = values.get("awarded_on", row.awarded_on)
    scheme = work.schemes[row.scheme]
    if rule := future_rule(awarded_on, work.today(scheme)):
        raise Invalid("The award is in the future.", fields={"awarded_on": rule})
    return StatedAward(
        holder_id=row.holder_id,
        number=values.get("number", row.number),
        awarded_on=awarded_on,
        stretches=tuple(values.get("cycles") or _stretches(work, scheme, row)),
        edition=values.get("edition", row.edition),
        source=values.get("source", row.source),
        certification_id=row.id,
    )


def _stretches(work: UnitOfWork, scheme: Scheme, row: ZonedCertification) -> list[Stretch]:
    """The imported cycles; the first one starts with the award, whatever its day is now.

    An expiry that equals the scheme's validity was not stated by anybody, and moves with the award.
    """
    record = snapshots.records(work, [row.id])[row.id]
    cycles = given(record.cycles) or record.cycles[:1]
    return stretches_of(scheme, cycles)


def _by_field(faults: Sequence[Said]) -> dict[str, str]:
    rules: dict[str, str] = {}
    for fault in faults:
        name = _FIELDS[fault.field]
        place = f"cycle {fault.place + 1}: " if name == "cycles" else ""
        rules.setdefault(name, f"{place}{fault.words}")
    return rules


def _as_consequence(scheme: str, changed: imported_award_rows.ChangedAward) -> Consequence:
    what: award_rows.ConsequenceKind = "restored" if changed.before is None else "moved"
    return Consequence(
        what,
        changed.holder_id,
        changed.certification_id,
        changed.number,
        scheme,
        changed.before,
        changed.after,
    )


def _take_aside(work: UnitOfWork, row: ZonedCertification) -> list[Consequence]:
    """Withdraw an award from among the holder's others, so that these keep their order."""
    table = Certification
    others = work.row(
        select(func.count()).where(
            table.holder_id == row.holder_id, table.scheme == row.scheme, table.id != row.id
        )
    )[0]
    if not others:
        return []
    scheme = work.schemes[row.scheme]
    rows = award_facts.of_holders(work, scheme, [row.holder_id])[row.holder_id].rows.values()
    aside = [replace(r, withdrawn_at=work.now) if r.id == row.id else r for r in rows]
    imported_award_rows.put_in_order(work, aside)
    consequences = [
        Consequence(
            "withdrawn", row.holder_id, row.id, row.number, row.scheme, row.awarded_on, None
        )
    ]
    award_rows.tell(work, scheme, consequences)
    return consequences
