"""The directory of assessment centers, and the periods in which each is approved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from rapidfuzz import process
from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError

from tracker.domain.credentials import assessments as rules
from tracker.domain.credentials.assessments import Approval, AttemptToRecord
from tracker.domain.errors import AlreadyRecorded, IllegalTransition, Invalid, NotFound
from tracker.domain.values import folded
from tracker.models import Center, CenterApproval
from tracker.services.core import bulk, history
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of
from tracker.services.core.organizations import Directory

_NEAR, _ALIKE = 3, 75  # maximum number of suggestions, and minimum similarity in percent


class CenterRow(NamedTuple):
    """An assessment center of the directory."""

    id: str
    name: str
    category: str | None
    code: str | None
    enters_directly: bool
    version: int


_CENTER = select(*columns_of(CenterRow, Center))
_DIRECTORY = Directory("center", CenterRow)


def add_center(
    work: UnitOfWork,
    *,
    name: str,
    category: str,
    approvals: list[Approval],
    code: str | None = None,
) -> str:
    """Add an assessment center to the directory.

    Raises AlreadyRecorded if the name is in use, or the code.
    """
    _check_code(work, code)
    center = Center(name=name, category=category, code=code, recorded_at=work.now)
    center_id = _DIRECTORY.register(work, center, category=category, code=code)
    for approval in approvals:
        approve_center(work, center_id, approval)
    return center_id


def _check_code(reading: ReadContext, code: str | None) -> None:
    """Say whose the code is, if it is in use; the database has the last word."""
    row = code and reading.row(select(Center.name).where(Center.code == code))
    if row:
        raise AlreadyRecorded(f"The code {code} is that of {row.name}.")


def correct(
    work: UnitOfWork, center_id: str, values: Mapping[str, str | None], version: int
) -> None:
    """Correct name, code or category of a center. Raises NotFound, Stale, AlreadyRecorded."""
    row, _ = get(work, center_id)
    if values.get("code") != row.code:
        _check_code(work, values.get("code"))
    _DIRECTORY.correct(work, center_id, values, version)


def let_enter(work: UnitOfWork, center_id: str, *, directly: bool, reason: str) -> None:
    """Have a center's results recorded at once from now on, or wait for staff again.

    Raises NotFound, IllegalTransition if that is so already.
    """
    center = work.row(
        select(Center.enters_directly).where(Center.id == center_id).with_for_update()
    )
    if center is None:
        raise NotFound
    if center.enters_directly == directly:
        now = "are recorded at once" if directly else "wait for staff"
        raise IllegalTransition(f"Results of this center {now} already.", state=str(directly))
    values = {"enters_directly": directly, "version": Center.version + 1}
    work.execute(update(Center).where(Center.id == center_id).values(**values))
    changes = {"enters_directly": (center.enters_directly, directly)}
    history.record(work, "let_enter", "center", center_id, reason=reason, changes=changes)


@dataclass(frozen=True, slots=True)
class KnownCenters:
    """Centers that some attempts name, with their approvals."""

    by_id: Mapping[str, str]
    by_name: Mapping[str, str]
    approvals: Mapping[str, Sequence[Approval]]
    directory: Sequence[str]

    def placed(self, attempt: AttemptToRecord) -> AttemptToRecord:
        """The attempt with the id of the center that it names. Raises Invalid, with near names."""
        center_id = attempt.center_id
        if center_id is not None and center_id not in self.by_id:
            raise Invalid("There is no such assessment center.", fields={"center_id": "is unknown"})
        if attempt.center is None:
            return attempt
        meant = self.by_name.get(attempt.center)
        if meant is None or (center_id or meant) != meant:
            rule = "is not the center of that center_id" if meant else self._unknown(attempt.center)
            raise Invalid("There is no such assessment center.", fields={"center": rule})
        return replace(attempt, center_id=meant)

    def _unknown(self, name: str) -> str:
        return f"is not an assessment center on record{near(name, self.directory)}"

    def rule(self, attempt: AttemptToRecord) -> str | None:
        """The rule that the attempt breaks if its center was not approved on the day, or None."""
        if attempt.center_id is None:
            return None
        return rules.unapproved_rule(
            self.approvals[attempt.center_id],
            on=attempt.taken_on,
            override_reason=attempt.override_reason,
        )

    def warnings(self, attempt: AttemptToRecord) -> list[str]:
        """What is to be flagged about the attempt's center."""
        if attempt.center_id is None:
            return []
        name, approvals = self.by_id[attempt.center_id], self.approvals[attempt.center_id]
        warning = rules.center_warning(name, approvals, on=attempt.taken_on)
        return [warning] if warning else []


def known(
    reading: ReadContext, *, ids: Collection[str] = (), names: Collection[str] = ()
) -> KnownCenters:
    """The centers with these ids, names and codes; the directory only if a name is unknown."""
    by_name = of_names(reading, names)
    statement = select(Center.id, Center.name)
    wanted = {*ids, *by_name.values()}
    rows = reading.rows(statement.where(bulk.among(reading, Center.id, wanted))) if wanted else []
    return KnownCenters(
        by_id={row.id: row.name for row in rows},
        by_name=by_name,
        approvals=approvals_of(reading, sorted(wanted)),
        directory=[] if len(by_name) == len(names) else names_of(reading),
    )


def of_names(reading: ReadContext, names: Collection[str]) -> dict[str, str]:
    """The ids of centers by the names or codes that were given, without those unknown."""
    if not names:
        return {}
    statement = select(Center.id, Center.name, Center.code).where(
        or_(bulk.among(reading, Center.name, names), bulk.among(reading, Center.code, names))
    )
    rows = reading.rows(statement)
    found = {row.code: row.id for row in rows if row.code in names}
    found |= {row.name: row.id for row in rows if row.name in names}  # before another one's code
    return found


def names_of(reading: ReadContext) -> list[str]:
    """The names of all centers. A directory is small."""
    return [row.name for row in reading.rows(select(Center.name).order_by(Center.name))]


def choices(reading: ReadContext) -> list[tuple[str, str]]:
    """All centers to choose from, by id and name, in the order of their names."""
    rows = reading.rows(select(Center.id, Center.name).order_by(Center.name))
    return [(row.id, row.name) for row in rows]


def near(name: str, directory: Sequence[str]) -> str:
    """The names that may be meant by an unknown one, as the end of a sentence."""
    found = process.extract(
        folded(name), {one: folded(one) for one in directory}, limit=_NEAR, score_cutoff=_ALIKE
    )
    meant = " or ".join(repr(one) for _, _, one in found)
    return f"; did you mean {meant}?" if meant else ""


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
