"""Mass extensions: one act that extends many certifications, under its own reference.

Invariant: a reference stands for one act. It was done completely or not at all; requesting it again
changes nothing, and another act under the same reference is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import ColumnElement, exists, func, select, update

from tracker.db import new_id
from tracker.domain.credentials import adjustments as rules
from tracker.domain.errors import Conflict, Invalid, NotFound, Refusal
from tracker.domain.periods import Duration, Period, TimeUnit
from tracker.domain.permissions import check_not_own
from tracker.domain.schemes.schemes import Scheme
from tracker.models import (
    Adjustment,
    AdjustmentBatch,
    Certification,
    Employer,
    Holder,
    RosterEntry,
    Span,
)
from tracker.services.core import bulk, history, locks
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of
from tracker.services.credentials import adjustments, certifications
from tracker.services.credentials.adjustments import AdjustmentRow, AdjustmentToRecord, Granted
from tracker.services.employers import roster
from tracker.services.outbox import notices
from tracker.services.standings import snapshots, standings
from tracker.services.standings.standings import HeldCertification

ProgressOfExtension = Callable[[int], None]
_LONGEST: Mapping[TimeUnit, int] = {"days": 3652, "months": 120, "years": 10}


@dataclass(frozen=True, slots=True)
class Selection:
    """The certifications to extend: those of a scheme whose expiry in force lies in a period.

    ``holder_refs`` and ``employer_id`` restrict it to these people, or to workers who share their
    standing with the employer. We store no postal addresses, so there is no region.
    """

    scheme: str
    expiring: Period
    holder_refs: tuple[str, ...] = ()
    employer_id: str | None = None


@dataclass(frozen=True, slots=True)
class MassExtension:
    """A requested extension: one new expiry for all, or a duration added to each expiry."""

    ref: str
    selection: Selection
    reason_code: str
    reason: str
    until: date | None = None
    by: Duration | None = None
    effective_on: date | None = None
    override_reason: str | None = None

    def wanted(self, expires_on: date) -> AdjustmentToRecord:
        """The adjustment for a certification that expires on this day."""
        extended_to = self.by.after(expires_on) if self.by else self.until
        return AdjustmentToRecord(
            reason_code=self.reason_code,
            reason=self.reason,
            extended_to=extended_to,
            effective_on=self.effective_on,
            override_reason=self.override_reason,
        )

    def request(self) -> dict[str, object]:
        """The whole request as plain values, to be stored and compared."""
        selection = self.selection
        return {
            "expiring_from": str(selection.expiring.starts_on),
            "expiring_to": str(selection.expiring.ends_on),
            "holder_refs": sorted(selection.holder_refs),
            "employer_id": selection.employer_id,
            "until": str(self.until) if self.until else None,
            "by": f"{self.by.length} {self.by.unit}" if self.by else None,
            "reason_code": self.reason_code,
            "reason": self.reason,
            "effective_on": str(self.effective_on) if self.effective_on else None,
            "override_reason": self.override_reason,
        }


@dataclass(frozen=True, slots=True)
class ExtensionResult:
    """The result for one certification: its new expiry, or the refusal's code and text."""

    certification_id: str
    certificate_number: str
    holder_ref: str
    expires_on: date
    extended_to: date
    refused: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class ExtensionOutcome:
    """What an act did, or would do. ``repeated``: it was done before, under ``batch_id``."""

    batch_id: str | None
    ref: str
    dry_run: bool
    repeated: bool
    extended: int
    refused: int
    unchanged: int
    fates: tuple[ExtensionResult, ...] = ()


def foresee(
    reading: ReadContext,
    extension: MassExtension,
    *,
    on_progress: ProgressOfExtension | None = None,
) -> ExtensionOutcome:
    """A dry run: what would be extended, from which expiry to which, and what refused and why.

    Nothing is written. Raises Invalid, Conflict as ``extend`` does.
    """
    scheme = _check(reading, extension)
    before = _of_ref(reading, extension.ref)
    if before is not None:
        return _repeated(before, scheme, extension, dry_run=True)
    fates: list[ExtensionResult] = []
    for held in _chunks(
        reading, scheme, extension.selection, _ids(reading, scheme, extension.selection)
    ):
        fates += [fate for fate, _ in _decide(reading, scheme, extension, held)]
        _tell(on_progress, len(fates))
    return _outcome(extension, None, fates, dry_run=True)


