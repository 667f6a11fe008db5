"""Corrections: awards that keep their number, decisions superseded, employments, names, history.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import tracker.db
from tracker.domain.names import FoldedName, searchable

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ID = sa.Uuid(as_uuid=False)
_INSTANT = tracker.db.Instant(timezone=True)
_LIVE = sa.text("voided_at is null")
_CURRENT = sa.text("withdrawn_at is null and replaced_on is null")
_NOT_ENDED = sa.text("ended_on is null")
_ENDED = sa.text("ended_on is not null")
_PERSON = sa.text("ended_on is null and holder_id is not null")
_DECEASED = sa.text("deceased_on is not null")
_REQUESTED = sa.text("state = 'requested'")
_HOLDS = "'suspended','revoked','surrendered'"
_OLD_NOTICES = (
    "'award', 'activity_decided', 'renewal_decided', 'suspended', 'reinstated', 'revoked', "
    "'consent_asked'"
)
_NOTICES = (
    "'award', 'award_corrected', 'award_withdrawn', 'activity_decided', 'activity_reopened', "
    "'renewal_decided', 'renewal_reopened', 'appeal_decided', 'suspended', 'reinstated', "
    "'revoked', 'adjusted', 'consent_asked', 'listed', 'employment_ended', 'request_decided'"
)


def upgrade() -> None:
    _certifications()
    _decisions()
    _employers()
    _people()
    _fold_names()
    with op.batch_alter_table("notice") as batch_op:
        batch_op.drop_constraint(op.f("ck_notice_kind"), type_="check")
        batch_op.create_check_constraint(op.f("ck_notice_kind"), f"kind in ({_NOTICES})")


def _certifications() -> None:
    op.drop_index("uq_certification_holder_scheme", "certification")
    op.alter_column("certification", "voided_at", new_column_name="withdrawn_at")
    with op.batch_alter_table("certification") as batch_op:
        batch_op.add_column(sa.Column("sequence", sa.Integer(), nullable=False, server_default="1"))
        batch_op.add_column(sa.Column("replaced_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("kept_reason", sa.Text(), nullable=True))
    _number_the_awards()
    with op.batch_alter_table("certification") as batch_op:
        batch_op.create_unique_constraint(
            op.f("uq_certification_holder_id_scheme_sequence"), ["holder_id", "scheme", "sequence"]
        )
    op.create_index(
        "uq_certification_current",
        "certification",
        ["holder_id", "scheme"],
        unique=True,
        sqlite_where=_CURRENT,
        postgresql_where=_CURRENT,
    )
    with op.batch_alter_table("standing_span") as batch_op:
        batch_op.drop_constraint(op.f("ck_standing_span_hold"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_standing_span_hold"), f"hold in ({_HOLDS},'withdrawn')"
        )
    # Awards taken back so far had no timeline, and no page at their address.
    op.execute(
        "insert into standing_span (certification_id, from_on, until_on, cycle, cycle_starts_on,"
        " hold, valid_while_pending) select id, awarded_on, '9999-12-31', 1, awarded_on,"
        " 'withdrawn', false from certification where withdrawn_at is not null"
    )
    with op.batch_alter_table("standing_change") as batch_op:
        batch_op.add_column(sa.Column("barred_until", sa.Date(), nullable=True))


def _number_the_awards() -> None:
    """The award that stands is the first; those that were voided follow, and may come back."""
    op.execute(
        "update certification set sequence = (select count(*) from certification as other"
        " where other.holder_id = certification.holder_id and other.scheme = certification.scheme"
        " and (case when other.withdrawn_at is null then 0 else 1 end, other.id)"
        " <= (case when certification.withdrawn_at is null then 0 else 1 end, certification.id))"
    )


def _decisions() -> None:
    with op.batch_alter_table("renewal") as batch_op:
        batch_op.add_column(
            sa.Column(
                "points_if_approved", tracker.db.AmountColumn(precision=8, scale=2), nullable=True
            )
        )
    op.create_table(
        "former_renewal_decision",
        sa.Column("id", _ID, nullable=False),
        sa.Column("renewal_id", _ID, nullable=False),
        sa.Column("decision", sa.String(16), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("decided_by", sa.String(100), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("closed_at", _INSTANT, nullable=True),
        sa.Column("ended_at", _INSTANT, nullable=False),
        sa.Column("ended_by", sa.String(100), nullable=False),
        sa.Column("ended_reason", sa.Text(), nullable=False),
        sa.Column("undone", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "decision in ('approved', 'denied')", name=op.f("ck_former_renewal_decision_decision")
        ),
        sa.ForeignKeyConstraint(
            ["renewal_id"],
            ["renewal.id"],
            name=op.f("fk_former_renewal_decision_renewal_id_renewal"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_former_renewal_decision")),
    )
    op.create_index(
        "ix_former_renewal_decision_renewal", "former_renewal_decision", ["renewal_id", "id"]
    )
    with op.batch_alter_table("activity_decision") as batch_op:
        batch_op.add_column(sa.Column("undone_at", _INSTANT, nullable=True))
        batch_op.add_column(sa.Column("undone_by", sa.String(100), nullable=True))
        batch_op.add_column(sa.Column("undone_reason", sa.Text(), nullable=True))
    with op.batch_alter_table("appeal") as batch_op:
        batch_op.alter_column("change_id", existing_type=_ID, nullable=True)
        batch_op.add_column(sa.Column("renewal_id", _ID, nullable=True))
        batch_op.create_foreign_key(
            op.f("fk_appeal_renewal_id_renewal"), "renewal", ["renewal_id"], ["id"]
        )
        batch_op.create_check_constraint(
            op.f("ck_appeal_against"), "(change_id is null) <> (renewal_id is null)"
        )


def _employers() -> None:
    # Files could tie two entries of an employer to one person; the first keeps them.
    op.execute(
        "update roster_entry set holder_id = null where ended_on is null and exists ("
        "select 1 from roster_entry as first where first.employer_id = roster_entry.employer_id"
        " and first.holder_id = roster_entry.holder_id and first.ended_on is null"
        " and first.id < roster_entry.id)"
    )
    with op.batch_alter_table("roster_entry") as batch_op:
        batch_op.drop_constraint(op.f("uq_roster_entry_employer_id_employee_id"), type_="unique")
        batch_op.create_index(
            "uq_roster_entry_current",
            ["employer_id", "employee_id"],
            unique=True,
            sqlite_where=_NOT_ENDED,
            postgresql_where=_NOT_ENDED,
        )
        batch_op.create_index(
            "uq_roster_entry_person",
            ["employer_id", "holder_id"],
            unique=True,
            sqlite_where=_PERSON,
            postgresql_where=_PERSON,
        )
        batch_op.create_index(
            "ix_roster_entry_ended", ["ended_on"], sqlite_where=_ENDED, postgresql_where=_ENDED
        )
        batch_op.create_index("ix_roster_entry_employee", ["employer_id", "employee_id", "id"])
    with op.batch_alter_table("sharing") as batch_op:
        batch_op.add_column(sa.Column("end_reason", sa.String(32), nullable=True))
        batch_op.create_check_constraint(
            op.f("ck_sharing_end_reason"),
            "end_reason in ('withdrawn', 'lapsed', 'employment_ended', 'deceased')",
        )


def _people() -> None:
    with op.batch_alter_table("holder") as batch_op:
        batch_op.add_column(
            sa.Column("folded_name", tracker.db.Folded, nullable=False, server_default="")
        )
        batch_op.add_column(sa.Column("deceased_on", sa.Date(), nullable=True))
        batch_op.create_index(
            "ix_holder_deceased", ["id"], sqlite_where=_DECEASED, postgresql_where=_DECEASED
        )
    op.create_table(
        "former_name",
        sa.Column("id", _ID, nullable=False),
        sa.Column("holder_id", _ID, nullable=False),
        sa.Column("given_name", sa.String(100), nullable=False),
        sa.Column("family_name", sa.String(100), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("recorded_by", sa.String(100), nullable=False),
        sa.ForeignKeyConstraint(
            ["holder_id"], ["holder.id"], name=op.f("fk_former_name_holder_id_holder")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_former_name")),
    )
    op.create_index("ix_former_name_holder", "former_name", ["holder_id", "id"])
    op.create_table(
        "request",
        sa.Column("id", _ID, nullable=False),
        sa.Column("holder_id", _ID, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("proposal", sa.JSON(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("requested_on", sa.Date(), nullable=False),
        sa.Column("decided_by", sa.String(100), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("closed_at", _INSTANT, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind in ('name_change')", name=op.f("ck_request_kind")),
        sa.CheckConstraint(
            "state in ('requested','granted','refused','withdrawn')", name=op.f("ck_request_state")
        ),
        sa.CheckConstraint(
            "(state = 'requested') = (closed_at is null)", name=op.f("ck_request_closed")
        ),
        sa.ForeignKeyConstraint(
            ["holder_id"], ["holder.id"], name=op.f("fk_request_holder_id_holder")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request")),
    )
    op.create_index(
        "uq_request_open",
        "request",
        ["holder_id", "kind"],
        unique=True,
        sqlite_where=_REQUESTED,
        postgresql_where=_REQUESTED,
    )
    op.create_index("ix_request_state", "request", ["state", "id"])
    op.create_table(
        "history_value",
        sa.Column(
            "history_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("field", sa.String(32), nullable=False),
        sa.Column("subject_id", sa.String(64), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["history_id"], ["history.id"], name=op.f("fk_history_value_history_id_history")
        ),
        sa.PrimaryKeyConstraint("history_id", "field", name=op.f("pk_history_value")),
    )
    op.create_index(
        "ix_history_value_subject", "history_value", ["subject_id", "field", "history_id"]
    )
    op.create_index("ix_history_actor", "history", ["actor", "id"])
    op.create_index("ix_history_action", "history", ["action", "id"])
    op.create_index("ix_history_at", "history", ["at", "id"])
    with op.batch_alter_table("preference") as batch_op:
        batch_op.add_column(sa.Column("changed_by", sa.String(100), nullable=True))
        batch_op.add_column(sa.Column("reason", sa.Text(), nullable=True))


def _fold_names() -> None:
    """Write what people on record are found by; from now on whoever writes a name gives it."""
    holder = sa.table(
        "holder",
        sa.column("id", _ID),
        sa.column("given_name"),
        sa.column("family_name"),
        sa.column("folded_name"),
    )
    connection, last = op.get_bind(), ""
    fold = (
        sa.update(holder)
        .where(holder.c.id == sa.bindparam("of"))
        .values(folded_name=sa.bindparam("name"))
    )
    page = sa.select(holder.c.id, holder.c.given_name, holder.c.family_name).order_by(holder.c.id)
    while rows := connection.execute(
        (page.where(holder.c.id > last) if last else page).limit(1000)
    ).fetchall():
        folded = [{"of": id_, "name": searchable(FoldedName(*names))} for id_, *names in rows]
        connection.execute(fold, folded)
        last = rows[-1].id
    with op.batch_alter_table("holder") as batch_op:
        batch_op.alter_column("folded_name", existing_type=tracker.db.Folded, server_default=None)
        batch_op.create_index("ix_holder_folded_name", ["folded_name", "id"])


def downgrade() -> None:
    with op.batch_alter_table("preference") as batch_op:
        batch_op.drop_column("reason")
        batch_op.drop_column("changed_by")
    for name in ("ix_history_at", "ix_history_action", "ix_history_actor"):
        op.drop_index(name, "history")
    for table in ("history_value", "request", "former_name", "former_renewal_decision"):
        op.drop_table(table)
    with op.batch_alter_table("holder") as batch_op:
        batch_op.drop_index("ix_holder_deceased")
        batch_op.drop_index("ix_holder_folded_name")
        batch_op.drop_column("deceased_on")
        batch_op.drop_column("folded_name")
    with op.batch_alter_table("sharing") as batch_op:
        batch_op.drop_constraint(op.f("ck_sharing_end_reason"), type_="check")
        batch_op.drop_column("end_reason")
    with op.batch_alter_table("roster_entry") as batch_op:
        for name in ("ix_roster_entry_employee", "ix_roster_entry_ended", "uq_roster_entry_person"):
            batch_op.drop_index(name)
        batch_op.drop_index("uq_roster_entry_current")
        batch_op.create_unique_constraint(
            op.f("uq_roster_entry_employer_id_employee_id"), ["employer_id", "employee_id"]
        )
    with op.batch_alter_table("appeal") as batch_op:
        batch_op.drop_constraint(op.f("ck_appeal_against"), type_="check")
        batch_op.drop_constraint(op.f("fk_appeal_renewal_id_renewal"), type_="foreignkey")
        batch_op.drop_column("renewal_id")
        batch_op.alter_column("change_id", existing_type=_ID, nullable=False)
    with op.batch_alter_table("activity_decision") as batch_op:
        for name in ("undone_reason", "undone_by", "undone_at"):
            batch_op.drop_column(name)
    with op.batch_alter_table("renewal") as batch_op:
        batch_op.drop_column("points_if_approved")
    with op.batch_alter_table("standing_change") as batch_op:
        batch_op.drop_column("barred_until")
    op.execute("delete from standing_span where hold = 'withdrawn'")
    with op.batch_alter_table("standing_span") as batch_op:
        batch_op.drop_constraint(op.f("ck_standing_span_hold"), type_="check")
        batch_op.create_check_constraint(op.f("ck_standing_span_hold"), f"hold in ({_HOLDS})")
    op.drop_index("uq_certification_current", "certification")
    with op.batch_alter_table("certification") as batch_op:
        batch_op.drop_constraint(op.f("uq_certification_holder_id_scheme_sequence"), type_="unique")
        for name in ("kept_reason", "replaced_on", "sequence"):
            batch_op.drop_column(name)
    op.alter_column("certification", "withdrawn_at", new_column_name="voided_at")
    op.create_index(
        "uq_certification_holder_scheme",
        "certification",
        ["holder_id", "scheme"],
        unique=True,
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    )
    with op.batch_alter_table("notice") as batch_op:
        batch_op.drop_constraint(op.f("ck_notice_kind"), type_="check")
        batch_op.create_check_constraint(op.f("ck_notice_kind"), f"kind in ({_OLD_NOTICES})")
