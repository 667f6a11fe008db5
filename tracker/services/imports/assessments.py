"""assessments: attempts at modules, by attempt_ref; awards are made after all rows are written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Text, cast, func, or_, select

from tracker.domain.credentials import assessments as rules
from tracker.domain.credentials import awards as award_rules
from tracker.domain.credentials import funding
from tracker.domain.credentials.assessments import Approval, Attempt, AttemptToRecord
from tracker.domain.credentials.funding import FundingSource
from tracker.domain.errors import AlreadyPassed, RetakeTooSoon, SupportsRenewal
from tracker.domain.points import cycle_rules
from tracker.domain.schemes.schemes import Scheme
from tracker.domain.values import folded_name
from tracker.models import Assessment, Center, CenterApproval, Holder
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of
from tracker.services.credentials import awards, centers, imported_awards, module_certificates
from tracker.services.imports import award_changes, lookups
from tracker.services.imports.batches import Batch
from tracker.services.imports.run import ImportKind, ImportRow, Run
from tracker.tabular import Column, choice, decimal, text
from tracker.tabular import date as a_date

PASSED = {"pass": True, "fail": False}
"""Whether an attempt was passed, by what a file says."""
MORE_COLUMNS = (
    Column("score", decimal(2, 0, 10_000)),
    Column("delivery", choice(rules.DELIVERIES)),
    Column("edition", text(32)),
    Column("proctor", text(200)),
    Column("instructor", text(200)),
    Column("funding", choice(rules.FUNDINGS)),
    Column("amount", decimal(2, 0, 100_000)),
    Column("funding_reference", text(100)),
    Column("override_reason", text(2000)),
)
"""What a file may say of an attempt, by the names of an attempt's fields."""
MORE = tuple(column.name for column in MORE_COLUMNS)
_SOURCE = ("funding", "amount", "funding_reference")
_SOURCES = [
    {name: f"{name}_{number}" for name in _SOURCE} for number in range(2, funding.MOST_SOURCES + 1)
]
SOURCE_COLUMNS = tuple(
    replace(column, name=names[column.name])
    for names in _SOURCES
    for column in MORE_COLUMNS
    if column.name in names
)
"""The sources beside the first, each with the same three columns, numbered from 2."""


def more_funding(row: ImportRow) -> list[FundingSource]:
    """The sources that a row names beside the first."""
    said = [{name: row[column] for name, column in names.items()} for names in _SOURCES]
    return [funding.source(**one) for one in said if one["funding"]]


def source_faults(row: ImportRow) -> dict[str, str]:
    """The rules that the sources beside the first break: what is said of one needs its name."""
    return {
        names["funding"]: f"is required with {names[name]}: who pays"
        for names in _SOURCES
        for name in ("funding_reference", "amount")
        if row[names["funding"]] is None and row[names[name]] is not None
    }


def column_of(field: str) -> str:
    """The column that is named where a rule is about a field of the attempt."""
    return _SOURCES[0]["funding"] if field == "more_funding" else field


def sources_on_line(line: Mapping[str, Any]) -> dict[str, object]:
    """The columns of an exported attempt's sources beside the first."""
    pairs = zip(_SOURCES, line["more_funding"], strict=False)
    return {column: one[name] for names, one in pairs for name, column in names.items()}


class _AttemptOnRecord(NamedTuple):
    ref: str | None
    id: str
    holder_id: str
    scheme: str
    module: str
    taken_on: date
    passed: bool
    center_id: str | None
    voided_at: datetime | None
    score: Decimal | None
    delivery: str | None
    edition: str | None
    proctor: str | None
    instructor: str | None
    funding: str | None
    amount: Decimal | None
    funding_reference: str | None
    more_funding: list[FundingSource]
    override_reason: str | None


class _JudgedAttempt(NamedTuple):
    """An attempt that may need a warning, and its warnings so far."""

    ref: str | None
    id: str
    holder_id: str
    module: str
    taken_on: date
    passed: bool
    override_reason: str | None
    center_id: str | None
    warnings: list[str]


def _take(run: Run, rows: Collection[ImportRow]) -> None:
    ids = lookups.holders(run, rows)
    _check_values(run, rows, ids)
    _check_centers(run, rows)
    rows = run.good(rows)
    on_record = lookups.by_ref(run.work, Assessment, [row.key for row in rows], _AttemptOnRecord)
    for row in rows:
        _check_same(run, row, on_record.get(row.key), ids[row["holder_ref"]])
        _check_with_rest(run, row, on_record.get(row.key))
    if not run.broken:
        _write(run, rows, ids, on_record)