def extend(
    work: UnitOfWork, extension: MassExtension, *, on_progress: ProgressOfExtension | None = None
) -> ExtensionOutcome:
    """Extend every selected certification that its policy's rule allows.

    One transaction, one batch, one history entry for each certification and one for the batch.
    Certifications that the rule refuses are reported and left alone, unless there is an
    ``override_reason``. Raises Invalid for values that make no sense, Conflict if the reference
    belongs to another act.
    """
    scheme = _check(work, extension)
    batch_id = _open(work, scheme, extension)
    if batch_id is None:
        return _repeated(_of_ref(work, extension.ref), scheme, extension, dry_run=False)
    candidates = _ids(work, scheme, extension.selection)
    locks.lock(work, set(candidates.values()))
    fates: list[ExtensionResult] = []
    for held in _chunks(work, scheme, extension.selection, candidates):
        decided = _decide(work, scheme, extension, held)
        granted = [grant for _, grant in decided if grant]
        _write(work, scheme, (batch_id, extension.ref), granted, candidates)
        fates += [fate for fate, _ in decided]
        _tell(on_progress, len(fates))
    outcome = _outcome(extension, batch_id, fates, dry_run=False)
    _close(work, scheme, extension, outcome)
    return outcome


def _tell(on_progress: ProgressOfExtension | None, done: int) -> None:
    if on_progress is not None:
        on_progress(done)


def _check(reading: ReadContext, extension: MassExtension) -> Scheme:
    """The scheme. Raises Invalid for values that make no sense together."""
    scheme, fields = reading.schemes[extension.selection.scheme], {}
    rules.check_reason(extension.reason_code)
    expiring = extension.selection.expiring
    if (extension.until is None) == (extension.by is None):
        fields["until"] = "give either until or by, not both"
    if expiring.ends_on < expiring.starts_on:
        fields["expiring_to"] = f"must not be before expiring_from ({expiring.starts_on})"
    if extension.until is not None and extension.until <= expiring.ends_on:
        fields["until"] = f"must be after expiring_to ({expiring.ends_on})"
    if extension.by is not None and not 1 <= extension.by.length <= _LONGEST[extension.by.unit]:
        fields["by"] = "must be between one day and ten years"
    employer_id = extension.selection.employer_id
    known = select(Employer.id).where(Employer.id == employer_id)
    if employer_id is not None and not reading.row(known):
        fields["employer_id"] = "is unknown"
    fields |= _unknown(reading, extension.selection.holder_refs)
    if fields:
        raise Invalid("The extension is not possible as requested.", fields=fields)
    adjustments.check_reason(reading, scheme, extension.reason_code, extension.reason)
    return scheme


def _unknown(reading: ReadContext, refs: Collection[str]) -> dict[str, str]:
    known: set[str] = set()
    for some in bulk.chunks(refs):
        known |= {row.ref for row in reading.rows(select(Holder.ref).where(Holder.ref.in_(some)))}
    unknown = sorted(set(refs) - known)
    return (
        {"holder_refs": f"are not refs of holders on record: {', '.join(unknown)}"}
        if unknown
        else {}
    )


def _open(work: UnitOfWork, scheme: Scheme, extension: MassExtension) -> str | None:
    """The id of a new batch; None if the reference exists already, even in a concurrent request."""
    statement = work.upsert(AdjustmentBatch).on_conflict_do_nothing(index_elements=["ref"])
    values = {
        "id": new_id(),
        "ref": extension.ref,
        "scheme": scheme.code,
        "request": extension.request(),
        "extended": 0,
        "refused": 0,
        "decided_by": work.actor.name,
        "recorded_at": work.now,
    }
    made = work.row(statement.returning(AdjustmentBatch.id), values)
    return str(made.id) if made else None


