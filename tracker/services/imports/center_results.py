"""center_results: what an assessment center sends, by its own attempt_ref; nothing is ever changed.

The report never says what is on record elsewhere about a person (``credentials.center_results``).
"""

from __future__ import annotations

from collections.abc import Collection

from tracker.domain.credentials.assessments import AttemptToRecord
from tracker.models import CenterResult
from tracker.services.credentials import center_results
from tracker.services.credentials.center_results import CheckedResult, SentResult
from tracker.services.imports import assessments
from tracker.services.imports.run import ImportKind, ImportRow, Run
from tracker.tabular import Column, choice, text
from tracker.tabular import date as a_date


def _take(run: Run, rows: Collection[ImportRow]) -> None:
    for row in rows:
        run.scheme(row)
        for column, rule in assessments.source_faults(row).items():
            run.refuse(row, column, rule)
    rows = run.good(rows)
    checked = center_results.check(run.work, [_sent(row) for row in rows])
    for row, one in zip(rows, checked, strict=True):
        for field, rule in one.faults.items():
            run.refuse(row, assessments.column_of(field), rule)
    if not run.broken:
        _store(run, checked)


def _sent(row: ImportRow) -> SentResult:
    attempt = AttemptToRecord(
        scheme=row["scheme"],
        module=row["module"],
        taken_on=row["taken_on"],
        passed=assessments.PASSED[row["result"]],
        more_funding=assessments.more_funding(row),
        **{name: row[name] for name in assessments.MORE},
    )
    return SentResult(row.key, row["holder_ref"], row["family_name"], attempt)


def _store(run: Run, checked: list[CheckedResult]) -> None:
    created = center_results.store(run.work, checked, upload_id=run.id)
    run.counts["created"] += len(created)
    run.counts["unchanged"] += len(checked) - len(created)


def _finish(run: Run) -> None:
    center_results.enter(run.work, CenterResult.upload_id == run.id)


KIND = ImportKind(
    name="center_results",
    columns=(
        Column("attempt_ref", text(64), required=True),
        Column("holder_ref", text(64), required=True),
        Column("family_name", text(100), required=True),
        Column("scheme", text(32), required=True),
        Column("module", text(32), required=True),
        Column("taken_on", a_date(), required=True),
        Column("result", choice(tuple(assessments.PASSED)), required=True),
        *assessments.MORE_COLUMNS,
        *assessments.SOURCE_COLUMNS,
    ),
    key=("attempt_ref",),
    take=_take,
    finish=_finish,
)
