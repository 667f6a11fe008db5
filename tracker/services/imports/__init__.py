"""File imports: a file is imported completely or not at all, with rows in any order, repeatably.

Here is the run of one file through its kind (a module each: ``holders``, ``assessments``,
``certifications``, ``activities``, ``renewals``, ``standing_changes``, ``roster``, ``attendance``,
and ``center_results``, which assessment centers alone send), and of a folder of files (``folder``).
Every kind is an ``ImportKind`` and gets a ``Run`` (``run``), which remembers keys in ``scratch``;
``lookups`` finds the records that rows name, ``batches`` writes a chunk, ``report`` says what came
of it. ``apart`` does what must come before the transaction, which is the door's. Reading CSV and
XLSX is in ``tracker.tabular``.

Imports run one at a time, so that two of them never wait for each other's rows; importing the same
file again finds everything unchanged. Each run writes one history entry, and one for each row on
record that it changed; created rows need none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from itertools import islice
from typing import Required, TypedDict

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from tracker import tabular
from tracker.db import new_id
from tracker.domain.errors import AlreadyRecorded, Invalid, NotFound
from tracker.domain.permissions import organization_ids
from tracker.models import ImportRun
from tracker.services.core import bulk, history
from tracker.services.core.bulk import Savepoint
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.core.row_scope import scope
from tracker.services.imports import (
    activities,
    assessments,
    attendance,
    center_results,
    certifications,
    holders,
    import_runs,
    references,
    renewals,
    roster,
    standing_changes,
)
from tracker.services.imports.import_runs import ImportRunRow
from tracker.services.imports.report import (
    AwardChange,
    ImportRefused,
    ImportReport,
    RowWarning,
    RunFacts,
)
from tracker.services.imports.run import ImportKind, ImportRow, Run
from tracker.services.imports.scratch import Scratch
from tracker.tabular import BadTable, Column, Dates, Encoding, Reader
from tracker.tabular.problems import Problems
from tracker.tabular.reader import MOST_ERRORS, Readable

__all__ = [
    "FOLDER_KINDS",
    "KINDS",
    "AwardChange",
    "ImportRefused",
    "ImportReport",
    "RowWarning",
    "check_cells",
    "column_names",
    "get",
    "keep_checked",
    "record_run",
    "run",
    "table_columns",
]

_KINDS: dict[str, ImportKind] = {
    module.KIND.name: module.KIND
    for module in (
        holders,
        assessments,
        certifications,
        activities,
        renewals,
        standing_changes,
        roster,
        attendance,
        center_results,
    )
}
KINDS = tuple(_KINDS)
"""The kinds of files, in the order in which they must be imported."""
FOLDER_KINDS = tuple(
    kind for kind in KINDS if kind not in {attendance.KIND.name, center_results.KIND.name}
)
"""Those that are exported and that a folder brings; the others tell what organizations send."""


class RunOptions(TypedDict, total=False):
    """The options of a run that a door lets its caller choose, and the file's name."""

    filename: Required[str]
    dates: Dates
    encoding: Encoding
    employer_id: str | None
    new_centers: bool
    ends_missing: bool


CHUNK = 1000
_LOCK = 0x7472_6B69  # any number: the key of the advisory lock that imports take on PostgreSQL


def run(
    work: UnitOfWork,
    kind: str,
    stream_or_path: Readable,
    *,
    filename: str,
    dates: Dates = Dates.ISO,
    encoding: Encoding = Encoding.UTF_8,
    dry_run: bool = False,
    on_progress: Callable[[int], None] | None = None,
    employer_id: str | None = None,
    new_centers: bool = False,
    ends_missing: bool = False,
) -> ImportReport:
    """Import a file: every row of it, or none.

    ``dry_run`` does all the work but stores only the record of the run; since it takes the same
    locks as a real run, a door whose callers would wait uses ``apart.check`` instead.
    ``employer_id`` marks a roster as the employer's own file, ``ends_missing`` as its whole list,
    which ends the employment of others. ``new_centers`` adds assessment centers that are not on
    record. ``on_progress`` is called with the number of rows read so far. Raises ImportRefused with
    every bad row, after which the transaction is as it was before; Invalid for an unknown kind, or
    another kind as a whole list; AlreadyRecorded if another transaction wrote one of the keys.
    """
    chosen = _kind(kind)
    if ends_missing:
        _check_whole(chosen, employer_id)
    facts = RunFacts(new_id(), kind, _storable(filename), dry_run, employer_id)
    _wait_for_other_imports(work)
    with _undone_if_refused(work) as nested:
        done = _run_nested(
            work,
            chosen,
            stream_or_path,
            dates=dates,
            encoding=encoding,
            on_progress=on_progress,
            facts=facts,
            new_centers=new_centers,
            ends_missing=ends_missing,
        )
    report = _report(done, facts)
    if dry_run:
        nested.rollback()
    else:
        nested.commit()
        counts = {"rows": report.rows, "created": report.created, "changed": report.changed}
        history.record(work, "import", "import_run", report.id, kind=kind, **counts)
    _store(work, facts, "checked" if dry_run else "stored", report.to_dict())
    return report