def _of_ref(reading: ReadContext, ref: str) -> PastExtension | None:
    return reading.row_as(PastExtension, _BATCH.where(AdjustmentBatch.ref == ref))


def _repeated(
    before: PastExtension | None, scheme: Scheme, extension: MassExtension, *, dry_run: bool
) -> ExtensionOutcome:
    """The outcome of an act that was done before: nothing. Raises Conflict for another act."""
    if before is None or (before.scheme, before.request) != (scheme.code, extension.request()):
        raise Conflict(
            f"The ref {extension.ref!r} was already used for another mass extension; choose a new "
            "one."
        )
    return ExtensionOutcome(
        batch_id=before.id,
        ref=extension.ref,
        dry_run=dry_run,
        repeated=True,
        extended=0,
        refused=0,
        unchanged=before.extended,
    )


def _conditions(
    reading: ReadContext, scheme: Scheme, selection: Selection
) -> list[ColumnElement[bool]]:
    """The conditions on a certification and its span of today."""
    expiring = selection.expiring
    conditions: list[ColumnElement[bool]] = [
        Certification.scheme == scheme.code,
        Span.expires_on >= expiring.starts_on,
        Span.expires_on <= expiring.ends_on,
    ]
    if selection.holder_refs:
        known = func.coalesce(Holder.merged_into_id, Holder.id)
        named = select(known).where(bulk.among(reading, Holder.ref, selection.holder_refs))
        conditions.append(Certification.holder_id.in_(named))
    if selection.employer_id is not None:
        conditions.append(
            exists()
            .where(
                RosterEntry.employer_id == selection.employer_id,
                RosterEntry.holder_id == Certification.holder_id,
                roster.CONSENTED,
            )
            .correlate(Certification)
        )
    return conditions


def _ids(reading: ReadContext, scheme: Scheme, selection: Selection) -> dict[str, str]:
    """The selected certifications, each with its holder."""
    on = reading.today(scheme)
    statement = (
        select(Certification.id, Certification.holder_id)
        .join(Span, Span.certification_id == Certification.id)
        .where(
            standings.ON_SPAN,
            snapshots.COUNTING,
            *_conditions(reading, scheme, selection),
        )
        .order_by(Certification.id)
    )
    return {row.id: row.holder_id for row in reading.rows(statement, {"on": on, "today": on})}


def _chunks(
    reading: ReadContext, scheme: Scheme, selection: Selection, candidates: Collection[str]
) -> Iterator[Sequence[HeldCertification]]:
    """The candidates that are still selected after locking, in chunks."""
    on = reading.today(scheme)
    expiring = selection.expiring
    for ids in bulk.chunks(candidates):
        conditions = [
            bulk.among(reading, Certification.id, ids),
            Span.expires_on >= expiring.starts_on,
            Span.expires_on <= expiring.ends_on,
            snapshots.COUNTING,
        ]
        yield standings.page(reading, conditions, limit=len(ids), on=on)


def _decide(
    reading: ReadContext,
    scheme: Scheme,
    extension: MassExtension,
    held: Sequence[HeldCertification],
) -> list[tuple[ExtensionResult, Granted | None]]:
    """The result for each, with a constant number of statements."""
    today = reading.today(scheme)
    records = snapshots.records(reading, [one.id for one in held])
    refs = _refs(reading, {one.holder_id for one in held})
    shares = _shares(reading, scheme, held)
    decided: list[tuple[ExtensionResult, Granted | None]] = []
    for one in held:
        expires_on = records[one.id].expires_on or date.max
        wanted = extension.wanted(expires_on)
        fate = ExtensionResult(
            one.id, one.number, refs[one.holder_id], expires_on, wanted.extended_to or date.max
        )
        try:
            check_not_own(reading.actor, one.holder_id)
            granted = adjustments.grant(
                scheme,
                records[one.id],
                wanted,
                today=today,
                share=lambda id_=one.id: shares[id_],  # type: ignore[misc]
            )
            decided.append((fate, granted))
        except Refusal as refusal:
            decided.append((replace(fate, refused=refusal.code, detail=refusal.detail), None))
    return decided


