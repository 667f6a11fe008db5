"""Who decides, by an id; tokens know their makers; employers whom holders bar, or who are renamed.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import tracker.db

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ID = sa.Uuid(as_uuid=False)
_INSTANT = tracker.db.Instant(timezone=True)
_OLD_NOTICES = (
    "'award', 'award_corrected', 'award_withdrawn', 'activity_decided', 'activity_reopened', "
    "'renewal_decided', 'renewal_reopened', 'appeal_decided', 'suspended', 'reinstated', "
    "'revoked', 'adjusted', 'consent_asked', 'listed', 'employment_ended', 'request_decided'"
)
_NOTICES = _OLD_NOTICES.replace("'listed'", "'listed', 'employer_renamed'")
_DECISIONS = ("activity_decision", "former_renewal_decision", "renewal", "standing_change")


def upgrade() -> None:
    _tokens()
    for table in _DECISIONS:
        op.add_column(table, sa.Column("decided_by_id", _ID, nullable=True))
    op.create_table(
        "employer_bar",
        sa.Column("holder_id", _ID, nullable=False),
        sa.Column("employer_id", _ID, nullable=False),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["holder_id"], ["holder.id"], name=op.f("fk_employer_bar_holder_id_holder")
        ),
        sa.ForeignKeyConstraint(
            ["employer_id"], ["employer.id"], name=op.f("fk_employer_bar_employer_id_employer")
        ),
        sa.PrimaryKeyConstraint("holder_id", "employer_id", name=op.f("pk_employer_bar")),
    )
    op.create_table(
        "usage",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("began_at", _INSTANT, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_usage")),
    )
    op.create_index(op.f("ix_usage_began_at"), "usage", ["began_at"])
    _kinds_of_notices(_NOTICES)
    _addresses()


def _addresses() -> None:
    """What was changed since it was recorded may be the holder's own word."""
    for name in ("email", "second_email"):
        column: sa.Column[bool] = sa.Column(
            f"{name}_confirmed", sa.Boolean(), nullable=False, server_default=sa.true()
        )
        op.add_column("holder", column)
        op.execute(
            f"update holder set {name}_confirmed = false"  # noqa: S608 - no value is given
            " where replace(cast(id as varchar(40)), '-', '') in"
            f" (select replace(subject_id, '-', '') from history_value where field = '{name}')"
        )


def _kinds_of_notices(kinds: str) -> None:
    with op.batch_alter_table("notice") as batch_op:
        batch_op.drop_constraint(op.f("ck_notice_kind"), type_="check")
        batch_op.create_check_constraint(op.f("ck_notice_kind"), f"kind in ({kinds})")


def _tokens() -> None:
    """Every token on record is a person of its own; who made it was not written down."""
    with op.batch_alter_table("token") as batch_op:
        batch_op.add_column(sa.Column("maker_id", _ID, nullable=True))
        batch_op.add_column(sa.Column("person_id", _ID, nullable=True))
        batch_op.add_column(
            sa.Column("made_by_holders", sa.JSON(), nullable=False, server_default="[]")
        )
        batch_op.create_foreign_key(op.f("fk_token_maker_id_token"), "token", ["maker_id"], ["id"])
    op.execute("update token set person_id = id")
    with op.batch_alter_table("token") as batch_op:
        batch_op.alter_column("person_id", existing_type=_ID, nullable=False)
        batch_op.alter_column("made_by_holders", existing_type=sa.JSON(), server_default=None)
    op.create_index("ix_token_maker", "token", ["maker_id"])


def downgrade() -> None:
    for name in ("email", "second_email"):
        op.drop_column("holder", f"{name}_confirmed")
    op.execute("delete from notice where kind = 'employer_renamed'")
    _kinds_of_notices(_OLD_NOTICES)
    op.drop_table("usage")
    op.drop_table("employer_bar")
    op.drop_index("ix_token_maker", "token")
    with op.batch_alter_table("token") as batch_op:
        batch_op.drop_constraint(op.f("fk_token_maker_id_token"), type_="foreignkey")
        batch_op.drop_column("made_by_holders")
        batch_op.drop_column("person_id")
        batch_op.drop_column("maker_id")
    for table in reversed(_DECISIONS):
        op.drop_column(table, "decided_by_id")
