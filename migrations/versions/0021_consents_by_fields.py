"""Consents cover sets of facts for a purpose and are asked for; people are erased.

Revision ID: 0021
Revises: 0020
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# The release before shows dates to every employer that has a consent.
kind = "contract"

_ID = sa.Uuid(as_uuid=False)
_INSTANT = sa.DateTime(timezone=True)
_OPEN = sa.text("state = 'requested'")
_ADDRESSED = sa.text("address <> '' and finished_at is not null")
_PURPOSES = "purpose in ('employment', 'assignment', 'customers', 'training')"
_ENDS = "'withdrawn', 'lapsed', 'employment_ended', 'deceased'"
_LOOKS = "'list', 'worker', 'file'"


def upgrade() -> None:
    _sharing()
    _roster()
    with op.batch_alter_table("employer_look") as batch_op:
        batch_op.drop_constraint(op.f("ck_employer_look_kind"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_employer_look_kind"), f"kind in ({_LOOKS}, 'numbers', 'digest')"
        )

    _erasures()


def _erasures() -> None:
    op.add_column("holder", sa.Column("erased_at", _INSTANT))
    op.create_index(
        "ix_message_addressed",
        "message",
        ["finished_at"],
        sqlite_where=_ADDRESSED,
        postgresql_where=_ADDRESSED,
    )
    op.create_table(
        "erasure",
        sa.Column("id", _ID, nullable=False),
        sa.Column("holder_id", _ID, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.String(100), nullable=False),
        sa.Column("proposer_id", _ID, nullable=False),
        sa.Column("proposer_role", sa.String(16), nullable=False),
        sa.Column("proposer_ids", sa.JSON(), nullable=False),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("decided_by", sa.String(100)),
        sa.Column("decider_id", _ID),
        sa.Column("decision_reason", sa.Text()),
        sa.Column("decided_at", _INSTANT),
        sa.CheckConstraint(
            "state in ('requested', 'approved', 'refused', 'withdrawn')", name="state"
        ),
        sa.CheckConstraint(
            "proposer_role in ('holder', 'employer', 'reviewer', 'staff', 'admin')",
            name="proposer_role",
        ),
        sa.CheckConstraint(
            "(state = 'requested') = (decided_at is null)"
            " and (state <> 'approved' or decider_id <> proposer_id)",
            name="two_people",
        ),
        sa.ForeignKeyConstraint(["holder_id"], ["holder.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "uq_erasure_open",
        "erasure",
        ["holder_id"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_index("ix_erasure_due", "erasure", ["state", "due_on", "id"])


def _sharing() -> None:
    with op.batch_alter_table("sharing") as batch_op:
        batch_op.add_column(
            sa.Column("purpose", sa.String(16), nullable=False, server_default="employment")
        )
        batch_op.add_column(
            sa.Column("with_dates", sa.Boolean(), nullable=False, server_default=sa.true())
        )
        batch_op.add_column(
            sa.Column("with_modules", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.create_check_constraint(op.f("ck_sharing_purpose"), _PURPOSES)
        batch_op.drop_constraint(op.f("ck_sharing_end_reason"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_sharing_end_reason"), f"end_reason in ({_ENDS}, 'replaced')"
        )


def _roster() -> None:
    """Whoever is listed by a word was asked by email, for the standing with its dates."""
    with op.batch_alter_table("roster_entry") as batch_op:
        batch_op.add_column(sa.Column("asked_at", _INSTANT))
        batch_op.add_column(sa.Column("purpose", sa.String(16)))
        for name in ("asks_dates", "asks_points", "asks_modules"):
            batch_op.add_column(
                sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())
            )
        batch_op.add_column(sa.Column("answered_at", _INSTANT))
        batch_op.add_column(sa.Column("answer", sa.String(16)))
        batch_op.create_check_constraint(op.f("ck_roster_entry_purpose"), _PURPOSES)
        batch_op.create_check_constraint(
            op.f("ck_roster_entry_answer"), "answer in ('accepted', 'declined')"
        )
        batch_op.create_check_constraint(
            op.f("ck_roster_entry_answered"), "(answer is null) = (answered_at is null)"
        )
        batch_op.create_check_constraint(
            op.f("ck_roster_entry_asked"), "asked_at is null or purpose is not null"
        )
    op.execute(
        "update roster_entry set asked_at = recorded_at, purpose = 'employment', asks_dates = true"
        " where given_holder_ref is not null or given_email is not null"
        " or given_number is not null"
    )
    op.execute(
        "update roster_entry set answer = 'accepted', answered_at = recorded_at"
        " where ended_on is null and exists (select 1 from sharing"
        " where sharing.holder_id = roster_entry.holder_id"
        " and sharing.employer_id = roster_entry.employer_id and sharing.ended_at is null)"
    )


def downgrade() -> None:
    op.drop_table("erasure")
    op.drop_index("ix_message_addressed", "message")
    op.drop_column("holder", "erased_at")
    # The release before would show dates that these holders do not share.
    op.execute(
        "update sharing set ended_at = recorded_at, end_reason = 'withdrawn'"
        " where ended_at is null and not with_dates"
    )
    op.execute("update sharing set end_reason = 'withdrawn' where end_reason = 'replaced'")
    op.execute(
        "delete from worker_seen where look_id in"
        " (select id from employer_look where kind in ('numbers', 'digest'))"
    )
    op.execute("delete from employer_look where kind in ('numbers', 'digest')")
    with op.batch_alter_table("employer_look") as batch_op:
        batch_op.drop_constraint(op.f("ck_employer_look_kind"), type_="check")
        batch_op.create_check_constraint(op.f("ck_employer_look_kind"), f"kind in ({_LOOKS})")
    with op.batch_alter_table("roster_entry") as batch_op:
        for name in ("asked", "answered", "answer", "purpose"):
            batch_op.drop_constraint(op.f(f"ck_roster_entry_{name}"), type_="check")
        for name in ("answer", "answered_at", "asks_modules", "asks_points", "asks_dates"):
            batch_op.drop_column(name)
        batch_op.drop_column("purpose")
        batch_op.drop_column("asked_at")
    with op.batch_alter_table("sharing") as batch_op:
        batch_op.drop_constraint(op.f("ck_sharing_end_reason"), type_="check")
        batch_op.create_check_constraint(op.f("ck_sharing_end_reason"), f"end_reason in ({_ENDS})")
        batch_op.drop_constraint(op.f("ck_sharing_purpose"), type_="check")
        for name in ("with_modules", "with_dates", "purpose"):
            batch_op.drop_column(name)