def _refs(reading: ReadContext, holder_ids: Collection[str]) -> dict[str, str]:
    statement = select(Holder.id, Holder.ref).where(bulk.among(reading, Holder.id, holder_ids))
    return {row.id: row.ref for row in reading.rows(statement)}


def _shares(
    reading: ReadContext, scheme: Scheme, held: Sequence[HeldCertification]
) -> Mapping[str, Decimal]:
    """The share of the requirement that each has earned, if a rule needs it."""
    if not any(p.extension and p.extension.share_earned is not None for p in scheme.policies):
        return {}
    points = standings.evaluations(reading, held, on=reading.today(scheme))
    return {one.id: adjustments.share_of(points.get(one.id)) for one in held}


def _write(
    work: UnitOfWork,
    scheme: Scheme,
    batch: tuple[str, str],
    granted: Sequence[Granted],
    holders: Mapping[str, str],
) -> None:
    batch_id, ref = batch
    made = [adjustments.row_of(work, one, batch_id=batch_id) for one in granted]
    bulk.insert(work, Adjustment, made)
    history.record_many(
        work,
        "extend",
        "certification",
        ((one.record.certification_id, adjustments.detail_of(one, batch=ref)) for one in granted),
    )
    certifications.refresh(work, scheme, [one.record.certification_id for one in granted])
    today = work.today(scheme)
    notices.tell(
        work, [adjustments.news_of(row, holders[row["certification_id"]], today) for row in made]
    )


def _outcome(
    extension: MassExtension,
    batch_id: str | None,
    fates: Sequence[ExtensionResult],
    *,
    dry_run: bool,
) -> ExtensionOutcome:
    refused = sum(fate.refused is not None for fate in fates)
    return ExtensionOutcome(
        batch_id=batch_id,
        ref=extension.ref,
        dry_run=dry_run,
        repeated=False,
        extended=len(fates) - refused,
        refused=refused,
        unchanged=0,
        fates=tuple(fates),
    )


def _close(
    work: UnitOfWork, scheme: Scheme, extension: MassExtension, outcome: ExtensionOutcome
) -> None:
    counts = {"extended": outcome.extended, "refused": outcome.refused}
    work.connection.execute(
        update(AdjustmentBatch).where(AdjustmentBatch.id == outcome.batch_id).values(counts)
    )
    history.record(
        work,
        "extend",
        "adjustment_batch",
        outcome.batch_id or "",
        ref=extension.ref,
        scheme=scheme.code,
        **extension.request(),
        **counts,
    )


# Reading.
class PastExtension(NamedTuple):
    """A mass extension on record; ``request`` is that of ``MassExtension``."""

    id: str
    ref: str
    scheme: str
    request: Mapping[str, object]
    extended: int
    refused: int
    decided_by: str
    recorded_at: datetime


_BATCH = select(*columns_of(PastExtension, AdjustmentBatch))


def page(reading: ReadContext, *, after: str | None, limit: int) -> list[PastExtension]:
    """A page of past mass extensions in the order of their ids."""
    statement = _BATCH.order_by(AdjustmentBatch.id).limit(limit)
    if after:
        statement = statement.where(AdjustmentBatch.id > after)
    return reading.rows_as(PastExtension, statement)


def get(reading: ReadContext, batch_id: str) -> PastExtension:
    """One mass extension. Raises NotFound."""
    row = reading.row_as(PastExtension, _BATCH.where(AdjustmentBatch.id == batch_id))
    if row is None:
        raise NotFound
    return row


def members(
    reading: ReadContext, batch_id: str, *, after: str | None, limit: int
) -> Sequence[AdjustmentRow]:
    """A page of the adjustments that a mass extension made. Raises NotFound."""
    row = get(reading, batch_id)
    return adjustments.page_where(reading, Adjustment.batch_id == row.id, after=after, limit=limit)