def _zones(reading: ReadContext, holder_ids: Collection[str]) -> dict[str, str]:
    statement = select(Holder.id, Holder.time_zone)
    holders = reading.rows(statement.where(bulk.among(reading, Holder.id, set(holder_ids))))
    return {row.id: row.time_zone for row in holders}


def _check_values(run: Run, rows: Collection[ImportRow], ids: Mapping[str, str]) -> None:
    """Refuse what the API refuses: an unknown module, a day in the future, an impossible score.

    Many rows of a file say the same of other people; what they say is judged once for a chunk.
    """
    zones = _zones(run.work, ids.values())
    judged: dict[tuple[object, ...], Mapping[str, str]] = {}
    for row in rows:
        scheme = run.scheme(row)
        if scheme is None:
            continue
        zone = zones.get(ids.get(row["holder_ref"], ""))
        said = (zone, *_SAID(row.values))
        if said not in judged:
            judged[said] = _faults(run.work, row, scheme, zone)
        for column, rule in judged[said].items():
            run.refuse(row, column, rule)


_OF_SOURCES = tuple(column.name for column in SOURCE_COLUMNS)
_SAID = itemgetter("scheme", "module", "taken_on", "result", *(MORE + _OF_SOURCES))


def _faults(work: UnitOfWork, row: ImportRow, scheme: Scheme, zone: str | None) -> dict[str, str]:
    """The rules that the values of a row break, by column."""
    codes = [module.code for module in scheme.modules]
    known = row["module"] in codes
    attempt = AttemptToRecord(
        scheme=scheme.code,
        module=row["module"] if known else codes[0],
        taken_on=row["taken_on"],
        passed=PASSED[row["result"]],
        more_funding=more_funding(row),
        **{name: row[name] for name in MORE},
    )
    today = work.today(scheme)
    today = max(today, work.day_of(scheme, zone) if zone else today)
    found = {} if known else {"module": _unknown_module(scheme, codes)}
    broken = rules.faults(scheme, attempt, today=today).items()
    return found | source_faults(row) | {column_of(field): rule for field, rule in broken}


def _unknown_module(scheme: Scheme, codes: Iterable[str]) -> str:
    return f"must be one of the modules of {scheme.code}: {', '.join(codes)}"


def _check_centers(run: Run, rows: Collection[ImportRow]) -> None:
    """Refuse centers that are not on record, and suggest similar ones.

    An empty directory is filled by the first file that names centers. Where new centers are
    allowed, another spelling of a known name is still refused.
    """
    new: dict[str, ImportRow] = {}
    for row in rows:
        if row["center"]:
            new.setdefault(row["center"], row)
    unknown = new.keys() - centers.of_names(run.work, new).keys()
    if not unknown:
        return
    directory = centers.names_of(run.work)
    run.new_centers = run.new_centers or not directory
    if run.new_centers:
        by_key = {folded_name(name): name for name in directory}
        new = {name: row for name, row in new.items() if name in unknown}
        known = {name: by_key.get(folded_name(name)) for name in new}
        lookups.refuse_spellings(run, "center", new, known)
        return
    rules_ = {name: _unknown_center(name, directory) for name in unknown}
    for row in rows:
        if row["center"] in unknown:
            run.refuse(row, "center", rules_[row["center"]])


def _unknown_center(name: str, directory: Sequence[str]) -> str:
    near = centers.near(name, directory) or "."
    return (
        f"is not an assessment center on record{near} Register it "
        "(POST /centers), or allow new centers for this import (--new-centers)"
    )


def _check_same(run: Run, row: ImportRow, old: _AttemptOnRecord | None, holder_id: str) -> None:
    """Refuse to change whose attempt it is, or an attempt that was voided."""
    if old is None:
        return
    if (old.holder_id, old.scheme) != (holder_id, row["scheme"]):
        run.refuse(row, "attempt_ref", "is on record for another holder or scheme")
    elif old.voided_at is not None and (old.module, old.taken_on, old.passed) != (
        row["module"],
        row["taken_on"],
        PASSED[row["result"]],
    ):
        run.refuse(row, "attempt_ref", "was voided; use a new attempt_ref for a corrected attempt")


def _check_with_rest(run: Run, row: ImportRow, old: _AttemptOnRecord | None) -> None:
    """Refuse what contradicts that which is on record and of which the file has no column."""
    told = run.header.intersection(MORE + _OF_SOURCES)
    if old is None or not told or len(told) == len(MORE + _OF_SOURCES):
        return
    more = more_funding(row) if run.header.intersection(_OF_SOURCES) else old.more_funding
    attempt = AttemptToRecord(
        scheme=row["scheme"],
        module=row["module"],
        taken_on=row["taken_on"],
        passed=PASSED[row["result"]],
        more_funding=more,
        **{name: row[name] if name in run.header else getattr(old, name) for name in MORE},
    )
    broken = rules.contradictions(attempt)
    for field, rule in broken.items():
        column = field if field in MORE else "funding"
        run.refuse(row, column, f"{rule} (together with what is on record)")