@contextmanager
def _undone_if_refused(work: UnitOfWork) -> Iterator[Savepoint]:
    """A savepoint to which the transaction goes back if the block raises.

    Raises AlreadyRecorded if another transaction wrote one of the keys at the same moment.
    """
    nested = bulk.savepoint(work)
    try:
        yield nested
        work.session.flush()
    except IntegrityError as error:
        nested.rollback()
        raise AlreadyRecorded(
            "Someone recorded one of these rows at the same moment; import the file again."
        ) from error
    except Exception:
        nested.rollback()
        raise


def _storable(filename: str) -> str:
    """A filename that every database can store: its last 200 characters."""
    return filename.encode(errors="replace").decode().replace("\0", "?")[-200:]


def _kind(kind: str) -> ImportKind:
    try:
        return _KINDS[kind]
    except KeyError:
        choices = ", ".join(KINDS)
        raise Invalid(
            f"{kind!r} is not a kind of file; the kinds are: {choices}.",
            fields={"kind": f"must be one of: {choices}"},
        ) from None


def _check_whole(kind: ImportKind, employer_id: str | None) -> None:
    """Refuse a file that cannot be an employer's whole list."""
    if kind.name != roster.KIND.name or employer_id is None:
        rule = "goes with an employer's own roster"
        raise Invalid("Only an employer's own list can be whole.", fields={"ends_missing": rule})


def _wait_for_other_imports(work: UnitOfWork) -> None:
    """Take the import lock; SQLite has one writer anyway, and a rehearsal blocks nobody."""
    if work.dialect == "postgresql" and not work.is_rehearsal:
        work.connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def _run_nested(
    work: UnitOfWork,
    kind: ImportKind,
    stream_or_path: Readable,
    *,
    dates: Dates,
    encoding: Encoding,
    on_progress: Callable[[int], None] | None,
    facts: RunFacts,
    new_centers: bool,
    ends_missing: bool,
) -> Run:
    with Scratch() as scratch:
        try:
            reader = tabular.read(
                stream_or_path,
                filename=facts.filename,
                columns=kind.columns_of(own_file=facts.employer_id is not None),
                dates=dates,
                encoding=encoding,
            )
        except BadTable as refusal:
            raise ImportRefused(refusal.errors, refusal.total, run=facts) from refusal
        with reader:
            made = Run(
                id=facts.id,
                work=work,
                header=frozenset(reader.header),
                problems=Problems(facts.filename, MOST_ERRORS),
                scratch=scratch,
                employer_id=facts.employer_id,
                count_bad_cells=lambda: reader.total_errors,
                new_centers=new_centers,
                ends_missing=ends_missing,
            )
            for note in reader.notes:
                made.warn(1, "", note)
            for rows in _chunks(kind, reader, _filled(made, kind)):
                once = _without_repeats(made, kind, rows)
                kind.take(made, references.without_fractions(made, once))
                made.settle_refusals()
                if on_progress:
                    on_progress(rows[-1].number - 1)
            if not kind.checks_on:
                _check_clean(made, reader, facts)
            kind.finish(made)
            made.settle_refusals()
            _check_clean(made, reader, facts)
    return made


def _filled(run: Run, kind: ImportKind) -> dict[str, str]:
    """What rows of an organization's own file may leave out: its own name."""
    if run.employer_id is None or kind.own_name is None:
        return {}
    return {kind.own_column: kind.own_name(run)}


def _chunks(
    kind: ImportKind, reader: Reader, filled: Mapping[str, str]
) -> Iterator[list[ImportRow]]:
    rows = (
        ImportRow(number, kind.key_of(whole), whole)
        for number, values in reader
        for whole in [{**values, **{k: values.get(k) or v for k, v in filled.items()}}]
    )
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


