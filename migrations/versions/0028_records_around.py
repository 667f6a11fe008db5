"""Records around a certification: other credentials, pathways, registered apprenticeships.

Revision ID: 0028
Revises: 0027
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

# The release before goes on: it reads none of the tables.
kind = "expand"

_ID = sa.Uuid(as_uuid=False)
_INSTANT = sa.DateTime(timezone=True)
_OLD_NOTICES = (
    "'award', 'award_corrected', 'award_withdrawn', 'activity_decided', 'activity_reopened',"
    " 'renewal_decided', 'renewal_reopened', 'appeal_decided', 'suspended', 'reinstated',"
    " 'revoked', 'adjusted', 'consent_asked', 'listed', 'employer_renamed', 'employment_ended',"
    " 'request_decided', 'activity_submitted', 'renewal_received', 'appeal_received',"
    " 'records_merged', 'module_certificate'"
)
_NOTICES = f"{_OLD_NOTICES}, 'credential_expires'"
_TABLES = ("other_credential", "pathway_choice", "apprenticeship")


def upgrade() -> None:
    """Create the tables with their policies, and allow the notice."""
    _other_credentials()
    _pathway_choices()
    _apprenticeships()
    _allow(_NOTICES)
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for statement in _POLICIES.split(";\n"):
            connection.exec_driver_sql(statement)


def _other_credentials() -> None:
    op.create_table(
        "other_credential",
        sa.Column("id", _ID, nullable=False),
        sa.Column("holder_id", _ID, nullable=False),
        sa.Column("credential", sa.String(32), nullable=False),
        sa.Column("level", sa.String(32), nullable=False),
        sa.Column("number", sa.String(64), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date()),
        sa.Column("evidence", sa.String(500), nullable=False),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("recorded_by", sa.String(100), nullable=False),
        sa.Column("verified_at", _INSTANT),
        sa.Column("verified_by", sa.String(100)),
        sa.Column("withdrawn_at", _INSTANT),
        sa.Column("withdrawn_reason", sa.Text()),
        sa.Column("activity_id", _ID),
        sa.CheckConstraint("expires_on is null or expires_on >= issued_on", name="order"),
        sa.CheckConstraint("(verified_at is null) = (verified_by is null)", name="verified"),
        sa.CheckConstraint("(withdrawn_at is null) = (withdrawn_reason is null)", name="withdrawn"),
        sa.ForeignKeyConstraint(["holder_id"], ["holder.id"]),
        sa.ForeignKeyConstraint(["activity_id"], ["activity.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("activity_id"),
    )
    _live("other_credential", ["holder_id", "credential", "level", "issued_on"], "withdrawn_at")
    op.create_index("ix_other_credential_holder", "other_credential", ["holder_id", "id"])
    op.create_index("ix_other_credential_expires_on", "other_credential", ["expires_on", "id"])


def _pathway_choices() -> None:
    op.create_table(
        "pathway_choice",
        sa.Column("id", _ID, nullable=False),
        sa.Column("holder_id", _ID, nullable=False),
        sa.Column("pathway", sa.String(32), nullable=False),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("recorded_by", sa.String(100), nullable=False),
        sa.Column("left_at", _INSTANT),
        sa.ForeignKeyConstraint(["holder_id"], ["holder.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    _live("pathway_choice", ["holder_id", "pathway"], "left_at")


def _live(table: str, columns: list[str], ended: str) -> None:
    where = sa.text(f"{ended} is null")
    op.create_index(
        f"uq_{table}_live", table, columns, unique=True, sqlite_where=where, postgresql_where=where
    )


def _apprenticeships() -> None:
    op.create_table(
        "apprenticeship",
        sa.Column("id", _ID, nullable=False),
        sa.Column("holder_id", _ID, nullable=False),
        sa.Column("sponsor_id", _ID, nullable=False),
        sa.Column("scheme", sa.String(32), nullable=False),
        sa.Column("program_code", sa.String(32), nullable=False),
        sa.Column("occupation", sa.String(200), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("expected_end_on", sa.Date()),
        sa.Column("ended_on", sa.Date()),
        sa.Column("instruction_hours", sa.Integer(), nullable=False),
        sa.Column("instruction_hours_required", sa.Integer()),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("recorded_by", sa.String(100), nullable=False),
        sa.Column("consented_at", _INSTANT),
        sa.Column("consent_ended_at", _INSTANT),
        sa.CheckConstraint(
            "status in ('registered', 'suspended', 'completed', 'cancelled')", name="status"
        ),
        sa.CheckConstraint(
            "expected_end_on is null or expected_end_on >= started_on", name="expected_end"
        ),
        sa.CheckConstraint("ended_on is null or ended_on >= started_on", name="order"),
        sa.CheckConstraint(
            "(status in ('cancelled', 'completed')) = (ended_on is not null)", name="over"
        ),
        sa.CheckConstraint(
            "instruction_hours >= 0 and"
            " (instruction_hours_required is null or instruction_hours_required > 0)",
            name="hours",
        ),
        sa.CheckConstraint("consent_ended_at is null or consented_at is not null", name="consent"),
        sa.ForeignKeyConstraint(["holder_id"], ["holder.id"]),
        sa.ForeignKeyConstraint(["sponsor_id"], ["sponsor.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("holder_id", "sponsor_id", "program_code", "started_on"),
    )
    op.create_index("ix_apprenticeship_sponsor", "apprenticeship", ["sponsor_id", "id"])


def _allow(kinds: str) -> None:
    with op.batch_alter_table("notice") as batch_op:
        batch_op.drop_constraint(op.f("ck_notice_kind"), type_="check")
        batch_op.create_check_constraint(op.f("ck_notice_kind"), f"kind in ({kinds})")


_POLICIES = """
alter table other_credential enable row level security;
create policy rows on other_credential using ((select tracker_sees_all()) or holder_id = (select
    tracker_holder()));
alter table pathway_choice enable row level security;
create policy rows on pathway_choice using ((select tracker_sees_all()) or holder_id = (select
    tracker_holder()));
alter table apprenticeship enable row level security;
create policy reads on apprenticeship for select using ((select tracker_sees_all()) or holder_id =
    (select tracker_holder()) or sponsor_id = (select tracker_sponsor()) and consented_at is not
    null and consent_ended_at is null);
create policy adds on apprenticeship for insert with check ((select tracker_sees_all()) or
    holder_id = (select tracker_holder()));
create policy changes on apprenticeship for update using ((select tracker_sees_all()) or holder_id
    = (select tracker_holder()));
create policy deletes on apprenticeship for delete using ((select tracker_sees_all()) or holder_id
    = (select tracker_holder()))
"""


def downgrade() -> None:
    """Drop the tables, and the notices about their rows."""
    op.execute(sa.text("delete from notice where kind = 'credential_expires'"))
    _allow(_OLD_NOTICES)
    for table in reversed(_TABLES):
        op.drop_table(table)
