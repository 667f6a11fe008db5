"""The directory of assessment centers, and the periods in which each is approved."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from tracker.domain.credentials.assessments import Approval
from tracker.domain.errors import AlreadyRecorded, Invalid, NotFound
from tracker.models import Center, CenterApproval
from tracker.services.core import bulk, history
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of
from tracker.services.core.organizations import Directory


class CenterRow(NamedTuple):
    """An assessment center of the directory."""

    id: str
    name: str
    category: str | None


_CENTER = select(*columns_of(CenterRow, Center))
_DIRECTORY = Directory("center", CenterRow)


def add_center(work: UnitOfWork, *, name: str, category: str, approvals: list[Approval]) -> str:
    """Add an assessment center to the directory. Raises AlreadyRecorded if the name is in use."""
    center = Center(name=name, category=category, recorded_at=work.now)
    center_id = _DIRECTORY.register(work, center, category=category)
    for approval in approvals:
        approve_center(work, center_id, approval)
    return center_id


def approve_center(work: UnitOfWork, center_id: str, approval: Approval) -> None:
    """Record a period in which a center is approved. Raises Invalid, AlreadyRecorded, NotFound."""
    if work.row(select(Center.id).where(Center.id == center_id)) is None:
        raise NotFound
    if approval.lapses_on is not None and approval.lapses_on < approval.approved_on:
        raise Invalid(
            "An approval cannot end before it begins.",
            fields={"lapses_on": f"must not be before approved_on ({approval.approved_on})"},
        )
    work.session.add(
        CenterApproval(
            center_id=center_id,
            approved_on=approval.approved_on,
            lapses_on=approval.lapses_on,
            recorded_at=work.now,
        )
    )
    try:
        work.session.flush()
    except IntegrityError as error:
        day = approval.approved_on
        raise AlreadyRecorded(f"An approval from {day} is already on record.") from error
    history.record(
        work,
        "approve",
        "center",
        center_id,
        approved_on=approval.approved_on,
        lapses_on=approval.lapses_on,
    )


def approvals_of(reading: ReadContext, center_ids: list[str]) -> dict[str, list[Approval]]:
    """The approvals of centers, oldest first."""
    approvals: dict[str, list[Approval]] = defaultdict(list)
    for ids in bulk.chunks(center_ids):
        statement = (
            select(CenterApproval.center_id, CenterApproval.approved_on, CenterApproval.lapses_on)
            .where(CenterApproval.center_id.in_(ids))
            .order_by(CenterApproval.approved_on)
        )
        for center_id, approved_on, lapses_on in reading.rows(statement):
            approvals[center_id].append(Approval(approved_on, lapses_on))
    return approvals


def page(
    reading: ReadContext, *, after: str | None, limit: int, category: str | None = None
) -> list[tuple[CenterRow, list[Approval]]]:
    """A page of the directory of centers, each with its approvals."""
    statement = _CENTER.order_by(Center.id).limit(limit)
    if after:
        statement = statement.where(Center.id > after)
    if category:
        statement = statement.where(Center.category == category)
    page = reading.rows_as(CenterRow, statement)
    approvals = approvals_of(reading, [row.id for row in page])
    return [(row, approvals[row.id]) for row in page]


def get(reading: ReadContext, center_id: str) -> tuple[CenterRow, list[Approval]]:
    """One center with its approvals. Raises NotFound."""
    row = reading.row_as(CenterRow, _CENTER.where(Center.id == center_id))
    if row is None:
        raise NotFound
    return row, approvals_of(reading, [center_id])[center_id]
