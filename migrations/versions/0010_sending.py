"""Sending: enabled by someone, held for what no calendar foresaw; all messages in one table.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

import tracker.db

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


_ID, _INSTANT = sa.Uuid(as_uuid=False), tracker.db.Instant(timezone=True)
_FINISHED = sa.text("finished_at is not null")
# A message of the log whose key was given again since cannot have it in the same table.
_BACK = """
insert into message (
    id, dedupe_key, message_id, kind, holder_id, employer_id, address, stage, facts, state,
    created_at, attempts, last_error, finished_at, priority, next_at, useful_until, token
)
select l.id,
    case when exists (select 1 from message m where m.dedupe_key = l.dedupe_key)
        then 'log:' || l.id else l.dedupe_key end,
    case when exists (select 1 from message m where m.message_id = l.message_id)
        then '<' || l.id || '@log>' else l.message_id end,
    l.kind, l.holder_id, l.employer_id, l.address, l.stage, l.facts, l.state, l.created_at,
    l.attempts, l.last_error, l.finished_at, 5, l.finished_at, l.finished_at, 0
from message_log l
"""


def upgrade() -> None:
    op.execute(_BACK)
    op.drop_table("message_log")
    op.drop_index("ix_message_finished", "message")
    op.drop_table("mail_domain")
    op.drop_table("volume")
    with op.batch_alter_table("runtime") as batch_op:
        batch_op.add_column(sa.Column("beats", sa.BigInteger(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("unforeseen_on", sa.Date(), nullable=True))
        batch_op.add_column(
            sa.Column("unforeseen", sa.Integer(), nullable=False, server_default="0")
        )
    with op.batch_alter_table("runtime") as batch_op:
        batch_op.alter_column("beats", server_default=None)
        batch_op.alter_column("unforeseen", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("runtime") as batch_op:
        batch_op.drop_column("unforeseen")
        batch_op.drop_column("unforeseen_on")
        batch_op.drop_column("beats")
    op.create_index(
        "ix_message_finished",
        "message",
        ["finished_at"],
        sqlite_where=_FINISHED,
        postgresql_where=_FINISHED,
    )
    op.create_table(
        "mail_domain",
        sa.Column("domain", sa.String(254), nullable=False),
        sa.Column("full_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("domain", name="pk_mail_domain"),
    )
    _create_log()
    op.create_table(
        "volume",
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("letters", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("on_day", name=op.f("pk_volume")),
    )


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