def _write(
    run: Run,
    rows: Collection[ImportRow],
    ids: dict[str, str],
    on_record: dict[str, _AttemptOnRecord],
) -> None:
    work = run.work
    by_name = _centers(run, {row["center"] for row in rows if row["center"]})
    given = [name for name in MORE if name in run.header]  # of the others, what is on record stays
    names_sources = bool(run.header.intersection(_OF_SOURCES))
    batch = Batch(run, Assessment, subject="assessment")
    touched: list[tuple[str, str, int, bool]] = []
    for row in rows:
        holder_id = ids[row["holder_ref"]]
        values = {
            "module": row["module"],
            "taken_on": row["taken_on"],
            "passed": PASSED[row["result"]],
        }
        for name in given:
            values[name] = row[name]
        if names_sources:
            values["more_funding"] = more_funding(row)
        if "center" in run.header:
            values["center_id"] = by_name.get(row["center"])
        fate = batch.add(
            on_record.get(row.key),
            values,
            ref=row.key,
            holder_id=holder_id,
            scheme=row["scheme"],
            warnings=[],
            recorded_at=work.now,
            recorded_by=work.actor.name,
        )
        touched.append((row["scheme"], holder_id, row.number, fate != "unchanged"))
    batch.write()
    run.scratch.touch(touched)


def _centers(run: Run, names: set[str]) -> dict[str, str]:
    """The ids of centers by name or code; unknown ones are added, without approvals."""
    known = centers.of_names(run.work, names)
    new = names - known.keys()
    if not new:
        return known
    return known | lookups.added_by_name(run, Center, new, category=None, enters_directly=False)


def _finish(run: Run) -> None:
    """Make the awards that the passes complete, and check every attempt by the API's rules."""
    approvals = _approvals(run.work)
    for code, touched in run.scratch.touched():
        scheme = run.work.schemes[code]
        changed = [holder_id for holder_id, _, was_changed in touched if was_changed]
        _settle(run, scheme, changed, {holder_id: row for holder_id, row, _ in touched})
        _judge(run, scheme, [holder_id for holder_id, _, _ in touched], approvals)


def _settle(run: Run, scheme: Scheme, holder_ids: list[str], rows: dict[str, int]) -> None:
    """Settle the awards; rows whose passes can no longer change are refused."""
    nested = bulk.savepoint(run.work)
    try:
        consequences = awards.settle(run.work, scheme, holder_ids, awards.KEEP_EARLIER)
        module_certificates.settle(run.work, scheme, holder_ids, consequences)
        nested.commit()
    except SupportsRenewal as refusal:
        nested.rollback()
        if len(holder_ids) == 1:
            run.refuse_at(rows[holder_ids[0]], "taken_on", "", _rule(refusal))
            return
        for holder_id in holder_ids:
            _settle(run, scheme, [holder_id], rows)
    else:
        _report(run, consequences, rows)
        for holder_id, rule in imported_awards.contradicted(run.work, scheme, holder_ids).items():
            run.refuse_at(rows[holder_id], "taken_on", "", rule)


def _report(run: Run, consequences: Collection[awards.Consequence], rows: dict[str, int]) -> None:
    """Count and report what happened to awards; warn of those that keep their date."""
    award_changes.follow(run, consequences)
    for one in consequences:
        if one.what == "kept" and one.holder_id in rows:
            run.warn(
                rows[one.holder_id],
                "taken_on",
                f"By the passes, {one.number} was awarded on {one.after}; it has been renewed "
                f"since, so the date stays {one.before}. To move it, amend the assessment over "
                "HTTP.",
            )


def _rule(refusal: SupportsRenewal) -> str:
    return (
        "changes an award that has been renewed since; amend the assessment over HTTP instead "
        f"(POST /assessments/{{id}}/amendment): {refusal.detail}"
    )


def _judge(
    run: Run,
    scheme: Scheme,
    holder_ids: list[str],
    approvals: dict[str, tuple[str, list[Approval]]],
) -> None:
    """Warn of each attempt that the API would have refused, and store the warning with it."""
    changed: list[dict[str, object]] = []
    noted: list[tuple[str, str, str]] = []
    for attempt, faults in _judged(run, scheme, holder_ids, approvals):
        noted += [(attempt.ref or "", column, message) for column, message in faults]
        warnings = [message for _, message in faults]
        if warnings != attempt.warnings:
            changed.append({"_id": attempt.id, "warnings": warnings})
    if changed:
        bulk.update(run.work, Assessment, changed)
    rows = run.scratch.rows_of("key", [ref for ref, _, _ in noted])
    for row, column, message in sorted((rows[r], c, m) for r, c, m in noted if r in rows):
        run.warn(row, column, message)


