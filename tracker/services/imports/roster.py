"""roster: workers of employers, by employer and the employer's own number.

Whom an entry means is found by holder_ref, else certificate number, else e-mail address. In an
employer's own file nothing is said of whom we found: that would tell who is on record.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import or_, select

from tracker.db import new_id
from tracker.models import Certification, Employer, Holder, RosterEntry, Sharing
from tracker.services import bulk, certifications, notices, roster
from tracker.services.imports import lookups
from tracker.services.imports.run import Kind, Row, Run, nothing_follows
from tracker.services.imports.tables import Batch
from tracker.services.work import Reading
from tracker.tabular import Column, email, text
from tracker.tabular import date as a_date

_GIVEN = {
    "holder_ref": "given_holder_ref", "email": "given_email",
    "certificate_number": "given_number",
}  # fmt: skip
_PLAIN = ("site", "department", "shift", "ended_on")
Pair = tuple[str, str]  # holder and employer


@dataclass(slots=True)
class _Matches:
    """Holders by each of the ways to name them; an address that several share names nobody."""

    refs: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)

    def of(self, row: Row) -> str | None:
        """The holder that a row means: by holder_ref, else number, else address."""
        found = self.refs.get(row["holder_ref"]) or self.numbers.get(row["certificate_number"])
        return found or self.addresses.get(row["email"])


def _take(run: Run, rows: Collection[Row]) -> None:
    own = _own_name(run) if run.employer_id else None
    for row in rows:
        if own is not None:
            _check_own(run, row, own)
    matches = _matches(run.work, rows)
    for row in rows:
        if own is None:
            _check_match(run, row, matches)
    rows = run.good(rows)
    if not run.broken:
        _write(run, rows, matches)


def _own_name(run: Run) -> str:
    row = run.work.row(select(Employer.name).where(Employer.id == run.employer_id))
    return row.name if row else ""


def _check_own(run: Run, row: Row, own: str) -> None:
    """Refuse in an employer's own file what is not the employer's to say."""
    if row["employer"] != own:
        run.refuse(row, "employer", f"must be your own company, {own}")
    if row["consented_on"] is not None:
        rule = "must be empty: consent is the worker's own act, not the employer's"
        run.refuse(row, "consented_on", rule)


def _check_match(run: Run, row: Row, matches: _Matches) -> None:
    """Refuse an unknown holder_ref, and consent of nobody on record; warn of an unknown worker."""
    if row["holder_ref"] is not None and row["holder_ref"] not in matches.refs:
        run.refuse(row, "holder_ref", lookups.UNKNOWN_HOLDER)
    elif matches.of(row) is not None:
        return
    elif row["consented_on"] is not None:
        run.refuse(row, "consented_on", "needs a worker who is on record, and none was found")
    elif row["certificate_number"] is not None:
        run.warn(row.number, "certificate_number", "No holder of this certificate was found.")
    elif row["email"] is not None:
        run.warn(row.number, "email", "No holder with this address, or several, were found.")


def _matches(reading: Reading, rows: Collection[Row]) -> _Matches:
    found = _Matches()
    if refs := _named(rows, "holder_ref"):
        statement = select(Holder.ref, Holder.id).where(bulk.among(reading, Holder.ref, refs))
        found.refs = {row.ref: row.id for row in reading.rows(statement)}
    if numbers := _named(rows, "certificate_number"):
        table = Certification
        held = select(table.number, table.holder_id).where(
            bulk.among(reading, table.number, numbers), table.withdrawn_at.is_(None)
        )
        found.numbers = {row.number: row.holder_id for row in reading.rows(held)}
    unnamed = [r for r in rows if not (r["holder_ref"] or r["certificate_number"])]
    if addresses := _named(unnamed, "email"):
        found.addresses = _by_address(reading, addresses)
    return found


def _by_address(reading: Reading, addresses: Collection[str]) -> dict[str, str]:
    """Holders by personal or second address, where it is one holder's alone."""
    statement = select(Holder.id, Holder.email, Holder.second_email).where(
        or_(
            bulk.among(reading, Holder.email, addresses),
            bulk.among(reading, Holder.second_email, addresses),
        )
    )
    holders: dict[str, set[str]] = defaultdict(set)
    for id_, *known in reading.rows(statement):
        for address in known:
            holders[address].add(id_)
    return {address: ids.pop() for address, ids in holders.items() if len(ids) == 1}


def _named(rows: Collection[Row], column: str) -> list[str]:
    return sorted({row[column] for row in rows} - {None})


