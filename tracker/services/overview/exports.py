"""Exports: the standings on a date, and everything about one person."""

from __future__ import annotations

from dataclasses import astuple, fields
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any, Literal

from sqlalchemy import ColumnElement, select

from tracker import tabular
from tracker.db import Base
from tracker.domain.errors import NotFound
from tracker.domain.permissions import check_own_holder
from tracker.models import (
    Account,
    Activity,
    Adjustment,
    Appeal,
    Apprenticeship,
    Assessment,
    Attendance,
    AuditItem,
    Authenticator,
    Center,
    CenterResult,
    Certification,
    Cycle,
    Decision,
    Discrepancy,
    Employer,
    EmployerBar,
    EmployerLook,
    EmployerNudge,
    EmploymentConfirmation,
    Evidence,
    Fee,
    FormerName,
    HistoryEntry,
    HistoryValue,
    Holder,
    HolderRequest,
    LoginSession,
    ManagedCase,
    Message,
    ModuleCertificate,
    Notice,
    OtherCredential,
    Passkey,
    PasswordHash,
    PathwayChoice,
    Preference,
    Provider,
    RecordMerge,
    Reminder,
    Renewal,
    RequestProof,
    RosterEntry,
    Sharing,
    StandingChange,
    Token,
    WorkerSeen,
    WorkPermission,
)
from tracker.services.core import bulk
from tracker.services.core.context import AnyRow, ReadContext
from tracker.services.standings import standings as reports
from tracker.services.standings.standings import ExportRow

Format = Literal["csv", "xlsx"]
COLUMNS = tuple(field.name for field in fields(ExportRow))


def standings(reading: ReadContext, *, on: date, stream: IO[bytes], format: Format = "csv") -> None:  # noqa: A002 - the name that the command and the interface give it
    """Write one row for each holder and scheme with an assessment on or before ``on``."""
    write = tabular.write_xlsx if format == "xlsx" else tabular.write_csv
    write(stream, COLUMNS, (astuple(row) for row in reports.export(reading, on=on)))


ExportRows = list[dict[str, Any]]

# Left out of a person's export: internal keys, and links that the nesting already shows.
_INTERNAL = frozenset(
    {
        "version",
        "key",
        "holder_id",
        "certification_id",
        "activity_id",
        "folded_name",
        "number_key",
        "former_key",
        "account_id",
        "own_record_id",
        "digest",
        "seals",
        "credential_id",
        "public_key",
        "sign_count",
        "who",
        "code_id",
    }
)
# What history calls a record, and its table.
_SUBJECTS: tuple[tuple[str, type[Base]], ...] = (
    ("assessment", Assessment),
    ("module_certificate", ModuleCertificate),
    ("other_credential", OtherCredential),
    ("pathway_choice", PathwayChoice),
    ("apprenticeship", Apprenticeship),
    ("managed_case", ManagedCase),
    ("employment_confirmation", EmploymentConfirmation),
    ("work_permission", WorkPermission),
    ("center_result", CenterResult),
    ("certification", Certification),
    ("activity", Activity),
    ("attendance", Attendance),
    ("audit_item", AuditItem),
    ("discrepancy", Discrepancy),
    ("fee", Fee),
    ("sharing", Sharing),
    ("roster_entry", RosterEntry),
    ("former_name", FormerName),
    ("request", HolderRequest),
    ("account", Account),
    ("token", Token),
)
# What history calls a record, and what an export calls all of them.
_SHOWN = {
    "former_name": "former_names",
    "request": "requests",
    "assessment": "assessments",
    "module_certificate": "module_certificates",
    "other_credential": "other_credentials",
    "pathway_choice": "pathways",
    "apprenticeship": "apprenticeships",
    "managed_case": "managed_cases",
    "employment_confirmation": "employment_confirmations",
    "work_permission": "work_permissions",
    "center_result": "center_results",
    "certification": "certifications",
    "activity": "activities",
    "attendance": "attendance",
    "audit_item": "audits",
    "discrepancy": "discrepancies",
    "fee": "fees",
    "sharing": "sharing",
    "roster_entry": "rosters",
    "account": "accounts",
    "token": "tokens",
}