def _without_repeats(run: Run, kind: ImportKind, rows: list[ImportRow]) -> list[ImportRow]:
    """The rows whose key is new in the file; the others are refused."""
    first = run.scratch.first_rows("key", [(row.key, row.number) for row in rows])
    for row in rows:
        if first[row.key] != row.number:
            run.refuse(row, kind.key[-1], _repeated(kind, first[row.key]))
    return run.good(rows)


def _repeated(kind: ImportKind, first: int) -> str:
    """The rule broken by a row whose key is already in the row ``first``."""
    rule = f"already appears in row {first}; a key may appear only once in a file"
    if len(kind.key) == 1:
        return rule
    *others, last = kind.key
    return f"{rule}, and here it appears in {', '.join(others)} and {last}"


def _check_clean(run: Run, reader: Reader, facts: RunFacts) -> None:
    """Raise ImportRefused if the reader or the kind refused anything."""
    total = reader.total_errors + run.problems.total
    if total:
        errors = sorted([*reader.errors, *run.problems.kept], key=lambda error: error.row)
        raise ImportRefused(errors[:MOST_ERRORS], total, run=facts)


def column_names(kind: str) -> tuple[str, ...]:
    """The names of a kind's columns. Raises Invalid for an unknown kind."""
    return tuple(column.name for column in _kind(kind).columns)


def check_cells(
    kind: str,
    stream_or_path: Readable,
    *,
    filename: str,
    dates: Dates = Dates.ISO,
    encoding: Encoding = Encoding.UTF_8,
) -> None:
    """Check every cell of a file by itself, without the database. Raises ImportRefused."""
    chosen = _kind(kind)
    facts = RunFacts(new_id(), kind, _storable(filename), dry_run=True)
    try:
        reader = tabular.read(
            stream_or_path,
            filename=facts.filename,
            columns=chosen.columns,
            dates=dates,
            encoding=encoding,
        )
        with reader:
            for _ in reader:
                pass
            reader.check_clean()
    except BadTable as refusal:
        raise ImportRefused(refusal.errors, refusal.total, run=facts) from refusal


def keep_checked(work: UnitOfWork, report: ImportReport, *, employer_id: str | None = None) -> None:
    """Store that a file was checked, after the caller has rolled back what the run wrote."""
    facts = RunFacts(report.id, report.kind, report.filename, dry_run=True, employer_id=employer_id)
    _store(work, facts, "checked", report.to_dict())


def table_columns(kind: str, *, own_file: bool = False) -> tuple[Column, ...]:
    """A kind's columns, for reading a table, perhaps an organization's own.

    Raises Invalid for an unknown kind.
    """
    return _kind(kind).columns_of(own_file=own_file)


def _report(run: Run, facts: RunFacts) -> ImportReport:
    counts = run.counts
    return ImportReport(
        id=facts.id,
        kind=facts.kind,
        filename=facts.filename,
        dry_run=facts.dry_run,
        rows=counts.total(),
        created=counts["created"],
        changed=counts["changed"],
        unchanged=counts["unchanged"],
        warnings=tuple(sorted(run.warnings, key=lambda w: w.row)),
        total_warnings=run.total_warnings,
        effects=dict(+run.effects),
        consequences=tuple(run.consequences),
        total_consequences=run.total_consequences,
    )


def record_run(work: UnitOfWork, refusal: ImportRefused) -> str:
    """Store that a file was refused and why; the door calls it in a separate transaction.

    Returns the id of the run. Runs that were not refused are stored by ``run``.
    """
    errors = [error.to_dict() for error in refusal.errors]
    _store(work, refusal.run, "refused", {"errors": errors, "total": refusal.total})
    return refusal.run.id


def _store(work: UnitOfWork, facts: RunFacts, outcome: str, report: dict[str, object]) -> None:
    work.session.add(
        ImportRun(
            **organization_ids(work.actor.role, work.actor.organization_id) | asdict(facts),
            outcome=outcome,
            report=report,
            actor=work.actor.name,
            recorded_at=work.now,
        )
    )


def get(reading: ReadContext, run_id: str) -> ImportRunRow:
    """A run on record with its report. Raises NotFound, also for another employer's."""
    statement = import_runs.RUNS.where(ImportRun.id == run_id, scope(reading.actor, ImportRun))
    row = reading.row_as(ImportRunRow, statement)
    if row is None:
        raise NotFound
    return row