def _write(run: Run, rows: Collection[Row], matches: _Matches) -> None:
    work = run.work
    employers = lookups.added_by_name(run, Employer, {r["employer"] for r in rows}, email=None)
    means = {row.number: matches.of(row) for row in rows}
    certifications.lock(work, {holder_id for holder_id in means.values() if holder_id})
    entries = _entries(work, [(employers[r["employer"]], r["employee_id"]) for r in rows])
    consented = _consent(run, rows, employers, means)
    batch = Batch(run, RosterEntry, subject="roster_entry")
    for row in rows:
        employer_id = employers[row["employer"]]
        old = entries.get((employer_id, row["employee_id"]))
        values = _values(run, row, old, means[row.number])
        fate = batch.add(
            old, values, employer_id=employer_id, employee_id=row["employee_id"],
            recorded_at=work.now,
        )  # fmt: skip
        if fate == "unchanged" and row.number in consented:
            run.counts["unchanged"] -= 1
            run.counts["changed"] += 1
    batch.write()
    if run.employer_id:
        _ask(run, rows, entries, means)


def _ask(
    run: Run, rows: Collection[Row], entries: dict[Pair, Any], means: dict[int, str | None]
) -> None:
    """Ask whom an employer's own file lists anew for consent; what staff bring in asks nobody."""
    employer_id = run.employer_id or ""
    listed = (
        means[row.number]
        for row in rows
        if row["ended_on"] is None and (employer_id, row["employee_id"]) not in entries
    )
    asked = (roster.consent_asked(run.work, employer_id, id_) for id_ in listed if id_)
    notices.tell(run.work, asked)


def _values(run: Run, row: Row, old: Any, means: str | None) -> dict[str, Any]:
    """What the entry is to say. Columns that the file lacks leave what is on record."""
    values: dict[str, Any] = {}
    for column, name in [*_GIVEN.items(), *((name, name) for name in _PLAIN)]:
        values[name] = row[column] if column in run.header else getattr(old, name, None)
    same = old is not None and all(getattr(old, n) == values[n] for n in _GIVEN.values())
    # An entry may have been tied to its holder since, by the holder; that is not undone.
    values["holder_id"] = old.holder_id if same and means is None else means
    return values


def _entries(reading: Reading, keys: Collection[Pair]) -> dict[Pair, Any]:
    """The entries on record by employer and employee_id, and perhaps others beside them."""
    columns = bulk.table_of(RosterEntry).c
    statement = select(*columns).where(
        bulk.among(reading, columns.employer_id, {employer_id for employer_id, _ in keys}),
        bulk.among(reading, columns.employee_id, {employee_id for _, employee_id in keys}),
    )
    return {(row.employer_id, row.employee_id): row for row in reading.rows(statement)}


def _consent(
    run: Run, rows: Collection[Row], employers: dict[str, str], means: dict[int, str | None]
) -> set[int]:
    """Record the consents that were signed; the numbers of the rows that brought a new one.

    None is recorded beside a live one, nor one that the holder ended on its day or later: what
    was withdrawn does not come back because an old file does.
    """
    signed = [
        (row, (holder_id, employers[row["employer"]]))
        for row in rows
        if row["consented_on"] is not None and (holder_id := means[row.number])
    ]
    barred = _consents_on_record(run.work, {pair for _, pair in signed})
    new: list[dict[str, Any]] = []
    brought: set[int] = set()
    for row, pair in signed:
        if row["consented_on"] <= barred.get(pair, date.min):
            continue
        barred[pair] = date.max
        brought.add(row.number)
        new.append(
            {"id": new_id(), "holder_id": pair[0], "employer_id": pair[1],
             "consented_on": row["consented_on"], "until_on": None, "with_points": True,
             "recorded_at": run.work.now, "recorded_by": run.work.actor.name, "ended_at": None}
        )  # fmt: skip
    bulk.insert(run.work, Sharing, new)
    run.effects["consents recorded"] += len(new)
    return brought


def _consents_on_record(reading: Reading, pairs: set[Pair]) -> dict[Pair, date]:
    """By pair, the last day whose consents count no more; for good while one is live."""
    found: dict[Pair, date] = {}
    table = Sharing
    statement = select(table.holder_id, table.employer_id, table.ended_at).where(
        bulk.among(reading, table.holder_id, {holder_id for holder_id, _ in pairs})
    )
    for holder_id, employer_id, ended_at in reading.rows(statement) if pairs else ():
        pair = (holder_id, employer_id)
        until = ended_at.date() if ended_at else date.max
        found[pair] = max(until, found.get(pair, date.min))
    return found


KIND = Kind(
    name="roster",
    columns=(
        Column("employer", text(200), required=True),
        Column("employee_id", text(64), required=True),
        Column("holder_ref", text(64)),
        Column("email", email),
        Column("certificate_number", text(32)),
        Column("site", text(100)),
        Column("department", text(100)),
        Column("shift", text(32)),
        Column("consented_on", a_date()),
        Column("ended_on", a_date()),
    ),
    key=("employer", "employee_id"),
    take=_take,
    finish=nothing_follows,
)
