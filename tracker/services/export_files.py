"""What is on record as files of the kinds that are imported: the same columns, the same values.

What such a file has no column for is not in it: extensions stand in the expiry that they give,
reviewers' limits, appeals, evidence and messages stay here. Reads in pages, so that memory stays
flat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import IO, Any

from sqlalchemy import and_, func, select

from tracker import tabular
from tracker.domain import certifications as rules
from tracker.domain.periods import DAY
from tracker.domain.schemes import Scheme
from tracker.models import (
    Activity,
    Assessment,
    Center,
    Certification,
    Decision,
    Employer,
    Holder,
    Renewal,
    RosterEntry,
    Sharing,
    StandingChange,
)
from tracker.services import facts, imports
from tracker.services.exports import Format
from tracker.services.work import Reading

_PAGE = 1000
Line = dict[str, Any]


def write(reading: Reading, kind: str, *, stream: IO[bytes], format: Format = "csv") -> int:  # noqa: A002 - the name that the command gives it
    """Write all that is on record of a kind; the number of rows. Raises Invalid for no kind."""
    columns, count = imports.columns(kind), 0

    def rows() -> Iterator[list[Any]]:
        nonlocal count
        for line in _KINDS[kind](reading):
            count += 1
            yield [line.get(column) for column in columns]

    into = tabular.write_xlsx if format == "xlsx" else tabular.write_csv
    into(stream, columns, rows())
    return count


def _pages(reading: Reading, statement: Any, key: Any) -> Iterator[list[Any]]:
    """The rows of a statement in pages, in the order of a key of theirs."""
    last = None
    while True:
        page = statement if last is None else statement.where(key > last)
        rows = list(reading.rows(page.order_by(key).limit(_PAGE)))
        if not rows:
            return
        yield rows
        last = rows[-1].id


def _lines(reading: Reading, statement: Any, key: Any) -> Iterator[Line]:
    for page in _pages(reading, statement, key):
        yield from (row._asdict() for row in page)


def _holders(reading: Reading) -> Iterator[Line]:
    columns = [Holder.id, Holder.ref.label("holder_ref")]
    columns += [getattr(Holder, name) for name in imports.columns("holders")[1:]]
    yield from _lines(reading, select(*columns), Holder.id)


def _assessments(reading: Reading) -> Iterator[Line]:
    table = Assessment
    statement = (
        select(
            table.id, table.ref, Holder.ref.label("holder_ref"), table.scheme, table.module,
            table.taken_on, table.passed, table.score, table.delivery,
            Center.name.label("center"), table.funding, table.override_reason,
        )
        .join(Holder, Holder.id == table.holder_id)
        .join(Center, Center.id == table.center_id, isouter=True)
        .where(table.voided_at.is_(None))
    )  # fmt: skip
    for line in _lines(reading, statement, table.id):
        result = "pass" if line["passed"] else "fail"
        yield line | {"attempt_ref": line["ref"] or line["id"], "result": result}


def _certifications(reading: Reading) -> Iterator[Line]:
    table = Certification
    statement = (
        select(
            table.id, Holder.ref.label("holder_ref"), table.scheme,
            table.number.label("certificate_number"), table.awarded_on, table.edition,
            table.source, table.replaced_on,
        )
        .join(Holder, Holder.id == table.holder_id)
        .where(facts.CARRIED)
    )  # fmt: skip
    for page in _pages(reading, statement, table.id):
        records = facts.cycles(reading, [row.id for row in page])
        for row in page:
            yield from _cycles(reading.schemes[row.scheme], row, records[row.id])


def _cycles(scheme: Scheme, row: Any, record: facts.Record) -> Iterator[Line]:
    """A line for each cycle, with the last day that belongs to it and to this award."""
    cycles = record.cycles_on(date.max)
    for cycle, following in zip(cycles, [*cycles[1:], None], strict=True):
        ends = [cycle.expires_on]
        if following is not None and _follows_on(scheme, cycle):
            ends.append(following.starts_on - DAY)
        elif following is None and row.replaced_on is not None:
            ends.append(max(cycle.starts_on, row.replaced_on - DAY))
        expires_on = min((day for day in ends if day), default=None)
        yield row._asdict() | {"cycle_starts_on": cycle.starts_on, "expires_on": expires_on}


def _follows_on(scheme: Scheme, cycle: rules.Cycle) -> bool:
    """Whether the cycle after this one begins once it is over."""
    return not cycle.policy or scheme.policy(cycle.policy).next_cycle == "old_expiry"


_RULING = (
    select(
        Decision.activity_id,
        Decision.verdict, Decision.decided_on, Decision.provider_approved,
        func.row_number().over(
            partition_by=Decision.activity_id,
            order_by=(Decision.recorded_at.desc(), Decision.id.desc()),
        ).label("place"),
    )
    .where(Decision.undone_at.is_(None))
    .subquery()
)  # fmt: skip
_CLAIMED = (
    "category", "type", "title", "provider", "quantity", "starts_on", "completed_on", "unit",
    "role", "tags", "duty", "submitted_on",
)  # fmt: skip


def _activities(reading: Reading) -> Iterator[Line]:
    table = Activity
    statement = (
        select(
            table.id, table.ref, Holder.ref.label("holder_ref"), table.scheme, table.state,
            *(getattr(table, name) for name in _CLAIMED), _RULING.c.verdict,
            _RULING.c.decided_on, _RULING.c.provider_approved,
        )
        .join(Holder, Holder.id == table.holder_id)
        .join(
            _RULING, and_(_RULING.c.activity_id == table.id, _RULING.c.place == 1), isouter=True
        )
        .where(table.state != "withdrawn")
    )  # fmt: skip
    for line in _lines(reading, statement, table.id):
        decided = line["state"] in {"approved", "rejected"}
        status = line["state"] if decided or line["state"] == "draft" else "submitted"
        yield line | {
            "activity_ref": line["ref"] or line["id"], "status": status,
            "decided_on": line["decided_on"] if decided else None,
            "provider_approved": (line["provider_approved"] or None) if decided else None,
            "tags": ";".join(line["tags"]),
        }  # fmt: skip


def _renewals(reading: Reading) -> Iterator[Line]:
    table = Renewal
    statement = (
        select(
            table.id, table.ref, Holder.ref.label("holder_ref"), Certification.scheme,
            table.submitted_on, table.decided_on, table.decision,
        )
        .join(Certification, Certification.id == table.certification_id)
        .join(Holder, Holder.id == Certification.holder_id)
        .where(table.withdrawn_on.is_(None), facts.CARRIED)
    )  # fmt: skip
    for line in _lines(reading, statement, table.id):
        yield line | {"renewal_ref": line["ref"] or line["id"]}


def _changes(reading: Reading) -> Iterator[Line]:
    table = StandingChange
    statement = (
        select(
            table.id, table.ref, Holder.ref.label("holder_ref"), Certification.scheme, table.kind,
            table.effective_on, table.reason, table.barred_until,
        )
        .join(Certification, Certification.id == table.certification_id)
        .join(Holder, Holder.id == Certification.holder_id)
        .where(facts.CARRIED)
    )  # fmt: skip
    for line in _lines(reading, statement, table.id):
        yield line | {"change_ref": line["ref"] or line["id"]}


def _roster(reading: Reading) -> Iterator[Line]:
    """The employments, of each number of an employer's the last one."""
    table = RosterEntry
    place = func.row_number().over(
        partition_by=(table.employer_id, table.employee_id),
        order_by=(table.ended_on.is_(None).desc(), table.ended_on.desc(), table.id.desc()),
    )
    last = select(table.id, place.label("place")).subquery()
    in_force = and_(
        Sharing.holder_id == table.holder_id, Sharing.employer_id == table.employer_id,
        Sharing.until_on.is_(None), table.ended_on.is_(None),
    )  # fmt: skip
    statement = (
        select(
            table.id, Employer.name.label("employer"), table.employee_id,
            func.coalesce(Holder.ref, table.given_holder_ref).label("holder_ref"),
            table.given_email.label("email"), table.given_number.label("certificate_number"),
            table.site, table.department, table.shift, Sharing.consented_on, table.ended_on,
        )
        .join(last, and_(last.c.id == table.id, last.c.place == 1))
        .join(Employer, Employer.id == table.employer_id)
        .join(Holder, Holder.id == table.holder_id, isouter=True)
        .join(Sharing, in_force, isouter=True)
    )  # fmt: skip
    yield from _lines(reading, statement, table.id)


_KINDS: Mapping[str, Callable[[Reading], Iterator[Line]]] = {
    "holders": _holders, "assessments": _assessments, "certifications": _certifications,
    "activities": _activities, "renewals": _renewals, "standing-changes": _changes,
    "roster": _roster,
}  # fmt: skip