def record(reading: ReadContext, holder_ref: str) -> dict[str, Any]:
    """Everything on record about a person, as plain values for JSON, including history.

    Raises NotFound, also for another person's record.
    """
    holders = _rows(reading, Holder, Holder.ref == holder_ref)
    if not holders:
        raise NotFound
    holder = holders[0]
    check_own_holder(reading.actor, holder["id"])
    own = {
        name: _rows(reading, table, table.__table__.c.holder_id == holder["id"])
        for name, table in _SUBJECTS
    }
    for name in ("assessment", "center_result"):
        _name(reading, own[name], "center_id", Center)
    _name(reading, own["attendance"], "provider_id", Provider)
    for name in ("fee", "sharing", "roster_entry"):
        _name(reading, own[name], "employer_id", Employer)
    below = {
        **_nest(reading, own["account"], Account, _OF_ACCOUNTS),
        **_nest(reading, own["certification"], Certification, _OF_CERTIFICATIONS),
        **_nest(reading, own["activity"], Activity, _OF_ACTIVITIES),
        **_nest(reading, own["request"], HolderRequest, _OF_REQUESTS),
    }
    _add_protections(reading, own["account"])
    subjects = {name: [row["id"] for row in rows] for name, rows in {**own, **below}.items()}
    subjects["holder"] = [holder["id"], *_merged(reading, holder["id"])]
    return {
        "holder": holder,
        **{shown: own[name] for name, shown in _SHOWN.items()},
        "bars": _bars(reading, holder["id"]),
        "nudges": _nudges(reading, holder["id"]),
        "looks": _looks(reading, holder["id"]),
        "preferences": _preferences(reading, holder["id"]),
        "messages": _messages(reading, holder["id"]),
        "notices": _rows(reading, Notice, Notice.holder_id == holder["id"]),
        "merges": _rows(reading, RecordMerge, RecordMerge.holder_id == holder["id"]),
        "history": _history(reading, subjects),
    }


def _merged(reading: ReadContext, holder_id: str) -> list[str]:
    """The ids of the records that were merged into this one."""
    merged = select(Holder.id).where(Holder.merged_into_id == holder_id)
    return [row.id for row in reading.rows(merged)]


def _add_protections(reading: ReadContext, accounts: ExportRows) -> None:
    """Say of each account when its password and its app were chosen, without the secrets."""
    for account in accounts:
        password = select(PasswordHash.changed_at).where(PasswordHash.account_id == account["id"])
        app = select(Authenticator.confirmed_at).where(Authenticator.account_id == account["id"])
        for name, chosen in (("password_changed_at", password), ("app_confirmed_at", app)):
            row = reading.row(chosen)
            account[name] = None if row is None else _value(row[0])


_Parts = tuple[tuple[str, str, type[Base]], ...]  # name in the record, subject of history, table
_OF_ACCOUNTS: _Parts = (
    ("sessions", "login_session", LoginSession),
    ("passkeys", "passkey", Passkey),
)
_OF_CERTIFICATIONS: _Parts = (
    ("cycles", "cycle", Cycle),
    ("adjustments", "cycle_adjustment", Adjustment),
    ("renewals", "renewal", Renewal),
    ("changes", "standing_change", StandingChange),
    ("appeals", "appeal", Appeal),
    ("reminders", "reminder", Reminder),
)
_OF_REQUESTS: _Parts = (("proofs", "request_proof", RequestProof),)
_OF_ACTIVITIES: _Parts = (
    ("decisions", "decision", Decision),
    ("evidence", "evidence", Evidence),
)


def _nest(
    reading: ReadContext, rows: ExportRows, owner: type[Base], parts: _Parts
) -> dict[str, ExportRows]:
    """Put under each row the rows that belong to it; returns all of these, by subject."""
    by_id = {row["id"]: row for row in rows}
    link = f"{owner.__tablename__}_id"
    parts_by_subject: dict[str, ExportRows] = {}
    for name, subject, table in parts:
        for row in rows:
            row[name] = []
        parts_by_subject[subject] = []
        column = table.__table__.c[link]
        for ids in bulk.chunks(by_id):
            statement = select(*table.__table__.c).where(column.in_(ids))
            for part_row in reading.rows(statement.order_by(*table.__table__.primary_key)):
                part = _plain(part_row)
                by_id[getattr(part_row, link)][name].append(part)
                parts_by_subject[subject].append(part)
    return parts_by_subject