def _judged(
    run: Run,
    scheme: Scheme,
    holder_ids: list[str],
    approvals: dict[str, tuple[str, list[Approval]]],
) -> Iterator[tuple[_JudgedAttempt, list[tuple[str, str]]]]:
    """The imported attempts of holders, each with its warnings."""
    together = list(_by_module(run.work, scheme, holder_ids, approvals))
    again = {one[0].holder_id for one in together if sum(a.passed for a in one) > 1}
    held = awards.standing_awards(run.work, scheme, again)
    for attempts in together:
        earlier: list[Attempt] = []
        for attempt in attempts:
            fresh_start = award_rules.fresh_start(
                scheme, held.get(attempt.holder_id, ()), on=attempt.taken_on
            )
            faults = list(_wait_warnings(scheme, attempt, earlier, fresh_start))
            if attempt.center_id in approvals:
                name, periods = approvals[attempt.center_id]
                warning = rules.center_warning(name, periods, on=attempt.taken_on)
                faults += [("center", warning)] if warning else []
            earlier.append(Attempt(attempt.module, attempt.taken_on, attempt.passed))
            if attempt.ref is not None:
                yield attempt, faults


def _wait_warnings(
    scheme: Scheme,
    attempt: _JudgedAttempt,
    earlier: Collection[Attempt],
    fresh_start: tuple[date | None, date | None],
) -> Iterator[tuple[str, str]]:
    if not earlier:
        return
    try:
        rules.check_attempt(
            scheme,
            attempt.module,
            earlier,
            taken_on=attempt.taken_on,
            since=fresh_start[0],
            again_from=fresh_start[1],
        )
    except AlreadyPassed as refusal:
        # Where there are re-examinations it may be one; that depends on renewals imported later.
        if not cycle_rules.needs(scheme).attempts:
            yield "taken_on", refusal.detail
    except RetakeTooSoon as refusal:
        if not attempt.override_reason:
            yield "taken_on", refusal.detail


def _by_module(
    reading: ReadContext, scheme: Scheme, holder_ids: list[str], approved: Collection[str]
) -> Iterable[list[_JudgedAttempt]]:
    """The valid attempts of holders, one list for each holder and module, oldest first.

    Attempts without possible warnings are left out: the only one at a module, at a center without
    approvals. Of two on the same day the failed one comes first, so that the order of entry does
    not matter.
    """
    table = Assessment
    several = func.count().over(partition_by=(table.holder_id, table.module)) > 1
    warned = cast(table.warnings, Text) != "[]"
    notable = or_(several, warned, bulk.among(reading, table.center_id, approved))
    attempts = (
        select(*columns_of(_JudgedAttempt, table), notable.label("notable"))
        .where(
            bulk.among(reading, table.holder_id, holder_ids),
            table.scheme == scheme.code,
            table.voided_at.is_(None),
        )
        .subquery()
    )
    by_module: dict[tuple[str, str], list[_JudgedAttempt]] = defaultdict(list)
    for row in reading.rows_as(_JudgedAttempt, select(attempts).where(attempts.c.notable)):
        by_module[row.holder_id, row.module].append(row)
    for together in by_module.values():
        together.sort(key=_order)
    return by_module.values()


def _order(attempt: _JudgedAttempt) -> tuple[date, bool, str]:
    return attempt.taken_on, attempt.passed, attempt.ref or ""


def _approvals(reading: ReadContext) -> dict[str, tuple[str, list[Approval]]]:
    """The centers with approvals on record: name and periods. A directory is small."""
    statement = select(
        Center.id, Center.name, CenterApproval.approved_on, CenterApproval.lapses_on
    ).join(Center, Center.id == CenterApproval.center_id)
    found: dict[str, tuple[str, list[Approval]]] = {}
    for id_, name, approved_on, lapses_on in reading.rows(statement):
        found.setdefault(id_, (name, []))[1].append(Approval(approved_on, lapses_on))
    return found


KIND = ImportKind(
    name="assessments",
    columns=(
        Column("attempt_ref", text(64), required=True),
        Column("holder_ref", text(64), required=True),
        Column("scheme", text(32), required=True),
        Column("module", text(32), required=True),
        Column("taken_on", a_date(), required=True),
        Column("result", choice(tuple(PASSED)), required=True),
        Column("center", text(200)),
        *MORE_COLUMNS,
        *SOURCE_COLUMNS,
    ),
    key=("attempt_ref",),
    take=_take,
    finish=_finish,
)
