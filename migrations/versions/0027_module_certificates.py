"""Certificates for single modules: one for every module that somebody passed.

Revision ID: 0027
Revises: 0026
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from tracker.db import new_id

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

# The release before goes on: what it records gets its certificate with the holder's next pass.
kind = "expand"

_ID = sa.Uuid(as_uuid=False)
_INSTANT = sa.DateTime(timezone=True)
_BATCH = 1000
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_OLD_NOTICES = (
    "'award', 'award_corrected', 'award_withdrawn', 'activity_decided', 'activity_reopened',"
    " 'renewal_decided', 'renewal_reopened', 'appeal_decided', 'suspended', 'reinstated',"
    " 'revoked', 'adjusted', 'consent_asked', 'listed', 'employer_renamed', 'employment_ended',"
    " 'request_decided', 'activity_submitted', 'renewal_received', 'appeal_received',"
    " 'records_merged'"
)
_NOTICES = f"{_OLD_NOTICES}, 'module_certificate'"
_LEADS = sa.text("merged_into_id is null")
_ASSESSMENT = sa.table(
    "assessment",
    sa.column("holder_id", _ID),
    sa.column("scheme"),
    sa.column("module"),
    sa.column("taken_on", sa.Date()),
    sa.column("passed", sa.Boolean()),
    sa.column("voided_at", _INSTANT),
)


def upgrade() -> None:
    """Create the table, give every module passed so far its certificate, and allow the notice."""
    table = op.create_table(
        "module_certificate",
        sa.Column("id", _ID, nullable=False),
        sa.Column("public_id", sa.String(32), nullable=False),
        sa.Column("number", sa.String(32), nullable=False),
        sa.Column("number_key", sa.String(32), nullable=False),
        sa.Column("holder_id", _ID, nullable=False),
        sa.Column("scheme", sa.String(32), nullable=False),
        sa.Column("module", sa.String(32), nullable=False),
        sa.Column("passed_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("amended_at", _INSTANT),
        sa.Column("withdrawn_at", _INSTANT),
        sa.Column("merged_into_id", _ID),
        sa.CheckConstraint("merged_into_id <> id", name="merged"),
        sa.ForeignKeyConstraint(["holder_id"], ["holder.id"]),
        sa.ForeignKeyConstraint(["merged_into_id"], ["module_certificate.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("public_id"),
        sa.UniqueConstraint("number"),
        sa.UniqueConstraint("number_key"),
    )
    op.create_index(
        "uq_module_certificate_module",
        "module_certificate",
        ["holder_id", "scheme", "module"],
        unique=True,
        sqlite_where=_LEADS,
        postgresql_where=_LEADS,
    )
    _issue(table)
    _allow(_NOTICES)
    _run(_POLICIES)


def _issue(table: sa.Table) -> None:
    """Give every module passed so far its certificate, a batch at a time."""
    bind, at = op.get_bind(), datetime.now(UTC)
    passes = sa.select(
        _ASSESSMENT.c.holder_id,
        _ASSESSMENT.c.scheme,
        _ASSESSMENT.c.module,
        sa.func.min(_ASSESSMENT.c.taken_on).label("passed_on"),
    )
    passes = passes.where(_ASSESSMENT.c.passed, _ASSESSMENT.c.voided_at.is_(None))
    passes = passes.group_by(*[_ASSESSMENT.c[name] for name in ("holder_id", "scheme", "module")])
    found = bind.execute(passes).fetchall()
    for start in range(0, len(found), _BATCH):
        rows = [_certificate(one, at) for one in found[start : start + _BATCH]]
        bind.execute(sa.insert(table), rows)


def _certificate(one: Any, at: datetime) -> dict[str, object]:
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(10))
    # The prefix is in the scheme's file, which a migration does not read; mostly it is the code.
    prefix = "".join(filter(str.isalnum, one.scheme.upper()))[:8]
    return {
        "id": new_id(),
        "public_id": secrets.token_urlsafe(16),
        "number": f"{prefix}-M-{letters[:5]}-{letters[5:]}",
        "number_key": f"{prefix}M{letters}",
        "holder_id": one.holder_id,
        "scheme": one.scheme,
        "module": one.module,
        "passed_on": one.passed_on,
        "recorded_at": at,
    }


def _allow(kinds: str) -> None:
    with op.batch_alter_table("notice") as batch_op:
        batch_op.drop_constraint(op.f("ck_notice_kind"), type_="check")
        batch_op.create_check_constraint(op.f("ck_notice_kind"), f"kind in ({kinds})")


def _run(statements: str) -> None:
    """Run SQL of PostgreSQL; SQLite has no policies."""
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    schema = connection.exec_driver_sql("select quote_ident(current_schema())").scalar_one()
    for statement in statements.replace("{schema}", schema).split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement.replace("%", "%%"))


_ASKED = """
create or replace function tracker_asked_holders() returns uuid[] language sql stable
    security definer set search_path = {schema}, pg_temp as $$
    select case when current_setting('tracker.viewer', true) like 'asked %' then array(
        select holder_id from certification
        where public_id = substr(current_setting('tracker.viewer', true), 7)
        or number_key = substr(current_setting('tracker.viewer', true), 7)
        or former_key = substr(current_setting('tracker.viewer', true), 7){more}) end
$$"""
_OF_MODULES = """
        union select holder_id from module_certificate
        where public_id = substr(current_setting('tracker.viewer', true), 7)
        or number_key = substr(current_setting('tracker.viewer', true), 7)"""
_POLICIES = f"""
{_ASKED.replace("{more}", _OF_MODULES)};
alter table module_certificate enable row level security;
create policy reads on module_certificate for select using ((select tracker_sees_all()) or
    holder_id = (select tracker_holder()) or holder_id = any ((select
    tracker_asked_holders())::uuid[]));
create policy adds on module_certificate for insert with check ((select tracker_sees_all()) or
    holder_id = (select tracker_holder()));
create policy changes on module_certificate for update using ((select tracker_sees_all()) or
    holder_id = (select tracker_holder()));
create policy deletes on module_certificate for delete using ((select tracker_sees_all()) or
    holder_id = (select tracker_holder()))
"""


def downgrade() -> None:
    """Drop the table and the notices about its rows."""
    _run(_ASKED.replace("{more}", ""))
    op.execute(sa.text("delete from notice where kind = 'module_certificate'"))
    _allow(_OLD_NOTICES)
    op.drop_table("module_certificate")