def _rows(reading: ReadContext, table: type[Base], where: ColumnElement[bool]) -> ExportRows:
    columns = table.__table__.c
    return [_plain(row) for row in reading.rows(select(*columns).where(where).order_by(columns.id))]


def _name(
    reading: ReadContext, rows: ExportRows, column: str, table: type[Center | Employer | Provider]
) -> None:
    """Replace the id by the name."""
    ids = {row[column] for row in rows} - {None}
    names: dict[str, str] = {}
    for some in bulk.chunks(sorted(ids)):
        named = reading.rows(select(table.id, table.name).where(table.id.in_(some)))
        names |= {row.id: row.name for row in named}
    for row in rows:
        row[column.removesuffix("_id")] = names.get(row.pop(column))


def _preferences(reading: ReadContext, holder_id: str) -> ExportRows:
    """Which types of messages the person wants."""
    columns = Preference.__table__.c
    statement = select(*columns).where(columns.holder_id == holder_id).order_by(columns.type)
    return [_plain(row) for row in reading.rows(statement)]


def _bars(reading: ReadContext, holder_id: str) -> ExportRows:
    """The employers that the person has barred."""
    statement = (
        select(Employer.name.label("employer"), EmployerBar.recorded_at)
        .join(Employer, Employer.id == EmployerBar.employer_id)
        .where(EmployerBar.holder_id == holder_id)
    )
    return [_plain(row) for row in reading.rows(statement.order_by(Employer.name))]


def _looks(reading: ReadContext, holder_id: str) -> ExportRows:
    """When employers looked at the person's standing, and who."""
    table = EmployerLook
    columns = (table.id, table.at, table.kind, table.scheme, table.as_of, table.name)
    statement = (
        select(*columns, Employer.name.label("employer"))
        .join(Employer, Employer.id == table.employer_id)
        .join(WorkerSeen, WorkerSeen.look_id == table.id)
        .where(WorkerSeen.holder_id == holder_id)
    )
    return [_plain(row) for row in reading.rows(statement.order_by(table.id))]


def _nudges(reading: ReadContext, holder_id: str) -> ExportRows:
    """When employers last reminded the person, and who did."""
    table = EmployerNudge
    statement = (
        select(table.scheme, table.nudged_on, table.nudged_by, Employer.name.label("employer"))
        .join(Employer, Employer.id == table.employer_id)
        .where(table.holder_id == holder_id)
    )
    return [_plain(row) for row in reading.rows(statement.order_by(Employer.name))]


def _messages(reading: ReadContext, holder_id: str) -> ExportRows:
    """The messages; their text follows from the rest of the record."""
    statement = select(
        Message.id,
        Message.kind,
        Message.address,
        Message.stage,
        Message.state,
        Message.created_at,
        Message.finished_at,
    ).where(Message.holder_id == holder_id)
    return [_plain(row) for row in reading.rows(statement.order_by(Message.id))]


def _history(reading: ReadContext, subjects: dict[str, list[str]]) -> ExportRows:
    """The history entries about these records, as they were written."""
    table, lines = HistoryEntry, []
    for subject, ids in subjects.items():
        for some in bulk.chunks(ids):
            statement = select(
                table.id,
                table.at,
                table.actor,
                table.action,
                table.subject,
                table.subject_id,
                table.detail,
            ).where(table.subject == subject, table.subject_id.in_(some))
            lines += [_plain(row) for row in reading.rows(statement)]
    _put_values(reading, lines)
    return sorted(lines, key=lambda line: line["id"])


def _put_values(reading: ReadContext, lines: ExportRows) -> None:
    """Add the personal values stored beside an entry, before and after, under ``values``."""
    by_id = {line["id"]: line for line in lines}
    table = HistoryValue
    for start in range(0, len(lines), bulk.CHUNK):
        ids = [line["id"] for line in lines[start : start + bulk.CHUNK]]
        statement = select(table.history_id, table.field, table.before, table.after)
        for row in reading.rows(statement.where(table.history_id.in_(ids))):
            values = by_id[row.history_id].setdefault("values", {})
            values[row.field] = {"before": row.before, "after": row.after}


def _plain(row: AnyRow) -> dict[str, Any]:
    """A row as plain values for JSON: instants in UTC, amounts as text with two decimals."""
    return {name: _value(value) for name, value in row._asdict().items() if name not in _INTERNAL}


def _value(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value) if isinstance(value, (date, Decimal)) else value
