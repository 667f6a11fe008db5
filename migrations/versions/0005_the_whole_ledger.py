"""The whole ledger of messages: a log, bounces, notices, preferences, digests, the relay's health.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

import tracker.db

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ID = sa.Uuid(as_uuid=False)
_INSTANT = tracker.db.Instant(timezone=True)
_STATES = "'ready', 'claimed', 'transmitting', 'sent', 'dead', 'ambiguous', 'cancelled'"
_WITH_PARKED = _STATES.replace("'cancelled'", "'parked', 'cancelled'")
_TO_MESSAGE = "fk_reminder_message_id_message"
_FINISHED = sa.text("finished_at is not null")
_STUCK = sa.text("state in ('ambiguous', 'dead', 'parked')")


def upgrade() -> None:
    # First, so that nothing refers to the table that SQLite makes again.
    with op.batch_alter_table("reminder") as batch_op:
        batch_op.drop_constraint(_TO_MESSAGE, type_="foreignkey")
    with op.batch_alter_table("message") as batch_op:
        batch_op.add_column(sa.Column("employer_id", _ID, nullable=True))
        batch_op.add_column(sa.Column("about", sa.JSON(none_as_null=True), nullable=True))
        batch_op.create_foreign_key(
            "fk_message_employer_id_employer", "employer", ["employer_id"], ["id"]
        )
        batch_op.drop_constraint(op.f("ck_message_state"), type_="check")
        batch_op.create_check_constraint(op.f("ck_message_state"), f"state in ({_WITH_PARKED})")
        batch_op.create_index(
            "ix_message_finished",
            ["finished_at"],
            sqlite_where=_FINISHED,
            postgresql_where=_FINISHED,
        )
        batch_op.create_index(
            "ix_message_stuck", ["state", "id"], sqlite_where=_STUCK, postgresql_where=_STUCK
        )
    with op.batch_alter_table("runtime") as batch_op:
        batch_op.add_column(
            sa.Column("relay_failures", sa.Integer(), nullable=False, server_default="0")
        )
        batch_op.add_column(sa.Column("armed_at", _INSTANT, nullable=True))
        batch_op.add_column(sa.Column("relay_resume_at", _INSTANT, nullable=True))
        batch_op.add_column(sa.Column("relay_error", sa.Text(), nullable=True))
    _create_log()
    _create_notices()
    _create_digests()


def _create_log() -> None:
    op.create_table(
        "message_log",
        sa.Column("id", _ID, nullable=False),
        sa.Column("dedupe_key", sa.String(200), nullable=False),
        sa.Column("message_id", sa.String(120), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("holder_id", _ID, nullable=True),
        sa.Column("employer_id", _ID, nullable=True),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("stage", sa.Integer(), nullable=True),
        sa.Column("facts", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("finished_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["holder_id"], ["holder.id"], name="fk_message_log_holder_id_holder"
        ),
        sa.ForeignKeyConstraint(
            ["employer_id"], ["employer.id"], name="fk_message_log_employer_id_employer"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_message_log"),
    )
    op.create_index("ix_message_log_finished", "message_log", ["finished_at"])
    op.create_index("ix_message_log_holder", "message_log", ["holder_id"])
    op.create_index("ix_message_log_message_id", "message_log", ["message_id"])
    op.create_table(
        "bounce",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("message_id", _ID, nullable=False),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("diagnostic", sa.Text(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.CheckConstraint("kind in ('hard', 'soft', 'complaint')", name=op.f("ck_bounce_kind")),
        sa.PrimaryKeyConstraint("digest", name="pk_bounce"),
    )
    op.create_index("ix_bounce_address", "bounce", ["address", "at"])
    op.create_index("ix_bounce_at", "bounce", ["at"])
    op.create_table(
        "volume",
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("letters", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("on_day", name="pk_volume"),
    )
    op.create_table(
        "tally",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_tally"),
    )


def _create_notices() -> None:
    op.create_table(
        "notice",
        sa.Column("id", _ID, nullable=False),
        sa.Column("holder_id", _ID, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("subject_id", _ID, nullable=False),
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("message_id", _ID, nullable=False),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.CheckConstraint(
            "kind in ('award', 'activity_decided', 'renewal_decided', 'suspended', 'reinstated',"
            " 'revoked', 'consent_asked')",
            name=op.f("ck_notice_kind"),
        ),
        sa.ForeignKeyConstraint(["holder_id"], ["holder.id"], name="fk_notice_holder_id_holder"),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
        sa.UniqueConstraint(
            "holder_id",
            "kind",
            "subject_id",
            "event",
            name="uq_notice_holder_id_kind_subject_id_event",
        ),
    )
    op.create_index("ix_notice_message_id", "notice", ["message_id"])
    op.create_table(
        "preference",
        sa.Column("holder_id", _ID, nullable=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.Column("snoozed_until", sa.Date(), nullable=True),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.CheckConstraint("type in ('reminders', 'decisions')", name=op.f("ck_preference_type")),
        sa.ForeignKeyConstraint(
            ["holder_id"], ["holder.id"], name="fk_preference_holder_id_holder"
        ),
        sa.PrimaryKeyConstraint("holder_id", "type", name="pk_preference"),
    )


def _create_digests() -> None:
    op.create_table(
        "digest_order",
        sa.Column("employer_id", _ID, nullable=False),
        sa.Column("every", sa.String(8), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("through_on", sa.Date(), nullable=True),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.CheckConstraint("every in ('week', 'month')", name=op.f("ck_digest_order_every")),
        sa.CheckConstraint("language in ('en', 'es')", name=op.f("ck_digest_order_language")),
        sa.ForeignKeyConstraint(
            ["employer_id"], ["employer.id"], name="fk_digest_order_employer_id_employer"
        ),
        sa.PrimaryKeyConstraint("employer_id", name="pk_digest_order"),
    )
    op.create_table(
        "digest",
        sa.Column("id", _ID, nullable=False),
        sa.Column("employer_id", _ID, nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("through_on", sa.Date(), nullable=False),
        sa.Column("contents", sa.JSON(), nullable=False),
        sa.Column("message_id", _ID, nullable=True),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["employer_id"], ["employer.id"], name="fk_digest_employer_id_employer"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_digest"),
        sa.UniqueConstraint("employer_id", "through_on", name="uq_digest_employer_id_through_on"),
    )
    op.create_index("ix_digest_message_id", "digest", ["message_id"])


def downgrade() -> None:
    for table in ("digest", "digest_order", "preference", "notice", "tally", "volume", "bounce"):
        op.drop_table(table)
    op.drop_table("message_log")
    with op.batch_alter_table("runtime") as batch_op:
        for name in ("relay_error", "relay_resume_at", "relay_failures", "armed_at"):
            batch_op.drop_column(name)
    op.execute("update message set state = 'cancelled' where state = 'parked'")
    with op.batch_alter_table("message") as batch_op:
        batch_op.drop_index("ix_message_stuck")
        batch_op.drop_index("ix_message_finished")
        batch_op.drop_constraint(op.f("ck_message_state"), type_="check")
        batch_op.create_check_constraint(op.f("ck_message_state"), f"state in ({_STATES})")
        batch_op.drop_constraint("fk_message_employer_id_employer", type_="foreignkey")
        batch_op.drop_column("about")
        batch_op.drop_column("employer_id")
    with op.batch_alter_table("reminder") as batch_op:
        batch_op.create_foreign_key(_TO_MESSAGE, "message", ["message_id"], ["id"])
