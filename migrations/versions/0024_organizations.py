"""Training providers and sponsors of apprenticeships; people act for them and for centers, too.

Revision ID: 0024
Revises: 0023
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

# The release before goes on: it knows nobody who acts for one of them, and asks for none.
kind = "expand"

_ID = sa.Uuid(as_uuid=False)
_NEW = ("provider", "sponsor")
_ADDED = ("center", "provider", "sponsor")
_ALL = ("employer", *_ADDED)
_OF_ORGANIZATION = "role in ('employer', 'center', 'provider', 'sponsor')"
_OLD_ROLES = "'holder', 'employer', 'reviewer', 'staff', 'admin'"
_NEW_ROLES = "'holder', 'employer', 'center', 'provider', 'sponsor', 'reviewer', 'staff', 'admin'"
_WITH_ROLES = (
    ("token", "role"),
    ("account", "role"),
    ("invitation", "role"),
    ("recovery", "proposer_role"),
    ("erasure", "proposer_role"),
)
_NAMING = ("account", "invitation", "token", "import_run")
_WAITING = sa.text("accepted_at is null and withdrawn_at is null")
_NAMES_ITS_OWN = " and ".join(f"(role = '{one}') = ({one}_id is not null)" for one in _ALL)


def upgrade() -> None:
    """Create their tables, and let accounts, invitations, tokens and imports name one of them."""
    for table in _NEW:
        op.create_table(
            table,
            sa.Column("id", _ID, nullable=False),
            sa.Column("name", sa.String(200), nullable=False),
            sa.Column("email", sa.String(254)),
            sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
            sa.Column("version", sa.Integer(), nullable=False),
            sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
            sa.UniqueConstraint("name", name=op.f(f"uq_{table}_name")),
        )
    for table in _NAMING:
        with op.batch_alter_table(table) as batch_op:
            for one in _ADDED:
                batch_op.add_column(sa.Column(f"{one}_id", _ID))
                _refer(batch_op, table, one)
            if table == "import_run":
                _refer(batch_op, table, "employer")
    _roles(_NEW_ROLES)
    _checks(
        {
            "account_subject": (
                "(role = 'holder') = (holder_id is not null)"
                " and (role = 'holder' or (name is not null and email is not null))"
            ),
            "account_organization": _NAMES_ITS_OWN,
            "account_sign_in": (
                f"({_OF_ORGANIZATION}) = (access is not null)"
                " and (role = 'holder') = (email_key is null)"
            ),
            "account_own_record": (
                f"own_record_id is null or not (role = 'holder' or {_OF_ORGANIZATION})"
            ),
            "invitation_subject": (
                f"({_OF_ORGANIZATION}) = (access is not null)"
                " and (accepted_at is null) = (account_id is null)"
            ),
            "invitation_organization": _NAMES_ITS_OWN,
            "token_subject": "role <> 'holder' or holder_id is not null",
            "token_organization": _NAMES_ITS_OWN,
        }
    )
    _open_invitations(
        _ADDED, f"accepted_at is null and withdrawn_at is null and not ({_OF_ORGANIZATION})"
    )
    _run(_POLICIES)


def _refer(batch_op: object, table: str, one: str) -> None:
    name = op.f(f"fk_{table}_{one}_id_{one}")
    batch_op.create_foreign_key(name, one, [f"{one}_id"], ["id"])  # type: ignore[attr-defined]


def _roles(roles: str) -> None:
    """The roles that a token, an account, an invitation and a proposal may have."""
    of_invitations = roles.removeprefix("'holder', ")
    for table, column in _WITH_ROLES:
        some = of_invitations if table == "invitation" else roles
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_constraint(op.f(f"ck_{table}_{column}"), type_="check")
            batch_op.create_check_constraint(op.f(f"ck_{table}_{column}"), f"{column} in ({some})")


def _checks(checks: dict[str, str]) -> None:
    """Replace checks, by their table and name; those named organization are new."""
    for name, condition in checks.items():
        table, _, what = name.partition("_")
        with op.batch_alter_table(table) as batch_op:
            if what != "organization":
                batch_op.drop_constraint(op.f(f"ck_{name}"), type_="check")
            batch_op.create_check_constraint(op.f(f"ck_{name}"), condition)


def _open_invitations(added: Sequence[str], of_others: str) -> None:
    """One open invitation of an address for each organization, and one for the body."""
    op.drop_index("uq_invitation_open", "invitation")
    for name, columns, where in (
        *((f"uq_invitation_open_of_{one}", [f"{one}_id", "email_key"], _WAITING) for one in added),
        ("uq_invitation_open", ["email_key"], sa.text(of_others)),
    ):
        op.create_index(
            name, "invitation", columns, unique=True, sqlite_where=where, postgresql_where=where
        )


def _run(statements: str) -> None:
    """Run SQL of PostgreSQL; SQLite has no policies."""
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    schema = connection.exec_driver_sql("select quote_ident(current_schema())").scalar_one()
    for statement in statements.replace("{schema}", schema).split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement.replace("%", "%%"))


_POLICIES = """
create function tracker_center() returns uuid language sql stable as $$
    select case when current_setting('tracker.viewer', true) like 'center %'
        then substr(current_setting('tracker.viewer', true), 8)::uuid end
$$;
create function tracker_provider() returns uuid language sql stable as $$
    select case when current_setting('tracker.viewer', true) like 'provider %'
        then substr(current_setting('tracker.viewer', true), 10)::uuid end
$$;
create function tracker_sponsor() returns uuid language sql stable as $$
    select case when current_setting('tracker.viewer', true) like 'sponsor %'
        then substr(current_setting('tracker.viewer', true), 9)::uuid end
