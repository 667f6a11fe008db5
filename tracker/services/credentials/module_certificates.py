"""Certificates for single modules: issued with each pass, and corrected with it.

Invariant: a certificate keeps its row, and with it its number and its public address. A correction
moves its day, marks it as withdrawn, or clears that mark. The certificates of many holders are
settled with a constant number of statements for each chunk of them.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple

from sqlalchemy import bindparam, func, select, update

from tracker.db import new_id
from tracker.domain import numbers
from tracker.domain.credentials.candidates import Candidacy, candidacy
from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.permissions import check_own_holder
from tracker.domain.schemes.schemes import Scheme
from tracker.models import Assessment, ModuleCertificate
from tracker.services.core import bulk, history
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of
from tracker.services.credentials import certificate_numbers
from tracker.services.credentials.award_rows import Consequence
from tracker.services.outbox import notices
from tracker.services.outbox.notices import NoticeToTell
from tracker.services.standings import snapshots

_MARK = "M"
"""Follows the scheme's prefix in the numbers of these certificates."""
_Action = Literal["issue", "correct", "withdraw", "restore"]


class ModuleCertificateRow(NamedTuple):
    """A certificate for a module, as it is on record; ``merged_into_id``: it leads to another."""

    id: str
    public_id: str
    number: str
    holder_id: str
    scheme: str
    module: str
    passed_on: date
    amended_at: datetime | None
    withdrawn_at: datetime | None
    merged_into_id: str | None


_ROWS = select(*columns_of(ModuleCertificateRow, ModuleCertificate))


class _Settled(NamedTuple):
    """What became of one certificate; ``leads``: the holder has another one for the module."""

    action: _Action
    id: str
    holder_id: str
    before: date | None
    after: date | None
    leads: bool = False


def settle(
    work: UnitOfWork,
    scheme: Scheme,
    holder_ids: Collection[str],
    awarded: Collection[Consequence] = (),
) -> None:
    """Make the certificates of holders agree with their passes.

    Runs in the transaction that changed the passes. ``awarded`` are the consequences for awards:
    their notices say enough, so these holders get none about single modules.
    """
    quiet = {one.holder_id for one in awarded if one.what != "kept"}
    for ids in bulk.chunks(sorted(holder_ids)):
        settled = _settle(work, scheme, ids)
        _record(work, scheme, settled)
        loud = [one for one in settled if one.holder_id not in quiet and not one.leads]
        notices.tell(work, _news(work, scheme, loud))


def _settle(work: UnitOfWork, scheme: Scheme, holder_ids: Collection[str]) -> list[_Settled]:
    """Write the certificates that are new or differ from the passes; returns what changed."""
    passed, on_record = _passed(work, scheme, holder_ids), _on_record(work, scheme, holder_ids)
    new: list[dict[str, object]] = []
    changed: list[dict[str, object]] = []
    settled: list[_Settled] = []
    for holder_id, module in sorted(passed.keys() - on_record.keys()):
        day = passed[holder_id, module]
        new.append(_new_row(work, scheme, holder_id, module, day))
        settled.append(_Settled("issue", str(new[-1]["id"]), holder_id, None, day))
    for (holder_id, module), rows in on_record.items():
        day_now = passed.get((holder_id, module))
        for row in rows:
            leads = row.merged_into_id is not None
            if day_now is None and row.withdrawn_at is None:
                changed.append(_change(row, withdrawn_at=work.now))
                settled.append(_Settled("withdraw", row.id, holder_id, row.passed_on, None, leads))
            elif day_now and (row.passed_on != day_now or row.withdrawn_at is not None):
                moved = work.now if row.passed_on != day_now else row.amended_at
                changed.append(_change(row, passed_on=day_now, amended_at=moved, withdrawn_at=None))
                action: _Action = "correct" if row.withdrawn_at is None else "restore"
                settled.append(_Settled(action, row.id, holder_id, row.passed_on, day_now, leads))
    bulk.insert(work, ModuleCertificate, new)
    bulk.update(work, ModuleCertificate, changed)
    return settled


def _passed(
    work: UnitOfWork, scheme: Scheme, holder_ids: Collection[str]
) -> dict[tuple[str, str], date]:
    """The day of the first pass on record, by holder and module."""
    table = Assessment
    statement = (
        select(table.holder_id, table.module, func.min(table.taken_on, type_=table.taken_on.type))
        .where(
            bulk.among(work, table.holder_id, holder_ids),
            table.scheme == scheme.code,
            table.passed,
            table.voided_at.is_(None),
        )
        .group_by(table.holder_id, table.module)
    )
    return {(holder_id, module): day for holder_id, module, day in work.rows(statement)}


