"""Courses of training providers, attendance lists and codes, discrepancies.

Revision ID: 0029
Revises: 0028
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tracker.db import AmountColumn, Ref

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

# The release before goes on: it writes activities that no list has brought.
kind = "expand"

_ID = sa.Uuid(as_uuid=False)
_INSTANT = sa.DateTime(timezone=True)
_OLD_NOTICES = (
    "'award', 'award_corrected', 'award_withdrawn', 'activity_decided', 'activity_reopened',"
    " 'renewal_decided', 'renewal_reopened', 'appeal_decided', 'suspended', 'reinstated',"
    " 'revoked', 'adjusted', 'consent_asked', 'listed', 'employer_renamed', 'employment_ended',"
    " 'request_decided', 'activity_submitted', 'renewal_received', 'appeal_received',"
    " 'records_merged', 'module_certificate', 'credential_expires'"
)
_OF_COURSE = sa.text("course_id is not null and state <> 'withdrawn'")
_OPEN = sa.text("state = 'open'")


def upgrade() -> None:
    """Create the tables, and let an activity name the course that brought it."""
    _create_course()
    _create_codes()
    with op.batch_alter_table("activity") as batch_op:
        batch_op.add_column(sa.Column("course_id", _ID))
        batch_op.create_foreign_key(
            op.f("fk_activity_course_id_course"), "course", ["course_id"], ["id"]
        )
    op.create_index(
        "uq_activity_course",
        "activity",
        ["holder_id", "course_id", "completed_on"],
        unique=True,
        sqlite_where=_OF_COURSE,
        postgresql_where=_OF_COURSE,
    )
    _create_attendance()
    _create_discrepancy()
    _notices(f"{_OLD_NOTICES}, 'attendance'")
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for statement in _POLICIES.split(";\n"):
            connection.exec_driver_sql(statement)


def _notices(kinds: str) -> None:
    with op.batch_alter_table("notice") as batch_op:
        batch_op.drop_constraint(op.f("ck_notice_kind"), type_="check")
        batch_op.create_check_constraint(op.f("ck_notice_kind"), f"kind in ({kinds})")


def _create_course() -> None:
    op.create_table(
        "course",
        sa.Column("id", _ID, nullable=False),
        sa.Column("provider_id", _ID, nullable=False),
        sa.Column("code", Ref, nullable=False),
        sa.Column("scheme", sa.String(32), nullable=False),
        sa.Column("category", sa.String(32), nullable=False),
        sa.Column("type", sa.String(32), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("title_key", sa.String(400), nullable=False),
        sa.Column("quantity", AmountColumn()),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("approved_from", sa.Date()),
        sa.Column("approved_until", sa.Date()),
        sa.Column("reason", sa.Text()),
        sa.Column("proposed_by", sa.String(100), nullable=False),
        sa.Column("proposed_by_id", _ID),
        sa.Column("decided_by", sa.String(100)),
        sa.Column("decided_by_id", _ID),
        sa.Column("decided_at", _INSTANT),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course")),
        sa.UniqueConstraint("provider_id", "code", name=op.f("uq_course_provider_id_code")),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["provider.id"], name=op.f("fk_course_provider_id_provider")
        ),
        sa.CheckConstraint(
            "state in ('proposed', 'approved', 'refused', 'withdrawn')",
            name=op.f("ck_course_state"),
        ),
        sa.CheckConstraint("quantity is null or quantity > 0", name=op.f("ck_course_quantity")),
        sa.CheckConstraint("approved_until >= approved_from", name=op.f("ck_course_period")),
        sa.CheckConstraint(
            "state <> 'approved' or (approved_from is not null and approved_until is not null"
            " and decided_at is not null)",
            name=op.f("ck_course_approved"),
        ),
    )
    op.create_index("ix_course_title", "course", ["scheme", "title_key"])


def _create_codes() -> None:
    table = "attendance_code"
    op.create_table(
        table,
        sa.Column("id", _ID, nullable=False),
        sa.Column("course_id", _ID, nullable=False),
        sa.Column("provider_id", _ID, nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("ends_at", _INSTANT, nullable=False),
        sa.Column("made_by", sa.String(100), nullable=False),
        sa.Column("withdrawn_at", _INSTANT),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("digest", name=op.f(f"uq_{table}_digest")),
        *_refer(table, "course", "provider"),
        sa.CheckConstraint("most > 0", name=op.f(f"ck_{table}_most")),
        sa.CheckConstraint("used >= 0 and used <= most", name=op.f(f"ck_{table}_used")),
    )
    op.create_index("ix_attendance_code_course", table, ["course_id", "id"])


def _refer(table: str, *others: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint(
            [f"{other}_id"], [f"{other}.id"], name=op.f(f"fk_{table}_{other}_id_{other}")
        )
        for other in others
    ]


def _activity(table: str) -> sa.ForeignKeyConstraint:
    """Drafts may be deleted; what brought them stays."""
    name = op.f(f"fk_{table}_activity_id_activity")
    return sa.ForeignKeyConstraint(["activity_id"], ["activity.id"], name=name, ondelete="set null")


def _create_attendance() -> None:
    table = "attendance"
    op.create_table(
        table,
        sa.Column("id", _ID, nullable=False),
        sa.Column("course_id", _ID, nullable=False),
        sa.Column("provider_id", _ID, nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("who", sa.String(400), nullable=False),
        sa.Column("quantity", AmountColumn()),
        sa.Column("given_name", sa.String(200)),
        sa.Column("given_holder_ref", sa.String(64)),
        sa.Column("given_number", sa.String(64)),
        sa.Column("given_email", sa.String(254)),
        sa.Column("code_id", _ID),
        sa.Column("holder_id", _ID),
        sa.Column("activity_id", _ID),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint(
            "course_id", "held_on", "who", name=op.f(f"uq_{table}_course_id_held_on_who")
        ),
        *_refer(table, "course", "provider", "holder"),
        sa.ForeignKeyConstraint(
            ["code_id"], ["attendance_code.id"], name=op.f(f"fk_{table}_code_id_attendance_code")
        ),
        _activity(table),
        sa.CheckConstraint("quantity is null or quantity > 0", name=op.f(f"ck_{table}_quantity")),
        sa.CheckConstraint(
            "activity_id is null or holder_id is not null", name=op.f(f"ck_{table}_activity")
        ),
    )
    op.create_index("ix_attendance_holder", table, ["holder_id", "course_id", "held_on"])
    op.create_index("ix_attendance_activity", table, ["activity_id"])


def _create_discrepancy() -> None:
    table = "discrepancy"
    op.create_table(
        table,
        sa.Column("id", _ID, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("course_id", _ID, nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("attendance_id", _ID),
        sa.Column("silent_about", _ID),
        sa.Column("activity_id", _ID),
        sa.Column("holder_id", _ID),
        sa.Column("said", AmountColumn()),
        sa.Column("claimed", AmountColumn()),
        sa.Column("detail", sa.Text()),
        sa.Column("outcome", sa.String(16)),
        sa.Column("reason", sa.Text()),
        sa.Column("settled_by", sa.String(100)),
        sa.Column("settled_by_id", _ID),
        sa.Column("settled_at", _INSTANT),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint(
            "course_id", "silent_about", name=op.f(f"uq_{table}_course_id_silent_about")
        ),
        *_refer(table, "course", "attendance", "holder"),
        _activity(table),
        sa.CheckConstraint(
            "kind in ('unmatched', 'refused', 'contradiction', 'silent')",
            name=op.f(f"ck_{table}_kind"),
        ),
        sa.CheckConstraint("state in ('open', 'settled')", name=op.f(f"ck_{table}_state")),
        sa.CheckConstraint(
            "outcome in ('provider', 'holder', 'matched', 'dismissed', 'listed')",
            name=op.f(f"ck_{table}_outcome"),
        ),
        sa.CheckConstraint(
            "(kind = 'silent') = (attendance_id is null)", name=op.f(f"ck_{table}_attendance")
        ),
        sa.CheckConstraint(
            "silent_about is null or kind = 'silent'", name=op.f(f"ck_{table}_silent")
        ),
        sa.CheckConstraint(
            "(state = 'settled') = (outcome is not null and settled_at is not null"
            " and settled_by is not null)",
            name=op.f(f"ck_{table}_settled"),
        ),
    )
    op.create_index("ix_discrepancy_state", table, ["state", "id"])
    op.create_index(
        "uq_discrepancy_attendance",
        table,
        ["attendance_id"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )


_POLICIES = """
alter table course enable row level security;
create policy rows on course using ((select tracker_sees_all()) or provider_id = (select
    tracker_provider()));
alter table attendance_code enable row level security;
create policy rows on attendance_code using ((select tracker_sees_all()) or provider_id = (select
    tracker_provider()));
alter table attendance enable row level security;
create policy rows on attendance using ((select tracker_sees_all()) or holder_id = (select
    tracker_holder()) or provider_id = (select tracker_provider()));
alter table discrepancy enable row level security;
create policy rows on discrepancy using ((select tracker_sees_all()) or holder_id = (select
    tracker_holder()))
"""


def downgrade() -> None:
    """Drop the tables; what they brought stays as activities like others."""
    op.execute(sa.text("delete from notice where kind = 'attendance'"))
    _notices(_OLD_NOTICES)
    for table in ("discrepancy", "attendance"):
        op.drop_table(table)
    op.drop_index("uq_activity_course", "activity")
    with op.batch_alter_table("activity") as batch_op:
        batch_op.drop_constraint(op.f("fk_activity_course_id_course"), type_="foreignkey")
        batch_op.drop_column("course_id")
    for table in ("attendance_code", "course"):
        op.drop_table(table)