$$;
create or replace function tracker_admit(secret text) returns text language sql volatile
    security definer set search_path = {schema}, pg_temp as $$
    select set_config('tracker.viewer', coalesce((
        select case when role in ('reviewer', 'staff', 'admin') then 'all'
            when role = 'holder' then 'holder ' || holder_id
            else role || ' ' || coalesce(employer_id, center_id, provider_id, sponsor_id) end
        from token where digest = secret), 'nobody'), true)
$$;
drop policy rows on account;
create policy rows on account using ((select tracker_sees_all()) or holder_id = (select
    tracker_holder()) or employer_id = (select tracker_employer()) or center_id = (select
    tracker_center()) or provider_id = (select tracker_provider()) or sponsor_id = (select
    tracker_sponsor()));
drop policy rows on token;
create policy rows on token using ((select tracker_sees_all()) or holder_id = (select
    tracker_holder()) or employer_id = (select tracker_employer()) or center_id = (select
    tracker_center()) or provider_id = (select tracker_provider()) or sponsor_id = (select
    tracker_sponsor()));
drop policy rows on invitation;
create policy rows on invitation using ((select tracker_sees_all()) or employer_id = (select
    tracker_employer()) or center_id = (select tracker_center()) or provider_id = (select
    tracker_provider()) or sponsor_id = (select tracker_sponsor()));
drop policy rows on import_run;
create policy rows on import_run using ((select tracker_sees_all()) or employer_id = (select
    tracker_employer()) or center_id = (select tracker_center()) or provider_id = (select
    tracker_provider()) or sponsor_id = (select tracker_sponsor()))
"""

_OLD_POLICIES = """
create or replace function tracker_admit(secret text) returns text language sql volatile
    security definer set search_path = {schema}, pg_temp as $$
    select set_config('tracker.viewer', coalesce((
        select case when role in ('reviewer', 'staff', 'admin') then 'all'
            when role = 'holder' then 'holder ' || holder_id
            else 'employer ' || employer_id end
        from token where digest = secret), 'nobody'), true)
$$;
drop policy rows on account;
create policy rows on account using ((select tracker_sees_all()) or holder_id = (select
    tracker_holder()) or employer_id = (select tracker_employer()));
drop policy rows on token;
create policy rows on token using ((select tracker_sees_all()) or holder_id = (select
    tracker_holder()) or employer_id = (select tracker_employer()));
drop policy rows on invitation;
create policy rows on invitation using ((select tracker_sees_all()) or employer_id = (select
    tracker_employer()));
drop policy rows on import_run;
create policy rows on import_run using ((select tracker_sees_all()) or employer_id = (select
    tracker_employer()));
drop function tracker_center();
drop function tracker_provider();
drop function tracker_sponsor()
"""

_THEIRS = "role in ('center', 'provider', 'sponsor')"
_WITHOUT_THEM = (
    f"""update login_session set ended_at = last_used_at where ended_at is null
    and account_id in (select id from account where {_THEIRS})""",  # noqa: S608 - no value is given
    f"""update token set revoked_at = coalesce(revoked_at, recorded_at), role = 'reviewer'
    where {_THEIRS}""",  # noqa: S608 - no value is given
    f"""update invitation set role = 'reviewer', access = null, withdrawn_at =
    case when accepted_at is null then coalesce(withdrawn_at, recorded_at) else withdrawn_at end
    where {_THEIRS}""",  # noqa: S608 - no value is given
    f"""update account set deactivated_at = coalesce(deactivated_at, recorded_at),
    role = 'reviewer', access = null where {_THEIRS}""",  # noqa: S608 - no value is given
)
"""The release before does not know them: what they can use ends, under a role that may least."""


def downgrade() -> None:
    """Forget for whom people acted, and drop the tables."""
    _run(_OLD_POLICIES)
    for table in ("account", "invitation", "token"):
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_constraint(op.f(f"ck_{table}_organization"), type_="check")
    _checks(
        {
            "account_sign_in": "role is not null",
            "account_own_record": "role is not null",
            "invitation_subject": "role is not null",
        }
    )
    for change in _WITHOUT_THEM:
        op.execute(sa.text(change))
    of_employer = "(role = 'employer') = (employer_id is not null)"
    _checks(
        {
            "account_subject": (
                f"(role = 'holder') = (holder_id is not null) and {of_employer}"
                " and (role = 'holder' or (name is not null and email is not null))"
            ),
            "account_sign_in": (
                "(role = 'employer') = (access is not null)"
                " and (role = 'holder') = (email_key is null)"
            ),
            "account_own_record": "own_record_id is null or role not in ('holder', 'employer')",
            "invitation_subject": (
                f"{of_employer} and (role = 'employer') = (access is not null)"
                " and (accepted_at is null) = (account_id is null)"
            ),
            "token_subject": (
                "(role <> 'holder' or holder_id is not null)"
                " and (role <> 'employer' or employer_id is not null)"
            ),
        }
    )
    _roles(_OLD_ROLES)
    for one in _ADDED:
        op.drop_index(f"uq_invitation_open_of_{one}", "invitation")
    _open_invitations((), "accepted_at is null and withdrawn_at is null and employer_id is null")
    for table in _NAMING:
        with op.batch_alter_table(table) as batch_op:
            if table == "import_run":
                batch_op.drop_constraint(
                    op.f("fk_import_run_employer_id_employer"), type_="foreignkey"
                )
            for one in _ADDED:
                batch_op.drop_constraint(op.f(f"fk_{table}_{one}_id_{one}"), type_="foreignkey")
                batch_op.drop_column(f"{one}_id")
    for table in _NEW:
        op.drop_table(table)