def _on_record(
    work: UnitOfWork, scheme: Scheme, holder_ids: Collection[str]
) -> dict[tuple[str, str], list[ModuleCertificateRow]]:
    """The certificates by holder and module: more than one if two records were merged."""
    statement = _ROWS.where(
        bulk.among(work, ModuleCertificate.holder_id, holder_ids),
        ModuleCertificate.scheme == scheme.code,
    )
    found: dict[tuple[str, str], list[ModuleCertificateRow]] = defaultdict(list)
    for row in work.rows_as(ModuleCertificateRow, statement):
        found[row.holder_id, row.module].append(row)
    return found


def lead(work: UnitOfWork, *, from_id: str, to_id: str) -> None:
    """Let the certificates of one record lead to those that another has for the same modules."""
    table, other = bulk.table_of(ModuleCertificate), bulk.table_of(ModuleCertificate).alias("other")
    leading = select(other.c.id).where(
        other.c.holder_id == to_id,
        other.c.scheme == table.c.scheme,
        other.c.module == table.c.module,
        other.c.merged_into_id.is_(None),
    )
    mine = update(table).where(table.c.holder_id == from_id, leading.exists())
    work.execute(mine.values(merged_into_id=leading.scalar_subquery()))


def _new_row(
    work: UnitOfWork, scheme: Scheme, holder_id: str, module: str, day: date
) -> dict[str, object]:
    number = certificate_numbers.new(scheme, _MARK)
    return {
        "id": new_id(),
        "public_id": secrets.token_urlsafe(16),
        "number": number,
        "number_key": numbers.key(number),
        "holder_id": holder_id,
        "scheme": scheme.code,
        "module": module,
        "passed_on": day,
        "recorded_at": work.now,
    }


def _change(row: ModuleCertificateRow, **values: object) -> dict[str, object]:
    kept = {name: getattr(row, name) for name in ("passed_on", "amended_at", "withdrawn_at")}
    return {"_id": row.id, **kept, **values}


def _record(work: UnitOfWork, scheme: Scheme, settled: Collection[_Settled]) -> None:
    """Write the history of corrections; that of the pass says that a certificate was issued."""
    by_action: dict[_Action, list[tuple[str, dict[str, object]]]] = defaultdict(list)
    for one in settled:
        if one.action == "issue":
            continue
        detail: dict[str, object] = {"scheme": scheme.code}
        if one.before is not None:
            detail["before"] = one.before
        if one.after is not None:
            detail["passed_on"] = one.after
        by_action[one.action].append((one.id, detail))
    for action, details in by_action.items():
        history.record_many(work, action, "module_certificate", details)


def _news(
    work: UnitOfWork, scheme: Scheme, settled: Collection[_Settled]
) -> Iterator[NoticeToTell]:
    """The notices to holders; one of a correction is dated today, whatever day it concerns."""
    today, instant = work.today(scheme), work.now.isoformat()
    for one in settled:
        is_new = one.action == "issue"
        yield NoticeToTell(
            kind=NoticeKind.MODULE_CERTIFICATE,
            holder_id=one.holder_id,
            subject_id=one.id,
            event=one.action if is_new else f"{one.action}:{one.before}:{instant}",
            on=one.after if is_new and one.after else today,
        )


# Progress.
OF_HOLDER = _ROWS.where(
    ModuleCertificate.holder_id == bindparam("id"), ModuleCertificate.merged_into_id.is_(None)
)
"""The certificates of the holder ``id``; can be prefetched."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a holder has come with the modules of a scheme; their certificates by module."""

    scheme: Scheme
    candidacy: Candidacy
    certificates: Mapping[str, ModuleCertificateRow]


def progress(reading: ReadContext, holder_id: str) -> list[Progress]:
    """How far a holder has come in each scheme of which they attempted a module, by its code.

    Raises NotFound, also for another person's record.
    """
    check_own_holder(reading.actor, holder_id)
    certificates: dict[str, dict[str, ModuleCertificateRow]] = defaultdict(dict)
    for row in reading.rows_as(ModuleCertificateRow, OF_HOLDER, {"id": holder_id}):
        certificates[row.scheme][row.module] = row
    attempts = snapshots.attempts_of_holder(reading, holder_id)
    return [
        Progress(scheme := reading.schemes[code], candidacy(scheme, tried), certificates[code])
        for code, tried in sorted(attempts.items())
    ]
